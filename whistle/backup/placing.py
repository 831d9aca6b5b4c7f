# SPDX-License-Identifier: AGPL-3.0-or-later
"""Putting an opened and proved backup into place on an empty host.

Invariants
* Only an empty (or absent) state directory is restored to; `people/` and `root/` do not count,
  because they never come from a backup.
* Everything is opened into a folder of its own first; the parts are moved in one by one, org/ last:
  a state directory with org/ is complete.  Interrupted, the restore is simply repeated.
"""

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from whistle.backup.errors import DamageError, PlaceError
from whistle.backup.files import make_private, sync_folder, write_whole
from whistle.backup.memory import NAME as MEMORY
from whistle.backup.proving import Opened
from whistle.backup.shelf import Found, Shelf
from whistle.backup.source import backup_folder
from whistle.layout import Layout
from whistle.statelock import NAME as LOCK

RESTORING: Final = ".restoring"
_NOT_OURS: Final = frozenset({RESTORING, LOCK, "people", "root", "backup"})


@contextlib.contextmanager
def room(layout: Layout) -> Iterator[Path]:
    """A fresh folder inside an empty state directory; gone at the end.  Raises PlaceError."""
    folder = layout.state / RESTORING
    try:
        make_private(layout.state)
        others = _others(layout)
        if layout.is_founded or (others and not folder.exists()):
            raise PlaceError(f"{layout.state} is not empty ({', '.join(others)}); choose another")
        shutil.rmtree(folder, ignore_errors=True)
        for name in others:  # of a restore that was interrupted before org/ came
            shutil.rmtree(layout.state / name)
        make_private(folder)
        yield folder
    except OSError as error:
        raise PlaceError(f"{layout.state} cannot be used ({error.strerror})") from error
    finally:
        if layout.is_founded or not _others(layout):  # else half is placed: the mark stays
            shutil.rmtree(folder, ignore_errors=True)


def _others(layout: Layout) -> list[str]:
    with contextlib.suppress(FileNotFoundError):
        return sorted({path.name for path in layout.state.iterdir()} - _NOT_OURS)
    return []


def place(one: Opened, layout: Layout) -> None:
    """Move the parts in, and remember which backup this is.  Raises PlaceError."""
    source = one.layout.state
    folder = backup_folder(layout)
    try:
        make_private(folder)
        content = one.found.content
        note = {"recipients": "", "number": content.number, "day": content.day.isoformat()}
        write_whole(folder / MEMORY, json.dumps({**note, "known": {}}).encode())
        for part in sorted(content.parts, key=lambda name: name == "org"):
            if (source / part).is_dir():
                (source / part).rename(layout.state / part)
                sync_folder(layout.state)
    except OSError as error:
        raise PlaceError(f"the files cannot be put into place ({error.strerror})") from error


def choose(shelf: Shelf, number: int | None, at_least: int) -> Found:
    """The backup to restore: the newest, or the one asked for.

    Raises DamageError when there is none, it is older than `at_least`, or the list after it names
    another one in its place.
    """
    numbers = shelf.numbers()
    if not numbers or (number is not None and number not in numbers):
        raise DamageError("there is no such backup here")
    chosen = numbers[-1] if number is None else number
    if chosen < at_least:
        raise DamageError(f"the newest backup here is {chosen}, and {at_least} was taken already")
    found = shelf.read(chosen)
    later = [each for each in numbers if each > chosen]
    if later and shelf.read(later[0]).content.previous != found.hash:
        raise DamageError(f"backup {later[0]} follows on another backup than this {chosen}")
    return found
