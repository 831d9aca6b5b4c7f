# SPDX-License-Identifier: AGPL-3.0-or-later
"""Databases of every released schema of the intake, with data, under the present program."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from whistle.errors import StoreError
from whistle.intake.database import connect
from whistle.intake.schema import MIGRATIONS, VERSION, migrate
from whistle.intake.store import Store

KEY = "a5" * 32
DAY = date(2026, 4, 7)
RELEASED = sorted(Path(__file__).with_name("released").glob("*.sql"))


def connection_to(path: Path) -> Any:
    return connect(path, KEY, writable=True, cache_kib=256)


def tables(connection: Any) -> dict[str, list[str]]:
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {
        name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})").fetchall()]
        for (name,) in names
    }


def content(connection: Any, wanted: dict[str, list[str]]) -> dict[str, list[Any]]:
    return {
        name: sorted(connection.execute(f"SELECT {', '.join(names)} FROM {name}").fetchall())
        for name, names in wanted.items()
    }


@pytest.fixture(params=RELEASED, ids=lambda path: path.stem)
def released(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[int, Path]:
    path = tmp_path / "intake.db"
    connection = connection_to(path)
    connection.executescript(request.param.read_text(encoding="utf-8"))
    connection.close()
    return int(request.param.stem), path


def test_every_schema_before_the_present_one_has_its_database() -> None:
    assert set(range(1, VERSION)) <= {int(path.stem) for path in RELEASED}


def test_nothing_is_lost_on_the_way(released: tuple[int, Path]) -> None:
    connection = connection_to(released[1])
    try:
        before = tables(connection)
        rows = content(connection, before)
        assert all(rows.values())
        migrate(connection)
        assert content(connection, before) == rows
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        connection.close()


async def test_the_intake_works_on_with_it(released: tuple[int, Path]) -> None:
    store = Store(released[1], KEY)
    try:
        waiting = store.records(10, 1 << 20)
        assert {record.kind for record in waiting} == {"report", "follow_up"}
        assert store.blob_ids() >= {"0d" * 16}
        assert store.thread(bytes([2]) * 16) is not None
        assert store.thread_day(bytes([1]) * 16) == DAY
        assert await store.acknowledge([record.id for record in waiting])
        assert store.records(10, 1 << 20) == []
        assert store.thread(bytes([1]) * 16) is not None  # its code still opens
    finally:
        store.close()


def test_a_migration_still_makes_what_it_once_made(
    released: tuple[int, Path], tmp_path: Path
) -> None:
    version, path = released
    old, new = connection_to(path), connection_to(tmp_path / "anew.db")
    try:
        migrate(new, MIGRATIONS[:version])
        assert tables(new) == tables(old)
    finally:
        old.close()
        new.close()


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    connection = connection_to(tmp_path / "intake.db")
    try:
        connection.execute(f"PRAGMA user_version = {VERSION + 1:d}")
        with pytest.raises(StoreError, match="newer"):
            migrate(connection)
    finally:
        connection.close()
