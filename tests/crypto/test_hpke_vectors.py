# SPDX-License-Identifier: AGPL-3.0-or-later
"""The published hpke-pq vectors for KEM 0x647A, HKDF-SHA256 and ChaCha20-Poly1305, base mode."""

import json
from importlib.resources import files
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.bindings._rust import openssl as rust

from crypto.xwing import ENCAPSULATED, SUITE, hpke_private_key, recipient_from_seed

SOURCE = files("cryptography_vectors") / "HPKE" / "hpke-pq-test-vectors.json"
WANTED = {"mode": 0, "kem_id": 0x647A, "kdf_id": 1, "aead_id": 3}
VECTORS: list[dict[str, Any]] = [
    vector
    for vector in json.loads(SOURCE.read_text(encoding="utf-8"))
    if all(vector[key] == value for key, value in WANTED.items())
]


def test_there_is_such_a_vector() -> None:
    assert VECTORS


@pytest.mark.parametrize("vector", VECTORS)
def test_key_from_seed(vector: dict[str, Any]) -> None:
    seed = bytes.fromhex(vector["skRm"])
    assert recipient_from_seed(seed).raw == bytes.fromhex(vector["pkRm"])


@pytest.mark.parametrize("vector", VECTORS)
def test_open(vector: dict[str, Any]) -> None:
    key = hpke_private_key(bytes.fromhex(vector["skRm"]))
    first = vector["encryptions"][0]
    sealed = bytes.fromhex(vector["enc"]) + bytes.fromhex(first["ct"])
    info, aad = bytes.fromhex(vector["info"]), bytes.fromhex(first["aad"])
    opened = rust.hpke._decrypt_with_aad(SUITE, sealed, key, info, aad)
    assert opened == bytes.fromhex(first["pt"])
    with pytest.raises(InvalidTag):
        rust.hpke._decrypt_with_aad(SUITE, sealed, key, info + b"x", aad)


@pytest.mark.parametrize("vector", VECTORS)
def test_encapsulation_length(vector: dict[str, Any]) -> None:
    assert len(bytes.fromhex(vector["enc"])) == ENCAPSULATED
