# SPDX-License-Identifier: AGPL-3.0-or-later
"""The clock: dates worked out by hand, then properties over random histories."""

from datetime import date, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from case_mgmt.acts import Act
from case_mgmt.deadlines import due, first_due, schedule
from case_mgmt.lifecycle import TABLE
from case_mgmt.model import CLOSINGS, NO_ACT, OPEN, ActKind, State
from case_mgmt.policy import default_policy
from tests.support.history import CASE, History, key

POLICY = default_policy(2025, 2029)
CALENDAR = POLICY.calendar
ARRIVAL = date(2026, 4, 7)  # a Tuesday
WED, THU = date(2026, 4, 8), date(2026, 4, 9)
OVERALL = date(2026, 7, 9)
"""60 working days after ARRIVAL; the first test counts them another way."""


def test_the_overall_limit_by_hand() -> None:
    off = [day for day in POLICY.holidays if ARRIVAL < day <= OVERALL and day.weekday() < 5]
    weekdays = sum(
        (ARRIVAL + timedelta(days=n)).weekday() < 5 for n in range(1, (OVERALL - ARRIVAL).days + 1)
    )
    assert weekdays - len(off) == 60
    assert CALENDAR.is_working_day(OVERALL)
    assert due(History().received(ARRIVAL).acts, POLICY, ARRIVAL).overall_due == OVERALL


def test_no_acts_no_limits() -> None:
    clock = due((), POLICY, ARRIVAL)
    assert (clock.next_due, clock.overall_due, clock.contest_until) == (None, None, None)
    assert not clock.paused


def test_assessment_is_due_after_three_working_days_and_missed_on_the_next_day() -> None:
    acts = History().received(ARRIVAL).acts
    limit = date(2026, 4, 10)
    assert first_due(ARRIVAL, POLICY) == limit
    on_time = due(acts, POLICY, limit)
    assert (on_time.next_due, on_time.next_kind, on_time.overdue_since) == (limit, "assess", None)
    late = due(acts, POLICY, limit + timedelta(days=1))
    assert late.overdue_since == date(2026, 4, 11)
    assert due(acts, POLICY, date(2026, 6, 1)).overdue_since == date(2026, 4, 11)


def test_arrival_before_lebaran_waits_for_the_office_to_open() -> None:
    acts = History().received(date(2026, 3, 17)).acts
    assert due(acts, POLICY, date(2026, 3, 17)).next_due == date(2026, 3, 27)


def test_first_step_is_due_five_working_days_after_assessment() -> None:
    acts = History().received(ARRIVAL).move(State.ASSESSING, WED).acts
    clock = due(acts, POLICY, WED)
    assert (clock.next_due, clock.next_kind) == (date(2026, 4, 15), "first_step")


def test_after_the_first_step_the_monthly_update_is_next() -> None:
    history = History().received(ARRIVAL).move(State.ASSESSING, WED).move(State.EXAMINING, THU)
    clock = due(history.acts, POLICY, THU)
    assert (clock.next_due, clock.next_kind) == (date(2026, 5, 8), "update")  # 9 May: a Saturday
    assert clock.update_due == date(2026, 5, 8)
    history.update(date(2026, 5, 5))
    assert due(history.acts, POLICY, date(2026, 5, 5)).update_due == date(2026, 6, 4)


def test_going_back_to_assessing_does_not_grant_a_second_first_step() -> None:
    history = History().received(ARRIVAL).move(State.ASSESSING, WED)
    history.move(State.NEEDS_INFO, THU).move(State.ASSESSING, THU)
    assert due(history.acts, POLICY, THU).next_due == date(2026, 4, 15)


def test_an_awaited_answer_is_given_the_whole_pause() -> None:
    history = History().received(ARRIVAL).move(State.ASSESSING, WED).move(State.NEEDS_INFO, THU)
    clock = due(history.acts, POLICY, THU)
    assert clock.paused
    assert clock.next_due == CALENDAR.add(date(2026, 4, 15), 10) == date(2026, 4, 29)
    assert clock.overall_due == CALENDAR.add(OVERALL, 10)
    last = CALENDAR.add(THU, 10)
    assert due(history.acts, POLICY, last).paused
    assert not due(history.acts, POLICY, last + timedelta(days=1)).paused


