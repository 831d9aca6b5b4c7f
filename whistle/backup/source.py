# SPDX-License-Identifier: AGPL-3.0-or-later
"""What of a state directory is backed up, copied aside at one moment.

The moment: the case server's database is held first, and until everything is copied.  While it is
held no report can be acknowledged to the intake, hence none is erased there that the copy of the
case server lacks; and the intake is copied after it, hence every case in the copy has its thread
and every notice marked as delivered its box.  Reports go on arriving meanwhile.

Invariants
* Both copies together lose nothing and know no case whose code does not open.
* What is set aside is ciphertext, public, or a key this same folder already held; it is private to
  this user, and removed at the end of the backup, or at the start of the next.
* Keystores and the root key are not looked at.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from whistle import statelock
from whistle.backup.databases import (
    NAMES,
    SIDE_FILES,
    check,
    copy_frozen,
    frozen,
    read_key,
    settle,
)
from whistle.backup.errors import DamageError, SourceError
from whistle.backup.files import make_private
from whistle.backup.listing import PARTS
from whistle.backup.tallies import tally
from whistle.layout import LOG_HEAD, Layout

BLOBS: Final = "blobs"
GROWING: Final = ".part"
STAGING: Final = "staging"
RESERVE: Final = 64 * 1024 * 1024  # bytes left free on the servers' disk
_SERVICES: Final = ("cases", "intake")
_HIDDEN_SERVICES: Final = "hs-*"


@dataclass(frozen=True)
class Staged:
    """Copies in a folder of their own, laid out as in a state directory."""

    folder: Path
    parts: tuple[str, ...]
    tallies: dict[str, Any]

    def files(self) -> Iterator[tuple[str, Path]]:
        """(path as the sealed list names it, file), sorted."""
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                yield path.relative_to(self.folder).as_posix(), path


def backup_folder(layout: Layout) -> Path:
    """Where this program keeps what it must remember."""
    return layout.state / "backup"


def present_parts(layout: Layout) -> tuple[str, ...]:
    """The parts this machine has."""
    return tuple(part for part in PARTS if any_file(layout.state / part))


def any_file(folder: Path) -> bool:
    """Whether there is at least one file below."""
    return folder.is_dir() and any(path.is_file() for path in folder.rglob("*"))


@contextlib.contextmanager
def staged(layout: Layout, parts: Sequence[str]) -> Iterator[Staged]:
    """Copy the parts aside, checked and counted; gone at the end.  Raises SourceError."""
    folder = backup_folder(layout) / STAGING
    try:
        shutil.rmtree(folder, ignore_errors=True)
        make_private(folder)
        _require_room(layout, parts)
        _copy_services(layout, [each for each in _SERVICES if each in parts], folder)
        _copy_rest(layout, parts, folder)
        yield Staged(folder, tuple(parts), _finish(folder, parts))
    except OSError as error:
        raise SourceError(f"the servers' files cannot be copied ({error.strerror})") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _require_room(layout: Layout, parts: Sequence[str]) -> None:
    needed = 0
    for service in _SERVICES:
        database = layout.state / service / NAMES[service]
        for path in (database, *(database.with_name(database.name + end) for end in SIDE_FILES)):
            if service in parts and path.exists():
                needed += path.stat().st_size
    free = shutil.disk_usage(layout.state).free
    if free < needed + RESERVE:
        mebibytes = (needed + RESERVE - free) // (1024 * 1024) + 1
        raise SourceError(f"{mebibytes} MiB more must be free on the disk of the state directory")


def _copy_services(layout: Layout, services: Sequence[str], target: Path) -> None:
    with contextlib.ExitStack() as outer:
        if "cases" in services:
            outer.enter_context(_held(layout, "cases"))
        if "intake" in services:
            with _held(layout, "intake"):  # reporters wait for no more than this copy
                _copy_service(layout.intake, target / "intake", NAMES["intake"])
        if "cases" in services:
            _copy_service(layout.cases, target / "cases", NAMES["cases"])


def _held(layout: Layout, service: str) -> contextlib.AbstractContextManager[None]:
    database = layout.state / service / NAMES[service]
    if not database.exists():
        return contextlib.nullcontext()
    return frozen(database, read_key(layout.state / service / "db.key"))


def _copy_service(source: Path, target: Path, database: str) -> None:
    make_private(target)
    if (source / database).exists():
        copy_frozen(source / database, target / database)
    ours = {database, statelock.NAME, LOG_HEAD, *(database + end for end in SIDE_FILES)}
    for path in sorted(source.rglob("*")):
        relative = path.relative_to(source)
        if relative.parts[0] == BLOBS and len(relative.parts) > 1:
            _set_aside_blob(path, target / relative)
        elif path.is_file() and not path.is_symlink() and relative.name not in ours:
            _copy(path, target / relative)


def _set_aside_blob(path: Path, target: Path) -> None:
    """A second name costs no room and outlives the server's own; elsewhere it is copied."""
    if path.suffix == GROWING or not path.is_file() or path.is_symlink():
        return
    make_private(target.parent)
    with contextlib.suppress(FileNotFoundError):  # left over, and swept in this instant
        try:
            os.link(path, target)
        except OSError:
            shutil.copyfile(path, target)


def _copy_rest(layout: Layout, parts: Sequence[str], target: Path) -> None:
    if "org" in parts:
        _copy_folder(layout.org, target / "org")
    if "desks" in parts:
        _copy_folder(layout.desks, target / "desks")
    if "tor" in parts:
        for folder in sorted(layout.tor.glob(_HIDDEN_SERVICES)):
            _copy_folder(folder, target / "tor" / folder.name)


def _copy_folder(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")):
        if path.is_file() and not path.is_symlink():
            _copy(path, target / path.relative_to(source))


def _copy(source: Path, target: Path) -> None:
    make_private(target.parent)
    shutil.copyfile(source, target)


def _finish(folder: Path, parts: Sequence[str]) -> dict[str, Any]:
    """Work the logs in, check the copies, count them.  Raises SourceError."""
    tallies = {}
    for service in (each for each in _SERVICES if each in parts):
        path = folder / service / NAMES[service]
        if not path.exists():
            continue
        key = read_key(path.with_name("db.key"))
        settle(path, key)
        try:
            check(path, key)
            tallies[service] = tally(service, path, key)
        except DamageError as error:
            message = f"{error}: nothing was backed up; see docs/runbooks/host-loss.md"
            raise SourceError(message) from error
    return tallies
