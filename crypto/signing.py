# SPDX-License-Identifier: AGPL-3.0-or-later
"""Ed25519 signatures that always name their domain (RFC 8032, strict verification).

libsodium rejects what RFC 8032 leaves loose: non-canonical S and public keys, and small-order
keys. A signature made for one domain never verifies in another.
"""

from typing import Final

import nacl.bindings
import nacl.exceptions

from crypto.domains import Domain
from crypto.encoding import label
from crypto.errors import AuthenticationError, MalformedError

SEED: Final = 32
PUBLIC: Final = 32
SIGNATURE: Final = 64


def public_from_seed(seed: bytes) -> bytes:
    """Return the 32-byte public key of a 32-byte seed."""
    return _keypair(seed)[0]


def sign(seed: bytes, domain: Domain, *parts: bytes) -> bytes:
    """Sign the parts under this domain; 64 bytes."""
    secret = _keypair(seed)[1]
    return nacl.bindings.crypto_sign(label(domain, *parts), secret)[:SIGNATURE]


def verify(public: bytes, signature: bytes, domain: Domain, *parts: bytes) -> None:
    """Raise `AuthenticationError` unless the signature is by this key in this domain."""
    if len(public) != PUBLIC or len(signature) != SIGNATURE:
        raise AuthenticationError("signature or key has the wrong length")
    try:
        nacl.bindings.crypto_sign_open(signature + label(domain, *parts), public)
    except nacl.exceptions.BadSignatureError as error:
        raise AuthenticationError("signature does not match") from error


def _keypair(seed: bytes) -> tuple[bytes, bytes]:
    if len(seed) != SEED:
        raise MalformedError("a signing seed has 32 bytes")
    return nacl.bindings.crypto_sign_seed_keypair(seed)
