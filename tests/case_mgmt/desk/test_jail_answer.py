# SPDX-License-Identifier: AGPL-3.0-or-later
"""Answers from the sandbox are read as if an attacker had written them."""

import json
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_mgmt.desk.jail_answer import (
    MAX_HEAD,
    MAX_NAME,
    MAX_NAMES,
    MAX_SIDE,
    JailAnswerError,
    Picture,
    png_of,
    read_cleaned,
    read_pages,
)


def answer(head: Any, rest: bytes = b"") -> bytes:
    return json.dumps(head).encode() + b"\n" + rest


def page(width: Any, height: Any) -> dict[str, Any]:
    return {"width": width, "height": height}


def test_pictures() -> None:
    head = {"pages": [page(2, 1), page(1, 1)], "total": 7}
    pages = read_pages(answer(head, b"abcdefxyz"))
    assert pages.total == 7
    assert pages.pictures == (Picture(2, 1, b"abcdef"), Picture(1, 1, b"xyz"))


def test_clean_copy() -> None:
    head = {"size": 3, "found": ["GPSLatitude", "Ma\u202eke"], "left": []}
    cleaned = read_cleaned(answer(head, b"abc"))
    assert cleaned.content == b"abc"
    assert cleaned.found == ("GPSLatitude", "Make")


HOSTILE_PAGES = {
    "nothing": b"",
    "no line": b'{"pages": []}',
    "no JSON": b"P6\n",
    "list": answer([]),
    "no page": answer({"pages": [], "total": 1}),
    "too many": answer({"pages": [page(1, 1)] * 4, "total": 4}, b"abc" * 4),
    "too short": answer({"pages": [page(2, 2)], "total": 1}, b"a" * 11),
    "too long": answer({"pages": [page(2, 2)], "total": 1}, b"a" * 13),
    "no width": answer({"pages": [page(0, 1)], "total": 1}),
    "negative": answer({"pages": [page(-1, -1)], "total": 1}, b"abc"),
    "huge": answer({"pages": [page(MAX_SIDE + 1, 1)], "total": 1}, b"a" * (MAX_SIDE + 1) * 3),
    "fraction": answer({"pages": [page(1.0, 1)], "total": 1}, b"abc"),
    "true": answer({"pages": [page(True, 1)], "total": 1}, b"abc"),
    "text": answer({"pages": ["x"], "total": 1}),
    "endless": answer({"pages": [page(1, 1)], "total": 10**12}, b"abc"),
    "twice": b'{"total": 1, "total": 1, "pages": [{"width": 1, "height": 1}]}\nabc',
    "long head": b'{"x": "' + b"a" * MAX_HEAD + b'"}\n',
    "unknown failure": answer({"failure": "<script>"}),
}


@pytest.mark.parametrize("data", HOSTILE_PAGES.values(), ids=HOSTILE_PAGES.keys())
def test_hostile_pictures(data: bytes) -> None:
    with pytest.raises(JailAnswerError) as refused:
        read_pages(data)
    assert refused.value.code == "malformed"


HOSTILE_COPIES = {
    "empty": ({"size": 0, "found": [], "left": []}, b""),
    "short": ({"size": 4, "found": [], "left": []}, b"abc"),
    "long": ({"size": 2, "found": [], "left": []}, b"abc"),
    "no names": ({"size": 3, "left": []}, b"abc"),
    "numbers": ({"size": 3, "found": [1], "left": []}, b"abc"),
    "long name": ({"size": 3, "found": ["a" * (MAX_NAME + 1)], "left": []}, b"abc"),
    "many": ({"size": 3, "found": ["a"] * (MAX_NAMES + 1), "left": []}, b"abc"),
}


@pytest.mark.parametrize(("head", "rest"), HOSTILE_COPIES.values(), ids=HOSTILE_COPIES.keys())
def test_hostile_copies(head: Any, rest: bytes) -> None:
    with pytest.raises(JailAnswerError):
        read_cleaned(answer(head, rest))


@pytest.mark.parametrize("code", ["too_large", "unreadable", "no_tool"])
def test_failures_that_have_words(code: str) -> None:
    for read in (read_pages, read_cleaned):
        with pytest.raises(JailAnswerError) as refused:
            read(answer({"failure": code}))
        assert refused.value.code == code


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    for read in (read_pages, read_cleaned):
        with pytest.raises(JailAnswerError):
            read(data)


@given(st.integers(1, 9), st.integers(1, 9), st.randoms())
def test_pixels_survive_as_png(width: int, height: int, chance: Any) -> None:
    rgb = bytes(chance.randrange(256) for _ in range(width * height * 3))
    data = png_of(Picture(width, height, rgb))
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = [], 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length)[0] == zlib.crc32(name + body)
        chunks.append((name, body))
        at += length + 12
    assert [name for name, _ in chunks] == [b"IHDR", b"IDAT", b"IEND"]
    assert chunks[0][1] == struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.decompress(chunks[1][1])
    stride = width * 3 + 1
    assert b"".join(rows[y * stride + 1 : (y + 1) * stride] for y in range(height)) == rgb
    assert not any(rows[y * stride] for y in range(height))
