# SPDX-License-Identifier: AGPL-3.0-or-later
"""Clocks that jump: by days under one server, and apart from each other."""

from pathlib import Path

import pytest

from case_mgmt.acts import verify_chain
from tests.support.case_office import PEOPLE, TODAY
from tests.support.case_server import all_acts, running_cases
from tests.support.faults import kinds, listening_to_logs
from tests.support.feed_records import offer, report, until, waiting
from tests.support.http_reporter import HttpReporter
from tests.support.intake import Calendar, Intake, running_intake
from tests.support.org import make_org
from whistle.intake.app import look_at_clock
from whistle.troubles import CLOCK_WENT_BACK, FEED_REFUSED

JUMPS = (0, 40, -40, 3, -4)
"""Days between one report and the next."""


async def a_report(intake: Intake, story: str) -> list[str]:
    async with HttpReporter(intake.base) as reporter:
        return await reporter.send(await reporter.draft({"story": story * 20}))


async def test_days_that_jump_lose_and_double_nothing(tmp_path: Path) -> None:
    calendar = Calendar()
    async with running_intake(tmp_path, calendar) as intake:
        org = make_org(tmp_path, TODAY, people=PEOPLE, not_before="2026-01-01")
        async with running_cases(tmp_path, calendar, org, intake.feed_socket) as cases:
            shown = []
            for number, days in enumerate(JUMPS):
                calendar.pass_days(days)
                shown.append(await a_report(intake, f"laporan {number} "))
                await until(lambda: waiting(intake) == 0)
            async with HttpReporter(intake.base) as reporter:
                for words in shown:
                    assert 'class="steps"' in await reporter.look(words)
            acts = all_acts(cases.services)
            chains = {one.act.case: [each for each in acts if each.act.case == one.act.case]
                      for one in acts}  # fmt: skip
            assert len(chains) == len(JUMPS)
            for chain in chains.values():
                verify_chain(chain)


@pytest.mark.parametrize("days", [1, -1])
async def test_a_second_press_across_midnight_is_the_first(tmp_path: Path, days: int) -> None:
    calendar = Calendar()
    async with running_intake(tmp_path, calendar) as intake, HttpReporter(intake.base) as reporter:
        draft = await reporter.draft({"story": "laporan " * 20})
        first = await reporter.send(draft)
        calendar.pass_days(days)
        assert await reporter.send(draft) == first
        assert waiting(intake) == 1


async def test_a_clock_that_went_back_is_told(tmp_path: Path) -> None:
    calendar = Calendar()
    async with running_intake(tmp_path, calendar) as intake:
        await a_report(intake, "laporan ")
        with listening_to_logs() as log:
            look_at_clock(intake.services)
            assert kinds(log.getvalue()) == []
            calendar.pass_days(-1)
            look_at_clock(intake.services)
    assert kinds(log.getvalue()) == [CLOCK_WENT_BACK]


@pytest.mark.parametrize("apart", [3600, -3600])
async def test_servers_whose_clocks_differ(tmp_path: Path, apart: int) -> None:
    here, there = Calendar(), Calendar(unix=Calendar().unix + apart)
    with listening_to_logs() as log:
        async with running_intake(tmp_path, here) as intake:
            org = make_org(tmp_path, TODAY, people=PEOPLE)
            await offer(intake, report(1))
            async with running_cases(tmp_path, there, org, intake.feed_socket) as cases:
                await until(lambda: FEED_REFUSED in kinds(log.getvalue()))
                assert waiting(intake) == 1
                there.unix = here.unix
                await until(lambda: waiting(intake) == 0, 30)
                assert len(all_acts(cases.services)) == 2
