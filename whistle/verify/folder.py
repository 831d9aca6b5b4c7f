# SPDX-License-Identifier: AGPL-3.0-or-later
"""A release as files in a folder: read with limits, compared with the list that was signed.

Invariants
* Only paths of the release format are read; a link that leads out of the folder is not followed.
* release.json is read in its one canonical form; what is hashed is what is parsed.

Source: docs/spec/release.md section 2, docs/spec/verify.md section 2.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from crypto import jsonfields as read
from crypto.encoding import canonical_json, parse_day, parse_json
from crypto.errors import MalformedError
from whistle.verify.faults import Fault, FaultError, Found

RELEASE: Final = "release.json"
SIGNATURES: Final = "release.sig"
MAX_FILE: Final = 64 * 1024 * 1024  # bytes; the largest are figures and tiles, far below
MAX_SHOWN: Final = 20
"""Files that one fault list names; more would hide the first."""
_PATH: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*){0,15}")
_ID: Final = re.compile(r"[0-9]{4}-[a-z0-9]{1,16}")
_ROOT: Final = 32


@dataclass(frozen=True)
class Previous:
    """The release that a release says came before it."""

    id: str
    sha256: str


@dataclass(frozen=True)
class Head:
    """What release.json says."""

    id: str
    instance_id: bytes
    definitions: str
    as_of: date
    period: tuple[date, date]
    previous: Previous | None
    origin: str
    size: int
    root: bytes
    files: Mapping[str, str]


@dataclass(frozen=True)
class Release:
    """A folder whose release.json can be read; nothing else about it is believed yet."""

    folder: Path
    head: Head
    sha256: str
    """Of release.json, hexadecimal: by this value releases name each other."""

    @classmethod
    def open(cls, folder: Path) -> "Release":
        """Read release.json.  Raises FaultError(FOLDER_UNREADABLE)."""
        try:
            data = _bounded(folder / RELEASE)
            value = parse_json(data, max_bytes=MAX_FILE)
            if canonical_json(value) != data:
                raise MalformedError("not canonical")
            head = _head(read.members(value))
        except (OSError, MalformedError) as error:
            raise FaultError(Fault.FOLDER_UNREADABLE, RELEASE) from error
        return cls(folder, head, hashlib.sha256(data).hexdigest())

    def read(self, path: str) -> bytes:
        """A file by its path in the release.  Raises FaultError(FILE_MISSING)."""
        data = self.read_optional(path)
        if data is None:
            raise FaultError(Fault.FILE_MISSING, path)
        return data

    def read_optional(self, path: str) -> bytes | None:
        """The same, or None where there is none."""
        target = self.folder / path
        if _PATH.fullmatch(path) is None or not _is_inside(self.folder, target):
            return None
        try:
            return _bounded(target)
        except (OSError, MalformedError):
            return None

    def compare_files(self) -> list[Found]:
        """What the folder holds beside, or instead of, what release.json lists."""
        there = {
            each.relative_to(self.folder).as_posix()
            for each in self.folder.rglob("*")
            if not each.is_dir()
        }
        found = [
            Found(Fault.FILE_EXTRA, path)
            for path in sorted(there - set(self.head.files) - {RELEASE, SIGNATURES})
        ]
        for path, digest in sorted(self.head.files.items()):
            data = self.read_optional(path)
            if data is None:
                found.append(Found(Fault.FILE_MISSING, path))
            elif hashlib.sha256(data).hexdigest() != digest:
                found.append(Found(Fault.FILE_CHANGED, path))
        return found[:MAX_SHOWN]


def _head(source: Mapping[str, Any]) -> Head:
    if read.integer(source, "v") != 1 or _ID.fullmatch(read.text(source, "id", 32)) is None:
        raise MalformedError("a release of an unknown version")
    period, log = read.members(source.get("period")), read.members(source.get("log"))
    files = read.members(source.get("files"))
    if not all(_PATH.fullmatch(path) for path in files) or {RELEASE, SIGNATURES} & set(files):
        raise MalformedError("not a list of files")
    return Head(
        id=source["id"],
        instance_id=read.hexadecimal(source, "instance", 32),
        definitions=read.text(source, "definitions", 32),
        as_of=parse_day(source.get("as_of")),
        period=(parse_day(period.get("from")), parse_day(period.get("to"))),
        previous=_previous(source.get("previous")),
        origin=read.text(log, "origin", 200),
        size=read.integer(log, "size"),
        root=read.hexadecimal(log, "root", _ROOT),
        files={path: read.hexadecimal(files, path, 32).hex() for path in files},
    )


def _previous(value: object) -> Previous | None:
    if value is None:
        return None
    source = read.members(value)
    return Previous(read.text(source, "id", 32), read.hexadecimal(source, "sha256", 32).hex())


def _bounded(path: Path) -> bytes:
    if path.stat().st_size > MAX_FILE:
        raise MalformedError("larger than any file of a release")
    return path.read_bytes()


def _is_inside(folder: Path, target: Path) -> bool:
    return target.resolve().is_relative_to(folder.resolve())
