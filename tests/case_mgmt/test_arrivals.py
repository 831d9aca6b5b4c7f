# SPDX-License-Identifier: AGPL-3.0-or-later
"""What reporters' messages do, and that taking in twice changes nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from case_mgmt.acts import new_case_id
from case_mgmt.errors import RecordError, UnknownThreadError
from case_mgmt.ledger import ServiceKey
from case_mgmt.model import ActKind, CaseId, RecordId, State
from case_mgmt.records import Intent
from case_mgmt.service import CaseOffice
from crypto.rng import system_rng
from tests.support.case_office import TODAY, Office, a_message, a_report


def kinds(office: Office, case: CaseId) -> list[str]:
    return [entry.signed.act.kind.value for entry in office.file(case).history]


def test_the_same_record_again_changes_nothing(office: Office) -> None:
    case = office.arrive()
    message = a_message(1, 1)
    for _ in range(3):
        assert office.arrive() == case
        assert office.office.take_in(message, office.rules()) == case
    assert kinds(office, case) == ["received", "assign", "follow_up"]
    assert len(office.file(case).records) == 2


def test_a_second_report_for_a_thread_is_refused(office: Office) -> None:
    office.arrive()
    with pytest.raises(RecordError, match="one report"):
        office.office.take_in(replace(a_report(1), id=RecordId("f" * 32)), office.rules())


def test_a_record_id_of_another_thread_is_refused(office: Office) -> None:
    office.arrive()
    stray = replace(a_message(5, 5), id=a_report(1).id)
    with pytest.raises(RecordError, match="another thread"):
        office.office.take_in(stray, office.rules())


def test_a_message_before_its_report_waits(office: Office) -> None:
    with pytest.raises(UnknownThreadError):
        office.event(1, "message")
    office.arrive()
    assert office.event(1, "message")


@pytest.mark.parametrize(
    ("intent", "kind"),
    [("message", "follow_up"), ("contest", "follow_up"), ("withdraw", "withdraw")],
)
def test_on_an_open_case(office: Office, intent: Intent, kind: str) -> None:
    case = office.arrive()
    office.event(1, intent)
    assert kinds(office, case)[-1] == kind


@pytest.mark.parametrize(
    ("intent", "kind"),
    [("message", "follow_up"), ("contest", "contest"), ("withdraw", "follow_up")],
)
def test_on_a_closed_case(office: Office, intent: Intent, kind: str) -> None:
    case = closed(office)
    office.event(1, intent)
    assert kinds(office, case)[-1] == kind


@pytest.mark.parametrize(
    ("intent", "kind"),
    [("message", "follow_up"), ("contest", "contest"), ("withdraw", "follow_up")],
)
def test_on_a_withdrawn_case_on_any_later_day(office: Office, intent: Intent, kind: str) -> None:
    case = office.arrive()
    office.event(1, "withdraw")
    office.pass_days(300)
    office.event(1, intent)
    assert kinds(office, case)[-1] == kind


def closed(office: Office) -> CaseId:
    case = office.arrive()
    office.submit(case, office.assignee(case), State.ASSESSING)
    office.close(case, State.OUTSIDE_MANDATE, reason="kpk")
    return case


def test_the_last_day_to_contest_is_inclusive(office: Office) -> None:
    case = closed(office)
    until = office.file(case).overview.clock.contest_until
    assert until is not None
    office.day = until
    office.event(1, "contest")
    assert office.file(case).overview.case.present.state is State.REOPENED


def test_after_the_window_a_contest_is_a_message(office: Office) -> None:
    case = closed(office)
    until = office.file(case).overview.clock.contest_until
    assert until is not None
    office.day = until + timedelta(days=1)
    office.event(1, "contest")
    assert kinds(office, case)[-1] == "follow_up"
    assert office.file(case).overview.case.present.state is State.OUTSIDE_MANDATE


def test_the_day_the_reporter_contested_counts_not_the_day_of_collection(office: Office) -> None:
    case = closed(office)
    until = office.file(case).overview.clock.contest_until
    assert until is not None
    office.day = until + timedelta(days=9)
    office.event(1, "contest", day=until)
    assert office.file(case).overview.case.present.state is State.REOPENED


def test_days_in_the_ledger_never_go_back(office: Office) -> None:
    case = office.arrive()
    office.pass_days(2)
    office.submit(case, office.assignee(case), State.ASSESSING)
    office.event(1, "message", day=TODAY)
    days = [entry.signed.act.day for entry in office.file(case).history]
    assert days == sorted(days)


def test_a_report_for_people_who_have_left_is_kept(office: Office) -> None:
    case = office.arrive(recipients=("sudah-pergi",))
    with office.store.reading() as unit:
        found = unit.case(case)
        assert found is not None
        assert found.present.assignee is None
        assert [entry.signed.act.kind for entry in unit.acts(case)] == [ActKind.RECEIVED]


def test_a_report_without_a_mailbox_key_is_refused(office: Office) -> None:
    with pytest.raises(RecordError, match="mailbox key"):
        office.office.take_in(replace(a_report(1), mailbox_key=None), office.rules())


def test_a_case_id_is_never_used_twice(office: Office) -> None:
    draws = [bytes(5), bytes(5), b"\x01" * 5]

    def rng(length: int) -> bytes:
        return draws.pop(0) if length == 5 else system_rng(length)

    key = ServiceKey(office.org.service_seeds["cases"])
    desk = CaseOffice(office.store, key, rng)
    first = desk.take_in(a_report(1), office.rules())
    second = desk.take_in(a_report(2), office.rules())
    assert (first, second) == ("WH-00000000", new_case_id(lambda _: b"\x01" * 5))
