# SPDX-License-Identifier: AGPL-3.0-or-later
"""The sizes that exist."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import padding as subject
from crypto.errors import MalformedError


def test_numbers() -> None:
    assert subject.FRAME_SIZES == (4096, 16384, 65536, 262144, 1048576)
    assert subject.FRAME_HEADER == 240
    assert subject.MAX_BODY == 1048336


@pytest.mark.parametrize(
    ("length", "size"),
    [
        (0, 4096),
        (3856, 4096),
        (3857, 16384),
        (16144, 16384),
        (16145, 65536),
        (65296, 65536),
        (65297, 262144),
        (70000, 262144),
        (subject.MAX_BODY, 1048576),
    ],
)
def test_frame_size(length: int, size: int) -> None:
    assert subject.frame_size(length) == size


def test_too_long_for_any_frame() -> None:
    with pytest.raises(MalformedError):
        subject.frame_size(subject.MAX_BODY + 1)


@pytest.mark.parametrize(
    ("length", "padded"),
    [
        (200, 208),
        (2_000, 2_048),
        (20_000, 20_480),
        (100_000, 100_352),
        (1_000_000, 1_015_808),
        (5_000_000, 5_111_808),
        (25_000_000, 25_165_824),
        (200_000_000, 201_326_592),
    ],
)
def test_padme_table(length: int, padded: int) -> None:
    assert subject.padme(length, floor=16) == padded


@pytest.mark.parametrize("length", [0, 1, 65535, 65536])
def test_padme_floor(length: int) -> None:
    assert subject.padme(length) == 65536


@given(st.integers(0, 2**40))
def test_padme_properties(length: int) -> None:
    padded = subject.padme(length)
    assert padded >= length
    assert subject.padme(padded) == padded
    if length > subject.ATTACHMENT_FLOOR:
        assert padded * 32 <= length * 33


@given(st.integers(0, 2**30), st.integers(0, 2**20))
def test_padme_keeps_order(length: int, more: int) -> None:
    assert subject.padme(length) <= subject.padme(length + more)


def test_zero_from() -> None:
    assert subject.is_zero_from(b"a\x00\x00", 1)
    assert subject.is_zero_from(b"a", 1)
    assert not subject.is_zero_from(b"a\x00\x01", 1)
