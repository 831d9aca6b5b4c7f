# SPDX-License-Identifier: AGPL-3.0-or-later
"""The files of the public log and of the releases, as the case server hands them over.

Invariants:

* a file's path is one of the forms below: no file outside the folder can be meant;
* a file that is there never changes; only the log's checkpoint is replaced, and only by one of a
  larger log, or of the same one with other witnesses;
* a file appears whole or not at all, and is durable before the feed is answered;
* how much is kept has a limit.

Source: C2SP tlog-tiles (paths), docs/spec/http.md "Public files".
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from crypto.errors import CryptoError, MalformedError
from crypto.rng import Rng
from crypto.tlog.checkpoint import Checkpoint, parse_checkpoint
from crypto.tlog.note import split_note
from crypto.tlog.tiles import WIDTH, decode_bundle
from whistle import limits
from whistle.errors import ConflictError, RefusedError
from whistle.intake.database import sync_folder

CHECKPOINT: Final = "log/checkpoint"
RELEASE_LIST: Final = "release.json"
_NUMBER: Final = r"(?:x[0-9]{3}/){0,5}[0-9]{3}(?:\.p/[1-9][0-9]{0,2})?"
_TILE: Final = re.compile(rf"log/tile/(?:entries|[0-9]|[1-5][0-9]|6[0-3])/{_NUMBER}")
_ENTRIES: Final = re.compile(
    r"log/tile/entries/((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)
_SEGMENT: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}"
_RELEASE: Final = re.compile(
    rf"releases/([0-9]{{4}}-[a-z0-9]{{1,16}})/({_SEGMENT}(?:/{_SEGMENT}){{0,7}})"
)
_TEMPORARY: Final = ".incoming-"


class PublicFolder:
    """A folder of public files."""

    def __init__(self, root: Path, rng: Rng) -> None:
        self._root = root
        self._rng = rng
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        sizes = [path.stat().st_size for path in self._swept()]
        self.count = len(sizes)
        self._bytes = sum(sizes)

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The newest checkpoint, its signatures not verified here; None before the first."""
        data = self.read(CHECKPOINT)
        return None if data is None else _checkpoint(data)

    def read(self, path: str) -> bytes | None:
        """The file at this path, or None."""
        if not is_path(path):
            return None
        try:
            return (self._root / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

    def locate(self, path: str) -> Path | None:
        """Where the file at this path is on the disk, or None."""
        target = self._root / path
        return target if is_path(path) and target.is_file() else None

    def releases(self) -> tuple[str, ...]:
        """The releases that are complete, newest name first."""
        folder = self._root / "releases"
        found = (path.parent.name for path in folder.glob(f"*/{RELEASE_LIST}"))
        return tuple(sorted(found, reverse=True))

    def put(self, path: str, content: bytes) -> None:
        """Keep a file.

        Raises:
            MalformedError: there is no such path, or not a checkpoint.
            RefusedError: it is too large, or the folder is full.
            ConflictError: another file is there.
        """
        if not is_path(path):
            raise MalformedError("not the path of a public file")
        if len(content) > limits.MAX_PUBLIC_FILE:
            raise RefusedError("too_large")
        present = self.read(path)
        if present == content:
            return
        if present is not None:
            _require_successor(path, present, content)
        if self._bytes + len(content) > limits.MAX_PUBLIC_BYTES:
            raise RefusedError("busy")
        self._write(self._root / path, content)
        self._bytes += len(content) - len(present or b"")
        self.count += present is None

    def _write(self, target: Path, content: bytes) -> None:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = target.with_name(_TEMPORARY + self._rng(8).hex())
        try:
            with fresh.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(target)
        finally:
            fresh.unlink(missing_ok=True)
        sync_folder(target.parent)

    def _swept(self) -> Iterator[Path]:
        for path in self._root.rglob("*"):
            if path.name.startswith(_TEMPORARY):
                path.unlink()
            elif path.is_file():
                yield path


def is_path(path: str) -> bool:
    """Whether this is the path of a public file."""
    return path == CHECKPOINT or any(form.fullmatch(path) for form in (_TILE, _RELEASE))


def commitments(path: str, content: bytes) -> dict[bytes, int]:
    """What each entry of a bundle commits to (its last 32 bytes), and the entry's index.

    Nothing for any other file.  Raises CryptoError: the bundle is damaged.
    """
    match = _ENTRIES.fullmatch(path)
    if match is None:
        return {}
    number = int("".join(part.removeprefix("x") for part in match[1].split("/")))
    entries = decode_bundle(content, int(match[2] or WIDTH), path)
    return {entry[-32:]: number * WIDTH + place for place, entry in enumerate(entries)}


def _require_successor(path: str, present: bytes, content: bytes) -> None:
    """SECURITY: the log shown to reporters never shrinks
    (tests/whistle/intake/test_public_files.py::test_a_checkpoint_only_grows)."""
    if path != CHECKPOINT:
        raise ConflictError("a public file does not change")
    before, after = _checkpoint(present), _checkpoint(content)
    same = (before.size, before.root) == (after.size, after.root)
    if before.origin != after.origin or not (same or before.size < after.size):
        raise ConflictError("a checkpoint is followed by one of a larger log")


def _checkpoint(data: bytes) -> Checkpoint:
    try:
        return parse_checkpoint(split_note(data)[0])
    except CryptoError as error:
        raise MalformedError("not a checkpoint") from error
