# SPDX-License-Identifier: AGPL-3.0-or-later
"""Decides what a reporter's file is, and so what the sandbox may be asked to do with it.

The content decides, never the name a reporter gave: programs in the sandbox are handed a file under
a suffix chosen here. Only documents that are archives need their name to tell which they are.

1. A kind is cleaned if mat2 knows it; archives, web pages and drawings are left out: what they hold
   can hold anything.
2. A kind has a preview if it can be turned into pixels, or is plain text; nothing else is tried.

Source: docs/adr/0017-sandbox-for-attachments.md.
"""

from dataclasses import dataclass
from typing import Final, Literal

Look = Literal["picture", "pages", "text", "none"]

HEAD_BYTES: Final = 64 * 1024
"""How much of a file decides its kind."""
_TEXT_CONTROLS: Final = frozenset("\n\r\t\f")
_PDF_WITHIN: Final = 1024  # ISO 32000-1, annex H: readers look for %PDF- in the first 1024 bytes


@dataclass(frozen=True)
class FileKind:
    """What a file is: `code` is shown, `suffix` is its name in the sandbox."""

    code: str
    suffix: str
    look: Look = "none"
    cleanable: bool = False
    needs_ffmpeg: bool = False


_PICTURES: Final = {
    "jpeg": FileKind("jpeg", ".jpg", "picture", cleanable=True),
    "png": FileKind("png", ".png", "picture", cleanable=True),
    "gif": FileKind("gif", ".gif", "picture", cleanable=True),
    "tiff": FileKind("tiff", ".tiff", "picture", cleanable=True),
    "bmp": FileKind("bmp", ".bmp", "picture"),
    "heic": FileKind("heic", ".heic", cleanable=True),
}
PDF: Final = FileKind("pdf", ".pdf", "pages", cleanable=True)
_SOUNDS: Final = {
    code: FileKind(code, f".{code}", cleanable=True) for code in ("mp3", "flac", "ogg")
}
_WAVE: Final = FileKind("wav", ".wav", cleanable=True, needs_ffmpeg=True)
_FILMS: Final = {
    code: FileKind(code, f".{code}", cleanable=True, needs_ffmpeg=True) for code in ("mp4", "avi")
}
_DOCUMENTS: Final = {
    code: FileKind(code, f".{code}", cleanable=True)
    for code in ("docx", "xlsx", "pptx", "odt", "ods", "odp")
}
AGE: Final = FileKind("age", ".age")
TEXT: Final = FileKind("text", ".txt", "text", cleanable=True)
MARKUP: Final = FileKind("text", ".txt", "text")
OTHER: Final = FileKind("other", ".bin")

CLEANABLE: Final = tuple(
    kind.code
    for kind in (
        *_PICTURES.values(),
        PDF,
        *_DOCUMENTS.values(),
        *_SOUNDS.values(),
        _WAVE,
        *_FILMS.values(),
    )
    if kind.cleanable
)
"""Codes that a refusal names."""
_PLAIN_NAMES: Final = frozenset({"", "txt", "text", "md", "log", "csv"})
_MAGIC: Final = (
    (b"\xff\xd8\xff", _PICTURES["jpeg"]),
    (b"\x89PNG\r\n\x1a\n", _PICTURES["png"]),
    (b"GIF87a", _PICTURES["gif"]),
    (b"GIF89a", _PICTURES["gif"]),
    (b"II*\0", _PICTURES["tiff"]),
    (b"MM\0*", _PICTURES["tiff"]),
    (b"BM", _PICTURES["bmp"]),
    (b"ID3", _SOUNDS["mp3"]),
    (b"\xff\xfb", _SOUNDS["mp3"]),
    (b"fLaC", _SOUNDS["flac"]),
    (b"OggS", _SOUNDS["ogg"]),
    (b"age-encryption.org/v1\n", AGE),
)
_RIFF: Final = {b"WAVE": _WAVE, b"AVI ": _FILMS["avi"]}
_HEIF_BRANDS: Final = frozenset({b"heic", b"heix", b"mif1", b"msf1", b"hevc"})


def kind_of(head: bytes, name: str) -> FileKind:
    """The kind of a file from its first HEAD_BYTES and, where it must, its safe name."""
    if head.startswith(b"PK\x03\x04"):
        return _DOCUMENTS.get(_ending(name), OTHER)
    return _text(head, name) or _by_magic(head) or OTHER


def text_of(head: bytes) -> str | None:
    """Plain text, or None for anything else; a character cut off at the end is dropped."""
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(head) < HEAD_BYTES or error.start < len(head) - 3:
            return None
        text = head[: error.start].decode("utf-8-sig")
    is_plain = all(char.isprintable() or char in _TEXT_CONTROLS or char > "\x9f" for char in text)
    return text if is_plain else None


def _text(head: bytes, name: str) -> FileKind | None:
    if text_of(head) is None or b"%PDF-" in head[:_PDF_WITHIN] or head.startswith(_TEXT_MAGIC):
        return None
    return TEXT if _ending(name) in _PLAIN_NAMES else MARKUP


_TEXT_MAGIC: Final = (b"age-encryption.org/v1\n", b"GIF8", b"ID3")


def _by_magic(head: bytes) -> FileKind | None:
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _PICTURES["heic"] if head[8:12] in _HEIF_BRANDS else _FILMS["mp4"]
    if b"%PDF-" in head[:_PDF_WITHIN]:
        return PDF
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)


def _ending(name: str) -> str:
    stem, dot, ending = name.rpartition(".")
    return ending.casefold() if dot and stem else ""
