# SPDX-License-Identifier: AGPL-3.0-or-later
"""Public counts: what is counted, and what is left out."""

from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from case_mgmt.model import CLOSINGS, OPEN, State
from case_mgmt.statistics import OUTCOMES, SMALLEST, CaseFacts, publish

DAY = date(2026, 4, 7)


def facts(count: int, state: State, followed: int | None = None, *, overdue: bool = False) -> Any:
    first = None if followed is None else DAY + timedelta(days=followed)
    return [CaseFacts(DAY, state, first, overdue)] * count


def test_an_empty_office_publishes_nothing() -> None:
    counts = publish([], DAY)
    assert counts == {
        "v": 1,
        "as_of": "2026-04-07",
        **dict.fromkeys(
            ("received", "open", "followed_up_7", "followed_up_30", "closed", "overdue")
        ),
        "outcomes": dict.fromkeys(code.value for code in OUTCOMES),
    }


def test_counts_by_hand() -> None:
    cases = [
        *facts(20, State.EXAMINING, 7),
        *facts(15, State.RECEIVED, overdue=True),
        *facts(12, State.UPHELD_FIXED, 30),
        *facts(11, State.INSUFFICIENT, 31),
    ]
    counts = publish(cases, DAY)
    assert counts["received"] == 58
    assert counts["open"] == 35
    assert counts["closed"] == 23
    assert counts["overdue"] == 15
    assert counts["followed_up_7"] == 20
    assert counts["followed_up_30"] == 32
    assert counts["outcomes"]["upheld_fixed"] == 12
    assert counts["outcomes"]["upheld_action"] is None  # none at all


def test_nine_is_left_out_and_ten_is_shown() -> None:
    assert publish(facts(9, State.RECEIVED), DAY)["received"] is None
    assert publish(facts(10, State.RECEIVED), DAY)["received"] == 10


def test_a_left_out_part_cannot_be_worked_out_from_the_whole() -> None:
    counts = publish([*facts(50, State.EXAMINING), *facts(3, State.JOINED)], DAY)
    assert counts["received"] == 53
    assert counts["open"] is None
    assert counts["closed"] is None
    outcomes = publish(
        [
            *facts(30, State.JOINED),
            *facts(20, State.WITHDRAWN),
            *facts(3, State.REFERRED),
            *facts(4, State.INSUFFICIENT),
        ],
        DAY,
    )["outcomes"]
    assert outcomes["insufficient"] is None
    assert outcomes["withdrawn"] is None
    assert outcomes["joined"] is None  # "closed" is left out, so its parts are


counts_by_state = st.dictionaries(st.sampled_from(State), st.integers(0, 40))


@given(counts_by_state)
def test_nothing_small_is_ever_shown(numbers: dict[State, int]) -> None:
    cases = [fact for state, count in numbers.items() for fact in facts(count, state, 3)]
    published = publish(cases, DAY)
    shown = [value for key, value in published.items() if key not in ("v", "as_of", "outcomes")]
    for value in [*shown, *published["outcomes"].values()]:
        assert value is None or value >= SMALLEST


@given(counts_by_state)
def test_subtraction_never_reveals_a_small_part(numbers: dict[State, int]) -> None:
    cases = [fact for state, count in numbers.items() for fact in facts(count, state)]
    published = publish(cases, DAY)
    is_open = sum(numbers.get(state, 0) for state in OPEN)
    closed = sum(numbers.get(state, 0) for state in CLOSINGS | {State.WITHDRAWN})
    if published["received"] is not None:
        if 0 < is_open < SMALLEST:
            assert published["closed"] is None
        if 0 < closed < SMALLEST:
            assert published["open"] is None
    if published["closed"] is not None:
        hidden = [
            code
            for code in OUTCOMES
            if numbers.get(code, 0) > 0 and published["outcomes"][code] is None
        ]
        assert len(hidden) != 1
