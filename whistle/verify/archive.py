# SPDX-License-Identifier: AGPL-3.0-or-later
"""A release or a log that came as one file: .tar, .tar.gz or .zip, laid out in a new folder.

Invariants
* Only plain files come out: no link, no device, nothing outside the folder, no name twice (also not
  in another spelling of letters).
* Files, their sizes and what they unpack to have limits, which are counted while unpacking: what an
  archive says of itself is not believed.
* One archive has one meaning: where two readers could see different files, it is refused.

Source: POSIX.1-2001 (ustar, pax), RFC 1952, PKWARE APPNOTE; docs/spec/verify.md section 2.
"""

import gzip
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final, Literal, Protocol

from whistle.verify.folder import MAX_FILE, RELEASE
from whistle.verify.publiclog import CHECKPOINT

MAX_FILES: Final = 200_000
MAX_TOTAL: Final = 2 * 1024**3  # bytes of all files together
MAX_DEPTH: Final = 20
BLOCK: Final = 512
_MAX_NOTE: Final = 64 * 1024  # a header that only says something about the next one
_MAX_PADDING: Final = 16 * 1024 * 1024
_SEGMENT: Final = re.compile(r"[^\x00-\x1f\x7f/\\:]{1,200}")
_OCTAL: Final = re.compile(rb"[ 0]*([0-7]{1,11})[ \0]*")
_PAX: Final = re.compile(rb"([1-9][0-9]{0,6}) ([^=\n]+)=")
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED: Final = 0x1
_FLAWS: Final = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, ValueError)

Why = Literal["broken", "kind", "path", "twice", "size", "several", "nothing"]


class Readable(Protocol):
    """What can be read from its beginning to its end."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes."""


class ArchiveError(Exception):
    """The archive is refused; `why` is one of a closed list."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why: Final = why


def unpack(archive: Path, into: Path) -> Path:
    """Lay the files out below `into`, an empty folder; the folder that holds release or log.

    Raises ArchiveError.  What was unpacked until then stays for the caller to remove.
    """
    seen: set[str] = set()
    names: list[str] = []
    total = 0
    try:
        for name, content in _files(archive):
            path = _safe(name)
            total += len(content)
            if total > MAX_TOTAL or len(names) >= MAX_FILES:
                raise ArchiveError("size")
            if path.casefold() in seen:
                raise ArchiveError("twice")
            seen.add(path.casefold())
            names.append(path)
            _write(into / path, content)
    except _FLAWS as error:
        raise ArchiveError("broken") from error
    return into / _root(names)


def _files(archive: Path) -> Iterator[tuple[str, bytes]]:
    with archive.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        if head[:2] == b"PK":
            yield from _unzip(file)
        elif head[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=file) as inside:
                yield from _untar(inside)
        else:
            yield from _untar(file)


def _unzip(file: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(file) as source:
        listed = source.infolist()
        if len(listed) > MAX_FILES:
            raise ArchiveError("size")
        for each in listed:
            if each.orig_filename != each.filename:  # cut at a NUL
                raise ArchiveError("path")
            if each.is_dir():
                _safe(each.filename.rstrip("/"))
                continue
            mode = stat.S_IFMT(each.external_attr >> 16)
            usual = mode in {0, stat.S_IFREG} and not each.flag_bits & _ENCRYPTED
            if not usual or each.compress_type not in _METHODS:
                raise ArchiveError("kind")
            with source.open(each) as content:
                yield each.filename, _bounded(content, each.file_size)


def _bounded(content: IO[bytes], size: int) -> bytes:
    if size > MAX_FILE:
        raise ArchiveError("size")
    data = content.read(size + 1)
    if len(data) != size:
        raise ArchiveError("broken")
    return data


def _untar(file: Readable) -> Iterator[tuple[str, bytes]]:
    long: str | None = None
    for kind, short, content in _records(file):
        if kind in _NOTES:
            long = _NOTES[kind](content)
            continue
        name, long = (short if long is None else long), None
        if kind == b"5":
            _safe(name.rstrip("/") or "/", may_be_here=True)
        elif kind in {b"0", b"\0"}:
            yield name, content
        else:
            raise ArchiveError("kind")


def _records(file: Readable) -> Iterator[tuple[bytes, str, bytes]]:
    """Kind, name and content of each header and what follows it."""
    budget = MAX_TOTAL + MAX_FILES * 2 * BLOCK
    while any(header := _exactly(file, BLOCK)):
        kind, size = header[156:157], _size(header)
        budget -= BLOCK + size
        if size > (_MAX_NOTE if kind in _NOTES else MAX_FILE) or budget < 0:
            raise ArchiveError("size")
        content = _exactly(file, size)
        _exactly(file, -size % BLOCK)
        yield kind, _name(header), content
    _require_end(file)


def _require_end(file: Readable) -> None:
    """Nothing but padding follows; reading it also verifies the sum of a .gz."""
    for _ in range(_MAX_PADDING // _MAX_NOTE):
        padding = file.read(_MAX_NOTE)
        if not padding:
            return
        if any(padding):
            break
    raise ArchiveError("broken")


def _exactly(file: Readable, size: int) -> bytes:
    data = file.read(size) if size else b""
    if len(data) != size:
        raise ArchiveError("broken")
    return data


def _size(header: bytes) -> int:
    """The size of what follows; the header's own sum is verified."""
    said = _OCTAL.fullmatch(header[148:156])
    counted = sum(header[:148]) + 8 * ord(" ") + sum(header[156:])
    if header[257:262] != b"ustar" or said is None or int(said[1], 8) != counted:
        raise ArchiveError("broken")
    size = _OCTAL.fullmatch(header[124:136])
    if size is None:
        raise ArchiveError("size")
    return int(size[1], 8)


