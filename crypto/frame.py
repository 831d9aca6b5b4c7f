# SPDX-License-Identifier: AGPL-3.0-or-later
"""The frame `WHF1`: the fixed-layout, padded, signed plaintext inside every message container.

Invariants: one meaning, one encoding. `decode_frame` refuses every frame that `encode_frame` would
not have written: other sizes, a larger bucket than needed, non-zero padding, unknown type, origin
or flag, signature fields in an unsigned frame, and signatures that do not verify. The form is
judged before the signature, so that every implementation gives the same verdict.

What the receiver still owes: that instance and thread are the expected ones, that the message is
new, that `recipients_digest` fits the manifest, and that `sender` is the key pinned for the thread
or listed in the manifest.

Source: docs/spec/envelope.md section 6.
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, TypeVar

from crypto.domains import Domain
from crypto.encoding import label
from crypto.errors import MalformedError
from crypto.padding import FRAME_HEADER, FRAME_SIZES, frame_size, is_zero_from
from crypto.signing import PUBLIC, SIGNATURE, public_from_seed, sign, verify
from crypto.xwing import Recipient

MAGIC: Final = b"WHF1"
NO_PREVIOUS: Final = bytes(32)
DAY_WITHHELD: Final = 0

_SIGNED: Final = 1
_HEAD: Final = struct.Struct(">4sBBH32s16s16s32s32sII32s")  # everything before the signature
_Named = TypeVar("_Named", bound=IntEnum)
_NO_KEY: Final = bytes(PUBLIC)
_NO_SIGNATURE: Final = bytes(SIGNATURE)


class FrameType(IntEnum):
    """What a message is."""

    REPORT = 1
    FOLLOW_UP = 2
    REPLY = 3
    NOTE = 4
    KEY_NOTICE = 5


class Origin(IntEnum):
    """Where a message was sealed."""

    TOOL = 0
    BROWSER = 1
    ARRIVAL = 2
    DESK = 3


@dataclass(frozen=True)
class Frame:
    """A message with its context; `sender` is None for an unsigned one."""

    type: FrameType
    origin: Origin
    instance_id: bytes
    thread_id: bytes
    message_id: bytes
    prev: bytes
    recipients_digest: bytes
    day: int
    body: bytes = field(repr=False)
    sender: bytes | None = None

    def __post_init__(self) -> None:
        widths = (
            (self.instance_id, 32),
            (self.thread_id, 16),
            (self.message_id, 16),
            (self.prev, 32),
            (self.recipients_digest, 32),
            (_NO_KEY if self.sender is None else self.sender, PUBLIC),
        )
        if any(len(value) != width for value, width in widths):
            raise MalformedError("frame field has the wrong length")
        if not 0 <= self.day < 2**32:
            raise MalformedError("frame day is out of range")


def encode_frame(frame: Frame, sign_seed: bytes | None) -> bytes:
    """Return the padded frame, signed if a seed is given.

    A frame that already names its sender must be signed by that sender.
    """
    sender = None if sign_seed is None else public_from_seed(sign_seed)
    if frame.sender not in (None, sender):
        raise MalformedError("frame names a sender who does not sign it")
    size = frame_size(len(frame.body))
    head = _HEAD.pack(
        MAGIC,
        frame.type,
        frame.origin,
        0 if sender is None else _SIGNED,
        frame.instance_id,
        frame.thread_id,
        frame.message_id,
        frame.prev,
        frame.recipients_digest,
        frame.day,
        len(frame.body),
        sender or _NO_KEY,
    )
    signature = _NO_SIGNATURE
    if sign_seed is not None:
        signature = sign(sign_seed, Domain.FRAME_SIGNATURE, *_signed_parts(head, frame.body))
    return (head + signature + frame.body).ljust(size, b"\x00")


def decode_frame(data: bytes) -> Frame:
    """Parse a frame and verify its signature, if it has one."""
    if len(data) not in FRAME_SIZES:
        raise MalformedError("no frame has this size")
    magic, kind, origin, flags, *context, day, body_length, sender = _HEAD.unpack_from(data)
    if magic != MAGIC or flags not in (0, _SIGNED):
        raise MalformedError("not a frame of this version")
    named = _member(FrameType, kind), _member(Origin, origin)
    if body_length > len(data) - FRAME_HEADER or frame_size(body_length) != len(data):
        raise MalformedError("frame has not the size its body needs")
    body = data[FRAME_HEADER : FRAME_HEADER + body_length]
    if not is_zero_from(data, FRAME_HEADER + body_length):
        raise MalformedError("frame padding is not zero")
    signature = data[_HEAD.size : FRAME_HEADER]
    if flags & _SIGNED:
        parts = _signed_parts(data[: _HEAD.size], body)
        verify(sender, signature, Domain.FRAME_SIGNATURE, *parts)
    elif sender != _NO_KEY or signature != _NO_SIGNATURE:
        raise MalformedError("unsigned frame with signature fields")
    instance_id, thread_id, message_id, prev, digest = context
    return Frame(
        type=named[0],
        origin=named[1],
        instance_id=instance_id,
        thread_id=thread_id,
        message_id=message_id,
        prev=prev,
        recipients_digest=digest,
        day=day,
        body=body,
        sender=sender if flags & _SIGNED else None,
    )


def frame_hash(data: bytes) -> bytes:
    """Return the hash by which the next message of the thread names this frame."""
    return hashlib.sha256(label(Domain.FRAME_HASH, data)).digest()


def recipients_digest(recipients: Sequence[Recipient]) -> bytes:
    """Return the digest of a set of recipients, in whatever order they are given."""
    fingerprints = sorted(recipient.fingerprint() for recipient in recipients)
    return hashlib.sha256(label(Domain.RECIPIENTS, *fingerprints)).digest()


def _signed_parts(head: bytes, body: bytes) -> tuple[bytes, bytes]:
    return head, hashlib.sha256(body).digest()


def _member(kind: type[_Named], value: int) -> _Named:
    try:
        return kind(value)
    except ValueError as error:
        raise MalformedError("frame of unknown type or origin") from error
