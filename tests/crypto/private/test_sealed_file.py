# SPDX-License-Identifier: AGPL-3.0-or-later
"""Passphrase-sealed files: every wrong turn is the same error, and cheap parameters are refused."""

import struct

import nacl.bindings
import pytest

from crypto.errors import KeystoreError
from crypto.private import sealed_file as subject
from crypto.private.sealed_file import Cost, open_file, seal_file
from tests.support.vectors import counting_rng

LOW = Cost(passes=1, memory=64 * 1024 * 1024)
SECRET = b"secret"
DATA = seal_file(b"TEST", SECRET, "correct horse", LOW, counting_rng())


def test_round_trip() -> None:
    assert open_file(b"TEST", DATA, "correct horse") == SECRET


def test_defaults() -> None:
    assert Cost() == Cost(passes=3, memory=256 * 1024 * 1024)


def test_layout_and_second_argon2() -> None:
    """libsodium's Argon2id gives the key that the other library used."""
    magic, version, passes, memory, salt, nonce = struct.unpack_from(">4sBIQ16s24s", DATA)
    assert (magic, version, passes, memory) == (b"TEST", 1, 1, 67108864)
    key = nacl.bindings.crypto_pwhash_alg(
        32, b"correct horse", salt, passes, memory, nacl.bindings.crypto_pwhash_ALG_ARGON2ID13
    )
    opened = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
        DATA[57:], DATA[:57], nonce, key
    )
    assert opened == SECRET


def test_unicode_forms_of_a_passphrase_are_one() -> None:
    data = seal_file(b"TEST", SECRET, "caf\u00e9 \ufb01", LOW, counting_rng())
    assert open_file(b"TEST", data, "cafe\u0301 fi") == SECRET


@pytest.mark.parametrize("passphrase", ["", "wrong", "correct horse ", "Correct horse", "\ud800"])
def test_wrong_passphrase(passphrase: str) -> None:
    with pytest.raises(KeystoreError, match="wrong passphrase"):
        open_file(b"TEST", DATA, passphrase)


def test_no_passphrase() -> None:
    with pytest.raises(KeystoreError):
        seal_file(b"TEST", SECRET, "", LOW, counting_rng())


def with_cost(passes: int, memory: int) -> bytes:
    return DATA[:5] + struct.pack(">IQ", passes, memory) + DATA[17:]


BAD = {
    "empty": b"",
    "cut in the head": DATA[:56],
    "only a head": DATA[:57],
    "cut in the tag": DATA[:60],
    "one short": DATA[:-1],
    "one long": DATA + b"\x00",
    "other magic": b"WHSR" + DATA[4:],
    "other version": DATA[:4] + b"\x02" + DATA[5:],
    "no memory": with_cost(1, 0),
    "too little memory": with_cost(1, 67108864 - 1024),
    "too much memory": with_cost(1, 2**30 + 1024),
    "all the memory there is": with_cost(1, 2**63),
    "odd memory": with_cost(1, 67108864 + 1),
    "no passes": with_cost(0, 67108864),
    "too many passes": with_cost(17, 67108864),
    "another salt": DATA[:17] + bytes(16) + DATA[33:],
    "another nonce": DATA[:33] + bytes(24) + DATA[57:],
    "another ciphertext": DATA[:-1] + bytes([DATA[-1] ^ 1]),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_bad_file(data: bytes) -> None:
    with pytest.raises(KeystoreError):
        open_file(b"TEST", data, "correct horse")


def test_forbidden_costs_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """SECURITY: a hostile file cannot make us allocate: the limits are checked before Argon2."""
    monkeypatch.setattr(subject, "hash_secret_raw", None)
    with pytest.raises(KeystoreError):
        open_file(b"TEST", with_cost(1, 2**40), "x")
