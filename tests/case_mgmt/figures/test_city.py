# SPDX-License-Identifier: AGPL-3.0-or-later
"""The city's figures: counted by hand, and over a simulated city."""

from datetime import timedelta
from typing import Any

import pytest

from case_mgmt.figures.city import city_figures
from case_mgmt.publication.check import cases_from
from case_mgmt.publication.leaves import Code
from crypto.encoding import canonical_json
from tests.support.city import CityPlan, build_city
from tests.support.histories import SUNDAY, logged

AS_OF = SUNDAY + timedelta(days=49)
LATER = SUNDAY + timedelta(days=28)


def by_hand() -> dict[str, Any]:
    cases = [
        *[logged(SUNDAY, (Code.ASSESSING, 2), (Code.EXAMINING, 6)) for _ in range(6)],
        *[logged(SUNDAY, (Code.ASSESSING, 0), (Code.INSUFFICIENT, 0)) for _ in range(3)],
        logged(SUNDAY),
        logged(SUNDAY, (Code.WITHDRAWN, 5)),
        logged(SUNDAY, (Code.EXAMINING, 20), (Code.UPHELD_ACTION, 45), (Code.SETTLED, 46)),
        *[logged(LATER, (Code.ASSESSING, 1)) for _ in range(4)],
        logged(
            LATER, (Code.EXAMINING, 1), (Code.JOINED, 5), (Code.NOT_SETTLED, 6), (Code.REOPENED, 7)
        ),
    ]
    return city_figures(cases, AS_OF)


def test_totals_by_hand() -> None:
    figures = by_hand()
    names = ("received", "open", "closed", "withdrawn", "oldest_open_days")
    assert [figures[name] for name in names] == [17, 12, 4, 1, 49]
    assert [band["count"] for band in figures["open_ages"]] == [0, 5, 7, 0, 0, 0, 0]


def test_shares_by_hand() -> None:
    headline = by_hand()["headline"]
    rows = [(row["days"], row["count"], row["of"], row["share"]) for row in headline["followed_up"]]
    assert rows == [(7, 14, 17, 8_235), (30, 10, 12, 8_333), (60, 0, 0, None), (90, 0, 0, None)]
    rows = [(row["days"], row["count"], row["of"], row["share"]) for row in headline["examined"]]
    assert rows[:2] == [(7, 7, 17, 4_118), (30, 7, 12, 5_833)]


def test_a_week_whose_days_are_not_over_has_a_count_and_no_share() -> None:
    first, second = by_hand()["weekly"]
    assert (first["from"], first["to"], first["received"]) == ("2026-01-05", "2026-01-11", 12)
    assert [row["mature"] for row in first["followed_up"]] == [True, True, False, False]
    assert [row["mature"] for row in second["followed_up"]] == [True, False, False, False]
    assert second["followed_up"][1] == {
        "days": 30,
        "count": 5,
        "mature": False,
        "share": None,
        "low": None,
        "high": None,
    }


def test_closings_by_hand() -> None:
    figures = by_hand()
    assert figures["confirmations"] == {"asked": 4, "settled": 1, "not_settled": 0, "silent": 3}
    assert (figures["contested"]["count"], figures["contested"]["of"]) == (1, 5)
    assert (figures["same_day_closings"]["count"], figures["hasty_closings"]["count"]) == (3, 3)
    outcomes = {row["code"]: row["count"] for row in figures["outcomes"]}
    assert outcomes == {
        "upheld_action": 1,
        "upheld_fixed": 0,
        "insufficient": 3,
        "outside_mandate": 0,
        "joined": 0,
        "set_aside": 0,
    }


def test_the_curve_says_not_reached_and_too_few() -> None:
    few = [logged(SUNDAY, (Code.ASSESSING, 2)) for _ in range(9)]
    assert city_figures(few, AS_OF)["first_follow_up"]["median"] is None
    most_wait = [logged(SUNDAY, (Code.ASSESSING, 2)) for _ in range(10)]
    most_wait += [logged(SUNDAY) for _ in range(11)]
    median = city_figures(most_wait, AS_OF)["first_follow_up"]["median"]
    assert (median["days"], median["high"]) == (None, None)


def test_nothing_at_all() -> None:
    figures = city_figures([], AS_OF)
    assert figures["received"] == 0
    assert figures["weekly"] == figures["first_follow_up"]["curve"] == []
    assert figures["oldest_open_days"] is None
    assert figures["canaries"]["sent"] == 0


def test_canaries_are_in_no_count_but_their_own() -> None:
    reports = [logged(SUNDAY, (Code.ASSESSING, 2)) for _ in range(12)]
    waits = (1, 2, 3, 9, None)
    canaries = [
        logged(SUNDAY, *([] if wait is None else [(Code.ASSESSING, wait)])) for wait in waits
    ]
    revealed = {case.pseudonym for case in canaries}
    figures = city_figures([*reports, *canaries], AS_OF, revealed)
    alone = city_figures(reports, AS_OF)
    assert figures | {"canaries": None} == alone | {"canaries": None}
    assert figures["canaries"] == {
        "sent": 5,
        "answered": 4,
        "within": [{"days": 3, "count": 3}, {"days": 7, "count": 3}, {"days": 30, "count": 4}],
        "median_days": 3,
        "worst_days": None,
    }


def test_the_objects_have_one_canonical_form() -> None:
    assert canonical_json(by_hand())


@pytest.mark.slow
def test_a_simulated_city_adds_up() -> None:
    city = build_city(CityPlan(reports=2_000, days=365, offices=10))
    revealed = {case.pseudonym for case in city.canaries}
    as_of = city.leaves[-1].period
    figures = city_figures(cases_from(city.leaves), as_of, revealed)
    assert figures["received"] == sum(week["received"] for week in figures["weekly"])
    assert figures["received"] == figures["open"] + figures["closed"] + figures["withdrawn"]
    assert figures["closed"] == sum(row["count"] for row in figures["outcomes"])
    assert figures["open"] == sum(band["count"] for band in figures["open_ages"])
    ends = sum(curve["points"][-1]["share"] for curve in figures["outcome"]["curves"])
    assert 0 < ends <= 10_000 + len(figures["outcome"]["curves"])
    seven = [week["followed_up"][0] for week in figures["weekly"]]
    assert (
        sum(row["count"] for row in seven if row["mature"])
        == (figures["headline"]["followed_up"][0]["count"])
    )


@pytest.mark.slow
def test_decaying_follow_up_shows_in_the_weekly_series_and_sets_the_flag() -> None:
    plan = CityPlan(reports=3_000, days=365, offices=10, decay=True)
    half = plan.opening + timedelta(days=plan.days // 2)
    city = build_city(plan)
    cases = cases_from(city.leaves)

    def at(days: int) -> dict[str, Any]:
        as_of = half + timedelta(days=days)
        as_of += timedelta(days=(6 - as_of.weekday()) % 7)
        known = [case for case in cases if case.window.last <= as_of]
        cut = [
            case.__class__(
                case.pseudonym,
                case.commitment,
                case.window,
                case.index,
                tuple(event for event in case.events if event.window.last <= as_of),
            )
            for case in known
        ]
        return city_figures(cut, as_of)

    before, after = at(-7), at(60)
    assert not before["slowing"]["flag"]
    assert after["slowing"]["flag"]
    mature = [week["followed_up"][0] for week in after["weekly"]]
    shares = [row["share"] for row in mature if row["mature"]]
    assert sum(shares[-4:]) / 4 < 0.6 * sum(shares[:12]) / 12
