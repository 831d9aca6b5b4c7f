# SPDX-License-Identifier: AGPL-3.0-or-later
"""What waits for the reporter: notices, the replies inside them, and the reporter's own copies.

Invariants:
- a notice is bound to its thread and its place in the thread, so it cannot be moved or reordered;
- `open_reply` takes a reporter's keys and nothing else, accepts a container with exactly one
  stanza, and only a signed reply frame of this organisation and this thread;
- everything is padded to fixed sizes.

What the caller of `open_reply` still owes: that the frame's sender is a desk key in the manifest.

Source: docs/spec/receipt.md sections 8 and 9.
"""

import struct
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from crypto import jsonfields as read
from crypto.age.reader import open_single
from crypto.domains import Domain
from crypto.encoding import canonical_json, label, parse_json
from crypto.errors import AuthenticationError, MalformedError
from crypto.frame import Frame, FrameType, decode_frame
from crypto.padding import FRAME_SIZES, bucket, is_zero_from
from crypto.receipt import ReceiptKeys
from crypto.rng import Rng

NONCE: Final = 12
NOTICE_SIZES: Final = (8192, 32768, 131072, 524288, 2097152)  # padded plaintext, bytes
_LENGTHS: Final = struct.Struct(">II")  # of the meta JSON, and of the container
_U32: Final = struct.Struct(">I")
_MAX_META: Final = 1048576


@dataclass(frozen=True, repr=False)
class Notice:
    """One entry of a mailbox: public facts of an act, and perhaps a sealed reply."""

    meta: dict[str, Any]
    container: bytes | None


def seal_notice(mailbox_key: bytes, lookup_id: bytes, seq: int, notice: Notice, rng: Rng) -> bytes:
    """Seal a notice for its place `seq` in the thread."""
    meta = canonical_json(notice.meta)
    container = notice.container or b""
    lengths = _LENGTHS.pack(len(meta), len(container))
    size = bucket(len(lengths) + len(meta) + len(container), NOTICE_SIZES)
    plain = (lengths + meta + container).ljust(size, b"\x00")
    return _seal(mailbox_key, plain, _notice_place(lookup_id, seq), rng)


def open_notice(mailbox_key: bytes, lookup_id: bytes, seq: int, box: bytes) -> Notice:
    """Open a notice that was sealed for exactly this place."""
    plain = _open(mailbox_key, box, _notice_place(lookup_id, seq), NOTICE_SIZES)
    meta_length, container_length = _LENGTHS.unpack_from(plain)
    meta_end = _LENGTHS.size + meta_length
    end = meta_end + container_length
    if end > len(plain) or bucket(end, NOTICE_SIZES) != len(plain) or not is_zero_from(plain, end):
        raise MalformedError("notice is not padded as it should be")
    meta = parse_json(plain[_LENGTHS.size : meta_end], max_bytes=_MAX_META)
    return Notice(dict(read.members(meta)), plain[meta_end:end] or None)


def open_reply(keys: ReceiptKeys, container: bytes, instance_id: bytes) -> tuple[Frame, bytes]:
    """Open a reply; return its frame, parsed and as it was sealed.

    (1) Exactly one stanza, made for this receipt's reply key. (2) A frame in canonical form whose
    signature verifies. (3) A signed reply of this organisation to this thread.
    """
    # Step 1 of the list above.
    data = open_single(keys.reply_seed, container)
    # Step 2 of the list above.
    frame = decode_frame(data)
    # Step 3 of the list above.
    if frame.type is not FrameType.REPLY or frame.sender is None:
        raise AuthenticationError("not a signed reply")
    if frame.instance_id != instance_id or frame.thread_id != keys.lookup_id:
        raise AuthenticationError("reply belongs elsewhere")
    return frame, data


def seal_own_copy(
    state_key: bytes, lookup_id: bytes, message_id: bytes, text: str, rng: Rng
) -> bytes:
    """Seal what the reporter wrote, for the reporter's own later reading."""
    try:
        content = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise MalformedError("text with a lone surrogate") from error
    length = _U32.pack(len(content))
    size = bucket(len(length) + len(content), FRAME_SIZES)
    plain = (length + content).ljust(size, b"\x00")
    return _seal(state_key, plain, label(Domain.OWN_COPY, lookup_id, message_id), rng)


def open_own_copy(state_key: bytes, lookup_id: bytes, message_id: bytes, box: bytes) -> str:
    """Open the reporter's own copy of a message."""
    plain = _open(state_key, box, label(Domain.OWN_COPY, lookup_id, message_id), FRAME_SIZES)
    end = _U32.size + int(_U32.unpack_from(plain)[0])
    if end > len(plain) or bucket(end, FRAME_SIZES) != len(plain) or not is_zero_from(plain, end):
        raise MalformedError("own copy is not padded as it should be")
    try:
        return plain[_U32.size : end].decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("own copy is not UTF-8") from error


def _notice_place(lookup_id: bytes, seq: int) -> bytes:
    if not 0 <= seq < 2**32:
        raise MalformedError("notice number is out of range")
    return label(Domain.NOTICE, lookup_id, _U32.pack(seq))


def _seal(key: bytes, plain: bytes, place: bytes, rng: Rng) -> bytes:
    nonce = rng(NONCE)
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, plain, place)


def _open(key: bytes, box: bytes, place: bytes, sizes: tuple[int, ...]) -> bytes:
    if len(box) - NONCE - 16 not in sizes:
        raise MalformedError("box has no permitted size")
    try:
        return ChaCha20Poly1305(key).decrypt(box[:NONCE], memoryview(box)[NONCE:], place)
    except InvalidTag as error:
        raise AuthenticationError("box does not open with this key at this place") from error
