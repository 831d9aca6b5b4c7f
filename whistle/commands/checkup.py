# SPDX-License-Identifier: AGPL-3.0-or-later
"""Checks of `whistle doctor` that read what the servers have stored: pages, files, days.

Invariants:

* nothing is written, and nothing but sizes, file names and whole days is read;
* servers may run meanwhile: what is missing is looked for twice, because a collected file goes.

Source: SQLCipher's cipher_integrity_check (each page's HMAC), SQLite's quick_check.
"""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Final

from sqlcipher3 import dbapi2

from whistle.commands.findings import Finding, Patient
from whistle.errors import StoreError
from whistle.intake.database import Connection, connect

_CACHE_KIB: Final = 2048
_OPERATIONS: Final = "docs/operations.md"
Look = Callable[[Connection, Path, Patient], Iterator[Finding]]


def check_stored(patient: Patient) -> Iterator[Finding]:
    """Everything that lies in the databases and beside them."""
    for folder in (patient.layout.intake, patient.layout.cases):
        path = folder / f"{folder.name}.db"
        key = folder / "db.key"
        if path.exists() and key.exists():
            yield from _look_into(path, key, patient)


def _look_into(path: Path, key: Path, patient: Patient) -> Iterator[Finding]:
    text = key.read_text(encoding="ascii", errors="replace").strip()
    try:
        connection = connect(path, text, writable=False, cache_kib=_CACHE_KIB)
    except (StoreError, dbapi2.Error):
        yield _damaged(path)
        return
    try:
        findings = list(_look_at_all(connection, path, patient))
    except dbapi2.DatabaseError:
        findings = [_damaged(path)]
    finally:
        connection.close()
    yield from findings


def _look_at_all(connection: Connection, path: Path, patient: Patient) -> Iterator[Finding]:
    for look in _LOOKS:
        yield from look(connection, path, patient)


def _damaged(path: Path) -> Finding:
    return Finding(
        "bad", f"{path} is damaged, or db.key is another one's",
        f"stop the server, restore the backup: {_OPERATIONS}, “database damaged”",
    )  # fmt: skip


def _pages(connection: Connection, path: Path, _: Patient) -> Iterator[Finding]:
    broken = connection.execute("PRAGMA cipher_integrity_check").fetchall()
    if not broken and connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]:
        yield Finding("ok", f"every page of {path.name} is whole")
    else:
        raise dbapi2.DatabaseError("a page is damaged")


def _files(connection: Connection, path: Path, _: Patient) -> Iterator[Finding]:
    folder = path.parent / "blobs"
    suspects = _not_whole(connection, folder)
    there = _not_whole(connection, folder) if suspects else {}
    for name, size in sorted(there.items()):
        if name in suspects:
            yield Finding(
                "bad", f"{folder / name} is not whole; it had {size} bytes",
                f"put it back from the backup: {_OPERATIONS}, “file damaged”",
            )  # fmt: skip


def _not_whole(connection: Connection, folder: Path) -> dict[str, int]:
    rows = connection.execute("SELECT id, size FROM blobs").fetchall()
    return {str(name): int(size) for name, size in rows if _size(folder / name) != size}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _days(connection: Connection, path: Path, patient: Patient) -> Iterator[Finding]:
    if path.name != "intake.db":
        return
    newest = connection.execute("SELECT max(day) FROM threads").fetchone()[0]
    if newest is not None and date.fromisoformat(newest) > patient.today:
        yield Finding(
            "bad", f"a report was stored on {newest}, and today is {patient.today}",
            f"set the system clock: {_OPERATIONS}, “clock went back”",
        )  # fmt: skip


_LOOKS: Final[tuple[Look, ...]] = (_pages, _files, _days)
