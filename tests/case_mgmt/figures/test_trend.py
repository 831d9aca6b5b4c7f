# SPDX-License-Identifier: AGPL-3.0-or-later
"""The flag "slowing": decay sets it, a steady city does not."""

import random

import pytest

from case_mgmt.figures.definitions import TREND_LEVEL
from case_mgmt.figures.trend import Cohort, p_falling, slowing


def cohorts(shares: list[float], received: int = 30) -> list[Cohort]:
    return [Cohort(received, round(received * share)) for share in shares]


def flag(week: list[Cohort], month: list[Cohort] | None = None) -> bool:
    found = slowing({7: week, 30: week if month is None else month})["flag"]
    assert isinstance(found, bool)
    return found


def test_twelve_weeks_of_decay() -> None:
    answer = slowing({7: cohorts([0.9 - 0.05 * n for n in range(12)]), 30: []})
    assert answer["flag"] is True
    assert answer["days"] == 7
    assert answer["before"] > answer["after"] + 1_000


def test_decay_that_only_the_longer_wait_shows() -> None:
    answer = slowing({7: cohorts([0.5] * 12), 30: cohorts([0.95 - 0.05 * n for n in range(12)])})
    assert (answer["flag"], answer["days"]) == (True, 30)


def test_a_sudden_stop() -> None:
    assert flag(cohorts([0.85] * 9 + [0.1] * 3))


@pytest.mark.parametrize(
    "shares",
    [[0.8] * 12, [0.3 + 0.05 * n for n in range(12)], [0.80, 0.79] * 6, [0.0] * 12, [1.0] * 12],
)
def test_no_decay_no_flag(shares: list[float]) -> None:
    assert not flag(cohorts(shares))


def test_a_fall_that_is_sure_but_small_sets_no_flag() -> None:
    assert p_falling(cohorts([0.80] * 6 + [0.75] * 6, 3_000)) < TREND_LEVEL
    assert not flag(cohorts([0.80] * 6 + [0.75] * 6, 3_000))


def test_few_weeks_or_few_reports_set_no_flag() -> None:
    falling = [0.95, 0.8, 0.6, 0.4, 0.2]
    assert not flag(cohorts(falling, 100))
    assert not flag(cohorts([1, 1, 1, 0, 0, 0], 9))


def test_what_is_older_than_twelve_weeks_does_not_count() -> None:
    assert not flag(cohorts([0.95] * 40 + [0.5] * 12))


def test_a_steady_city_is_flagged_at_most_once_in_a_hundred_releases() -> None:
    rand = random.Random(7)
    flagged = 0
    for _ in range(1_000):
        week = [Cohort(14, sum(rand.random() < 0.6 for _ in range(14))) for _ in range(12)]
        month = [Cohort(14, sum(rand.random() < 0.85 for _ in range(14))) for _ in range(12)]
        flagged += flag(week, month)
    assert flagged <= 20


def test_one_week_has_no_trend() -> None:
    assert p_falling([Cohort(10, 5)]) == 1.0
