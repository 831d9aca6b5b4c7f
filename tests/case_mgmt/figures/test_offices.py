# SPDX-License-Identifier: AGPL-3.0-or-later
"""Offices alike are not ranked, a slow one is found, closing at once is no help."""

import random
from collections.abc import Iterator
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from case_mgmt.figures.binomial import at_most, limits
from case_mgmt.figures.definitions import ALARM, FAMILY_LEVEL, LISTED
from case_mgmt.figures.offices import Office, Ranking, Target, funnel_limits, rank
from case_mgmt.figures.published import Cell

DAY = date(2026, 3, 29)


def office(number: int, yes: int, no: int) -> Office:
    """As it is published: counts below ten are not."""
    if max(yes, no) < 10:
        return Office(f"kantor-{number:02d}", Cell(None, DAY), Cell(None, DAY))
    cells = [Cell(n, DAY) if n >= 10 else Cell(None, DAY, below=True) for n in (yes, no)]
    return Office(f"kantor-{number:02d}", *cells)


def city(counts: list[tuple[int, int]]) -> Ranking:
    yes = sum(each[0] for each in counts)
    target = Target(yes, sum(map(sum, counts)))
    return rank((office(place, *each) for place, each in enumerate(counts)), {DAY: target})


def drawn(rand: random.Random, size: int, share: float) -> tuple[int, int]:
    yes = sum(rand.random() < share for _ in range(size))
    return yes, size - yes


@pytest.mark.slow
def test_offices_that_do_not_differ_are_hardly_ever_listed() -> None:
    """400 cities of 40 offices alike.  At a true rate of 1 % more than ten listings would be
    chance of 1 in 350."""
    rand = random.Random(20_260_329)
    listed = 0
    for number in range(400):
        size, share = (35, 60, 120, 240)[number % 4], (0.3, 0.6, 0.85)[number % 3]
        ranking = city([drawn(rand, size, share) for _ in range(40)])
        assert ranking.compared >= 10
        listed += bool(ranking.best or ranking.worst)
    assert listed <= 10


def test_the_probability_of_a_false_listing_is_bounded_by_its_definition() -> None:
    """Bonferroni over the tails that Holm's first step uses, summed exactly: at most 1 %."""
    for size in (30, 60, 237):
        for share in (Fraction(1, 5), Fraction(1, 2), Fraction(17, 20)):
            level = min(ALARM, FAMILY_LEVEL / 40)
            low, high = limits(size, share, level)
            outside = at_most(low - 1, size, share) if low else 0.0
            outside += at_most(size - high - 1, size, 1 - share) if high < size else 0.0
            assert 40 * outside <= FAMILY_LEVEL


@pytest.mark.parametrize("size", [60, 120, 240])
def test_one_slow_office_among_forty_is_found_and_nobody_else(size: int) -> None:
    found = 0
    for seed in range(40):
        rand = random.Random(seed)
        counts = [drawn(rand, size, 0.85) for _ in range(39)] + [drawn(rand, size, 0.4)]
        ranking = city(counts)
        assert set(ranking.worst) <= {"kantor-39"}
        assert ranking.best == ()
        found += ranking.worst == ("kantor-39",)
    assert found == 40


def test_an_office_that_examines_next_to_nothing_cannot_hide_behind_the_smallest_number() -> None:
    ranking = city([(85, 15)] * 39 + [(3, 97)])
    assert ranking.worst == ("kantor-39",)


def test_an_office_that_examines_next_to_everything_is_found() -> None:
    ranking = city([(60, 40)] * 39 + [(97, 3)])
    assert ranking.best == ("kantor-39",)


def test_under_thirty_reports_nothing_is_said() -> None:
    ranking = city([(85, 15)] * 39 + [(10, 19)])
    assert ranking.worst == ()
    assert ranking.compared == 39
    assert ranking.standing(office(39, 10, 19)) == "too_few"
    assert ranking.standing(office(1, 85, 15)) == "within"


def test_at_most_fifteen_of_each_the_furthest_first() -> None:
    counts = [(190 - n, 10 + n) for n in range(20)] + [(10 + n, 190 - n) for n in range(20)]
    ranking = city(counts)
    assert len(ranking.best) == len(ranking.worst) == LISTED
    assert ranking.best[0] == "kantor-00"
    assert ranking.worst[0] == "kantor-20"
    assert ranking.standing(office(20, 10, 190)) == "worst"
    assert ranking.standing(office(0, 190, 10)) == "best"


def test_two_offices_need_the_alarm_limit_as_well() -> None:
    """With few offices Holm alone would be weaker than the 99.8 % limit."""
    target = {DAY: Target(850, 1_000)}
    low, _ = limits(100, Fraction(85, 100), ALARM)
    inside = rank([office(0, low, 100 - low)], target)
    outside = rank([office(0, low - 1, 101 - low)], target)
    assert inside.worst == ()
    assert outside.worst == ("kantor-00",)


def test_an_empty_city_lists_nobody() -> None:
    assert rank([], {}) == Ranking((), (), 0)
    assert funnel_limits(Target(0, 0))


def _order(ranking: Ranking, name: str) -> int:
    return (name in ranking.best) - (name in ranking.worst)


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.floats(0.1, 1.0), st.integers(30, 200))
def test_closing_at_once_improves_no_rank(seed: int, part: float, size: int) -> None:
    """Closed reports count as not examined: the office moves them from one side to the other."""
    rand = random.Random(seed)
    counts = [drawn(rand, size, 0.7) for _ in range(20)]
    gamed = list(_moved(counts, place=7, part=part))
    before, after = city(counts), city(gamed)
    assert _order(after, "kantor-07") <= _order(before, "kantor-07")


def _moved(counts: list[tuple[int, int]], *, place: int, part: float) -> Iterator[tuple[int, int]]:
    for number, (yes, no) in enumerate(counts):
        lost = round(part * yes) if number == place else 0
        yield yes - lost, no + lost


def test_the_funnel_narrows_and_its_limits_lie_within_each_other() -> None:
    rows = funnel_limits(Target(85, 100))
    for row in rows:
        assert row["low998"] <= row["low95"] <= 8_500 <= row["high95"] <= row["high998"]
    widths = [row["high998"] - row["low998"] for row in rows]
    assert widths == sorted(widths, reverse=True)
