# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which pieces of which uploads have arrived, until a message takes the upload with it.

Invariants:

* a piece is entered only after its bytes are durable, so a restart forgets nothing it acknowledged;
* an upload belongs to whoever knows its key: only the SHA-256 of that key is kept;
* a message takes complete uploads or none, in the transaction that stores the message;
* what nobody takes goes after `UNCLAIMED_DAYS`.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from whistle.errors import ConflictError
from whistle.intake.database import Connection
from whistle.intake.records import Claim
from whistle.intake.writer import Writer
from whistle.limits import MAX_UNCLAIMED, MAX_UPLOADS, PIECE, UNCLAIMED_DAYS


@dataclass(frozen=True)
class Upload:
    """An upload on its way: id, hash of its key, announced size in bytes."""

    id: str
    owner: bytes
    size: int

    @property
    def pieces(self) -> int:
        """How many pieces it has."""
        return -(-self.size // PIECE)

    @staticmethod
    def offset(number: int) -> int:
        """Where a piece begins."""
        return number * PIECE

    def length(self, number: int) -> int:
        """How long a piece is."""
        return min(PIECE, self.size - number * PIECE)


class QuotaError(Exception):
    """Too much is waiting to be taken."""


def owner_of(key: bytes) -> bytes:
    """Return what is kept of an upload key."""
    return hashlib.sha256(b"whistle/v1/upload\0" + key).digest()


class UploadTable:
    """The rows of uploads and pieces."""

    def __init__(self, writer: Writer, reading: Connection) -> None:
        self._writer = writer
        self._reading = reading

    def find(self, identifier: str) -> Upload | None:
        """Return an upload that no message has taken yet."""
        row = self._reading.execute(
            "SELECT id, owner, size FROM uploads WHERE id = ?", (identifier,)
        ).fetchone()
        return None if row is None else Upload(*row)

    def is_taken(self, identifier: str) -> bool:
        """Say whether a stored message has a blob of this id."""
        statement = "SELECT 1 FROM blobs WHERE id = ?"
        return self._reading.execute(statement, (identifier,)).fetchone() is not None

    def received(self, identifier: str) -> list[int]:
        """Return the numbers of the pieces that are here, ascending."""
        rows = self._reading.execute(
            "SELECT n FROM pieces WHERE upload = ? ORDER BY n", (identifier,)
        )
        return [row[0] for row in rows]

    def has_room(self) -> bool:
        """Say whether more may wait; an estimate, `add` decides."""
        return _has_room(self._reading)

    async def add(self, upload: Upload, number: int, today: date) -> None:
        """Enter a durable piece.

        Raises:
            ConflictError: the id belongs to another upload, or to a stored message.
            QuotaError: too much is waiting.
        """

        def work(connection: Connection) -> None:
            _enter(connection, upload, today)
            connection.execute(
                "INSERT INTO pieces VALUES (?, ?) ON CONFLICT DO NOTHING", (upload.id, number)
            )

        await self._writer.do(work)

    async def expire(self, today: date, busy: Collection[str]) -> tuple[str, ...]:
        """Forget uploads that nobody has taken; return the blobs whose files may go now."""
        oldest = (today - timedelta(days=UNCLAIMED_DAYS)).isoformat()

        def work(connection: Connection) -> tuple[str, ...]:
            rows = connection.execute("SELECT id FROM uploads WHERE day < ?", (oldest,)).fetchall()
            gone = tuple(row[0] for row in rows if row[0] not in busy)
            connection.executemany("DELETE FROM uploads WHERE id = ?", [(one,) for one in gone])
            return gone

        return await self._writer.do(work)


def take_uploads(connection: Connection, claims: Sequence[Claim]) -> None:
    """Take complete uploads out of the waiting ones, inside a transaction.

    Raises:
        ConflictError: one is missing, foreign, of another size or incomplete.
    """
    for claim in claims:
        row = connection.execute(
            "SELECT id, owner, size FROM uploads WHERE id = ?", (claim.blob.id,)
        ).fetchone()
        if row is None or row[1:] != (claim.owner, claim.blob.size):
            raise ConflictError("no such upload")
        (count,) = connection.execute(
            "SELECT count(*) FROM pieces WHERE upload = ?", (claim.blob.id,)
        ).fetchone()
        if count != Upload(*row).pieces:
            raise ConflictError("the upload is not complete")
        connection.execute("DELETE FROM uploads WHERE id = ?", (claim.blob.id,))


def _enter(connection: Connection, upload: Upload, today: date) -> None:
    row = connection.execute(
        "SELECT id, owner, size, day FROM uploads WHERE id = ?", (upload.id,)
    ).fetchone()
    if row is not None and Upload(*row[:3]) != upload:
        raise ConflictError("the id belongs to another upload")
    if not _has_room(connection):
        raise QuotaError
    day = today.isoformat()
    if row is None:
        _begin(connection, upload, day)
    elif row[3] != day:
        connection.execute("UPDATE uploads SET day = ? WHERE id = ?", (day, upload.id))


def _begin(connection: Connection, upload: Upload, day: str) -> None:
    if connection.execute("SELECT 1 FROM blobs WHERE id = ?", (upload.id,)).fetchone() is not None:
        raise ConflictError("a stored message has this blob")
    (count,) = connection.execute("SELECT count(*) FROM uploads").fetchone()
    if count >= MAX_UPLOADS:
        raise QuotaError
    connection.execute(
        "INSERT INTO uploads VALUES (?, ?, ?, ?)", (upload.id, upload.owner, upload.size, day)
    )


def _has_room(connection: Connection) -> bool:
    (count,) = connection.execute("SELECT count(*) FROM pieces").fetchone()
    return bool(count * PIECE < MAX_UNCLAIMED)