def test_an_answer_ends_the_pause_and_only_the_days_waited_are_added() -> None:
    history = History().received(ARRIVAL).move(State.ASSESSING, WED).move(State.NEEDS_INFO, THU)
    history.event(ActKind.FOLLOW_UP, date(2026, 4, 13))  # two working days later
    clock = due(history.acts, POLICY, date(2026, 4, 13))
    assert not clock.paused
    assert clock.next_due == CALENDAR.add(date(2026, 4, 15), 2)
    assert clock.overall_due == CALENDAR.add(OVERALL, 2)


def test_the_second_question_does_not_pause() -> None:
    history = History().received(ARRIVAL).move(State.ASSESSING, WED).move(State.NEEDS_INFO, THU)
    history.event(ActKind.FOLLOW_UP, THU).move(State.EXAMINING, THU)
    history.move(State.NEEDS_INFO, date(2026, 4, 10))
    clock = due(history.acts, POLICY, date(2026, 4, 10))
    assert not clock.paused
    assert clock.overall_due == OVERALL


def test_a_missed_limit_cannot_be_mended_by_a_pause() -> None:
    late = date(2026, 4, 20)
    history = History().received(ARRIVAL).move(State.ASSESSING, WED).move(State.NEEDS_INFO, late)
    assert due(history.acts, POLICY, late).overdue_since == date(2026, 4, 16)


def test_an_extension_moves_the_overall_limit_and_a_running_pause_does_not_stretch_it() -> None:
    until = date(2026, 9, 30)
    history = History().received(ARRIVAL).move(State.ASSESSING, WED).move(State.NEEDS_INFO, THU)
    history.extend(THU, until)
    assert due(history.acts, POLICY, THU).overall_due == until
    history.event(ActKind.FOLLOW_UP, date(2026, 4, 14))
    assert due(history.acts, POLICY, date(2026, 4, 14)).overall_due == until


def test_a_pause_after_an_extension_lengthens_it() -> None:
    until = date(2026, 9, 30)
    history = History().received(ARRIVAL).move(State.ASSESSING, WED).extend(WED, until)
    history.move(State.NEEDS_INFO, THU)
    assert due(history.acts, POLICY, THU).overall_due == CALENDAR.add(until, 10)


def closed(day: date = date(2026, 4, 10)) -> History:
    history = History().received(ARRIVAL).move(State.ASSESSING, WED).move(State.EXAMINING, THU)
    return history.move(State.INSUFFICIENT, day, reason="no_contact")


def test_a_closed_case_has_only_the_day_to_contest() -> None:
    clock = due(closed().acts, POLICY, date(2027, 1, 1))
    assert clock.contest_until == CALENDAR.add(date(2026, 4, 10), 10)
    assert (clock.next_due, clock.overdue_since, clock.overall_due) == (None, None, None)


def test_messages_after_a_closing_do_not_move_the_day_to_contest() -> None:
    history = closed().event(ActKind.FOLLOW_UP, date(2026, 4, 14)).update(date(2026, 4, 15))
    assert due(history.acts, POLICY, date(2026, 4, 15)).contest_until == CALENDAR.add(
        date(2026, 4, 10), 10
    )


def test_reopening_keeps_the_original_clock() -> None:
    late = date(2026, 9, 1)
    history = closed(late).event(ActKind.CONTEST, late + timedelta(days=1))
    clock = due(history.acts, POLICY, late + timedelta(days=1))
    assert clock.overall_due == OVERALL
    assert clock.overdue_since == OVERALL + timedelta(days=1)
    assert clock.next_kind == "overall"