def _name(header: bytes) -> str:
    name = header[:100].split(b"\0")[0].decode("utf-8")
    is_posix = header[257:263] == b"ustar\0"  # GNU keeps times where the prefix would be
    prefix = header[345:500].split(b"\0")[0].decode("utf-8") if is_posix else ""
    return f"{prefix}/{name}" if prefix else name


def _pax_path(content: bytes) -> str | None:
    """The path that an extended header gives the next file, if it does."""
    path, at = None, 0
    while at < len(content):
        match = _PAX.match(content, at)
        if match is None or content[at + int(match[1]) - 1 : at + int(match[1])] != b"\n":
            raise ArchiveError("broken")
        if match[2] in {b"size", b"linkpath"} or match[2].startswith(b"GNU.sparse"):
            raise ArchiveError("kind")
        if match[2] == b"path":
            path = content[match.end() : at + int(match[1]) - 1].decode("utf-8")
        at += int(match[1])
    return path


def _long_name(content: bytes) -> str:
    return content.rstrip(b"\0").decode("utf-8")


def _for_all(content: bytes) -> None:
    """A header about the whole archive; one that names every file alike makes no sense."""
    if _pax_path(content) is not None:
        raise ArchiveError("path")


_NOTES: Final[dict[bytes, Callable[[bytes], str | None]]] = {
    b"x": _pax_path, b"g": _for_all, b"L": _long_name,
}  # fmt: skip
"""Headers that only say something about what follows: its name."""


def _safe(name: str, *, may_be_here: bool = False) -> str:
    """SECURITY: a path below the folder, whatever the system
    (tests/whistle/verify/test_archive.py::test_hostile_names)."""
    path = name.removeprefix("./")
    if may_be_here and path in {".", ""}:
        return path
    parts = path.split("/")
    if len(parts) > MAX_DEPTH or any(
        part in {".", ".."} or _SEGMENT.fullmatch(part) is None for part in parts
    ):
        raise ArchiveError("path")
    return path


def _write(target: Path, content: bytes) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with target.open("xb") as file:
        file.write(content)


def _root(names: list[str]) -> str:
    """The folder of the release, or of the log: the one that lies highest."""
    for head in (RELEASE, CHECKPOINT):
        found = [name[: -len(head)] for name in names if f"/{name}".endswith(f"/{head}")]
        found.sort(key=lambda each: each.count("/"))
        if found[1:] and found[0].count("/") == found[1].count("/"):
            raise ArchiveError("several")
        if found:
            return found[0]
    raise ArchiveError("nothing")
