# SPDX-License-Identifier: AGPL-3.0-or-later
"""A new database key, so that a kill at any moment leaves a database that one of two files opens.

Order: the new key becomes durable as `db.key.next`; SQLCipher encrypts every page anew, in one
transaction; the database is opened and checked with the new key; the file takes the old one's name.
Asked again after an interruption, the same call finishes the work.

Invariant: no key file is removed before every page verifies under the key that replaces it.

Source: docs/spec/backup.md, section 5.
"""

from pathlib import Path
from typing import Final

from sqlcipher3 import dbapi2

from crypto.rng import Rng
from whistle.backup.databases import SIDE_FILES, check, connected, read_key
from whistle.backup.errors import SourceError
from whistle.backup.files import sync_folder, write_whole

KEY: Final = "db.key"
NEXT: Final = "db.key.next"
KEY_BYTES: Final = 32


def rotate_database(folder: Path, database: str, rng: Rng) -> None:
    """Give a stopped server's database a new key.

    Raises SourceError (the old key is still in force) and DamageError (a page does not verify; both
    key files are left as they are).
    """
    path, present, coming = folder / database, folder / KEY, folder / NEXT
    if not path.is_file():
        raise SourceError(f"there is no {database} yet")
    if not coming.exists():
        read_key(present)
        write_whole(coming, rng(KEY_BYTES).hex().encode() + b"\n")
    new = read_key(coming)
    if not opens(path, new):
        _encrypt_anew(path, read_key(present), new)
    check(path, new)
    for suffix in SIDE_FILES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    coming.replace(present)
    sync_folder(folder)


def opens(path: Path, key: str) -> bool:
    """Whether this key opens the database."""
    try:
        with connected(path, key):
            return True
    except SourceError:
        return False


def _encrypt_anew(path: Path, old: str, new: str) -> None:
    with connected(path, old) as connection:
        try:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            connection.execute(f"PRAGMA rekey = \"x'{new}'\"").fetchall()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except dbapi2.Error as error:
            raise SourceError(f"{path.name} could not be given a new key") from error
