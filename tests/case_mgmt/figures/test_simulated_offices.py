# SPDX-License-Identifier: AGPL-3.0-or-later
"""Forty offices from log to ranking: alike, and with one slow and one that closes at once."""

from typing import Any

import pytest

from tests.support.city import CityPlan, build_city
from tests.support.offices_city import releases

pytestmark = pytest.mark.slow


def ranking(**unlike: int) -> dict[str, Any]:
    city = build_city(CityPlan(reports=6_000, offices=40, seed=1, **unlike))
    found = releases(city, [city.leaves[-1].period])[0][1]["ranking"]
    assert isinstance(found, dict)
    return found


def test_forty_offices_alike_are_not_ranked() -> None:
    found = ranking()
    assert (found["best"], found["worst"]) == ([], [])
    assert found["compared"] >= 35


def test_the_slow_office_and_the_one_that_closes_at_once_are_found_and_nobody_else() -> None:
    found = ranking(slow_office=7, gaming_office=9)
    assert found["best"] == []
    assert set(found["worst"]) == {"kantor-07", "kantor-09"}
