# SPDX-License-Identifier: AGPL-3.0-or-later
"""QR codes are PNG images that hold exactly the modules of the code, the same everywhere."""

import hashlib
import struct
import zlib

import segno

from whistle.qr import QUIET_ZONE, png

TEXT = "WHISTLE:" + "0123456789ABCDEF" * 4


def pixels(data: bytes) -> list[list[int]]:
    """Decode a one-bit greyscale PNG; True is white."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at, chunks = 8, {}
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length)[0] == zlib.crc32(kind + body)
        chunks[kind] = body
        at += 12 + length
    width, height, depth, colour = struct.unpack_from(">IIBB", chunks[b"IHDR"])
    assert (depth, colour) == (1, 0)
    raw = zlib.decompress(chunks[b"IDAT"])
    stride = 1 + (width + 7) // 8
    assert len(raw) == stride * height
    rows = []
    for number in range(height):
        row = raw[number * stride : (number + 1) * stride]
        assert row[0] == 0
        bits = "".join(f"{byte:08b}" for byte in row[1:])
        rows.append([int(bit) for bit in bits[:width]])
    return rows


def test_image_holds_the_modules() -> None:
    for scale in (1, 4, 8):
        image = pixels(png(TEXT, scale))
        matrix = [list(row) for row in segno.make_qr(TEXT, error="m", boost_error=False).matrix]
        side = (len(matrix) + 2 * QUIET_ZONE) * scale
        assert len(image) == side
        for y in range(0, side, scale):
            for x in range(0, side, scale):
                row, column = y // scale - QUIET_ZONE, x // scale - QUIET_ZONE
                inside = 0 <= row < len(matrix) and 0 <= column < len(matrix)
                assert image[y][x] == (0 if inside and matrix[row][column] else 1)
                assert image[y + scale - 1][x + scale - 1] == image[y][x]


def test_same_bytes_everywhere() -> None:
    digest = hashlib.sha256(png(TEXT)).hexdigest()
    assert digest == hashlib.sha256(png(TEXT)).hexdigest()
    assert b"x\x01" in png(TEXT)  # stored, not compressed: compressors differ
    assert len(png(TEXT, 8)) > 2 * len(png(TEXT, 4))
