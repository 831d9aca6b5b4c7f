# SPDX-License-Identifier: AGPL-3.0-or-later
"""The root key file; what it signs is tested in test_manifest.py."""

import pytest

from crypto.errors import KeystoreError, MalformedError
from crypto.private import root as subject
from crypto.private.sealed_file import Cost, seal_file
from tests.support.vectors import counting_rng, seed

LOW = {"opslimit": 1, "memlimit": 64 * 1024 * 1024}
DATA = subject.seal_root(seed("root"), "kata sandi", counting_rng(), **LOW)


def test_round_trip() -> None:
    assert subject.open_root(DATA, "kata sandi") == seed("root")
    assert DATA.startswith(b"WHSR")


def test_wrong_passphrase() -> None:
    with pytest.raises(KeystoreError):
        subject.open_root(DATA, "x")


@pytest.mark.parametrize("length", [0, 31, 33])
def test_wrong_size(length: int) -> None:
    with pytest.raises(KeystoreError):
        subject.seal_root(bytes(length), "p", counting_rng(), **LOW)
    data = seal_file(subject.MAGIC, bytes(length), "p", Cost(1, LOW["memlimit"]), counting_rng())
    with pytest.raises(KeystoreError):
        subject.open_root(data, "p")


@pytest.mark.parametrize("data", [b"", b"{}", b"not a manifest"])
def test_signs_manifests_only(data: bytes) -> None:
    with pytest.raises(MalformedError):
        subject.sign_manifest(seed("root"), data)
