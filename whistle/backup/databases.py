# SPDX-License-Identifier: AGPL-3.0-or-later
"""Copies of databases that are in use, and what their keys and pages say.

How a copy is made: while this process holds the database's write lock, the main file and its
write-ahead log are copied as they lie there.  A checkpoint that another process runs meanwhile only
repeats what the log holds, and the log cannot be begun anew without the write lock, so the two
files together are the database at that moment.  The copy is then opened with the key, the log is
worked in, and every page is checked.  Pages that did not change keep their bytes, which an
SQL-level copy would encrypt afresh: that is what makes the next backup small.

Invariants
* A server that runs goes on running; it waits for the lock as for any other writer.
* No page is ever written in clear.
"""

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sqlcipher3 import dbapi2

from whistle.backup.errors import DamageError, SourceError

BUSY_TIMEOUT_MS: Final = 30_000
NAMES: Final = {"intake": "intake.db", "cases": "cases.db"}
SIDE_FILES: Final = ("-wal", "-shm", "-journal")
_RAW_KEY: Final = re.compile(r"[0-9a-f]{64}")


def read_key(path: Path) -> str:
    """The 64 hexadecimal digits of a key file.  Raises SourceError."""
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise SourceError(f"{path.name} cannot be read ({error.strerror})") from error
    if _RAW_KEY.fullmatch(text) is None:
        raise SourceError(f"{path.name} does not hold 64 hexadecimal digits")
    return text


@contextlib.contextmanager
def connected(path: Path, key: str) -> Iterator[Any]:
    """A keyed connection to a database that exists.  Raises SourceError."""
    if _RAW_KEY.fullmatch(key) is None:
        raise SourceError("a database key is 64 hexadecimal digits")
    if not path.is_file():
        raise SourceError(f"{path.name} is missing")
    connection = dbapi2.connect(str(path), isolation_level=None)
    try:
        connection.execute("PRAGMA cipher_log_level = NONE").fetchall()
        connection.execute(f"PRAGMA key = \"x'{key}'\"").fetchall()
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS:d}").fetchall()
        connection.execute("PRAGMA synchronous = FULL").fetchall()
        connection.execute("PRAGMA temp_store = MEMORY").fetchall()
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
    except dbapi2.Error as error:
        connection.close()
        raise SourceError(f"{path.name} does not open with its key") from error
    try:
        yield connection
    finally:
        connection.close()


@contextlib.contextmanager
def frozen(path: Path, key: str) -> Iterator[None]:
    """Keep everybody else from writing.  Raises SourceError."""
    with connected(path, key) as connection:
        try:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            connection.execute("BEGIN IMMEDIATE")
        except dbapi2.Error as error:
            raise SourceError(f"{path.name} is busy: nobody let us in for half a minute") from error
        try:
            yield
        finally:
            connection.execute("ROLLBACK")


def copy_frozen(source: Path, target: Path) -> None:
    """Copy a database whose write lock is held, with its log.  Raises OSError."""
    shutil.copyfile(source, target)
    log = source.with_name(source.name + "-wal")
    with contextlib.suppress(FileNotFoundError):
        shutil.copyfile(log, target.with_name(target.name + "-wal"))


def settle(path: Path, key: str) -> None:
    """Work the log of a copy in, so that one file holds everything.  Raises SourceError."""
    with connected(path, key) as connection:
        try:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except dbapi2.Error as error:
            raise SourceError(f"the copy of {path.name} is damaged") from error
    for suffix in SIDE_FILES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def check(path: Path, key: str) -> None:
    """Check every page and every reference.  Raises DamageError."""
    with connected(path, key) as connection:
        try:
            pages = connection.execute("PRAGMA cipher_integrity_check").fetchall()
            tree = connection.execute("PRAGMA integrity_check").fetchall()
            references = connection.execute("PRAGMA foreign_key_check").fetchall()
        except dbapi2.Error as error:
            raise DamageError(f"{path.name} is damaged") from error
    if pages or tree != [("ok",)] or references:
        raise DamageError(f"{path.name} is damaged")
