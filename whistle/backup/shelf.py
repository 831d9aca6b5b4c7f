# SPDX-License-Identifier: AGPL-3.0-or-later
"""The folder backups are written to: objects and lists, with no key that could open them.

    objects/ab/abcdef…      one sealed piece each, named by the SHA-256 of its ciphertext
    0000000007.json, .sig   the signed list of backup 7

Invariants
* A list appears after all its objects are on the disk, its signature last: a torn backup is none.
* An object's name is checked against its bytes whenever it is read.
* Nothing here needs a private key, or reads one.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from whistle.backup.errors import DamageError, DestinationError
from whistle.backup.files import PARTIAL, make_private, sync_folder, write_whole
from whistle.backup.listing import MAX_LIST, OpenList, list_hash, parse_open_list

OBJECTS: Final = "objects"
MAX_OBJECT: Final = 64 * 1024 * 1024  # bytes; larger than any piece of `taking.py`, and its header
_LIST: Final = re.compile(r"([0-9]{10})\.json")
_OBJECT: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Found:
    """One backup on the shelf, as read: parsed, its signature not yet believed."""

    content: OpenList
    data: bytes
    signature: bytes

    @property
    def hash(self) -> str:
        """How the next backup names this one."""
        return list_hash(self.data)


class Shelf:
    """A folder of backups."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Make the folders.  Raises DestinationError."""
        try:
            make_private(self.folder)
            make_private(self.folder / OBJECTS)
        except OSError as error:
            raise _unusable(error) from error

    def numbers(self) -> list[int]:
        """The backups that are complete, oldest first.  Raises DestinationError."""
        try:
            names = [path.name for path in self.folder.iterdir()]
        except OSError as error:
            raise _unusable(error) from error
        matches = [match for name in names if (match := _LIST.fullmatch(name))]
        return sorted(int(match[1]) for match in matches if self._signature(int(match[1])).exists())

    def read(self, number: int) -> Found:
        """One backup's list.  Raises DamageError, DestinationError."""
        try:
            path = self._list(number)
            if path.stat().st_size > MAX_LIST:
                raise DamageError(f"the list of backup {number} is too long")
            data, signature = path.read_bytes(), self._signature(number).read_bytes()
        except OSError as error:
            raise _unusable(error) from error
        found = Found(parse_open_list(data), data, signature)
        if found.content.number != number:
            raise DamageError(f"backup {number} carries another number")
        return found

    def has(self, name: str, size: int) -> bool:
        """Whether an object of this name and size lies here; its bytes are not read."""
        try:
            return self._object(name).stat().st_size == size
        except OSError:
            return False

    def get(self, name: str) -> bytes:
        """An object's bytes, compared with its name.  Raises DamageError."""
        path = self._object(name)
        try:
            if path.stat().st_size > MAX_OBJECT:
                raise DamageError("an object of the backup is too long")
            data = path.read_bytes()
        except OSError as error:
            raise DamageError("an object of the backup is missing or cannot be read") from error
        if hashlib.sha256(data).hexdigest() != name:
            raise DamageError("an object of the backup is changed")
        return data

    def put(self, data: bytes) -> str:
        """Store an object durably; return its name.  Raises DestinationError."""
        name = hashlib.sha256(data).hexdigest()
        path = self._object(name)
        try:
            make_private(path.parent)
            write_whole(path, data)
        except OSError as error:
            raise _unusable(error) from error
        return name

    def publish(self, number: int, data: bytes, signature: bytes) -> None:
        """Make a backup complete: the list, then its signature.  Raises DestinationError."""
        try:
            sync_folder(self.folder / OBJECTS)
            write_whole(self._list(number), data)
            write_whole(self._signature(number), signature)
        except OSError as error:
            raise _unusable(error) from error

    def forget(self, number: int) -> None:
        """Take a backup off the shelf; its objects stay until `sweep`.  Raises DestinationError."""
        try:
            self._signature(number).unlink(missing_ok=True)
            self._list(number).unlink(missing_ok=True)
        except OSError as error:
            raise _unusable(error) from error

    def sweep(self, keep: Iterable[str]) -> int:
        """Remove every object that is not named; return how many went.  Raises DestinationError."""
        wanted = set(keep)
        removed = 0
        try:
            for path in list(self._all_objects()):
                if path.name not in wanted:
                    path.unlink()
                    removed += 1
        except OSError as error:
            raise _unusable(error) from error
        return removed

    def _all_objects(self) -> Iterator[Path]:
        for path in (self.folder / OBJECTS).glob("??/*"):
            if _OBJECT.fullmatch(path.name) or path.name.endswith(PARTIAL):
                yield path

    def _list(self, number: int) -> Path:
        return self.folder / f"{number:010d}.json"

    def _signature(self, number: int) -> Path:
        return self.folder / f"{number:010d}.sig"

    def _object(self, name: str) -> Path:
        if _OBJECT.fullmatch(name) is None:
            raise DamageError("not the name of an object")
        return self.folder / OBJECTS / name[:2] / name


def _unusable(error: OSError) -> DestinationError:
    return DestinationError(f"the folder of the backups cannot be used ({error.strerror})")
