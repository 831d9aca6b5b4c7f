# SPDX-License-Identifier: AGPL-3.0-or-later
"""Ed25519 signatures that verifiers judge differently unless the rules are exact.

Each maker takes a seed and a function from a public key to the message it signs (a frame holds its
signer's key, so a changed key changes the message). Source: RFC 8032; Chalkias et al., "Taming the
many EdDSAs" (2020).
"""

import hashlib
from collections.abc import Callable

from nacl import bindings

ORDER = 2**252 + 27742317777372353535851937790883648493
MessageOf = Callable[[bytes], bytes]
Signed = tuple[bytes, bytes]
"""(public key, signature)"""

IDENTITY = b"\x01" + bytes(31)
TORSION = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
"""A point of order eight."""

NOT_CANONICAL_IDENTITY = bytes.fromhex("ee" + "ff" * 30 + "7f")
"""y = p + 1."""


def _scalar(value: int) -> bytes:
    return (value % ORDER).to_bytes(32, "little")


def _base(value: int) -> bytes:
    return bindings.crypto_scalarmult_ed25519_base_noclamp(_scalar(value))


def _secret(seed: bytes) -> int:
    low = bytearray(hashlib.sha512(seed).digest()[:32])
    low[0] &= 248
    low[31] = low[31] & 127 | 64
    return int.from_bytes(low, "little")


def _hash(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def forge(
    seed: bytes, message_of: MessageOf, *, shift_r: bytes = b"", shift_key: bytes = b""
) -> Signed:
    """Sign with points of small order added to R or to the key: whole without them."""
    secret, nonce = _secret(seed), _hash(b"nonce", seed)
    key, point = _base(secret), _base(nonce)
    if shift_key:
        key = bindings.crypto_core_ed25519_add(key, shift_key)
    if shift_r:
        point = bindings.crypto_core_ed25519_add(point, shift_r)
    rest = nonce + _hash(point, key, message_of(key)) * secret
    return key, point + _scalar(rest)


def small_r(seed: bytes, message_of: MessageOf, point: bytes = IDENTITY) -> Signed:
    """A signature by the key's holder whose R is of small order."""
    secret = _secret(seed)
    key = _base(secret)
    return key, point + _scalar(_hash(point, key, message_of(key)) * secret)


def great_s(seed: bytes, message_of: MessageOf) -> Signed:
    """The same signature with S + L, as RFC 8032 forbids."""
    key, signature = forge(seed, message_of)
    value = int.from_bytes(signature[32:], "little") + ORDER
    return key, signature[:32] + value.to_bytes(32, "little")


def odd_signatures(seed: bytes, message_of: MessageOf) -> dict[str, Signed]:
    """Return every kind by name."""
    anybody = bytes(32)
    return {
        "plain": forge(seed, message_of),
        "torsion in R": forge(seed, message_of, shift_r=TORSION),
        "torsion in the key": forge(seed, message_of, shift_key=TORSION),
        "R is zero": small_r(seed, message_of),
        "R of order eight": small_r(seed, message_of, TORSION),
        "R not canonical": small_r(seed, message_of, NOT_CANONICAL_IDENTITY),
        "S plus L": great_s(seed, message_of),
        "key is zero": (IDENTITY, IDENTITY + anybody),
        "key of order eight": (TORSION, IDENTITY + anybody),
        "key not canonical": (NOT_CANONICAL_IDENTITY, IDENTITY + anybody),
        "key off the curve": (b"\x02" + bytes(31), IDENTITY + anybody),
        "all ones": (b"\xff" * 32, b"\xff" * 64),
    }
