# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mailboxes: every box opens at its own place, for its own receipt, and nowhere else."""

import dataclasses
import struct
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from crypto import mailbox as subject
from crypto.domains import Domain
from crypto.encoding import label
from crypto.envelope import seal_message
from crypto.errors import AuthenticationError, CryptoError, MalformedError
from crypto.frame import Frame, FrameType, Origin, encode_frame
from crypto.mailbox import Notice, open_notice, open_own_copy, seal_notice, seal_own_copy
from crypto.receipt import Receipt, derive
from crypto.xwing import recipient_from_seed
from tests.support.vectors import counting_rng, seed

INSTANCE = seed("instance")
KEYS = derive(Receipt(bytes(16)), INSTANCE)
OTHERS = derive(Receipt(bytes(15) + b"\x01"), INSTANCE)
META = {"v": 1, "state": "examining", "due": None}
MESSAGE = bytes(16)


def notice_box(notice: Notice, seq: int = 3) -> bytes:
    return seal_notice(KEYS.mailbox_key, KEYS.lookup_id, seq, notice, counting_rng())


@given(st.dictionaries(st.text(), st.text()), st.none() | st.binary(min_size=1, max_size=40_000))
def test_notice_round_trip(meta: dict[str, str], container: bytes | None) -> None:
    box = notice_box(Notice(meta, container))
    assert len(box) - 28 in subject.NOTICE_SIZES
    assert open_notice(KEYS.mailbox_key, KEYS.lookup_id, 3, box) == Notice(meta, container)


def test_notices_with_and_without_reply_look_alike() -> None:
    assert len(notice_box(Notice(META, None))) == len(notice_box(Notice(META, bytes(5755))))


BOX = notice_box(Notice(META, b"container"))


@pytest.mark.parametrize(
    ("key", "lookup_id", "seq"),
    [
        (OTHERS.mailbox_key, KEYS.lookup_id, 3),
        (KEYS.mailbox_key, OTHERS.lookup_id, 3),
        (KEYS.mailbox_key, KEYS.lookup_id, 2),
        (KEYS.state_key, KEYS.lookup_id, 3),
    ],
    ids=["other key", "other thread", "other place", "other purpose"],
)
def test_notice_elsewhere(key: bytes, lookup_id: bytes, seq: int) -> None:
    with pytest.raises(AuthenticationError):
        open_notice(key, lookup_id, seq, BOX)


@pytest.mark.parametrize("box", [b"", BOX[:-1], BOX + b"\x00", BOX[:12], bytes(28)])
def test_notice_of_wrong_size(box: bytes) -> None:
    with pytest.raises(MalformedError):
        open_notice(KEYS.mailbox_key, KEYS.lookup_id, 3, box)


@pytest.mark.parametrize("at", [0, 11, 12, 5000, len(BOX) - 1])
def test_changed_notice(at: int) -> None:
    changed = bytearray(BOX)
    changed[at] ^= 1
    with pytest.raises(AuthenticationError):
        open_notice(KEYS.mailbox_key, KEYS.lookup_id, 3, bytes(changed))


@pytest.mark.parametrize("seq", [-1, 2**32])
def test_notice_number_out_of_range(seq: int) -> None:
    with pytest.raises(MalformedError):
        notice_box(Notice(META, None), seq)


def test_notice_too_large() -> None:
    with pytest.raises(MalformedError):
        notice_box(Notice(META, bytes(2_100_000)))


def boxed(key: bytes, plain: bytes, place: bytes) -> bytes:
    return bytes(12) + ChaCha20Poly1305(key).encrypt(bytes(12), plain, place)


PLACE = label(Domain.NOTICE, KEYS.lookup_id, struct.pack(">I", 3))
HOSTILE_NOTICES = {
    "meta longer than the box": struct.pack(">II", 9000, 0),
    "everything enormous": struct.pack(">II", 2**32 - 1, 2**32 - 1),
    "container longer than the box": struct.pack(">II", 2, 9000) + b"{}",
    "padding": struct.pack(">II", 2, 0) + b"{}" + b"\x01",
    "meta is not JSON": struct.pack(">II", 2, 0) + b"{]",
    "meta is a list": struct.pack(">II", 2, 0) + b"[]",
    "no meta": struct.pack(">II", 0, 0),
}


@pytest.mark.parametrize("start", HOSTILE_NOTICES.values(), ids=HOSTILE_NOTICES)
def test_hostile_notice(start: bytes) -> None:
    box = boxed(KEYS.mailbox_key, start.ljust(8192, b"\x00"), PLACE)
    with pytest.raises(MalformedError):
        open_notice(KEYS.mailbox_key, KEYS.lookup_id, 3, box)


