# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a page with scripts shows of an office that does not keep its rules, in real Firefox."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from case_mgmt.model import ActKind, State
from tests.support.firefox import Firefox
from tests.support.intake import Calendar, running_intake
from tests.support.office import Office
from tests.support.sealing_reporter import SealingReporter
from whistle.i18n import Catalogue

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(240)]
TEXTS = Catalogue.load("id")
SECOND = "device pengawas"
SEAT = timedelta(hours=7)  # of the policy: the browser reads its own clock


async def heading(reporter: SealingReporter) -> str:
    return await reporter.page.text("main h1")


async def test_a_closing_by_one_person_does_not_show_as_closed(
    standard: Firefox, tmp_path: Path
) -> None:
    calendar = Calendar(day=(datetime.now(UTC) + SEAT).date())
    async with running_intake(tmp_path, calendar) as intake:
        reporter = SealingReporter(await standard.new_page(width=360), intake.base)
        words = await reporter.send({"story": "Diminta membayar di loket."})
        office = Office(intake)
        (case,) = await office.collect()
        await office.act(case, ActKind.RECEIVED, State.RECEIVED)
        await office.act(case, ActKind.TRANSITION, State.ASSESSING, "Kami telaah.")
        closing = {"reason": "no_contact"}
        await office.act(case, ActKind.TRANSITION, State.INSUFFICIENT, "Tutup.", **closing)

        page = await reporter.look(words)
        assert await heading(reporter) == TEXTS.t("status.assessing")
        assert "Kami telaah." in page
        assert "Tutup." not in page
        assert TEXTS.t("case.event.unverified") in page
        assert TEXTS.t("case.note.unverified") in page
        assert TEXTS.t("status.insufficient") not in page
        assert await reporter.page.count('[data-form="contest"]') == 0
        assert await reporter.page.overflow() <= 0
        dates = await reporter.page.text(".facts")
        assert TEXTS.t("case.due_kind.first_step") in dates

        del case.history.items[-1]
        case.history.update(calendar.day)  # the true third act, kept back
        await office.act(
            case, ActKind.TRANSITION, State.INSUFFICIENT, "Kami tutup.", second=SECOND, **closing
        )
        page = await reporter.refresh()
        assert await heading(reporter) == TEXTS.t("status.insufficient")
        assert "Kami tutup." in page
        assert await reporter.page.count('[data-form="contest"]') == 1
