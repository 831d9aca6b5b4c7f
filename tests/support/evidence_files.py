# SPDX-License-Identifier: AGPL-3.0-or-later
"""Files as reporters send them, each with something about its maker in it; and hostile ones."""

import base64
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

CANARY = "Kenari-Pembuat"
SANDBOX_TOOLS = ("bwrap", "mat2", "pdftoppm")


def sandbox_available() -> bool:
    """Return whether the desk's sandbox can be tested; `make test` demands it."""
    there = all(Path("/usr/bin", tool).exists() for tool in SANDBOX_TOOLS)
    return there or "WHISTLE_REQUIRE_SYSTEM" in os.environ


_PLAIN_JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAKBueIx4ZKCMgoy0qqC+8P//8Nzc8P//////////////////////////////"
    "////////////////////////////2wBDAaq0tPDS8P//////////////////////////////////////////////////"
    "////////////////////////////wAARCAAIAAgDASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcI"
    "CQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRol"
    "JicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ip"
    "qrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAA"
    "AAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLR"
    "ChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaX"
    "mJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEA"
    "PwBtFFFSaH//2Q=="
)


def jpeg() -> bytes:
    """A photo of eight by eight pixels with its maker and its place (Exif, GPS)."""
    maker = CANARY.encode() + b"\0"
    ifd, gps = 8, 8 + 2 + 12 * 3 + 4
    extra = gps + 2 + 12 * 4 + 4
    degrees = struct.pack(">6I", 6, 1, 12, 1, 30, 1)
    main = struct.pack(
        ">H HHII HHII HHII I", 3,
        0x010F, 2, len(maker), extra, 0x013B, 2, len(maker), extra, 0x8825, 4, 1, gps, 0,
    )  # fmt: skip
    places = extra + len(maker)
    where = struct.pack(
        ">H HHI4s HHII HHI4s HHII I", 4,
        1, 2, 2, b"S\0\0\0", 2, 5, 3, places, 3, 2, 2, b"E\0\0\0", 4, 5, 3, places, 0,
    )  # fmt: skip
    exif = b"Exif\0\0MM\0*" + struct.pack(">I", ifd) + main + where + maker + degrees
    return b"\xff\xd8\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + _PLAIN_JPEG[2:]


def gif() -> bytes:
    """A red dot with a comment."""
    comment = CANARY.encode()
    return (
        b"GIF89a\1\0\1\0\x80\0\0\xff\0\0\xff\xff\xff!\xfe" + bytes([len(comment)]) + comment + b"\0"
        b",\0\0\0\0\1\0\1\0\0\2\2D\1\0;"
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int = 16, height: int = 9, pixels: bytes | None = None) -> bytes:
    """A red picture with its author in a text chunk; `pixels` lies compressed inside."""
    if pixels is None:
        pixels = zlib.compress((b"\0" + b"\xc8\x20\x20" * width) * height)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    text = b"Author\0" + CANARY.encode()
    chunks = ((b"IHDR", head), (b"tEXt", text), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def bomb() -> bytes:
    """A picture of 30,000 by 30,000 pixels in a few kilobytes."""
    return png(30_000, 30_000, zlib.compress(bytes(1_000_000)))


def pdf(pages: int = 1) -> bytes:
    """A document with an author."""
    kids = b" ".join(b"%d 0 R" % (5 + number) for number in range(pages))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, pages),
        b"<</Author(%s)/Creator(Pena)>>" % CANARY.encode(),
        b"<</Length 30>>stream\n0.8 0.1 0.1 rg 10 10 99 50 re f\nendstream",
    ]
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R>>"
    out, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate([*objects, *[page] * pages], start=1):
        offsets.append(len(out))
        out += b"%d 0 obj%sendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count = len(offsets) + 1
    xref = b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table)
    trailer = b"trailer<</Size %d/Root 1 0 R/Info 3 0 R>>\n" % count
    return out + xref + trailer + b"startxref\n%d\n%%%%EOF\n" % len(out)


_KINDS = "http://schemas.openxmlformats.org/package/2006/content-types"
_LINKS = "http://schemas.openxmlformats.org/package/2006/relationships"
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_CORE = "http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
_FORM = "application/vnd.openxmlformats-"
_DOCX = {
    "[Content_Types].xml": f'<Types xmlns="{_KINDS}">'
    f'<Default Extension="rels" ContentType="{_FORM}package.relationships+xml"/>'
    '<Override PartName="/word/document.xml" '
    f'ContentType="{_FORM}officedocument.wordprocessingml.document.main+xml"/>'
    '<Override PartName="/docProps/core.xml" '
    f'ContentType="{_FORM}package.core-properties+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_LINKS}"><Relationship Id="r1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>',
    "docProps/core.xml": f'<cp:coreProperties xmlns:cp="{_CORE}" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/">'
    f"<dc:creator>{CANARY}</dc:creator></cp:coreProperties>",
    "word/document.xml": f'<w:document xmlns:w="{_WORD}"><w:body><w:p><w:r><w:t>Isi</w:t></w:r>'
    "</w:p></w:body></w:document>",
}


_OPEN = "urn:oasis:names:tc:opendocument:xmlns"
_ODT = {
    "content.xml": f'<o:document-content xmlns:o="{_OPEN}:office:1.0"/>',
    "meta.xml": f'<o:document-meta xmlns:o="{_OPEN}:office:1.0" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/">'
    f"<o:meta><dc:creator>{CANARY}</dc:creator></o:meta></o:document-meta>",
    "META-INF/manifest.xml": f'<m:manifest xmlns:m="{_OPEN}:manifest:1.0"/>',
}


def _archive(parts: Mapping[str, str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, '<?xml version="1.0" encoding="UTF-8"?>\n' + text)
    return stream.getvalue()


def docx() -> bytes:
    """A text document with an author."""
    return _archive(_DOCX)


def odt() -> bytes:
    """The same from another office program."""
    return _archive(_ODT)
