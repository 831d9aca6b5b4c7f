# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reads what comes out of the sandbox, as if an attacker had written it.

An answer is one line of JSON and, after it, the bytes whose lengths that line gives. Pictures come
as bare pixels, three bytes each, and are written as PNG here: no image format crosses the border,
so that a picture which took over a program in the sandbox cannot reach the browser's decoder.

Invariants: nothing is accepted beyond the limits below; sizes add up to the last byte; names are
printable and short.

Source: docs/adr/0017-sandbox-for-attachments.md.
"""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from crypto import jsonfields as read
from crypto.encoding import parse_json
from crypto.errors import CryptoError

MAX_HEAD: Final = 64 * 1024  # bytes of the first line
MAX_SIDE: Final = 1200  # pixels
MAX_PAGES: Final = 3
MAX_NAMES: Final = 300
MAX_NAME: Final = 80  # characters
MAX_TOTAL_PAGES: Final = 1_000_000


class JailAnswerError(Exception):
    """The answer has not the form it must have, or `code` says why there is none."""

    def __init__(self, code: str = "malformed") -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Picture:
    """Pixels: `rgb` holds width * height * 3 bytes, rows from the top."""

    width: int
    height: int
    rgb: bytes


@dataclass(frozen=True)
class Pages:
    """The first pictures of a file, and how many pages it has (0: it did not say)."""

    pictures: tuple[Picture, ...]
    total: int


@dataclass(frozen=True)
class Cleaned:
    """A clean copy; names of the metadata found before and still there afterwards."""

    content: bytes
    found: tuple[str, ...]
    left: tuple[str, ...]


FAILURES: Final = frozenset({"too_large", "unreadable", "no_tool"})


def read_pages(answer: bytes) -> Pages:
    """The pictures of an answer. Raises: JailAnswerError."""
    head, rest = _split(answer)
    try:
        sizes = [_side_lengths(entry) for entry in read.items(head, "pages", MAX_PAGES)]
        total = read.integer(head, "total")
    except CryptoError as error:
        raise JailAnswerError from error
    if not sizes or total > MAX_TOTAL_PAGES:
        raise JailAnswerError
    pictures = []
    for width, height in sizes:
        length = width * height * 3
        pictures.append(Picture(width, height, rest[:length]))
        if len(pictures[-1].rgb) != length:
            raise JailAnswerError
        rest = rest[length:]
    if rest:
        raise JailAnswerError
    return Pages(tuple(pictures), total)


def read_cleaned(answer: bytes) -> Cleaned:
    """The clean copy of an answer. Raises: JailAnswerError."""
    head, rest = _split(answer)
    try:
        size = read.integer(head, "size")
        found, left = _names(head, "found"), _names(head, "left")
    except CryptoError as error:
        raise JailAnswerError from error
    if len(rest) != size or not size:
        raise JailAnswerError
    return Cleaned(rest, found, left)


def png_of(picture: Picture) -> bytes:
    """The picture as PNG (ISO/IEC 15948), 8 bits per channel, no other chunk than needed."""
    stride = picture.width * 3
    rows = b"".join(
        b"\0" + picture.rgb[at : at + stride] for at in range(0, len(picture.rgb), stride)
    )
    head = struct.pack(">IIBBBBB", picture.width, picture.height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _split(answer: bytes) -> tuple[Mapping[str, Any], bytes]:
    line, newline, rest = answer.partition(b"\n")
    if not newline:
        raise JailAnswerError
    try:
        head = read.members(parse_json(line, max_bytes=MAX_HEAD))
    except CryptoError as error:
        raise JailAnswerError from error
    failure = head.get("failure")
    if isinstance(failure, str) and failure in FAILURES:
        raise JailAnswerError(failure)
    return head, rest


def _side_lengths(entry: Any) -> tuple[int, int]:
    members = read.members(entry)
    width, height = read.integer(members, "width"), read.integer(members, "height")
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise JailAnswerError
    return width, height


def _names(head: Mapping[str, Any], key: str) -> tuple[str, ...]:
    names = read.items(head, key, MAX_NAMES)
    if not all(isinstance(name, str) and len(name) <= MAX_NAME for name in names):
        raise JailAnswerError
    return tuple("".join(char for char in name if char.isprintable()) for name in names)
