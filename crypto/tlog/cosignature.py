# SPDX-License-Identifier: AGPL-3.0-or-later
"""Timestamped Ed25519 cosignatures: a witness says when it saw this checkpoint as the latest.

Invariants: the signed message is two header lines and the whole note text; the time is in the
message and in the signature, and the two are equal by construction.

Source: C2SP tlog-cosignature v1.0.1 (signature type 0x04).
"""

import struct
from typing import Final

from crypto.signing import SIGNATURE
from crypto.tlog.errors import LogFormatError
from crypto.tlog.lines import (
    MAX_NUMBER,
    KeyType,
    check_key_name,
    key_id,
    public_key,
    sign_raw,
    signature_line,
    verify_raw,
)

HEADER: Final = "cosignature/v1"
_TIME: Final = struct.Struct(">Q")
LENGTH: Final = _TIME.size + SIGNATURE


def signed_message(note_text: str, time: int) -> bytes:
    """The bytes a cosigner signs; `time` is whole seconds since 1970."""
    if not 0 <= time <= MAX_NUMBER:
        raise LogFormatError("time out of range")
    return f"{HEADER}\ntime {time}\n{note_text}".encode()


def cosign(seed: bytes, name: str, note_text: str, time: int) -> str:
    """Return the cosignature of a note text as a signature line with its newline.

    Raises LogFormatError: a seed, name or time out of form.
    """
    check_key_name(name)
    message = signed_message(note_text, time)
    signature = _TIME.pack(time) + sign_raw(seed, message)
    return signature_line(name, key_id(name, KeyType.COSIGNATURE, public_key(seed)), signature)


def verify_cosignature(public: bytes, signature: bytes, note_text: str) -> int | None:
    """Return the time of a cosignature (72 bytes), or None if this key did not make it."""
    if len(signature) != LENGTH:
        return None
    (time,) = _TIME.unpack_from(signature)
    if time > MAX_NUMBER:
        return None
    genuine = verify_raw(public, signature[_TIME.size :], signed_message(note_text, time))
    return time if genuine else None