def test_a_withdrawn_case_is_quiet_and_comes_back_on_the_original_clock() -> None:
    history = History().received(ARRIVAL).event(ActKind.WITHDRAW, WED)
    clock = due(history.acts, POLICY, date(2026, 12, 1))
    assert (clock.next_due, clock.contest_until, clock.overdue_since) == (None, None, None)
    history.event(ActKind.CONTEST, THU)
    assert due(history.acts, POLICY, THU).overall_due == OVERALL
    assert due(history.acts, POLICY, THU).next_due == date(2026, 4, 10)


# --- properties -----------------------------------------------------------------------------

_STEPS: dict[State, list[tuple[ActKind, State]]] = {state: [] for state in State}
for _kind, _source, _target in TABLE:
    if _source is not None:
        _STEPS[_source].append((_kind, _target))


@st.composite
def histories(draw: st.DrawFn) -> tuple[Act, ...]:
    """A history that the table allows, with days in order."""
    day = draw(st.dates(date(2026, 1, 1), date(2026, 12, 31)))
    acts = [_act(ActKind.RECEIVED, None, State.RECEIVED, day, None)]
    for _ in range(draw(st.integers(0, 12))):
        kind, target = draw(st.sampled_from(_STEPS[acts[-1].target]))
        day += timedelta(days=draw(st.integers(0, 25)))
        until = None
        if kind is ActKind.EXTEND:
            limit = schedule(acts, POLICY).overall_due
            assert limit is not None
            until = CALENDAR.add(max(limit, day), draw(st.integers(1, 50)))
        acts.append(_act(kind, acts[-1].target, target, day, until))
    return tuple(acts)


def _act(kind: ActKind, source: State | None, target: State, day: date, until: date | None) -> Act:
    return Act(
        case=CASE,
        seq=1,
        prev=NO_ACT,
        kind=kind,
        source=source,
        target=target,
        day=day,
        signer=key("x"),
        until=until,
    )


@given(histories())
def test_limits_are_working_days(acts: tuple[Act, ...]) -> None:
    found = schedule(acts, POLICY)
    for limit in (found.next_due, found.overall_due, found.update_due, found.contest_until):
        assert limit is None or CALENDAR.is_working_day(limit)


@given(histories())
def test_open_cases_have_limits_and_others_have_none(acts: tuple[Act, ...]) -> None:
    found = schedule(acts, POLICY)
    is_open = acts[-1].target in OPEN
    assert (found.next_due is not None) == is_open
    assert (found.next_kind is not None) == is_open
    assert (found.overall_due is not None) == is_open
    assert (found.contest_until is not None) == (acts[-1].target in CLOSINGS)


@given(histories())
def test_the_next_limit_is_the_earliest(acts: tuple[Act, ...]) -> None:
    found = schedule(acts, POLICY)
    if found.next_due is not None:
        assert found.overall_due is not None
        assert found.update_due is not None
        assert found.next_due <= min(found.overall_due, found.update_due)


@given(histories(), st.integers(0, 400), st.integers(0, 400))
def test_once_overdue_always_overdue_until_an_act(
    acts: tuple[Act, ...], first: int, later: int
) -> None:
    day = acts[-1].day + timedelta(days=first)
    early = due(acts, POLICY, day)
    late = due(acts, POLICY, day + timedelta(days=later))
    if early.overdue_since is not None:
        assert late.overdue_since == early.overdue_since
    assert late.next_due == early.next_due
    assert early.paused or not late.paused


@given(histories())
def test_the_overall_limit_never_comes_before_sixty_working_days_from_arrival(
    acts: tuple[Act, ...],
) -> None:
    found = schedule(acts, POLICY)
    if found.overall_due is not None:
        assert found.overall_due >= CALENDAR.add(acts[0].day, POLICY.overall)


@given(histories())
def test_without_extension_it_never_comes_later_than_one_whole_pause(
    acts: tuple[Act, ...],
) -> None:
    assume(not any(act.kind is ActKind.EXTEND for act in acts))
    found = schedule(acts, POLICY)
    if found.overall_due is not None:
        longest = CALENDAR.add(acts[0].day, POLICY.overall + POLICY.pause_max)
        assert found.overall_due <= longest


