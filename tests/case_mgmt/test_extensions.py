# SPDX-License-Identifier: AGPL-3.0-or-later
"""Extensions: none too late, none piled up, none without bound, and lateness stays."""

from datetime import date, timedelta

import pytest

from case_mgmt.errors import GateError
from case_mgmt.model import ActKind, CaseId, State
from tests.support.case_office import Office


@pytest.fixture
def case(office: Office) -> CaseId:
    case = office.arrive()
    office.submit(case, office.assignee(case), State.ASSESSING)
    office.submit(case, office.assignee(case), State.EXAMINING)
    return case


def limit(office: Office, case: CaseId) -> date:
    due = office.file(case).overview.clock.overall_due
    assert due is not None
    return due


def extend(office: Office, case: CaseId, days: int, who: str | None = None) -> None:
    """By so many days beyond the present limit, or to the working day before that."""
    calendar = office.rules().policy.calendar
    until = calendar.on_or_before(limit(office, case) + timedelta(days=days))
    office.submit(
        case,
        who or office.assignee(case),
        kind=ActKind.EXTEND,
        until=until,
        reason="awaiting_witness",
    )


def refusal(office: Office, case: CaseId, days: int = 30, who: str | None = None) -> str:
    with pytest.raises(GateError) as caught:
        extend(office, case, days, who)
    return caught.value.code


def go_to(office: Office, day: date) -> None:
    office.pass_days((day - office.day).days)


def test_extensions_do_not_pile_up(office: Office, case: CaseId) -> None:
    first = limit(office, case)
    extend(office, case, 92)
    assert limit(office, case) > first
    assert refusal(office, case, who="pengawas") == "extension_pending"
    go_to(office, first)
    assert refusal(office, case, who="pengawas") == "extension_pending"
    go_to(office, first + timedelta(days=1))
    extend(office, case, 30, "pengawas")


def test_the_second_extension_is_a_supervisors(office: Office, case: CaseId) -> None:
    first = limit(office, case)
    extend(office, case, 30)
    go_to(office, first + timedelta(days=1))
    assert refusal(office, case) == "supervisor_extends"
    extend(office, case, 30, "pengawas")


def test_none_after_the_limit_was_missed(office: Office, case: CaseId) -> None:
    go_to(office, limit(office, case))
    before = limit(office, case)
    go_to(office, before + timedelta(days=1))
    for who in (None, "pengawas"):
        assert refusal(office, case, who=who) == "limit_missed"
    assert limit(office, case) == before
    assert office.file(case).overview.clock.overdue_since is not None


def test_on_the_last_day_an_extension_is_in_time(office: Office, case: CaseId) -> None:
    before = limit(office, case)
    go_to(office, before)
    extend(office, case, 30)
    assert limit(office, case) > before


def test_lateness_is_not_cleared(office: Office, case: CaseId) -> None:
    office.pass_days(40)  # an update was due, the overall limit is still ahead
    late = office.file(case).overview.clock.overdue_since
    assert late is not None
    extend(office, case, 30)
    assert office.file(case).overview.clock.overdue_since == late


def test_the_bound_counts_from_the_present_limit(office: Office, case: CaseId) -> None:
    policy = office.rules().policy
    longest = limit(office, case) + timedelta(days=policy.extension_max_days)
    beyond = policy.calendar.add(longest, 1)
    assert refusal(office, case, (beyond - limit(office, case)).days) == "until_too_late"
    extend(office, case, policy.extension_max_days)
    assert limit(office, case) <= longest
