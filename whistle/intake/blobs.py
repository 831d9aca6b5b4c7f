# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sealed attachments as files.

Invariants:

* only ciphertext is written; a file's name is the random id of its blob;
* a file grows as `<id>.part` (created exclusively) and gets its final name only after its bytes are
  on the disk; the folder is synced before any row names it. An upload in pieces grows under its
  final name, and no message names it before it is complete (`whistle.intake.pieces`);
* a file without a row is left over from an interrupted report and removed at start;
* a file's times are set to the start of its day.
"""

import contextlib
import errno
import os
import re
import resource
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Final

from whistle import logs
from whistle.errors import RefusedError
from whistle.intake.database import sync_folder
from whistle.limits import UPLOAD_DESCRIPTOR_RESERVE

_ID = re.compile(r"[0-9a-f]{32}")
_MODE: Final = 0o600
PART: Final = ".part"
_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT})


class BlobFolder:
    """The folder of sealed attachments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, blob: str) -> Path:
        """Return where a blob lies. Raises ValueError for anything but a blob id."""
        if _ID.fullmatch(blob) is None:
            raise ValueError("not a blob id")
        return self.folder / blob

    def part_path(self, blob: str) -> Path:
        """Return where a blob grows."""
        return self.path(blob).with_suffix(PART)

    def create_part(self, blob: str) -> int:
        """Create the growing file; return its descriptor.

        Raises:
            RefusedError: "busy" - no descriptor or no place is left for it.
        """
        try:
            return _open(self.part_path(blob), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        except RefusedError:
            self.remove([blob])
            raise

    def open_growing(self, blob: str) -> int:
        """Open the file of an upload that arrives in pieces, under its final name.

        Raises:
            RefusedError: "busy" - no descriptor or no place is left for it.
        """
        return _open(self.path(blob), os.O_RDWR | os.O_CREAT)

    def adopt(self, names: Iterable[tuple[str, str]]) -> None:
        """Give growing files (first name) final names (second name), durably; all or none.

        Raises:
            FileExistsError: a name is taken.
        """
        linked: list[Path] = []
        try:
            for temporary, blob in names:
                os.link(self.part_path(temporary), self.path(blob))
                linked.append(self.path(blob))
        except FileExistsError:
            for path in linked:
                path.unlink()
            raise
        sync_folder(self.folder)

    def publish(self, blobs: Iterable[str]) -> None:
        """Give finished files their final names, durably."""
        renamed = False
        for blob in blobs:
            self.part_path(blob).rename(self.path(blob))
            renamed = True
        if renamed:
            sync_folder(self.folder)

    def remove(self, blobs: Iterable[str]) -> None:
        """Delete blobs, finished or growing; absent ones are fine."""
        for blob in blobs:
            self.path(blob).unlink(missing_ok=True)
            self.part_path(blob).unlink(missing_ok=True)

    def sweep(self, known: Iterable[str]) -> int:
        """Delete every file that is no known blob; return how many went."""
        keep = set(known)
        removed = 0
        for path in self.folder.iterdir():
            if path.name not in keep and path.is_file():
                path.unlink(missing_ok=True)
                removed += 1
        if removed:
            sync_folder(self.folder)
        return removed

    def free_bytes(self) -> int:
        """Return how much the disk can still take."""
        state = os.statvfs(self.folder)
        return state.f_bavail * state.f_frsize


@contextlib.contextmanager
def busy_if_exhausted() -> Iterator[None]:
    """Turn the errors of a full disk and of a full table of descriptors into `busy`."""
    try:
        yield
    except OSError as error:
        if error.errno in _EXHAUSTED:
            logs.get("intake").error("file not written", **logs.describe(error))
            raise RefusedError("busy") from None
        raise


def _open(path: Path, flags: int) -> int:
    """Open a file of an upload, leaving descriptors for everything else."""
    with busy_if_exhausted():
        descriptor = os.open(path, flags, _MODE)
    if descriptor >= _most_descriptors():
        os.close(descriptor)
        raise RefusedError("busy")
    return descriptor


def _most_descriptors() -> int:
    """Descriptors are numbered from below, so the newest one says how many there are."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return sys.maxsize
    return soft - UPLOAD_DESCRIPTOR_RESERVE


def blur_times(descriptor: int, day: date) -> None:
    """Set a file's times to the start of `day`."""
    start = int(datetime.combine(day, time(), UTC).timestamp())
    os.utime(descriptor, (start, start))
