# SPDX-License-Identifier: AGPL-3.0-or-later
"""Opens the encrypted database.

Invariants:

* the key is raw: exactly 64 hexadecimal digits. SQLCipher silently takes anything else as a
  passphrase, so the length is checked here and nowhere is a key built from text a person typed;
* the pragmas run in the order SQLCipher needs, and the last statement proves the key;
* SQLCipher's own log (timestamped lines on standard error) is off.
"""

import contextlib
import os
import re
from pathlib import Path
from typing import Any, Final

from sqlcipher3 import dbapi2

from crypto.rng import Rng
from whistle.errors import ConfigError, StoreError
from whistle.limits import BUSY_TIMEOUT_MS

Connection = Any  # sqlcipher3 ships no types

_RAW_KEY = re.compile(r"[0-9a-f]{64}")
_FILE_MODE: Final = 0o600
_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS:d}",
    "PRAGMA secure_delete = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
)


def load_or_create_secret(path: Path, rng: Rng, needed_by: Path | None = None) -> str:
    """Return the 64 hex digits of a key file; make it, readable by us alone, if it is absent.

    The file appears complete or not at all. It is not made anew when `needed_by`, which only the
    lost key could open, exists.

    Raises:
        ConfigError: the file holds something else, or is lost.
    """
    if not path.exists():
        if needed_by is not None and needed_by.exists():
            raise ConfigError(f"{path.name} is missing, but {needed_by.name} was made with it")
        _create_secret(path, rng)
    text = path.read_text(encoding="ascii", errors="replace").strip()
    if _RAW_KEY.fullmatch(text) is None:
        raise ConfigError(f"{path.name} does not hold 64 hexadecimal digits")
    return text


def _create_secret(path: Path, rng: Rng) -> None:
    """Write a file of its own, then link it into place: a secret that is there already wins."""
    fresh = path.with_name(f".{path.name}.{rng(8).hex()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(rng(32).hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames and new names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def connect(path: Path, key: str, *, writable: bool, cache_kib: int) -> Connection:
    """Open the database with a raw key.

    Raises:
        StoreError: the key is not a raw key, or is not this database's.
    """
    if _RAW_KEY.fullmatch(key) is None:
        raise StoreError("a database key is 64 hexadecimal digits")
    if writable:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, _FILE_MODE))  # its WAL takes the same mode
    connection = dbapi2.connect(str(path), isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA cipher_log_level = NONE").fetchall()
        connection.execute("PRAGMA cipher_memory_security = ON").fetchall()
        connection.execute(f"PRAGMA key = \"x'{key}'\"").fetchall()
        for pragma in _PRAGMAS:
            connection.execute(pragma).fetchall()
        connection.execute(f"PRAGMA cache_size = -{cache_kib:d}").fetchall()
        if not writable:
            connection.execute("PRAGMA query_only = ON").fetchall()
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
    except dbapi2.DatabaseError:
        connection.close()
        raise StoreError(
            "the database does not open with this key: another key, or the database is damaged"
        ) from None
    return connection
