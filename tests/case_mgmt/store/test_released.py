# SPDX-License-Identifier: AGPL-3.0-or-later
"""Databases of every released schema, with data, under the present program.

`released/NNNN.sql` is a database as that version left it; the files are never edited.  They also
hold the migrations to their word: a migration changed after its release would make other tables.
"""

from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from case_mgmt.acts import verify_chain
from case_mgmt.model import State
from case_mgmt.store import sqlcipher
from case_mgmt.store.sqlcipher import BEGIN_WRITING, connect, make_engine, open_store, upgrade

KEY = "5a" * 32
RELEASED = sorted(Path(__file__).with_name("released").glob("*.sql"))


def versions() -> list[str]:
    config = Config()
    config.set_main_option("script_location", str(Path(sqlcipher.__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    return sorted(script.revision for script in scripts.walk_revisions())


def columns(connection: Any) -> dict[str, list[str]]:
    """Table -> its columns, of whatever is there."""
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {
        name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})").fetchall()]
        for (name,) in names
        if not name.startswith("sqlite_")
    }


def content(connection: Any, tables: dict[str, list[str]]) -> dict[str, list[Any]]:
    return {
        name: sorted(connection.execute(f"SELECT {', '.join(names)} FROM {name}").fetchall())
        for name, names in tables.items()
        if name != "alembic_version"
    }


@pytest.fixture(params=RELEASED, ids=lambda path: path.stem)
def released(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    path = tmp_path / "cases.db"
    connection = connect(path, KEY, writable=True)
    connection.executescript(request.param.read_text(encoding="utf-8"))
    connection.close()
    return request.param.stem, path


def test_every_schema_before_the_present_one_has_its_database() -> None:
    assert set(versions()[:-1]) <= {path.stem for path in RELEASED}


def test_nothing_is_lost_on_the_way(released: tuple[str, Path]) -> None:
    _version, path = released
    before = connect(path, KEY, writable=False)
    tables = columns(before)
    rows = content(before, tables)
    before.close()
    assert all(rows[name] for name in ("cases", "acts", "records", "notes", "outbox", "settings"))
    open_store(path, KEY).close()
    after = connect(path, KEY, writable=False)
    try:
        assert content(after, tables) == rows
        assert after.execute("PRAGMA foreign_key_check").fetchall() == []
        assert after.execute("SELECT version_num FROM alembic_version").fetchall() == [
            (versions()[-1],)
        ]
    finally:
        after.close()


def test_the_office_works_on_with_it(released: tuple[str, Path]) -> None:
    store = open_store(released[1], KEY)
    try:
        with store.reading() as unit:
            cases = {case.present.state: case for case in unit.cases()}
            assert set(cases) == {State.RECEIVED, State.UPHELD_FIXED}
            for case in cases.values():
                assert verify_chain([each.signed for each in unit.acts(case.id)]) == case.head
                assert unit.recipients(case.id)
                assert unit.mailbox_key(case.id)
            assert cases[State.RECEIVED].present.schedule.next_due is not None
        with store.writing() as writing:
            writing.set_setting("after", "migration")
    finally:
        store.close()


def test_a_migration_still_makes_what_it_once_made(
    released: tuple[str, Path], tmp_path: Path
) -> None:
    version, path = released
    engine = make_engine(
        lambda: connect(tmp_path / "anew.db", KEY, writable=True), BEGIN_WRITING, 1
    )
    upgrade(engine, version)
    engine.dispose()
    old, new = (connect(each, KEY, writable=False) for each in (path, tmp_path / "anew.db"))
    try:
        assert columns(new) == columns(old)
    finally:
        old.close()
        new.close()