def test_notice_in_a_larger_bucket_than_needed() -> None:
    plain = (struct.pack(">II", 2, 0) + b"{}").ljust(32768, b"\x00")
    with pytest.raises(MalformedError):
        open_notice(KEYS.mailbox_key, KEYS.lookup_id, 3, boxed(KEYS.mailbox_key, plain, PLACE))


# ---- replies ---------------------------------------------------------------------------------

REPLY = Frame(
    type=FrameType.REPLY,
    origin=Origin.DESK,
    instance_id=INSTANCE,
    thread_id=KEYS.lookup_id,
    message_id=MESSAGE,
    prev=bytes(32),
    recipients_digest=bytes(32),
    day=1,
    body=b"{}",
)
DESK = seed("desk")


def reply(
    recipients: list[Any] | None = None, sign_seed: bytes | None = DESK, **change: Any
) -> bytes:
    frame = encode_frame(dataclasses.replace(REPLY, **change), sign_seed)
    return seal_message(frame, recipients or [KEYS.reply_recipient], counting_rng())


def test_reply_opens() -> None:
    frame, data = subject.open_reply(KEYS, reply(), INSTANCE)
    assert frame.body == b"{}"
    assert encode_frame(frame, DESK) == data


HOSTILE_REPLIES: dict[str, bytes] = {
    "a report": reply(type=FrameType.REPORT),
    "a note": reply(type=FrameType.NOTE),
    "unsigned": reply(sign_seed=None),
    "other organisation": reply(instance_id=seed("other")),
    "other thread": reply(thread_id=OTHERS.lookup_id),
    "for somebody else": reply([OTHERS.reply_recipient]),
    "for two": reply([KEYS.reply_recipient, recipient_from_seed(DESK)]),
    "not a container": b"hello",
    "cut": reply()[:-1],
}


@pytest.mark.parametrize("container", HOSTILE_REPLIES.values(), ids=HOSTILE_REPLIES)
def test_hostile_reply(container: bytes) -> None:
    with pytest.raises(CryptoError):
        subject.open_reply(KEYS, container, INSTANCE)


# ---- own copies ------------------------------------------------------------------------------


@given(st.text(max_size=6000))
def test_own_copy_round_trip(text: str) -> None:
    box = seal_own_copy(KEYS.state_key, KEYS.lookup_id, MESSAGE, text, counting_rng())
    assert len(box) - 28 in subject.FRAME_SIZES
    assert open_own_copy(KEYS.state_key, KEYS.lookup_id, MESSAGE, box) == text


def test_own_copy_of_text_that_is_not_text() -> None:
    with pytest.raises(MalformedError):
        seal_own_copy(KEYS.state_key, KEYS.lookup_id, MESSAGE, "\ud800", counting_rng())


COPY = seal_own_copy(KEYS.state_key, KEYS.lookup_id, MESSAGE, "Sudah dibayar?", counting_rng())


@pytest.mark.parametrize(
    ("key", "lookup_id", "message_id"),
    [
        (OTHERS.state_key, KEYS.lookup_id, MESSAGE),
        (KEYS.state_key, OTHERS.lookup_id, MESSAGE),
        (KEYS.state_key, KEYS.lookup_id, b"x" * 16),
    ],
)
def test_own_copy_elsewhere(key: bytes, lookup_id: bytes, message_id: bytes) -> None:
    with pytest.raises(AuthenticationError):
        open_own_copy(key, lookup_id, message_id, COPY)


HOSTILE_COPIES = {
    "longer than the box": struct.pack(">I", 5000),
    "enormous": b"\xff" * 4,
    "padding": struct.pack(">I", 1) + b"ab",
    "not UTF-8": struct.pack(">I", 1) + b"\xff",
}


@pytest.mark.parametrize("start", HOSTILE_COPIES.values(), ids=HOSTILE_COPIES)
def test_hostile_own_copy(start: bytes) -> None:
    place = label(Domain.OWN_COPY, KEYS.lookup_id, MESSAGE)
    box = boxed(KEYS.state_key, start.ljust(4096, b"\x00"), place)
    with pytest.raises(MalformedError):
        open_own_copy(KEYS.state_key, KEYS.lookup_id, MESSAGE, box)


@pytest.mark.parametrize("box", [b"", COPY[:-1], COPY + b"\x00"])
def test_own_copy_of_wrong_size(box: bytes) -> None:
    with pytest.raises(MalformedError):
        open_own_copy(KEYS.state_key, KEYS.lookup_id, MESSAGE, box)
