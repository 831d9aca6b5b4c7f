# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the intake keeps: threads, sealed records until they are collected, mailboxes, day secrets,
and the highest serial of a manifest it has used.

Invariants:

* a report is one transaction: its thread, its record and the names of its blobs, or nothing;
* a thread exists once: a second report for the same lookup id changes nothing and says so;
* what the case server has acknowledged is erased (container, blobs, mailbox key); the thread stays,
  with the commitment its report came with: only that one may ever be promised;
* writes go through `Writer`; reads of a few rows run on a reading connection of their own.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from crypto.rng import Rng
from whistle.intake import schema
from whistle.intake.database import Connection, connect
from whistle.intake.quotas import require_quota, waiting_bytes
from whistle.intake.records import (
    Claim,
    Entry,
    NewThread,
    OwnMessage,
    Record,
    ThreadView,
)
from whistle.intake.rows import insert_box, list_records, require_room
from whistle.intake.upload_table import UploadTable, take_uploads
from whistle.intake.writer import Writer
from whistle.limits import TOKEN_DAYS

_WRITER_CACHE_KIB: Final = 2048
_READER_CACHE_KIB: Final = 2048


class Store:
    """The intake's database."""

    def __init__(self, path: Path, key: str) -> None:
        writing = connect(path, key, writable=True, cache_kib=_WRITER_CACHE_KIB)
        schema.migrate(writing)
        self._reading = connect(path, key, writable=False, cache_kib=_READER_CACHE_KIB)
        self._writer = Writer(writing)
        self.uploads: Final = UploadTable(self._writer, self._reading)

    def close(self) -> None:
        """Finish queued writes and close."""
        self._writer.close()
        self._reading.close()

    # --- reports --------------------------------------------------------------------------------

    async def add_report(
        self, thread: NewThread, record: Record, claims: Sequence[Claim] = ()
    ) -> bool:
        """Store a new thread with its report; False if the thread exists already.

        Raises:
            ConflictError: a claimed upload is not complete.
        """

        def work(connection: Connection) -> bool:
            cursor = connection.execute(
                "INSERT INTO threads (lookup_id, auth_pk, day, dossier, mode, fingerprint,"
                " commitment) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (
                    record.thread,
                    thread.auth_public,
                    record.day.isoformat(),
                    thread.dossier,
                    thread.mode,
                    thread.fingerprint,
                    record.commitment,
                ),
            )
            if cursor.rowcount != 1:
                return False
            take_uploads(connection, claims)
            _insert_record(connection, record)
            return True

        return await self._writer.do(work)

    async def add_follow_up(
        self,
        record: Record,
        own: OwnMessage,
        claims: Sequence[Claim] = (),
        *,
        spare: int | None = None,
    ) -> bool:
        """Store a later message; False if the same message was stored before.

        `spare`: how many objections and withdrawals a thread takes beyond its messages; None: as
        many as the caller lets through, who has read what may be objected to.

        Raises:
            ConflictError: a claimed upload is not complete.
            FullError: the thread holds `MAX_OWN_MESSAGES`, or their copies `MAX_OWN_BYTES`.
        """

        def work(connection: Connection) -> bool:
            if not _insert_own(connection, record.thread, own):
                return False
            if record.intent == "message":
                require_room(connection, record.thread, 0)
            elif spare is not None:
                require_room(connection, record.thread, spare)
            take_uploads(connection, claims)
            _insert_record(connection, record)
            return True

        return await self._writer.do(work)

    def thread(self, lookup_id: bytes) -> ThreadView | None:
        """Return a thread; the same three lookups are made whether it exists or not."""
        execute = self._reading.execute
        row = execute(
            "SELECT day, dossier, mode, auth_pk, commitment FROM threads WHERE lookup_id = ?",
            (lookup_id,),
        ).fetchone()
        boxes = execute(
            "SELECT seq, box FROM mailbox WHERE thread = ? ORDER BY seq", (lookup_id,)
        ).fetchall()
        own = execute(
            "SELECT message_id, day, box FROM own_messages WHERE thread = ? ORDER BY rowid",
            (lookup_id,),
        ).fetchall()
        if row is None:
            return None
        messages = (OwnMessage(mid, date.fromisoformat(day), box) for mid, day, box in own)
        day = date.fromisoformat(row[0])
        return ThreadView(day, row[1], tuple(boxes), tuple(messages), *row[2:])

    def submission(self, lookup_id: bytes) -> tuple[date, bytes | None] | None:
        """Return a thread's first day and the fingerprint of its submission, or None."""
        row = self._reading.execute(
            "SELECT day, fingerprint FROM threads WHERE lookup_id = ?", (lookup_id,)
        ).fetchone()
        return None if row is None else (date.fromisoformat(row[0]), row[1])

    def thread_day(self, lookup_id: bytes) -> date | None:
        """Return the day a thread began, or None if there is no such thread."""
        row = self._reading.execute(
            "SELECT day FROM threads WHERE lookup_id = ?", (lookup_id,)
        ).fetchone()
        return None if row is None else date.fromisoformat(row[0])

    def newest_day(self) -> date | None:
        """Return the latest day on which a thread began; None before the first."""
        row = self._reading.execute("SELECT max(day) FROM threads").fetchone()
        return None if row[0] is None else date.fromisoformat(row[0])

    def own_day(self, lookup_id: bytes, message_id: bytes) -> date | None:
        """Return the day a message of the reporter was stored, or None if it is not."""
        statement = "SELECT day FROM own_messages WHERE thread = ? AND message_id = ?"
        row = self._reading.execute(statement, (lookup_id, message_id)).fetchone()
        return None if row is None else date.fromisoformat(row[0])

    def has_own_message(self, lookup_id: bytes, message_id: bytes) -> bool:
        """Say whether this message of the reporter is stored already."""
        return self.own_day(lookup_id, message_id) is not None

    def waiting_bytes(self) -> int:
        """Return how many bytes of files have not been collected."""
        return waiting_bytes(self._reading)

    # --- day secrets ----------------------------------------------------------------------------

    async def day_secret(self, day: date, rng: Rng) -> bytes:
        """Return the secret of a day, made on first use and durable before it is used."""
        fresh = rng(32)

        def work(connection: Connection) -> bytes:
            text = day.isoformat()
            connection.execute(
                "INSERT INTO secrets VALUES (?, ?) ON CONFLICT DO NOTHING", (text, fresh)
            )
            row = connection.execute("SELECT secret FROM secrets WHERE day = ?", (text,)).fetchone()
            return bytes(row[0])

        return await self._writer.do(work)

    async def forget_secrets(self, today: date) -> None:
        """Destroy the secrets of days whose forms are no longer recognised."""
        oldest = (today - timedelta(days=TOKEN_DAYS - 1)).isoformat()
        await self._writer.do(
            lambda connection: connection.execute("DELETE FROM secrets WHERE day < ?", (oldest,))
        )

    # --- manifests ------------------------------------------------------------------------------

    def highest_serial(self) -> int:
        """Return the highest serial of a manifest used here; 0 before the first."""
        row = self._reading.execute("SELECT serial FROM manifest").fetchone()
        return 0 if row is None else int(row[0])

    def remember_serial(self, serial: int) -> None:
        """Remember the serial of a manifest about to be used; durable when this returns."""
        statement = (
            "INSERT INTO manifest VALUES (1, ?)"
            " ON CONFLICT DO UPDATE SET serial = max(serial, excluded.serial)"
        )
        self._writer.do_now(lambda connection: connection.execute(statement, (serial,)))

    # --- feed -----------------------------------------------------------------------------------

    def records(self, limit: int, max_bytes: int, after: bytes = b"") -> list[Record]:
        """Return uncollected records in the order they came, at most `limit`, about `max_bytes`.

        `after`: only what came later than this record, unless it has been collected meanwhile.
        """
        return list_records(self._reading, limit, max_bytes, after)

    def has_records(self, after: bytes) -> bool:
        """Say whether anything came later than this record."""
        statement = "SELECT max(rowid) > (SELECT rowid FROM records WHERE id = ?) FROM records"
        return bool(self._reading.execute(statement, (after,)).fetchone()[0])

    def blob_size(self, blob: str) -> int | None:
        """Return the size of a stored blob, or None."""
        row = self._reading.execute("SELECT size FROM blobs WHERE id = ?", (blob,)).fetchone()
        return None if row is None else int(row[0])

    def blob_ids(self) -> set[str]:
        """Return the ids of all stored blobs and of unfinished uploads."""
        statement = "SELECT id FROM blobs UNION ALL SELECT id FROM uploads"
        return {row[0] for row in self._reading.execute(statement)}

    async def acknowledge(self, records: Sequence[bytes]) -> tuple[str, ...]:
        """Erase collected records; return the blobs whose files may go now."""

        def work(connection: Connection) -> tuple[str, ...]:
            gone: list[str] = []
            for record in records:
                rows = connection.execute("SELECT id FROM blobs WHERE record = ?", (record,))
                gone.extend(row[0] for row in rows.fetchall())
                connection.execute("DELETE FROM records WHERE id = ?", (record,))
            return tuple(gone)

        return await self._writer.do(work)

    async def put_mailbox(self, entries: Iterable[Entry]) -> None:
        """Store notices, all or none; the same bytes again are fine.

        Raises:
            ConflictError: another box is there already, or the thread is unknown.
        """
        wanted = tuple(entries)

        def work(connection: Connection) -> None:
            for entry in wanted:
                insert_box(connection, entry)

        await self._writer.do(work)

    async def put_places(self, places: Mapping[bytes, int]) -> None:
        """Remember where in the public log these commitments stand."""
        await self._writer.do(
            lambda connection: connection.executemany(
                "INSERT INTO leaves VALUES (?, ?) ON CONFLICT DO NOTHING", places.items()
            )
        )

    def place(self, commitment: bytes) -> int | None:
        """Return where in the public log this commitment stands, or None."""
        statement = "SELECT place FROM leaves WHERE commitment = ?"
        row = self._reading.execute(statement, (commitment,)).fetchone()
        return None if row is None else int(row[0])

    async def put_statistics(self, content: str) -> None:
        """Keep the latest public numbers."""
        await self._writer.do(
            lambda connection: connection.execute(
                "INSERT OR REPLACE INTO statistics VALUES (1, ?)", (content,)
            )
        )

    def statistics(self) -> str | None:
        """Return the latest public numbers as they were pushed."""
        row = self._reading.execute("SELECT content FROM statistics").fetchone()
        return None if row is None else str(row[0])


def _insert_record(connection: Connection, record: Record) -> None:
    require_quota(connection, record)
    connection.execute(
        "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            record.id,
            record.thread,
            record.kind,
            record.intent,
            record.day.isoformat(),
            json.dumps(record.recipients),
            record.mailbox_key,
            record.container,
            record.commitment,
        ),
    )
    for blob in record.blobs:
        connection.execute("INSERT INTO blobs VALUES (?, ?, ?)", (blob.id, record.id, blob.size))


def _insert_own(connection: Connection, thread: bytes, own: OwnMessage) -> bool:
    cursor = connection.execute(
        "INSERT INTO own_messages VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (thread, own.message_id, own.day.isoformat(), own.box),
    )
    return bool(cursor.rowcount == 1)
