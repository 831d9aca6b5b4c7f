# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sealed attachments as files of the case server.

Invariants
* A file grows as `<id>.part`; it gets its name once all its bytes are on the disk and counted.
* The folder is synced before a record naming the file is committed, and only then acknowledged.
* Files that no record names are left over from an interrupted collection: they are removed at
  start, and collected again because they were never acknowledged.
* File times say nothing finer than the day.
"""

import os
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import BinaryIO, Final

from case_mgmt.model import BlobId
from whistle.cases.errors import FeedError

_ID: Final = re.compile(r"[0-9a-f]{32}")
_MODE: Final = 0o600


class BlobFolder:
    """The folder `blobs/`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, blob: BlobId) -> Path:
        """Where a blob lies.  Raises ValueError for anything but a blob's id."""
        if _ID.fullmatch(blob) is None:
            raise ValueError("not a blob id")
        return self._folder / blob

    def has(self, blob: BlobId, size: int) -> bool:
        """Whether the whole blob is here."""
        try:
            return self.path(blob).stat().st_size == size
        except FileNotFoundError:
            return False

    def receive(self, blob: BlobId, size: int) -> "Receiving":
        """Begin to store a blob of this size, afresh."""
        return Receiving(self.path(blob), size)

    def open(self, blob: BlobId) -> BinaryIO:
        """A blob for reading."""
        return self.path(blob).open("rb")

    def sweep(self, known: Iterable[BlobId]) -> int:
        """Remove every file that no record names; how many went."""
        keep = set(known)
        stray = [path for path in self._folder.iterdir() if path.name not in keep]
        for path in stray:
            path.unlink(missing_ok=True)
        return len(stray)


class Receiving:
    """One blob on its way to the disk."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._part = path.with_suffix(".part")
        self._size = size
        self._written = 0
        self._descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE)

    def write(self, piece: bytes) -> None:
        """Append.  Raises FeedError if the blob is longer than announced."""
        self._written += len(piece)
        if self._written > self._size:
            raise FeedError("a blob is longer than announced")
        view = memoryview(piece)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def finish(self, day: date) -> None:
        """Make the blob durable under its name.  Raises FeedError if it is too short."""
        if self._written != self._size:
            raise FeedError("a blob is shorter than announced")
        start = int(datetime.combine(day, time(), UTC).timestamp())
        os.utime(self._descriptor, (start, start))
        os.fsync(self._descriptor)
        self._close()
        self._part.rename(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def abandon(self) -> None:
        """Give up; harmless after `finish`."""
        self._close()
        self._part.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
