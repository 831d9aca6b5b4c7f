# SPDX-License-Identifier: AGPL-3.0-or-later
"""The two lists of a backup: the open one that is signed, and the sealed one that names files.

Invariants
* The open list (`NNNNNNNNNN.json` and its `.sig`) names every object by the SHA-256 of its
  ciphertext, the list before it by hash, and the sealed list; so whoever has the folder can see
  that nothing is missing or changed, and nobody without the identity learns what is in it.
* The sealed list names files by paths that stay below the state directory, and only such as a
  backup may hold: never a keystore or a root key (`check_path`).
* Both are canonical JSON; unknown members are refused, so that nothing unsigned is believed.

Source: docs/spec/backup.md.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import Any, Final

from crypto import jsonfields as read
from crypto.domains import Domain
from crypto.encoding import canonical_json, parse_day, parse_json, unhex
from crypto.errors import CryptoError, MalformedError
from crypto.signing import sign, verify
from whistle.backup.errors import DamageError

VERSION: Final = 1
MAX_LIST: Final = 256 * 1024 * 1024  # bytes; about two million objects
MAX_FILES: Final = 4_000_000
PARTS: Final = ("cases", "intake", "org", "tor", "desks")
"""The folders of a state directory that a backup may hold.  SECURITY: people/ and root/ are not
among them: keys that open reports never reach a server's backup (test_listing.py)."""

_HASH: Final = 32
_MAX_DEPTH: Final = 16  # the public log and its releases
_NAME: Final = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._@-]{0,127}")
_LIST_MEMBERS: Final = frozenset(
    {"v", "number", "previous", "day", "instance", "signer", "parts", "index", "objects"}
)


@dataclass(frozen=True)
class OpenList:
    """What is signed: one backup's objects (name -> bytes of ciphertext)."""

    number: int
    previous: str | None
    """SHA-256 of the list before, in hexadecimal."""
    day: date
    instance: str
    signer: str
    """Which server signs: `cases` or `intake`."""
    parts: tuple[str, ...]
    index: str
    """The object that holds the sealed list."""
    objects: Mapping[str, int]

    def encode(self) -> bytes:
        """The bytes that are signed."""
        return canonical_json(
            {
                "v": VERSION,
                "number": self.number,
                "previous": self.previous,
                "day": self.day.isoformat(),
                "instance": self.instance,
                "signer": self.signer,
                "parts": list(self.parts),
                "index": self.index,
                "objects": dict(self.objects),
            }
        )


@dataclass(frozen=True)
class StoredFile:
    """One file of the state directory."""

    path: str
    size: int
    sha256: str
    objects: tuple[str, ...]


@dataclass(frozen=True)
class SealedList:
    """What the backup holds, and what was counted when it was made (`tallies.py`)."""

    number: int
    files: tuple[StoredFile, ...]
    tallies: Mapping[str, Any]

    def encode(self) -> bytes:
        """The bytes that are sealed."""
        files = [
            {
                "path": each.path,
                "size": each.size,
                "sha256": each.sha256,
                "objects": list(each.objects),
            }
            for each in self.files
        ]
        return canonical_json(
            {"v": VERSION, "number": self.number, "files": files, "tallies": dict(self.tallies)}
        )


def sign_list(seed: bytes, data: bytes) -> bytes:
    """The detached signature of a server over an open list."""
    return sign(seed, Domain.BACKUP, data)


def verify_list(public: bytes, signature: bytes, data: bytes) -> None:
    """Raises DamageError unless this key signed the list."""
    try:
        verify(public, signature, Domain.BACKUP, data)
    except CryptoError as error:
        raise DamageError("the list of the backup is not signed by this organisation") from error


def list_hash(data: bytes) -> str:
    """How the next list names this one."""
    return hashlib.sha256(data).hexdigest()


def parse_open_list(data: bytes) -> OpenList:
    """Raises DamageError; nothing about the result is trusted before `verify_list`."""
    try:
        source = read.members(parse_json(data, max_bytes=MAX_LIST))
        if set(source) != _LIST_MEMBERS or read.integer(source, "v") != VERSION:
            raise MalformedError("not the list of a backup")
        found = OpenList(
            number=_positive(read.integer(source, "number")),
            previous=_optional_hash(source["previous"]),
            day=parse_day(source["day"]),
            instance=read.hexadecimal(source, "instance", _HASH).hex(),
            signer=read.choice(source, "signer", ("cases", "intake")),
            parts=_parts(source),
            index=read.hexadecimal(source, "index", _HASH).hex(),
            objects={
                unhex(name, _HASH).hex(): _positive(size)
                for name, size in read.members(source["objects"]).items()
            },
        )
        if found.encode() != data or found.index not in found.objects:
            raise MalformedError("not canonical, or without its index")
    except CryptoError as error:
        raise DamageError("the list of a backup is damaged") from error
    return found


def parse_sealed_list(data: bytes, outer: OpenList) -> SealedList:
    """Raises DamageError, also when it belongs to another backup or names foreign objects."""
    try:
        source = read.members(parse_json(data, max_bytes=MAX_LIST))
        if read.integer(source, "v") != VERSION or read.integer(source, "number") != outer.number:
            raise MalformedError("of another version or another backup")
        files = tuple(_stored(each, outer) for each in read.items(source, "files", MAX_FILES))
        if len({each.path for each in files}) != len(files):
            raise MalformedError("a path is named twice")
        return SealedList(outer.number, files, read.members(source.get("tallies")))
    except CryptoError as error:
        raise DamageError("the sealed list of the backup is damaged") from error


def check_path(text: str, parts: tuple[str, ...] = PARTS) -> PurePosixPath:
    """A path below the state directory.  Raises MalformedError.

    SECURITY: what was sealed to the public recipient may be anybody's; a path that climbs, or names
    a folder no backup holds, is refused (test_listing.py::test_no_path_leaves_its_part).
    """
    path = PurePosixPath(text)
    names = text.split("/")
    if len(names) < 2 or len(names) > _MAX_DEPTH or names[0] not in parts or str(path) != text:
        raise MalformedError("a path that no backup holds")
    if not all(_NAME.fullmatch(name) and name.strip(".") for name in names):
        raise MalformedError("a name that no backup holds")
    return path


def _stored(value: Any, outer: OpenList) -> StoredFile:
    source = read.members(value)
    path = read.text(source, "path", 1000)
    check_path(path, outer.parts)
    objects = tuple(unhex(name, _HASH).hex() for name in read.items(source, "objects", MAX_LIST))
    if not set(objects) <= set(outer.objects):
        raise MalformedError("an object that the signed list does not name")
    size = read.integer(source, "size")
    if size < 0 or bool(size) != bool(objects):
        raise MalformedError("not the size of a file")
    return StoredFile(path, size, read.hexadecimal(source, "sha256", _HASH).hex(), objects)


def _parts(source: Mapping[str, Any]) -> tuple[str, ...]:
    parts = read.items(source, "parts", len(PARTS))
    if not parts or not all(part in PARTS for part in parts) or len(set(parts)) != len(parts):
        raise MalformedError("not parts of a state directory")
    return tuple(parts)


def _positive(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise MalformedError("not a positive number")
    return value


def _optional_hash(value: Any) -> str | None:
    return None if value is None else unhex(value, _HASH).hex()
