# SPDX-License-Identifier: AGPL-3.0-or-later
"""How many bytes of sealed files may wait for the case server: in all, and of one code.

What is collected no longer counts, so a quota is full only while nobody collects, or while somebody
sends faster than is collected. Texts are not counted: they are small, and have limits of their own.

Invariants: checked in the transaction that stores a message, so that connections together cannot
pass it; a report's own files never exceed the quota of its code, however many they are.
"""

from whistle import limits
from whistle.errors import FullError, RefusedError
from whistle.intake.database import Connection
from whistle.intake.records import Record

_ALL = "SELECT coalesce(sum(size), 0) FROM blobs"
_OF_THREAD = (
    "SELECT coalesce(sum(blobs.size), 0) FROM blobs CROSS JOIN records"
    " ON records.id = blobs.record WHERE records.thread = ?"
)


def waiting_bytes(connection: Connection) -> int:
    """Return how many bytes of files have not been collected."""
    return int(connection.execute(_ALL).fetchone()[0])


def require_quota(connection: Connection, record: Record) -> None:
    """Check that the files of a record about to be stored may wait with the others.

    Raises:
        RefusedError: "busy" - too much waits in all.
        FullError: too much waits of this thread.
    """
    if not record.blobs:
        return
    size = sum(blob.size for blob in record.blobs)
    if waiting_bytes(connection) + size > limits.MAX_FILES_WAITING:
        raise RefusedError("busy")
    if record.kind == "report":
        return
    row = connection.execute(_OF_THREAD, (record.thread,)).fetchone()
    if int(row[0]) + size > limits.MAX_THREAD_WAITING:
        raise FullError
