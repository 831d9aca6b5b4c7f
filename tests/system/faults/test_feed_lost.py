# SPDX-License-Identifier: AGPL-3.0-or-later
"""The feed is gone for a while, or breaks exactly between what was done and its answer."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.case_office import PEOPLE, TODAY
from tests.support.case_server import all_acts, running_cases
from tests.support.faults import kinds, listening_to_logs
from tests.support.feed_records import mailbox, offer, report, until, waiting
from tests.support.intake import Calendar, running_intake
from tests.support.org import make_org
from whistle.cases.errors import FeedLostError
from whistle.cases.feed import FeedClient
from whistle.troubles import FEED_LOST


async def test_an_intake_that_is_gone_and_comes_back(tmp_path: Path) -> None:
    calendar, record = Calendar(), report(1)
    async with running_intake(tmp_path, calendar) as intake:
        await offer(intake, record)
    org = make_org(tmp_path, TODAY, people=PEOPLE)
    with listening_to_logs() as log:
        async with running_cases(tmp_path, calendar, org, intake.feed_socket) as cases:
            await until(lambda: FEED_LOST in kinds(log.getvalue()))
            status = (await cases.ask("pengawas", "GET", "/v1/status")).json["feed"]
            assert (status["connected"], status["problem"]) == (False, "FeedLostError")
            async with running_intake(tmp_path, calendar) as again:
                await until(lambda: bool(mailbox(again, record)), 30)
                assert waiting(again) == 0
            assert len(all_acts(cases.services)) == 2


@pytest.mark.parametrize("method", ["acknowledge", "push", "publish"])
async def test_an_answer_that_never_arrives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """The intake has done it, the case server does not know: done again, it changes nothing."""
    original, lost = getattr(FeedClient, method), []

    async def losing(self: FeedClient, *given: Any) -> None:
        await original(self, *given)
        if not lost:
            lost.append(method)
            raise FeedLostError("the answer is lost")

    monkeypatch.setattr(FeedClient, method, losing)
    calendar, records = Calendar(), [report(number) for number in (1, 2, 3)]
    async with running_intake(tmp_path, calendar) as intake:
        org = make_org(tmp_path, TODAY, people=PEOPLE)
        for record in records:
            await offer(intake, record)
        async with running_cases(tmp_path, calendar, org, intake.feed_socket) as cases:
            await until(lambda: waiting(intake) == 0, 30)
            for record in records:
                await until(lambda wanted=record: bool(mailbox(intake, wanted)), 30)  # type: ignore[misc]
                assert mailbox(intake, record) == [(1, "received")]
            await until(lambda: lost == [method])
            assert len(all_acts(cases.services)) == 2 * len(records)
