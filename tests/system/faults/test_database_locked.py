# SPDX-License-Identifier: AGPL-3.0-or-later
"""Another program holds a database: somebody's shell, a copy being made."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from case_mgmt.store import sqlcipher as cases_database
from tests.support.case_office import PEOPLE, TODAY
from tests.support.case_server import all_acts, running_cases
from tests.support.faults import kinds, listening_to_logs
from tests.support.feed_records import mailbox, offer, report, until, waiting
from tests.support.http_reporter import HttpReporter, UnexpectedAnswerError
from tests.support.intake import Calendar, running_intake
from tests.support.org import make_org
from whistle.intake import database as intake_database
from whistle.troubles import DATABASE_LOCKED


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of a second instead of ten."""
    for module in (cases_database, intake_database):
        pragmas = tuple(
            "PRAGMA busy_timeout = 100" if "busy_timeout" in each else each
            for each in module._PRAGMAS
        )
        monkeypatch.setattr(module, "_PRAGMAS", pragmas)


@contextlib.contextmanager
def held(path: Path, module: ModuleType) -> Iterator[None]:
    """Somebody else writes."""
    key = (path.parent / "db.key").read_text(encoding="ascii").strip()
    more = {} if module is cases_database else {"cache_kib": 100}
    connection = module.connect(path, key, writable=True, **more)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


async def test_the_intakes_database(tmp_path: Path) -> None:
    with listening_to_logs() as log:
        async with (
            running_intake(tmp_path) as intake,
            HttpReporter(intake.base) as reporter,
        ):
            draft = await reporter.draft({"story": "laporan " * 20})
            with (
                held(tmp_path / "intake" / "intake.db", intake_database),
                pytest.raises(UnexpectedAnswerError, match="503"),
            ):
                await reporter.send(draft)
            assert DATABASE_LOCKED in kinds(log.getvalue())
            words = await reporter.send(draft)
            assert 'class="steps"' in await reporter.look(words)
            assert waiting(intake) == 1


async def test_the_case_servers_database(tmp_path: Path) -> None:
    calendar, record = Calendar(), report(1)
    with listening_to_logs() as log:
        async with running_intake(tmp_path, calendar) as intake:
            org = make_org(tmp_path, TODAY, people=PEOPLE)
            async with running_cases(tmp_path, calendar, org, intake.feed_socket) as cases:
                with held(tmp_path / "cases" / "cases.db", cases_database):
                    await offer(intake, record)
                    await until(lambda: DATABASE_LOCKED in kinds(log.getvalue()))
                    assert waiting(intake) == 1
                await until(lambda: bool(mailbox(intake, record)), 30)
                assert waiting(intake) == 0
                assert len(all_acts(cases.services)) == 2
