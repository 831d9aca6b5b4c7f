# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which leaves go into the log, and when."""

import random
from collections import Counter
from datetime import date, timedelta

import pytest

from case_mgmt.publication import batches as subject
from case_mgmt.publication.leaves import Code, Kind, wait_band
from tests.support.city import City, CityPlan, build_city

OPENING = date(2026, 1, 4)
SUNDAY = date(2026, 1, 11)
RAND = random.Random(7)


def report(number: int, day: date) -> subject.Waiting:
    return subject.new_report(number, number.to_bytes(16), bytes(32), day)


def event(number: int, case: int, day: date, code: Code = Code.ASSESSING) -> subject.Waiting:
    return subject.Waiting(number, Kind.FOLLOW_UP, code, 0, case.to_bytes(16), bytes(32), day)


def plan(
    waiting: list[subject.Waiting],
    period: date = SUNDAY,
    logged: frozenset[bytes] = frozenset(),
    covered: subject.Covered | None = None,
) -> list[int] | None:
    at = covered or subject.opened(OPENING)
    batch = subject.plan_batch(at, waiting, logged, period, RAND.randbytes)
    return None if batch is None else [each.id for each in batch.placed]


@pytest.mark.parametrize(
    ("day", "end"),
    [(date(2026, 1, 5), SUNDAY), (SUNDAY, SUNDAY), (date(2026, 1, 12), date(2026, 1, 18))],
)
def test_a_week_ends_on_sunday(day: date, end: date) -> None:
    assert subject.week_end(day) == end


def test_a_week_is_published_after_it() -> None:
    assert subject.last_period(SUNDAY) == OPENING
    assert subject.last_period(SUNDAY + timedelta(days=1)) == SUNDAY


def test_nine_reports_wait_and_ten_do_not() -> None:
    ten = [report(number, SUNDAY) for number in range(1, 11)]
    assert plan(ten[:9]) is None
    placed = plan(ten)
    assert placed is not None
    assert sorted(placed) == list(range(1, 11))


def test_a_report_does_not_wait_for_ever() -> None:
    first = OPENING + timedelta(days=1)
    late = subject.week_end(first + timedelta(days=subject.MAX_MERGE_DAYS))
    assert plan([report(1, first)], late) == [1]
    assert plan([report(1, first)], late - timedelta(days=7)) is None


def test_reports_of_the_next_week_do_not_count() -> None:
    waiting = [report(number, SUNDAY) for number in range(1, 10)]
    assert plan([*waiting, report(10, SUNDAY + timedelta(days=1))]) is None


def test_a_follow_up_waits_for_its_report() -> None:
    own = event(50, 1, SUNDAY)
    assert plan([report(1, SUNDAY), own]) is None
    assert plan([own], logged=frozenset({(1).to_bytes(16)})) == [50]
    ten = [report(number, SUNDAY) for number in range(1, 11)]
    placed = plan([*ten, own])
    assert placed is not None
    assert placed.index(1) < placed.index(50)


def test_the_order_is_drawn_at_random() -> None:
    ten = [report(number, SUNDAY) for number in range(1, 11)]
    orders = {tuple(plan(ten) or ()) for _ in range(20)}
    assert len(orders) > 10


def test_a_case_keeps_its_own_order() -> None:
    ten = [report(number, SUNDAY) for number in range(1, 11)]
    own = [event(50 + number, 3, SUNDAY) for number in range(5)]
    for _ in range(20):
        placed = plan([*ten, *reversed(own)]) or []
        assert [each for each in placed if each == 3 or each >= 50] == [3, 50, 51, 52, 53, 54]


@pytest.mark.parametrize("period", [SUNDAY - timedelta(days=1), OPENING])
def test_a_period_is_an_open_weeks_end(period: date) -> None:
    with pytest.raises(ValueError, match="week"):
        plan([], period)


def test_what_is_collected_late_counts_from_the_first_open_day() -> None:
    assert subject.log_day(OPENING, SUNDAY) == SUNDAY + timedelta(days=1)
    assert subject.log_day(SUNDAY + timedelta(days=3), SUNDAY) == SUNDAY + timedelta(days=3)


def test_the_due_day_of_an_event() -> None:
    monday = OPENING + timedelta(days=1)
    assert subject.event_due(monday, True, monday) == SUNDAY + timedelta(days=7)
    assert subject.event_due(monday, False, monday) == monday + timedelta(days=196)


@pytest.mark.parametrize("reports", [40, 400, 2000])
def test_a_city_keeps_the_rules(reports: int) -> None:
    plan_ = CityPlan(reports=reports, days=400, opening=OPENING, offices=5)
    city = build_city(plan_)
    assert city.leaves[0] == subject.opening_leaf(OPENING)
    periods = [leaf.period for leaf in city.leaves]
    assert periods == sorted(periods)
    known = {each.pseudonym: each for each in city.cases}
    until, counts = _windows(city)
    for leaf in city.leaves:
        if leaf.kind is Kind.REPORT:
            first, last = until[leaf.period]
            assert first < known[leaf.case].arrival <= last
            assert counts[leaf.period] >= 10 or (last - first).days >= subject.MAX_MERGE_DAYS
    for index, (happening, case) in city.openings.items():
        assert city.leaves[index].wait == wait_band((happening.day - case.arrival).days)


def test_releases_are_logged_in_their_week() -> None:
    city = City(CityPlan(reports=200, days=100, opening=OPENING, offices=5))
    city.run_until(SUNDAY + timedelta(days=1))
    city.release(b"\x01" * 32, SUNDAY + timedelta(days=1))
    city.run_until(SUNDAY + timedelta(days=8))
    assert [leaf.period for leaf in city.leaves if leaf.kind is Kind.RELEASE] == [
        OPENING,
        SUNDAY + timedelta(days=7),
    ]


def _windows(city: City) -> tuple[dict[date, tuple[date, date]], Counter[date]]:
    counts = Counter(leaf.period for leaf in city.leaves if leaf.kind is Kind.REPORT)
    before, windows = city.plan.opening, {}
    for period in sorted(counts):
        windows[period] = (before, period)
        before = period
    return windows, counts
