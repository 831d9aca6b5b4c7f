# SPDX-License-Identifier: AGPL-3.0-or-later
"""Client authorisation: which desks can find and reach the case server's onion service.

- The desk makes the key pair; only the public half ever leaves it.
- One key has one text: 52 upper-case base32 characters without padding.
- A key that cannot be used is refused here and never written. SECURITY: tor skips an unreadable
  line, and with no readable line left it publishes the service for everybody.
- A point of small order is refused: everybody knows the secret it leads to.

Source: Tor rend-spec-v3, appendix G (`authorized_clients`, `.auth_private`).
"""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from onion.address import SUFFIX, parse_address
from onion.errors import ClientKeyError

KEY_SIZE = 32
KEY_TEXT_LENGTH = 52
"""Base32 characters of 32 bytes, without padding."""

_PADDING = "===="
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?")


@dataclass(frozen=True, repr=False)
class ClientKey:
    """A desk's x25519 key pair. Has no readable repr, so that no log can hold it."""

    private: bytes

    @property
    def public_text(self) -> str:
        """What the desk hands to the server's operator."""
        key = X25519PrivateKey.from_private_bytes(self.private)
        return _encode(key.public_key().public_bytes_raw())

    @property
    def private_text(self) -> str:
        """What Tor Browser asks for when it meets the service."""
        return _encode(self.private)


def generate_client_key(rng: Callable[[int], bytes]) -> ClientKey:
    """Makes a new key pair from 32 random bytes."""
    return ClientKey(rng(KEY_SIZE))


def parse_public_key(text: str) -> bytes:
    """Returns the 32 bytes of a public key. Raises: ClientKeyError."""
    raw = _decode(text)
    try:
        X25519PrivateKey.from_private_bytes(b"\x01" * KEY_SIZE).exchange(
            X25519PublicKey.from_public_bytes(raw)
        )
    except ValueError:
        raise ClientKeyError("this client key is a known weak point, not a key") from None
    return raw


def parse_private_key(text: str) -> ClientKey:
    """Returns the key pair of a private key. Raises: ClientKeyError."""
    return ClientKey(_decode(text))


def check_desk_name(name: str) -> str:
    """Returns the name if it may become a file name. Raises: ClientKeyError."""
    if _NAME.fullmatch(name) is None:
        raise ClientKeyError("a desk's name is 1 to 64 of a-z, 0-9 and inner hyphens")
    return name


def authorized_client_line(public_text: str) -> str:
    """Returns the content of `authorized_clients/NAME.auth`. Raises: ClientKeyError."""
    parse_public_key(public_text)
    return f"descriptor:x25519:{public_text}"


def auth_private_line(address: str, key: ClientKey) -> str:
    """Returns the content of NAME.auth_private for the desk's tor. Raises: AddressError."""
    parse_address(address)
    return f"{address.removesuffix(SUFFIX)}:descriptor:x25519:{key.private_text}"


def _encode(raw: bytes) -> str:
    return base64.b32encode(raw).decode("ascii").rstrip("=")


def _decode(text: str) -> bytes:
    wrong = "a client key is 52 letters A-Z and digits 2-7"
    if len(text) != KEY_TEXT_LENGTH or not text.isascii():
        raise ClientKeyError(wrong)
    try:
        raw = base64.b32decode(text + _PADDING)
    except binascii.Error:
        raise ClientKeyError(wrong) from None
    if _encode(raw) != text:
        raise ClientKeyError(wrong)
    return raw
