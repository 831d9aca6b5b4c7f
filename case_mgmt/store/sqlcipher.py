# SPDX-License-Identifier: AGPL-3.0-or-later
"""Opens the encrypted database of the case office.

Invariants
* The key is raw: exactly 64 hexadecimal digits.  SQLCipher takes anything else silently for a
  passphrase, so the form is checked here, before a file is touched.
* The key never stands in an address, an error or a log; SQLCipher's own log is off.
* Commits are durable (WAL, synchronous=FULL).  One connection writes; the others cannot.
* The database is at the newest migration before the store is handed out.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool
from sqlcipher3 import dbapi2

from case_mgmt.errors import StoreError
from case_mgmt.store.reading import SqlReadUnit
from case_mgmt.store.writing import SqlWriteUnit

READERS: Final = 2
BUSY_TIMEOUT_MS: Final = 10_000
BEGIN_WRITING: Final = "BEGIN IMMEDIATE"
BEGIN_READING: Final = "BEGIN"
_MODE: Final = 0o600
_RAW_KEY: Final = re.compile(r"[0-9a-f]{64}")
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


def connect(path: Path, key: str, *, writable: bool) -> Any:
    """A keyed connection.  Raises StoreError for a malformed or a wrong key."""
    if _RAW_KEY.fullmatch(key) is None:
        raise StoreError("the database key must be 64 hexadecimal digits")
    # Made by us, because SQLite would make it readable to others; its WAL takes the same mode.
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, _MODE))
    except OSError as error:
        raise StoreError("the database file cannot be made or opened") from error
    connection = dbapi2.connect(str(path), isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA cipher_log_level = NONE").fetchall()
        connection.execute("PRAGMA cipher_memory_security = ON").fetchall()
        connection.execute(f"PRAGMA key = \"x'{key}'\"").fetchall()
        for pragma in _PRAGMAS:
            connection.execute(pragma).fetchall()
        if not writable:
            connection.execute("PRAGMA query_only = ON").fetchall()
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
    except dbapi2.Error as error:
        connection.close()
        raise StoreError(
            "the database cannot be opened with this key: another key, or the database is damaged"
        ) from error
    return connection


class SqlCipherStore:
    """A `CaseStore` over one encrypted file."""

    def __init__(self, writer: sa.Engine, readers: sa.Engine) -> None:
        self._writer = writer
        self._readers = readers

    @contextmanager
    def reading(self) -> Iterator[SqlReadUnit]:
        """A unit that only reads."""
        with _our_errors(), self._readers.begin() as connection:
            yield SqlReadUnit(connection)

    @contextmanager
    def writing(self) -> Iterator[SqlWriteUnit]:
        """One transaction, durable at its end."""
        with _our_errors(), self._writer.begin() as connection:
            yield SqlWriteUnit(connection)

    def close(self) -> None:
        """Close all connections."""
        self._readers.dispose()
        self._writer.dispose()


def open_store(path: Path, key: str) -> SqlCipherStore:
    """Open or create the database, at the newest migration.  Raises StoreError."""
    connect(path, key, writable=True).close()
    writer = make_engine(lambda: connect(path, key, writable=True), BEGIN_WRITING, 1)
    try:
        upgrade(writer)
    except StoreError:
        writer.dispose()
        raise
    readers = make_engine(lambda: connect(path, key, writable=False), BEGIN_READING, READERS)
    return SqlCipherStore(writer, readers)


def upgrade(engine: sa.Engine, revision: str = "head") -> None:
    """Bring the database to a revision.  Raises StoreError if it is newer than this program."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    with _our_errors(), engine.connect() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, revision)
        except CommandError as error:
            raise StoreError("the database was written by another version of whistle") from error


def make_engine(creator: Callable[[], Any], begin: str, size: int) -> sa.Engine:
    """An engine over keyed connections; no address, so no key in one."""
    engine = sa.create_engine(
        "sqlite://",
        module=dbapi2,
        creator=creator,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        hide_parameters=True,
    )
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


@contextmanager
def _our_errors() -> Iterator[None]:
    """Translate the library's errors; theirs may quote statements and values."""
    try:
        yield
    except (DBAPIError, sa.exc.TimeoutError) as error:
        raise StoreError("the database refused") from error
