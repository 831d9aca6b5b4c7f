# SPDX-License-Identifier: AGPL-3.0-or-later
"""Frames: round trips at every bucket edge, and a table of frames nobody may accept."""

import dataclasses
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import frame as subject
from crypto.errors import AuthenticationError, CryptoError, MalformedError
from crypto.frame import Frame, FrameType, Origin, decode_frame, encode_frame
from crypto.signing import public_from_seed
from crypto.xwing import recipient_from_seed
from tests.support.vectors import seed

SEED = seed("frame")
EDGES = [0, 1, 3855, 3856, 3857, 16144, 16145, 70000]
FRAME = Frame(
    type=FrameType.REPORT,
    origin=Origin.ARRIVAL,
    instance_id=seed("instance"),
    thread_id=seed("thread")[:16],
    message_id=seed("message")[:16],
    prev=subject.NO_PREVIOUS,
    recipients_digest=seed("digest"),
    day=20778,
    body=b'{"v":1}',
)
SIGNED = encode_frame(FRAME, SEED)
UNSIGNED = encode_frame(FRAME, None)


def with_body(body: bytes) -> Frame:
    return dataclasses.replace(FRAME, body=body)


def signed(frame: Frame) -> Frame:
    return dataclasses.replace(frame, sender=public_from_seed(SEED))


@pytest.mark.parametrize("length", EDGES)
def test_bucket_edges(length: int) -> None:
    frame = with_body(b"a" * length)
    data = encode_frame(frame, SEED)
    assert len(data) == subject.frame_size(length)
    assert decode_frame(data) == signed(frame)
    assert decode_frame(encode_frame(frame, None)) == frame


@given(
    st.sampled_from(FrameType),
    st.sampled_from(Origin),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=5000),
    st.booleans(),
)
def test_round_trip(kind: FrameType, origin: Origin, day: int, body: bytes, sign: bool) -> None:
    frame = dataclasses.replace(FRAME, type=kind, origin=origin, day=day, body=body)
    data = encode_frame(frame, SEED if sign else None)
    decoded = decode_frame(data)
    assert decoded == (signed(frame) if sign else frame)
    assert encode_frame(decoded, SEED if sign else None) == data


def test_body_too_long() -> None:
    with pytest.raises(MalformedError):
        encode_frame(with_body(bytes(1048337)), SEED)


def test_sender_must_be_the_signer() -> None:
    encode_frame(signed(FRAME), SEED)
    for frame, sign_seed in ((signed(FRAME), None), (signed(FRAME), seed("other"))):
        with pytest.raises(MalformedError):
            encode_frame(frame, sign_seed)


def patched(data: bytes, offset: int, value: bytes) -> bytes:
    return data[:offset] + value + data[offset + len(value) :]


LONG = encode_frame(with_body(b"a" * 5000), None)
REJECTED = {
    "empty": b"",
    "shorter than a head": SIGNED[:100],
    "no bucket": SIGNED + b"\x00",
    "cut": SIGNED[:-1],
    "next bucket": SIGNED.ljust(16384, b"\x00"),
    "bucket too small for the body": LONG[:4096],
    "magic": patched(UNSIGNED, 0, b"WHF2"),
    "type 0": patched(UNSIGNED, 4, b"\x00"),
    "type 6": patched(UNSIGNED, 4, b"\x06"),
    "origin 4": patched(UNSIGNED, 5, b"\x04"),
    "flag 2": patched(UNSIGNED, 6, b"\x00\x02"),
    "high flag": patched(UNSIGNED, 6, b"\x80\x00"),
    "body length beyond the frame": patched(UNSIGNED, 140, struct.pack(">I", 3857)),
    "body length beyond everything": patched(UNSIGNED, 140, b"\xff" * 4),
    "body length cuts the body": patched(UNSIGNED, 140, struct.pack(">I", 3)),
    "padding": patched(UNSIGNED, 4095, b"\x01"),
    "padding right after the body": patched(UNSIGNED, 240 + len(FRAME.body), b"\x01"),
    "sender without signature": patched(UNSIGNED, 144, public_from_seed(SEED)),
    "signature without flag": patched(UNSIGNED, 176, b"\x01"),
    "flag without signature": patched(UNSIGNED, 6, b"\x00\x01"),
    "signature removed": patched(SIGNED, 176, bytes(64)),
    "flag removed": patched(SIGNED, 6, b"\x00\x00"),
}


@pytest.mark.parametrize("data", REJECTED.values(), ids=REJECTED)
def test_rejected(data: bytes) -> None:
    with pytest.raises(CryptoError):
        decode_frame(data)


@pytest.mark.parametrize("at", [*range(240 + len(FRAME.body)), 1000, 4095])
def test_every_byte_of_a_signed_frame_counts(at: int) -> None:
    with pytest.raises(CryptoError):
        decode_frame(patched(SIGNED, at, bytes([SIGNED[at] ^ 1])))


def test_signature_of_somebody_else() -> None:
    other = encode_frame(FRAME, seed("other"))
    with pytest.raises(AuthenticationError):
        decode_frame(patched(SIGNED, 144, other[144:176]))


@pytest.mark.parametrize(
    "change",
    [
        {"instance_id": bytes(31)},
        {"thread_id": bytes(17)},
        {"message_id": b""},
        {"prev": bytes(16)},
        {"recipients_digest": bytes(64)},
        {"sender": bytes(31)},
        {"day": -1},
        {"day": 2**32},
    ],
    ids=str,
)
def test_fields_have_fixed_widths(change: dict[str, bytes | int]) -> None:
    with pytest.raises(MalformedError):
        dataclasses.replace(FRAME, **change)


def test_hash_depends_on_every_byte() -> None:
    assert len(subject.frame_hash(SIGNED)) == 32
    assert subject.frame_hash(SIGNED) != subject.frame_hash(UNSIGNED)


def test_recipients_digest_ignores_order_only() -> None:
    people = [recipient_from_seed(seed(f"person/{n}")) for n in range(3)]
    digest = subject.recipients_digest(people)
    assert subject.recipients_digest(people[::-1]) == digest
    assert subject.recipients_digest(people[:2]) != digest
    assert subject.recipients_digest([]) != digest


def test_content_stays_out_of_representations() -> None:
    assert "v" not in repr(FRAME).partition("day")[2]
