# SPDX-License-Identifier: AGPL-3.0-or-later
"""Migrations: they make the present tables, can be taken back, and travel with the package."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from case_mgmt.errors import StoreError
from case_mgmt.store import sqlcipher
from case_mgmt.store.schema import metadata
from case_mgmt.store.sqlcipher import BEGIN_WRITING, connect, make_engine, open_store, upgrade

KEY = "5a" * 32


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = make_engine(
        lambda: connect(tmp_path / "cases.db", KEY, writable=True), BEGIN_WRITING, 1
    )
    yield engine
    engine.dispose()


def test_the_migrations_make_the_tables_of_the_schema(engine: sa.Engine) -> None:
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_constraints_are_those_of_the_schema(engine: sa.Engine) -> None:
    upgrade(engine)
    with engine.connect() as connection:
        found = sa.inspect(connection)
        for table in metadata.tables.values():
            unique = {
                tuple(each["column_names"]) for each in found.get_unique_constraints(table.name)
            }
            wanted = {
                tuple(column.name for column in each.columns)
                for each in table.constraints
                if isinstance(each, sa.UniqueConstraint)
            }
            assert unique == wanted
            primary = found.get_pk_constraint(table.name)["constrained_columns"]
            assert primary == [column.name for column in table.primary_key]
            keys = {key["constrained_columns"][0] for key in found.get_foreign_keys(table.name)}
            assert keys == {key.parent.name for key in table.foreign_keys}
        indexes = {each["name"]: each for each in found.get_indexes("proposals")}
        assert indexes["uq_proposals_waiting"]["unique"]


def test_upgrading_twice_changes_nothing(engine: sa.Engine) -> None:
    upgrade(engine)
    upgrade(engine)


def test_a_newer_database_is_refused(tmp_path: Path, engine: sa.Engine) -> None:
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StoreError, match="another version"):
        open_store(tmp_path / "cases.db", KEY)


def test_the_scripts_lie_in_the_package() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(sqlcipher.__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_current_head() == "0003"
    for script in scripts.walk_revisions():
        assert Path(script.path).is_relative_to(Path(sqlcipher.__file__).parent)


def test_each_migration_can_be_taken_back(engine: sa.Engine) -> None:
    upgrade(engine)
    config = Config()
    config.set_main_option("script_location", str(Path(sqlcipher.__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    with engine.connect() as connection:
        assert sa.inspect(connection).get_table_names() == ["alembic_version"]
    upgrade(engine)
