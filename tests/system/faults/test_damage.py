# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bytes that turned on the disk: a page of a database, a file that is not whole.

Nothing damaged is told as if it were true, nobody else is held up by a file, and what is put back
from the backup goes on.
"""

import os
from pathlib import Path

import pytest

from tests.support.case_office import PEOPLE, TODAY
from tests.support.case_server import all_acts, running_cases
from tests.support.faults import damage, damage_all_but_first, kinds, listening_to_logs
from tests.support.feed_records import mailbox, offer, report, until, waiting
from tests.support.http_reporter import HttpReporter, UnexpectedAnswerError
from tests.support.intake import Calendar, running_intake
from tests.support.org import make_org
from tests.system.test_kill import collected, running
from whistle.intake.records import Blob
from whistle.troubles import DATABASE_DAMAGED, FILE_DAMAGED

REPORTS = 12


async def test_a_page_of_the_intake_met_while_it_runs(tmp_path: Path) -> None:
    """Whose thread lies there gets the busy page; all others see their reports."""
    database = tmp_path / "intake" / "intake.db"
    shown = []
    async with running_intake(tmp_path) as intake, HttpReporter(intake.base) as reporter:
        for number in range(REPORTS):
            draft = await reporter.draft({"story": f"laporan {number} " * 20})
            shown.append(await reporter.send(draft))
    healthy = database.read_bytes()
    for page in range(len(healthy) // 4096 - 8, len(healthy) // 4096):
        damage(database, page)
    with listening_to_logs() as log:
        async with running_intake(tmp_path) as intake, HttpReporter(intake.base) as reporter:
            for words in shown:
                try:
                    assert 'class="steps"' in await reporter.look(words)
                except UnexpectedAnswerError as error:
                    assert ": 503: " in str(error)  # noqa: PT017 - either answer is right
            await intake.feed("GET", "/feed/v1/records?limit=50")
    assert DATABASE_DAMAGED in kinds(log.getvalue())
    database.write_bytes(healthy)
    async with running_intake(tmp_path) as intake, HttpReporter(intake.base) as reporter:
        for words in shown:
            assert 'class="steps"' in await reporter.look(words)
        assert waiting(intake) == REPORTS


@pytest.mark.slow
async def test_damaged_databases_do_not_start(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        async with HttpReporter(house.url) as reporter:
            words = await reporter.send(await reporter.draft({"story": "laporan " * 20}))
        await collected(house)
    paths = {name: tmp_path / name / f"{name}.db" for name in ("intake", "cases")}
    healthy = {name: path.read_bytes() for name, path in paths.items()}
    for name, server in (("intake", house.intake), ("cases", house.cases)):
        damage_all_but_first(paths[name])
        with pytest.raises(AssertionError):
            await server.start()
        assert "damaged" in (tmp_path / f"{name}.log").read_text()
        paths[name].write_bytes(healthy[name])
    try:
        await house.intake.start()
        await house.cases.start()
        async with HttpReporter(house.url) as reporter:
            assert 'class="steps"' in await reporter.look(words)
    finally:
        house.intake.stop()
        house.cases.stop()
    assert house.count("cases", "SELECT count(*) FROM cases") == 1


@pytest.mark.parametrize("left", [0, 2000, None])
async def test_a_file_that_is_not_whole(tmp_path: Path, left: int | None) -> None:
    """`left`: bytes that are left of it; None: it is missing."""
    calendar, content = Calendar(), os.urandom(5000)
    names = ["0a" * 16, "0b" * 16]
    records = [report(number, (Blob(name, 5000),)) for number, name in enumerate(names, 1)]
    with listening_to_logs() as log:
        async with running_intake(tmp_path, calendar) as intake:
            org = make_org(tmp_path, TODAY, people=PEOPLE)
            for record, name in zip(records, names, strict=True):
                await offer(intake, record, {name: content})
            hurt = intake.services.blobs.path(names[0])
            hurt.write_bytes(content[: left or 0])
            if left is None:
                hurt.unlink()
            async with running_cases(tmp_path, calendar, org, intake.feed_socket) as cases:
                await until(lambda: bool(mailbox(intake, records[1])))
                await until(lambda: cases.services.puller.status.failing == 1)
                assert waiting(intake) == 1
                assert FILE_DAMAGED in kinds(log.getvalue())
                hurt.write_bytes(content)  # from the backup
                await until(lambda: bool(mailbox(intake, records[0])))
                await until(lambda: waiting(intake) == 0)
                assert len(all_acts(cases.services)) == 4  # received and assigned, of each
                stored = tmp_path / "cases" / "blobs"
                assert [(stored / name).read_bytes() for name in names] == [content, content]
