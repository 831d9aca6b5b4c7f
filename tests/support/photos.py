# SPDX-License-Identifier: AGPL-3.0-or-later
"""Small photographs with everything a phone puts into them, and what must be left afterwards."""

import random
import struct
import zlib

SECRET = b"RAHASIA-6.2088S-106.8456E"
_SCAN = bytes.fromhex("ffda0008010100003f00") + bytes([0x12, 0xFF, 0x00, 0x34, 0xFF, 0xD0, 0x56])
_TABLES = (
    bytes.fromhex("ffdb004300") + bytes(range(1, 65))
    + bytes.fromhex("ffc0000b080001000101011100")
    + bytes.fromhex("ffc400140001") + bytes(15) + b"\x00"
    + bytes.fromhex("ffc400141001") + bytes(15) + b"\x00"
)  # fmt: skip


def tiff(orientation: int, little: bool = False) -> bytes:
    """Exif data: a maker, an orientation, a place."""
    order = "<" if little else ">"
    entry = order + "HHI4s"
    value = struct.pack(order + "HH", orientation, 0)
    entries = [
        struct.pack(entry, 0x010F, 2, 4, b"Pon\0"),
        struct.pack(entry, 0x0112, 3, 1, value),
        struct.pack(entry, 0x8825, 4, 1, struct.pack(order + "I", 50)),
    ]
    head = (b"II*\0" if little else b"MM\0*") + struct.pack(order + "I", 8)
    return head + struct.pack(order + "H", 3) + b"".join(entries) + bytes(4) + SECRET


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def jpeg(orientation: int = 6, little: bool = False, scan: bytes = _SCAN) -> bytes:
    """A JPEG with Exif, XMP, a comment, a colour profile, and a second picture behind it."""
    return (
        b"\xff\xd8" + _segment(0xE0, b"JFIF\0\1\2\0\0\1\0\1\0\0")
        + _segment(0xE1, b"Exif\0\0" + tiff(orientation, little))
        + _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + SECRET)
        + _segment(0xE2, b"ICC_PROFILE\0\1\1" + SECRET)
        + _segment(0xED, b"Photoshop 3.0\0" + SECRET)
        + _TABLES + _segment(0xFE, SECRET) + scan + b"\xff\xd9"
        + b"\xff\xd8" + SECRET + b"\xff\xd9"
    )  # fmt: skip


def large_scan(size: int, seed: int, inside: bytes = b"") -> bytes:
    """Coded data as large as a telephone's, the same for the same seed; *inside* stands in it."""
    noise = random.Random(seed).randbytes(size - len(_SCAN) - len(inside)).replace(b"\xff", b"\xfe")
    return _SCAN[:10] + noise + inside + _SCAN[10:]


def bare_jpeg(exif: bytes, scan: bytes = _SCAN) -> bytes:
    """The same picture with nothing but this Exif segment."""
    return b"\xff\xd8" + exif + _TABLES + scan + b"\xff\xd9"


def orientation_exif(orientation: int) -> bytes:
    """An Exif segment that says the orientation and nothing else."""
    value = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    small = b"MM\0*" + struct.pack(">IH", 8, 1) + value + bytes(4)
    return _segment(0xE1, b"Exif\0\0" + small)


def _chunk(name: bytes, content: bytes) -> bytes:
    crc = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + crc


def png(orientation: int = 1) -> bytes:
    """A PNG with texts, a time and Exif data, and something behind its end."""
    kept = _png_parts()
    return (
        kept[0] + kept[1] + _chunk(b"tEXt", b"Author\0" + SECRET) + _chunk(b"tIME", bytes(7))
        + _chunk(b"eXIf", tiff(orientation)) + kept[2] + kept[3] + SECRET
    )  # fmt: skip


def bare_png() -> bytes:
    """The same picture with nothing else."""
    return b"".join(_png_parts())


def _png_parts() -> list[bytes]:
    pixels = zlib.compress(b"\x00\x7f\x7f\x7f")
    return [
        b"\x89PNG\r\n\x1a\n",
        _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)),
        _chunk(b"IDAT", pixels),
        _chunk(b"IEND", b""),
    ]