@given(histories())
def test_closing_and_reopening_at_once_changes_nothing_overall(acts: tuple[Act, ...]) -> None:
    assume(acts[-1].target in OPEN - {State.NEEDS_INFO})
    day = acts[-1].day
    there = _act(ActKind.TRANSITION, acts[-1].target, State.INSUFFICIENT, day, None)
    back = _act(ActKind.CONTEST, State.INSUFFICIENT, State.REOPENED, day, None)
    before = schedule(acts, POLICY)
    after = schedule((*acts, there, back), POLICY)
    assert after.overall_due == before.overall_due


@given(histories(), st.integers(0, 40))
def test_a_pause_never_shortens(acts: tuple[Act, ...], wait: int) -> None:
    assume(acts[-1].target in OPEN - {State.NEEDS_INFO, State.RECEIVED})
    day = acts[-1].day
    question = _act(ActKind.TRANSITION, acts[-1].target, State.NEEDS_INFO, day, None)
    answer = _act(
        ActKind.FOLLOW_UP, State.NEEDS_INFO, State.NEEDS_INFO, day + timedelta(days=wait), None
    )
    before = schedule(acts, POLICY)
    asked = schedule((*acts, question), POLICY)
    answered = schedule((*acts, question, answer), POLICY)
    assert before.overall_due is not None
    assert asked.overall_due is not None
    assert answered.overall_due is not None
    assert before.overall_due <= answered.overall_due <= asked.overall_due


@given(histories(), st.integers(1, 60))
def test_a_reporters_message_never_buys_the_office_time(acts: tuple[Act, ...], wait: int) -> None:
    day = acts[-1].day + timedelta(days=wait)
    message = _act(ActKind.FOLLOW_UP, acts[-1].target, acts[-1].target, day, None)
    before, after = schedule(acts, POLICY), schedule((*acts, message), POLICY)
    if before.next_due is not None:
        assert after.next_due is not None
        assert after.next_due <= before.next_due
    assert after.contest_until == before.contest_until


@given(histories())
def test_an_assignment_moves_nothing(acts: tuple[Act, ...]) -> None:
    handed = _act(ActKind.ASSIGN, acts[-1].target, acts[-1].target, acts[-1].day, None)
    assert schedule((*acts, handed), POLICY) == schedule(acts, POLICY)


def test_an_extension_does_not_hide_a_missed_limit() -> None:
    late = date(2026, 10, 1)
    history = History().received(ARRIVAL).move(State.ASSESSING, WED).move(State.EXAMINING, THU)
    history.update(date(2026, 9, 15))
    before = due(history.acts, POLICY, late)
    assert before.overdue_since == date(2026, 7, 10)
    history.extend(late, date(2026, 12, 1))
    after = due(history.acts, POLICY, late)
    assert (after.overall_due, after.overdue_since) == (before.overall_due, before.overdue_since)


def test_an_extension_does_not_stand_for_an_update_that_was_missed() -> None:
    history = History().received(ARRIVAL).move(State.ASSESSING, WED).move(State.EXAMINING, THU)
    missed = due(history.acts, POLICY, THU).update_due
    assert missed is not None
    history.extend(date(2026, 6, 1), date(2026, 9, 1))
    clock = due(history.acts, POLICY, date(2026, 6, 1))
    assert clock.overall_due == date(2026, 9, 1)
    assert clock.overdue_since == missed + timedelta(days=1)


def test_an_extension_in_time_counts_as_an_update() -> None:
    history = History().received(ARRIVAL).move(State.ASSESSING, WED).move(State.EXAMINING, THU)
    day = date(2026, 5, 4)
    history.extend(day, date(2026, 9, 1))
    clock = due(history.acts, POLICY, day)
    assert clock.update_due == CALENDAR.on_or_before(day + timedelta(days=30))
