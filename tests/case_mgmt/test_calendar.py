# SPDX-License-Identifier: AGPL-3.0-or-later
"""Working days: the arithmetic, by example and by property."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_mgmt.calendar import WorkCalendar
from case_mgmt.policy import default_policy

POLICY = default_policy(2025, 2029)
CALENDAR = POLICY.calendar
days = st.dates(date(2025, 1, 1), date(2029, 6, 1))
counts = st.integers(0, 80)


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        (date(2026, 1, 5), 1, date(2026, 1, 6)),
        (date(2026, 1, 9), 1, date(2026, 1, 12)),  # over a weekend
        (date(2026, 1, 10), 1, date(2026, 1, 12)),  # from a Saturday
        (date(2026, 1, 15), 1, date(2026, 1, 19)),  # Friday 16 January is Isra Mikraj
        (date(2026, 3, 17), 1, date(2026, 3, 25)),  # Nyepi, Idul Fitri and the joint leave days
        (date(2026, 5, 1), 0, date(2026, 5, 1)),  # nothing added: even a holiday stays
    ],
)
def test_working_days_by_hand(day: date, count: int, expected: date) -> None:
    assert CALENDAR.add(day, count) == expected


def test_counting_backwards_is_refused() -> None:
    with pytest.raises(ValueError, match="only added"):
        CALENDAR.add(date(2026, 1, 5), -1)


def test_outside_the_table_only_weekends_count() -> None:
    assert CALENDAR.add(date(2051, 12, 29), 1) == date(2052, 1, 1)
    assert not POLICY.covers(date(2052, 1, 1))


@given(days, counts.filter(bool))
def test_the_result_is_a_working_day(day: date, count: int) -> None:
    assert CALENDAR.is_working_day(CALENDAR.add(day, count))


@given(days, counts, counts)
def test_adding_in_two_steps_is_adding_at_once(day: date, first: int, second: int) -> None:
    assert CALENDAR.add(CALENDAR.add(day, first), second) == CALENDAR.add(day, first + second)


@given(days, counts)
def test_between_undoes_add(day: date, count: int) -> None:
    assert CALENDAR.between(day, CALENDAR.add(day, count)) == count


@given(days, st.integers(0, 60), counts)
def test_later_start_never_ends_earlier(day: date, later: int, count: int) -> None:
    assert CALENDAR.add(day, count) <= CALENDAR.add(day + timedelta(days=later), count)


@given(days, st.sets(days, max_size=20), counts)
def test_more_holidays_never_shorten(day: date, holidays: set[date], count: int) -> None:
    assert WorkCalendar.of(()).add(day, count) <= WorkCalendar.of(holidays).add(day, count)


@given(days)
def test_on_or_before_is_the_nearest_working_day(day: date) -> None:
    found = CALENDAR.on_or_before(day)
    assert found <= day
    assert CALENDAR.is_working_day(found)
    assert CALENDAR.between(found, day) == 0


def test_a_day_has_no_working_days_behind_its_own_back() -> None:
    assert CALENDAR.between(date(2026, 1, 6), date(2026, 1, 5)) == 0
