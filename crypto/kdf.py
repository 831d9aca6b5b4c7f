# SPDX-License-Identifier: AGPL-3.0-or-later
"""HKDF-SHA256 for outputs of at most one block (RFC 5869).

Every derivation here asks for at most 32 bytes, so expansion is a single HMAC.
"""

import hmac
from typing import Final

from crypto.errors import MalformedError

BLOCK: Final = 32


def extract(salt: bytes, secret: bytes) -> bytes:
    """Return the pseudorandom key of `secret`."""
    return hmac.digest(salt, secret, "sha256")


def expand(prk: bytes, info: bytes, length: int) -> bytes:
    """Return `length` <= 32 bytes derived for the purpose `info`."""
    if not 0 < length <= BLOCK:
        raise MalformedError("one HKDF block at most")
    return hmac.digest(prk, info + b"\x01", "sha256")[:length]


def hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    """Extract, then expand."""
    return expand(extract(salt, secret), info, length)
