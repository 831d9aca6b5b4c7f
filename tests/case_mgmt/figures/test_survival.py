# SPDX-License-Identifier: AGPL-3.0-or-later
"""Waiting curves: by hand, and against lifelines."""

import random
from fractions import Fraction
from typing import Any

import lifelines
import lifelines.utils
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_mgmt.figures.reading import Observation
from case_mgmt.figures.survival import aalen_johansen, crossing, kaplan_meier, steps
from case_mgmt.publication.leaves import Code

CAUSES = (Code.UPHELD_ACTION, Code.INSUFFICIENT, Code.WITHDRAWN)


def sample(seed: int, size: int, *, ties: bool) -> list[Observation]:
    rand = random.Random(seed)
    days = [rand.randrange(1, 30) for _ in range(size)]
    if not ties:
        days = rand.sample(range(1, 20 * size), size)
    return [Observation(day, rand.choice((None, *CAUSES))) for day in days]


def grid(seen: list[Observation]) -> list[int]:
    return sorted({each.days for each in seen})


def test_by_hand() -> None:
    seen = [Observation(1, CAUSES[0])] * 2 + [Observation(2, None)] + [Observation(3, CAUSES[1])]
    rows = steps(seen, (0, 1, 2, 3, 5))
    assert [(row.days, row.at_risk, row.events) for row in rows] == [
        (0, 4, 0),
        (1, 4, 2),
        (2, 2, 0),
        (3, 1, 1),
    ]
    assert [point.value for point in kaplan_meier(rows)] == [1, Fraction(1, 2), Fraction(1, 2), 0]
    assert [point.value for point in aalen_johansen(rows, CAUSES[1])] == [0, 0, 0, Fraction(1, 2)]


def test_nobody_watched_is_no_curve() -> None:
    assert kaplan_meier(steps([], (0, 1))) == ()


@given(st.integers(0, 10_000), st.integers(1, 60))
def test_all_ends_and_the_waiting_add_up_to_one(seed: int, size: int) -> None:
    seen = sample(seed, size, ties=True)
    rows = steps(seen, grid(seen))
    waiting = [point.value for point in kaplan_meier(rows)]
    ended = [[point.value for point in aalen_johansen(rows, cause)] for cause in CAUSES]
    assert [sum(each) for each in zip(waiting, *ended, strict=True)] == [1] * len(rows)
    for point in (*kaplan_meier(rows), *aalen_johansen(rows, CAUSES[0])):
        assert -1e-12 <= point.low <= float(point.value) + 1e-12
        assert float(point.value) - 1e-12 <= point.high <= 1 + 1e-12


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("size", [15, 120])
def test_kaplan_meier_and_its_intervals_are_those_of_lifelines(seed: int, size: int) -> None:
    seen = sample(seed, size, ties=True)
    curve = kaplan_meier(steps(seen, grid(seen)))
    theirs = lifelines.KaplanMeierFitter().fit(
        [each.days for each in seen], [each.cause is not None for each in seen]
    )
    bounds = theirs.confidence_interval_
    for point in curve:
        assert float(point.value) == pytest.approx(theirs.predict(point.step.days), abs=1e-9)
        if 0 < point.value < 1:
            low, high = bounds.loc[point.step.days]
            assert (point.low, point.high) == pytest.approx((low, high), abs=1e-9)
    median = crossing([(point.step.days, point.value) for point in curve])
    if all(point.value != Fraction(1, 2) for point in curve):  # lifelines compares rounded numbers
        assert (float("inf") if median is None else median) == theirs.median_survival_time_


@pytest.mark.parametrize("seed", range(6))
def test_the_interval_of_the_median_is_that_of_lifelines(seed: int) -> None:
    seen = sample(seed, 80, ties=True)
    curve = kaplan_meier(steps(seen, grid(seen)))
    theirs = lifelines.KaplanMeierFitter().fit(
        [each.days for each in seen], [each.cause is not None for each in seen]
    )
    interval = lifelines.utils.median_survival_times(theirs.confidence_interval_)
    ours = [
        crossing([(point.step.days, value(point)) for point in curve])
        for value in (lambda point: point.low, lambda point: point.high)
    ]
    assert [float("inf") if day is None else day for day in ours] == list(interval.iloc[0])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("cause", CAUSES)
def test_aalen_johansen_and_its_intervals_are_those_of_lifelines(seed: int, cause: Code) -> None:
    """lifelines cannot handle ties, so there are none; the next test has them."""
    seen = sample(seed, 90, ties=False)
    theirs = lifelines.AalenJohansenFitter().fit(
        *_columns(seen), event_of_interest=1 + CAUSES.index(cause)
    )
    for point in aalen_johansen(steps(seen, grid(seen)), cause):
        day = point.step.days
        assert float(point.value) == pytest.approx(theirs.cumulative_density_.loc[day].iloc[0])
        bounds = sorted(theirs.confidence_interval_.loc[day])
        if 0 < point.value < 1 and point.step.at_risk > 1:
            assert [point.low, point.high] == pytest.approx(bounds, abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.filterwarnings("ignore:Tied event times")
def test_with_ties_the_incidence_is_that_of_lifelines_with_its_jitter(seed: int) -> None:
    seen = sample(seed, 90, ties=True)
    theirs = lifelines.AalenJohansenFitter(seed=seed, calculate_variance=False).fit(
        *_columns([Observation(2 * each.days, each.cause) for each in seen if each.cause]),
        event_of_interest=1,
    )
    curve = aalen_johansen(steps([each for each in seen if each.cause], grid(seen)), CAUSES[0])
    for point in curve:
        reached = theirs.cumulative_density_.loc[: 2 * point.step.days + 1].iloc[-1, 0]
        assert float(point.value) == pytest.approx(reached)


def _columns(seen: list[Observation]) -> tuple[Any, Any]:
    days = pd.Series([float(each.days) for each in seen])
    return days, pd.Series(
        [0 if each.cause is None else 1 + CAUSES.index(each.cause) for each in seen]
    )
