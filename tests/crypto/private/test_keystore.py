# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk's keystore."""

import dataclasses

import pytest

from crypto.errors import KeystoreError
from crypto.private import keystore as subject
from crypto.private.keystore import Identity, open_keystore, seal_keystore
from crypto.private.root import seal_root
from crypto.private.sealed_file import Cost, seal_file
from crypto.signing import public_from_seed
from crypto.xwing import recipient_from_seed
from tests.support.vectors import counting_rng, seed

LOW = {"opslimit": 1, "memlimit": 64 * 1024 * 1024}
IDENTITY = Identity("penyidik-1", seed("recipient"), seed("device"), seed("instance"))
DATA = seal_keystore(IDENTITY, "kata sandi", counting_rng(), **LOW)


def test_round_trip() -> None:
    opened = open_keystore(DATA, "kata sandi")
    assert opened == IDENTITY
    assert opened.recipient == recipient_from_seed(seed("recipient"))
    assert opened.device_public == public_from_seed(seed("device"))
    assert opened.recipient is opened.recipient


def test_size_tells_nothing() -> None:
    for person in ("a", "x" * 63):
        identity = dataclasses.replace(IDENTITY, person=person)
        data = seal_keystore(identity, "p", counting_rng(), **LOW)
        assert len(data) == len(DATA) == 233
        assert open_keystore(data, "p").person == person


def test_wrong_passphrase() -> None:
    with pytest.raises(KeystoreError):
        open_keystore(DATA, "kata sandi lain")


@pytest.mark.parametrize(
    "limits",
    [
        {"memlimit": 64 * 1024 * 1024 - 1024},
        {"memlimit": 1024**3 + 1024},
        {"opslimit": 0},
        {"opslimit": 17},
    ],
    ids=str,
)
def test_limits(limits: dict[str, int]) -> None:
    with pytest.raises(KeystoreError):
        seal_keystore(IDENTITY, "p", counting_rng(), **{**LOW, **limits})


@pytest.mark.parametrize(
    "change",
    [
        {"person": ""},
        {"person": "x" * 64},
        {"recipient_seed": bytes(31)},
        {"device_seed": bytes(33)},
        {"instance_id": b""},
    ],
    ids=str,
)
def test_identity_that_does_not_fit(change: dict[str, str | bytes]) -> None:
    with pytest.raises(KeystoreError):
        seal_keystore(dataclasses.replace(IDENTITY, **change), "p", counting_rng(), **LOW)


SEEDS = bytes(96)
BAD_PLAINTEXTS = {
    "too short": SEEDS + b"\x01a",
    "too long": SEEDS + b"\x01a".ljust(65, b"\x00"),
    "nobody": SEEDS + bytes(64),
    "name longer than its place": SEEDS + b"\x40" + b"a" * 63,
    "name not UTF-8": SEEDS + b"\x01\xff".ljust(64, b"\x00"),
    "padding": SEEDS + b"\x01ab".ljust(64, b"\x00"),
}


@pytest.mark.parametrize("plain", BAD_PLAINTEXTS.values(), ids=BAD_PLAINTEXTS)
def test_bad_plaintext(plain: bytes) -> None:
    data = seal_file(subject.MAGIC, plain, "p", Cost(1, 64 * 1024 * 1024), counting_rng())
    with pytest.raises(KeystoreError):
        open_keystore(data, "p")


def test_a_root_key_file_is_no_keystore() -> None:
    with pytest.raises(KeystoreError):
        open_keystore(seal_root(bytes(32), "p", counting_rng(), **LOW), "p")


def test_secrets_stay_out_of_representations() -> None:
    assert "penyidik" not in repr(IDENTITY)
    assert "\\x" not in repr(IDENTITY)
