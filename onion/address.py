# SPDX-License-Identifier: AGPL-3.0-or-later
"""Version 3 onion addresses: from an Ed25519 public key, and back.

- One key has one address, one address one key: `parse_address(encode_address(k)) == k`, and only
  the lower-case form with `.onion` is accepted.
- The checksum is verified, so one wrong character is never accepted. That finds typing mistakes,
  not forgeries: an address is compared with a signed manifest, never by eye.

Source: Tor rend-spec-v3, section 6 (encoding onion addresses).
"""

import base64
import hashlib
import re

from onion.errors import AddressError

PUBLIC_KEY_SIZE = 32
CHECKSUM_SIZE = 2
VERSION = b"\x03"
SUFFIX = ".onion"
LABEL_LENGTH = 56
"""Base32 characters of 32 key + 2 checksum + 1 version bytes: 35 * 8 / 5."""

_ADDRESS = re.compile(rf"[a-z2-7]{{{LABEL_LENGTH}}}\.onion")


def encode_address(public_key: bytes) -> str:
    """Returns the address, `.onion` included and without a scheme. Raises: AddressError."""
    if len(public_key) != PUBLIC_KEY_SIZE:
        raise AddressError("an onion service's public key has 32 bytes")
    label = base64.b32encode(public_key + _checksum(public_key) + VERSION)
    return label.decode("ascii").lower() + SUFFIX


def parse_address(text: str) -> bytes:
    """Returns the Ed25519 public key of an address. Raises: AddressError."""
    if _ADDRESS.fullmatch(text) is None:
        raise AddressError("an onion address is 56 letters a-z and digits 2-7, then .onion")
    raw = base64.b32decode(text.removesuffix(SUFFIX).upper())
    key, rest = raw[:PUBLIC_KEY_SIZE], raw[PUBLIC_KEY_SIZE:]
    if rest[CHECKSUM_SIZE:] != VERSION:
        raise AddressError("the onion address is not of version 3")
    if rest[:CHECKSUM_SIZE] != _checksum(key):
        raise AddressError("the onion address has a wrong character")
    return key


def _checksum(public_key: bytes) -> bytes:
    return hashlib.sha3_256(b".onion checksum" + public_key + VERSION).digest()[:CHECKSUM_SIZE]
