# SPDX-License-Identifier: AGPL-3.0-or-later
"""The small pieces of text that all log formats are made of, each with exactly one spelling.

Invariants
* Base64 is the standard alphabet with padding, and canonical; decimals have no leading zero and
  stay below 2^63; a hash is 32 bytes.
* Raw Ed25519 here signs notes and cosignatures only.  Every other signature of this project is over
  a label with a zero byte (crypto.signing), which no note can contain, so neither passes for the
  other.

Source: C2SP signed-note v1.0.0, RFC 4648 section 4, RFC 8032 (libsodium's strict verification).
"""

import base64
import binascii
import hashlib
import re
from enum import IntEnum
from typing import Final

import nacl.bindings
import nacl.exceptions

from crypto.signing import PUBLIC, SEED, SIGNATURE
from crypto.tlog.errors import LogFormatError

HASH: Final = 32
KEY_ID: Final = 4
DASH: Final = "—"
MAX_NUMBER: Final = 2**63 - 1
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}")


class KeyType(IntEnum):
    """The signature types in use, by their identifier byte."""

    ED25519 = 0x01
    COSIGNATURE = 0x04


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str) -> bytes:
    """Decode the canonical form only.  Raises LogFormatError."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise LogFormatError("not base64") from error
    if encode_base64(data) != text:
        raise LogFormatError("base64 is not canonical")
    return data


def decode_hash(text: str) -> bytes:
    """Decode the base64 of 32 bytes.  Raises LogFormatError."""
    data = decode_base64(text)
    if len(data) != HASH:
        raise LogFormatError("a hash has 32 bytes")
    return data


def decode_decimal(text: str) -> int:
    """Parse an ASCII decimal from 0 to 2^63 - 1.  Raises LogFormatError."""
    if _DECIMAL.fullmatch(text) is None or int(text) > MAX_NUMBER:
        raise LogFormatError("not a decimal number")
    return int(text)


def check_key_name(name: str) -> None:
    """Raise LogFormatError unless this may name a key: no space, no plus, no control character."""
    if not name or "+" in name or any(each.isspace() or each < " " for each in name):
        raise LogFormatError("not a key name")
    try:
        name.encode("utf-8")
    except UnicodeEncodeError as error:
        raise LogFormatError("not a key name") from error


def key_id(name: str, kind: KeyType, public: bytes) -> bytes:
    """The four bytes that, with the name, tell which key signed."""
    return hashlib.sha256(name.encode() + b"\n" + bytes((kind,)) + public).digest()[:KEY_ID]


def signature_line(name: str, identifier: bytes, signature: bytes) -> str:
    """One signature line with its newline."""
    return f"{DASH} {name} {encode_base64(identifier + signature)}\n"


def public_key(seed: bytes) -> bytes:
    """The Ed25519 public key (32 bytes) of a seed (32 bytes).  Raises LogFormatError."""
    return _keypair(seed)[0]


def sign_raw(seed: bytes, message: bytes) -> bytes:
    """A 64-byte Ed25519 signature over the message itself."""
    return nacl.bindings.crypto_sign(message, _keypair(seed)[1])[:SIGNATURE]


def verify_raw(public: bytes, signature: bytes, message: bytes) -> bool:
    """Say whether this key signed the message."""
    if len(public) != PUBLIC or len(signature) != SIGNATURE:
        return False
    try:
        nacl.bindings.crypto_sign_open(signature + message, public)
    except nacl.exceptions.BadSignatureError:
        return False
    return True


def _keypair(seed: bytes) -> tuple[bytes, bytes]:
    if len(seed) != SEED:
        raise LogFormatError("a signing seed has 32 bytes")
    return nacl.bindings.crypto_sign_seed_keypair(seed)
