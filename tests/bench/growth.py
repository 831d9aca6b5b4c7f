# SPDX-License-Identifier: AGPL-3.0-or-later
"""A store that has grown: bytes per report, and whether new reports still arrive as fast.

The reports are put in through the store itself, with real sealed containers of one 2 KB report
under fresh names: through the pages it would take several minutes and measure the same rows.
"""

import asyncio
import dataclasses
import os
from pathlib import Path

import sqlcipher3.dbapi2 as sqlcipher

from whistle.intake.records import NewThread, Record
from whistle.intake.store import Store

BATCH = 500
ROOM = 1 << 20


def grow(state: Path, count: int) -> float:
    """Stores `count` copies of the newest report; returns the bytes each took."""
    key = (state / "db.key").read_text(encoding="ascii").strip()
    store = Store(state / "intake.db", key)
    try:
        template, auth_public, dossier = _template(state, key)
        _checkpoint(state, key)
        before = _size(state)
        asyncio.run(_fill(store, template, auth_public, dossier, count))
    finally:
        store.close()
    _checkpoint(state, key)
    return (_size(state) - before) / count


def _template(state: Path, key: str) -> tuple[Record, bytes, bytes]:
    """A stored report of the load run, with its thread's public key and dossier."""
    store = Store(state / "intake.db", key)
    try:
        record = store.records(1, ROOM)[0]
        thread = store.thread(record.thread)
    finally:
        store.close()
    if thread is None:
        raise RuntimeError("a record without its thread")
    return record, os.urandom(32), thread.dossier


async def _fill(
    store: Store, template: Record, auth_public: bytes, dossier: bytes, count: int
) -> None:
    for start in range(0, count, BATCH):
        records = [
            dataclasses.replace(
                template, id=os.urandom(16), thread=os.urandom(16), mailbox_key=os.urandom(32)
            )
            for _ in range(min(BATCH, count - start))
        ]
        await asyncio.gather(
            *[store.add_report(NewThread(auth_public, dossier), each) for each in records]
        )


def _checkpoint(state: Path, key: str) -> None:
    """Folds the journal into the database, so that the size is that of what is stored."""
    connection = sqlcipher.connect(str(state / "intake.db"))
    connection.execute(f"PRAGMA key = \"x'{key}'\"")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()


def _size(state: Path) -> int:
    return sum(path.stat().st_size for path in state.glob("intake.db*"))
