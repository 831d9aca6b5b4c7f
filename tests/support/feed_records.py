# SPDX-License-Identifier: AGPL-3.0-or-later
"""Puts records into a running intake as finished submissions would, and looks at mailboxes."""

import asyncio
from collections.abc import Callable

from crypto.mailbox import open_notice
from tests.support.case_office import MAILBOX_KEY, TODAY, container
from tests.support.intake import Intake
from whistle.intake.records import Blob, Record
from whistle.intake.store import _insert_record


def report(number: int, blobs: tuple[Blob, ...] = ()) -> Record:
    return Record(
        id=number.to_bytes(16),
        thread=(1000 + number).to_bytes(16),
        kind="report",
        intent="message",
        day=TODAY,
        recipients=("penyidik-1", "pengawas"),
        mailbox_key=MAILBOX_KEY,
        container=container(2),
        blobs=blobs,
    )


async def offer(intake: Intake, record: Record, files: dict[str, bytes] | None = None) -> None:
    """A record with its files and, for a report, its thread."""
    for name, content in (files or {}).items():
        intake.services.blobs.path(name).write_bytes(content)
    if record.kind == "report":
        await add_thread(intake, record)
    await add_record(intake, record)


async def add_thread(intake: Intake, record: Record) -> None:
    row = (record.thread, bytes(32), record.day.isoformat(), b"")
    await intake.services.store._writer.do(
        lambda connection: connection.execute(
            "INSERT INTO threads (lookup_id, auth_pk, day, dossier) VALUES (?, ?, ?, ?)", row
        )
    )


async def add_record(intake: Intake, record: Record) -> None:
    await intake.services.store._writer.do(lambda connection: _insert_record(connection, record))


async def occupy(intake: Intake, thread: bytes, seq: int) -> None:
    """Put something else where a notice belongs."""
    row = (thread, seq, b"something else")
    await intake.services.store._writer.do(
        lambda connection: connection.execute("INSERT INTO mailbox VALUES (?, ?, ?)", row)
    )


async def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def waiting(intake: Intake) -> int:
    """How many records the intake still holds."""
    return len(intake.services.store.records(1000, 1 << 30))


def mailbox(intake: Intake, record: Record) -> list[tuple[int, str]]:
    """Place and public code of each notice of the thread."""
    rows = intake.services.store._reading.execute(
        "SELECT seq, box FROM mailbox WHERE thread = ? ORDER BY seq", (record.thread,)
    ).fetchall()
    return [
        (seq, open_notice(MAILBOX_KEY, record.thread, seq, bytes(box)).meta["state"])
        for seq, box in rows
    ]
