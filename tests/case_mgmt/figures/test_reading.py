# SPDX-License-Identifier: AGPL-3.0-or-later
"""What one case says: waits, examination, haste, and that haste never helps."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_mgmt.figures.definitions import EXAMINING_CODES, SHARE_DAYS
from case_mgmt.figures.errors import InputError
from case_mgmt.figures.reading import (
    Observation,
    answer,
    examined_within,
    exposure,
    first_closing_is_hasty,
    first_follow_up,
    followed_up_within,
    is_contested,
    standing,
    to_first_follow_up,
    to_outcome,
)
from case_mgmt.publication.leaves import CLOSING_CODES, Code, wait_band
from tests.support.histories import SUNDAY, logged, week


def test_the_clock_of_the_figures_starts_at_the_end_of_the_week() -> None:
    assert exposure(week(), SUNDAY + timedelta(days=30)) == 30
    with pytest.raises(InputError):
        exposure(week(), SUNDAY - timedelta(days=1))


def test_an_event_counts_at_the_upper_edge_of_its_band() -> None:
    case = logged(SUNDAY, (Code.ASSESSING, 8))
    as_of = SUNDAY + timedelta(days=100)
    assert to_first_follow_up(case, as_of) == Observation(10, Code.UPDATED)
    assert not followed_up_within(case, 7)
    assert followed_up_within(case, 30)


def test_nothing_is_used_that_lies_beyond_the_time_surely_waited() -> None:
    case = logged(SUNDAY, (Code.ASSESSING, 8))
    assert to_first_follow_up(case, SUNDAY + timedelta(days=9)) == Observation(9, None)
    assert to_first_follow_up(case, SUNDAY + timedelta(days=10)).cause is not None


def test_the_last_band_has_no_edge_and_counts_as_still_waiting() -> None:
    case = logged(SUNDAY, (Code.ASSESSING, 600))
    assert to_first_follow_up(case, SUNDAY + timedelta(days=900)) == Observation(540, None)


def test_what_the_reporter_says_is_no_follow_up_and_withdrawing_does_not_stop_the_wait() -> None:
    case = logged(SUNDAY, (Code.WITHDRAWN, 3))
    assert first_follow_up(case) is None
    assert to_first_follow_up(case, SUNDAY + timedelta(days=40)) == Observation(40, None)
    assert to_outcome(case, SUNDAY + timedelta(days=40)) == Observation(3, Code.WITHDRAWN)


def test_a_reopened_case_waits_again_since_its_arrival() -> None:
    steps = [(Code.EXAMINING, 5), (Code.INSUFFICIENT, 30), (Code.REOPENED, 40)]
    as_of = SUNDAY + timedelta(days=200)
    assert to_outcome(logged(SUNDAY, *steps[:2]), as_of) == Observation(30, Code.INSUFFICIENT)
    assert to_outcome(logged(SUNDAY, *steps), as_of) == Observation(200, None)
    again = logged(SUNDAY, *steps, (Code.UPHELD_ACTION, 100))
    assert to_outcome(again, as_of) == Observation(120, Code.UPHELD_ACTION)
    assert is_contested(again)


def test_a_withdrawal_taken_back_is_no_objection() -> None:
    case = logged(SUNDAY, (Code.WITHDRAWN, 3), (Code.REOPENED, 4))
    assert not is_contested(case)
    assert standing(case)[0] is Code.REOPENED


def test_a_message_changes_no_standing() -> None:
    case = logged(SUNDAY, (Code.EXAMINING, 5), (Code.UPDATED, 20), (Code.EXTENDED, 21))
    assert standing(case) == (Code.EXAMINING, wait_band(5))
    assert standing(logged(SUNDAY)) == (Code.NONE, 0)


def test_an_answer_belongs_to_the_closing_in_force() -> None:
    closed = [(Code.EXAMINING, 5), (Code.INSUFFICIENT, 30), (Code.NOT_SETTLED, 31)]
    assert answer(logged(SUNDAY, *closed)) is Code.NOT_SETTLED
    again = [*closed, (Code.REOPENED, 31), (Code.UPHELD_FIXED, 50)]
    assert answer(logged(SUNDAY, *again)) is None
    assert answer(logged(SUNDAY, *again, (Code.SETTLED, 51))) is Code.SETTLED


@pytest.mark.parametrize(
    ("steps", "examined", "hasty"),
    [
        ([(Code.EXAMINING, 5)], True, False),
        ([(Code.NEEDS_INFO, 5)], True, False),
        ([(Code.REFERRED, 5)], True, False),
        ([(Code.ASSESSING, 1), (Code.UPDATED, 2)], False, False),
        ([(Code.EXAMINING, 31)], False, False),
        ([(Code.EXAMINING, 5), (Code.INSUFFICIENT, 20)], True, False),
        ([(Code.INSUFFICIENT, 0)], False, True),
        ([(Code.ASSESSING, 0), (Code.OUTSIDE_MANDATE, 0)], False, True),
        ([(Code.EXAMINING, 0), (Code.INSUFFICIENT, 0)], False, True),
        ([(Code.EXAMINING, 0), (Code.INSUFFICIENT, 3)], False, True),
        ([(Code.EXAMINING, 8), (Code.INSUFFICIENT, 9)], False, True),
        ([(Code.EXAMINING, 0), (Code.INSUFFICIENT, 4)], True, False),
        ([(Code.EXAMINING, 0), (Code.JOINED, 0), (Code.REOPENED, 9)], False, True),
        ([(Code.JOINED, 0), (Code.REOPENED, 9), (Code.EXAMINING, 12)], True, True),
        ([(Code.JOINED, 0), (Code.REOPENED, 9), (Code.EXAMINING, 45)], False, True),
    ],
)
def test_examined_within_thirty_days(
    steps: list[tuple[Code, int]], examined: bool, hasty: bool
) -> None:
    case = logged(SUNDAY, *steps)
    assert examined_within(case, 30) is examined
    assert first_closing_is_hasty(case) is hasty


HISTORIES = st.lists(
    st.tuples(st.sampled_from(sorted(set(Code) - {Code.NONE})), st.integers(0, 400)), max_size=8
).map(lambda steps: sorted(steps, key=lambda step: step[1]))


@given(HISTORIES, st.sampled_from(sorted(CLOSING_CODES)), st.integers(0, 3), st.booleans())
def test_closing_at_once_never_helps_an_office(
    honest: list[tuple[Code, int]], code: Code, day: int, pretend: bool
) -> None:
    """Whatever the office would have done: closing at once, even after a pretended step."""
    gamed = [(Code.EXAMINING, 0)] * pretend + [(code, day)]
    for days in SHARE_DAYS:
        assert not examined_within(logged(SUNDAY, *gamed), days)
        assert examined_within(logged(SUNDAY, *honest), days) in {True, False}
        more = [*gamed, *[step for step in honest if step[0] not in EXAMINING_CODES]]
        assert not examined_within(logged(SUNDAY, *more), days)


@given(HISTORIES, HISTORIES, st.sampled_from(SHARE_DAYS))
def test_what_comes_after_its_days_does_not_change_an_examination(
    first: list[tuple[Code, int]], later: list[tuple[Code, int]], days: int
) -> None:
    early = [step for step in first if step[1] <= days]
    late = [(code, days + 1 + wait) for code, wait in later]
    assert examined_within(logged(SUNDAY, *early), days) is examined_within(
        logged(SUNDAY, *early, *late), days
    )


@given(HISTORIES, st.integers(0, 700))
def test_no_wait_is_told_shorter_than_it_was_nor_longer_than_was_watched(
    steps: list[tuple[Code, int]], watched: int
) -> None:
    case = logged(SUNDAY, *steps)
    for seen in (to_first_follow_up, to_outcome):
        found = seen(case, SUNDAY + timedelta(days=watched))
        assert 0 <= found.days <= watched
    office = [days for code, days in steps if code not in {10, 11, 14, 15}]
    found = to_first_follow_up(case, SUNDAY + timedelta(days=watched))
    if found.cause is not None:
        assert found.days >= min(office)
