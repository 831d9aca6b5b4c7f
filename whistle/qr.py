# SPDX-License-Identifier: AGPL-3.0-or-later
"""QR codes as PNG bytes: Tor Browser at Safest blocks SVG.

Invariants:

* the same text gives the same bytes on every computer: the image data is stored, not compressed,
  because compressors differ, and the signed list of a site's files names the image's hash;
* black on white with the quiet zone of four modules that ISO/IEC 18004 asks for.
"""

import struct
import zlib
from typing import Final

import segno

QUIET_ZONE: Final = 4  # modules
MAX_STORED: Final = 65535  # bytes of a stored block, RFC 1951 section 3.2.4
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"


def png(text: str, scale: int = 4) -> bytes:
    """Return the QR code of a text, error correction M, `scale` pixels a module."""
    code = segno.make_qr(text, error="m", boost_error=False)
    modules = [[bool(module) for module in row] for row in code.matrix]
    side = (len(modules) + 2 * QUIET_ZONE) * scale
    white = bytes([0]) + b"\xff" * ((side + 7) // 8)
    rows = [white] * (QUIET_ZONE * scale)
    for line in modules:
        rows += [_row(line, scale, side)] * scale
    rows += [white] * (QUIET_ZONE * scale)
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return (
        _SIGNATURE
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", _stored(b"".join(rows)))
        + _chunk(b"IEND", b"")
    )


def _row(modules: list[bool], scale: int, side: int) -> bytes:
    """Return a line of pixels, one bit each, 1 = white, after its filter type 0."""
    bits = [1] * (QUIET_ZONE * scale)
    for module in modules:
        bits += [0 if module else 1] * scale
    bits += [1] * (side - len(bits))
    bits += [1] * (-len(bits) % 8)
    number = int("".join(map(str, bits)), 2)
    return b"\x00" + number.to_bytes(len(bits) // 8, "big")


def _stored(data: bytes) -> bytes:
    """Return a zlib stream (RFC 1950) of stored blocks."""
    blocks = [data[at : at + MAX_STORED] for at in range(0, len(data), MAX_STORED)]
    stream = b"\x78\x01"
    for number, block in enumerate(blocks):
        last = number == len(blocks) - 1
        stream += struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF) + block
    return stream + struct.pack(">I", zlib.adler32(data))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
