# SPDX-License-Identifier: AGPL-3.0-or-later
"""A secret in a file, sealed with a passphrase.

Layout: magic (4) ‖ version 1 (1) ‖ passes u32 ‖ memory in bytes u64 ‖ salt (16) ‖ nonce (24) ‖
XChaCha20-Poly1305 ciphertext, with everything before it as associated data. The key is
Argon2id (RFC 9106, one lane) of the passphrase in Unicode form NFKC.

Invariants: cost parameters are checked before any memory is spent on them; a wrong passphrase and
a damaged file give the same error.

Source: docs/spec/envelope.md section 12.
"""

import struct
import unicodedata
from dataclasses import dataclass
from typing import Final

import nacl.bindings
import nacl.exceptions
from argon2.low_level import Type, hash_secret_raw

from crypto.errors import KeystoreError
from crypto.rng import Rng

VERSION: Final = 1
MIN_MEMORY: Final = 64 * 1024 * 1024  # bytes
MAX_MEMORY: Final = 1024 * 1024 * 1024  # bytes
MAX_PASSES: Final = 16
DEFAULT_MEMORY: Final = 256 * 1024 * 1024  # bytes
DEFAULT_PASSES: Final = 3

_HEAD: Final = struct.Struct(">4sBIQ16s24s")
_SALT: Final = 16
_NONCE: Final = 24


@dataclass(frozen=True)
class Cost:
    """What one guess at a passphrase costs."""

    passes: int = DEFAULT_PASSES
    memory: int = DEFAULT_MEMORY

    def __post_init__(self) -> None:
        if not MIN_MEMORY <= self.memory <= MAX_MEMORY or self.memory % 1024:
            raise KeystoreError("sealed file asks for a forbidden amount of memory")
        if not 1 <= self.passes <= MAX_PASSES:
            raise KeystoreError("sealed file asks for a forbidden number of passes")


def seal_file(magic: bytes, secret: bytes, passphrase: str, cost: Cost, rng: Rng) -> bytes:
    """Return the file."""
    if not passphrase:
        raise KeystoreError("a passphrase is needed")
    salt, nonce = rng(_SALT), rng(_NONCE)
    head = _HEAD.pack(magic, VERSION, cost.passes, cost.memory, salt, nonce)
    key = _stretch(passphrase, salt, cost)
    return head + nacl.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(secret, head, nonce, key)


def open_file(magic: bytes, data: bytes, passphrase: str) -> bytes:
    """Return the secret."""
    if len(data) < _HEAD.size:
        raise KeystoreError("sealed file is cut short")
    head = data[: _HEAD.size]
    found, version, passes, memory, salt, nonce = _HEAD.unpack(head)
    if found != magic or version != VERSION:
        raise KeystoreError("not a sealed file of this kind and version")
    key = _stretch(passphrase, salt, Cost(passes, memory))
    try:
        return nacl.bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            data[_HEAD.size :], head, nonce, key
        )
    except (nacl.exceptions.CryptoError, ValueError) as error:
        raise KeystoreError("wrong passphrase, or the file is damaged") from error


def _stretch(passphrase: str, salt: bytes, cost: Cost) -> bytes:
    return hash_secret_raw(
        secret=unicodedata.normalize("NFKC", passphrase).encode("utf-8", "surrogatepass"),
        salt=salt,
        time_cost=cost.passes,
        memory_cost=cost.memory // 1024,
        parallelism=1,
        hash_len=32,
        type=Type.ID,
    )
