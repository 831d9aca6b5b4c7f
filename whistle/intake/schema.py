# SPDX-License-Identifier: AGPL-3.0-or-later
"""The intake's tables, and how an older database becomes the present one.

Invariants:

* `PRAGMA user_version` is the number of migrations applied; a newer database than this code is
  refused;
* a migration is one transaction and is never edited after a release: changes are appended;
* nothing finer than a day is stored, and no column could hold plaintext of a report.
"""

from typing import Any, Final

from whistle.errors import StoreError

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """CREATE TABLE threads (
             lookup_id BLOB PRIMARY KEY CHECK (length(lookup_id) = 16),
             auth_pk BLOB NOT NULL CHECK (length(auth_pk) = 32),
             day TEXT NOT NULL CHECK (length(day) = 10),
             dossier BLOB NOT NULL
           ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE records (
             id BLOB PRIMARY KEY CHECK (length(id) = 16),
             thread BLOB NOT NULL REFERENCES threads (lookup_id),
             kind TEXT NOT NULL CHECK (kind IN ('report', 'follow_up')),
             intent TEXT NOT NULL CHECK (intent IN ('message', 'contest', 'withdraw')),
             day TEXT NOT NULL CHECK (length(day) = 10),
             recipients TEXT NOT NULL,
             mailbox_key BLOB CHECK (mailbox_key IS NULL OR length(mailbox_key) = 32),
             container BLOB NOT NULL
           ) STRICT""",
        """CREATE TABLE blobs (
             id TEXT PRIMARY KEY CHECK (length(id) = 32),
             record BLOB NOT NULL REFERENCES records (id) ON DELETE CASCADE,
             size INTEGER NOT NULL
           ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX blobs_by_record ON blobs (record)",
        """CREATE TABLE mailbox (
             thread BLOB NOT NULL REFERENCES threads (lookup_id),
             seq INTEGER NOT NULL,
             box BLOB NOT NULL,
             PRIMARY KEY (thread, seq)
           ) STRICT""",
        """CREATE TABLE own_messages (
             thread BLOB NOT NULL REFERENCES threads (lookup_id),
             message_id BLOB NOT NULL CHECK (length(message_id) = 16),
             day TEXT NOT NULL CHECK (length(day) = 10),
             box BLOB NOT NULL,
             PRIMARY KEY (thread, message_id)
           ) STRICT""",
        """CREATE TABLE secrets (
             day TEXT PRIMARY KEY CHECK (length(day) = 10),
             secret BLOB NOT NULL CHECK (length(secret) = 32)
           ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE statistics (
             id INTEGER PRIMARY KEY CHECK (id = 1),
             content TEXT NOT NULL
           ) STRICT""",
    ),
    (
        """CREATE TABLE manifest (
             id INTEGER PRIMARY KEY CHECK (id = 1),
             serial INTEGER NOT NULL
           ) STRICT""",
    ),
    (
        """ALTER TABLE threads ADD COLUMN mode TEXT NOT NULL DEFAULT 'arrival'
             CHECK (mode IN ('tool', 'browser', 'arrival'))""",
        """ALTER TABLE threads ADD COLUMN fingerprint BLOB
             CHECK (fingerprint IS NULL OR length(fingerprint) = 32)""",
        """CREATE TABLE uploads (
             id TEXT PRIMARY KEY CHECK (length(id) = 32),
             owner BLOB NOT NULL CHECK (length(owner) = 32),
             size INTEGER NOT NULL CHECK (size > 0),
             day TEXT NOT NULL CHECK (length(day) = 10)
           ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE pieces (
             upload TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
             n INTEGER NOT NULL,
             PRIMARY KEY (upload, n)
           ) STRICT, WITHOUT ROWID""",
    ),
    (
        """ALTER TABLE records ADD COLUMN commitment BLOB
             CHECK (commitment IS NULL OR length(commitment) = 32)""",
        """CREATE TABLE leaves (
             commitment BLOB PRIMARY KEY CHECK (length(commitment) = 32),
             place INTEGER NOT NULL
           ) STRICT, WITHOUT ROWID""",
    ),
    (
        """ALTER TABLE threads ADD COLUMN commitment BLOB
             CHECK (commitment IS NULL OR length(commitment) = 32)""",
    ),
)
VERSION: Final = len(MIGRATIONS)


def migrate(connection: Any, migrations: tuple[tuple[str, ...], ...] = MIGRATIONS) -> None:
    """Bring the database to the newest version.

    Raises:
        StoreError: the database was written by a newer program.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(migrations):
        raise StoreError("the database was written by a newer version of whistle")
    for number in range(version, len(migrations)):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in migrations[number]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1:d}")
            connection.execute("COMMIT")
        except Exception:
            connection.execute("ROLLBACK")
            raise
