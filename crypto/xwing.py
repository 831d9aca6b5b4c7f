# SPDX-License-Identifier: AGPL-3.0-or-later
"""Recipients: MLKEM768-X25519 (X-Wing) public keys and how they are written.

Invariants: a `Recipient` exists only with a public key the library accepted; its parsed form is
kept, because parsing costs a fifth of a sealing.

A build of `cryptography` against an old OpenSSL lacks the algorithm; `require_support` finds out at
start-up instead of at the first report.

Sources: draft-connolly-cfrg-xwing-kem, draft-ietf-hpke-pq (KEM 0x647A), C2SP age (text forms).
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.mlkem import (
    MLKEM768PrivateKey,
    MLKEM768PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from crypto import bech32
from crypto.domains import Domain
from crypto.encoding import label
from crypto.errors import MalformedError

SEED: Final = 32
MLKEM_PUBLIC: Final = 1184
PUBLIC: Final = MLKEM_PUBLIC + 32
ENCAPSULATED: Final = 1088 + 32
RECIPIENT_PREFIX: Final = "age1pq"
IDENTITY_PREFIX: Final = "age-secret-key-pq-"

SUITE: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


@dataclass(frozen=True)
class Recipient:
    """Somebody who can be sealed to."""

    raw: bytes
    hpke_key: MLKEM768X25519PublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.raw) != PUBLIC:
            raise MalformedError("a recipient key has 1216 bytes")
        try:
            key = MLKEM768X25519PublicKey(
                MLKEM768PublicKey.from_public_bytes(self.raw[:MLKEM_PUBLIC]),
                X25519PublicKey.from_public_bytes(self.raw[MLKEM_PUBLIC:]),
            )
        except ValueError as error:
            raise MalformedError("not a recipient key") from error
        object.__setattr__(self, "hpke_key", key)

    @classmethod
    def from_age(cls, text: str) -> "Recipient":
        """Parse `age1pq1…`, lower case only."""
        if not text.startswith(RECIPIENT_PREFIX):
            raise MalformedError("not an age1pq1 recipient")
        return cls(bech32.decode(RECIPIENT_PREFIX, text, PUBLIC))

    def to_age(self) -> str:
        """Return `age1pq1…`, 1,959 characters."""
        return bech32.encode(RECIPIENT_PREFIX, self.raw)

    def fingerprint(self) -> bytes:
        """Return the 32-byte hash that names this key to people and in digests."""
        return hashlib.sha256(label(Domain.RECIPIENT_FINGERPRINT, self.raw)).digest()


def recipient_from_seed(seed: bytes) -> Recipient:
    """Return the public half of a 32-byte seed."""
    mlkem, x25519 = _halves(seed)
    return Recipient(mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw())


def hpke_private_key(seed: bytes) -> MLKEM768X25519PrivateKey:
    """Return the HPKE private key of a 32-byte seed."""
    return MLKEM768X25519PrivateKey(*_halves(seed))


def identity_to_age(seed: bytes) -> str:
    """Return `AGE-SECRET-KEY-PQ-1…`."""
    return bech32.encode(IDENTITY_PREFIX, seed).upper()


def identity_from_age(text: str) -> bytes:
    """Parse `AGE-SECRET-KEY-PQ-1…`, upper case only."""
    if not text.startswith(IDENTITY_PREFIX.upper()):
        raise MalformedError("not an age identity")
    return bech32.decode(IDENTITY_PREFIX, text, SEED)


def require_support() -> None:
    """Raise `MalformedError` if this build of the library cannot do MLKEM768-X25519."""
    try:
        recipient_from_seed(bytes(SEED))
    except UnsupportedAlgorithm as error:
        raise MalformedError("this cryptography build lacks ML-KEM-768") from error


def _halves(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    if len(seed) != SEED:
        raise MalformedError("a recipient seed has 32 bytes")
    expanded = hashlib.shake_256(seed).digest(96)
    return (
        MLKEM768PrivateKey.from_seed_bytes(expanded[:64]),
        X25519PrivateKey.from_private_bytes(expanded[64:]),
    )
