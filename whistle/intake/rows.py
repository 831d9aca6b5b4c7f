# SPDX-License-Identifier: AGPL-3.0-or-later
"""Single rows of the intake's store: what may go in, and how it comes out.

Invariant: every function runs inside a transaction of its caller.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import date

from whistle import limits
from whistle.errors import ConflictError, FullError
from whistle.intake.database import Connection
from whistle.intake.records import Blob, Entry, Record


def require_room(connection: Connection, thread: bytes, spare: int) -> None:
    """Raise FullError if a thread holds more than it may, and `spare` messages beyond."""
    count, size = connection.execute(
        "SELECT count(*), total(length(box)) FROM own_messages WHERE thread = ?", (thread,)
    ).fetchone()
    room = limits.MAX_OWN_BYTES + spare * limits.SPARE_OWN_BYTES
    if count > limits.MAX_OWN_MESSAGES + spare or size > room:
        raise FullError("the thread is full")


def insert_box(connection: Connection, entry: Entry) -> None:
    """Put a box in its place; the same again is fine. Raises ConflictError."""
    known = connection.execute(
        "SELECT 1 FROM threads WHERE lookup_id = ?", (entry.thread,)
    ).fetchone()
    if known is None:
        raise ConflictError("no such thread")
    row = connection.execute(
        "SELECT box FROM mailbox WHERE thread = ? AND seq = ?", (entry.thread, entry.seq)
    ).fetchone()
    if row is None:
        connection.execute(
            "INSERT INTO mailbox VALUES (?, ?, ?)", (entry.thread, entry.seq, entry.box)
        )
    elif bytes(row[0]) != entry.box:
        raise ConflictError("this place in the mailbox holds another box")


def record_of(row: Sequence[object], blobs: Iterable[tuple[str, int]]) -> Record:
    """Return a record from its columns, in the order of the table."""
    identifier, thread, kind, intent, day, recipients, mailbox_key, container, commitment = row
    return Record(
        id=identifier,  # type: ignore[arg-type]
        thread=thread,  # type: ignore[arg-type]
        kind=kind,  # type: ignore[arg-type]
        intent=intent,  # type: ignore[arg-type]
        day=date.fromisoformat(str(day)),
        recipients=tuple(json.loads(str(recipients))),
        mailbox_key=mailbox_key,  # type: ignore[arg-type]
        container=container,  # type: ignore[arg-type]
        blobs=tuple(Blob(blob, size) for blob, size in blobs),
        commitment=commitment,  # type: ignore[arg-type]
    )


def list_records(connection: Connection, limit: int, max_bytes: int, after: bytes) -> list[Record]:
    """Return records in the order they came: at most `limit`, about `max_bytes`, beyond `after`."""
    rows = connection.execute(
        "SELECT id, thread, kind, intent, day, recipients, mailbox_key, container, commitment"
        " FROM records WHERE rowid > coalesce((SELECT rowid FROM records WHERE id = ?), 0)"
        " ORDER BY rowid LIMIT ?",
        (after, limit),
    )
    found: list[Record] = []
    total = 0
    for row in rows:
        blobs = connection.execute(
            "SELECT id, size FROM blobs WHERE record = ? ORDER BY id", (row[0],)
        ).fetchall()
        found.append(record_of(row, blobs))
        total += len(row[7])
        if total >= max_bytes:
            break
    return found
