# SPDX-License-Identifier: AGPL-3.0-or-later
"""Tables over several releases: rules, ranking, and what one report changes."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest

from case_mgmt.figures.attack import attack
from case_mgmt.figures.cards import CardedCase
from case_mgmt.figures.city import city_figures
from case_mgmt.figures.errors import InputError, PastError
from case_mgmt.figures.published import parse
from case_mgmt.figures.tables import attribute_tables
from case_mgmt.figures.writing import ranking_of
from crypto.encoding import canonical_json
from tests.support.city import City, CityPlan, build_city
from tests.support.histories import SUNDAY, logged
from tests.support.offices_city import Pair, releases

pytestmark = pytest.mark.slow
FEW = dict.fromkeys(("unit", "service", "subject", "how", "asked", "paid"), ("x", "y"))


def quarters(city: City, number: int) -> list[date]:
    """Sundays a quarter apart."""
    last = city.leaves[-1].period
    return [last - timedelta(days=91 * back) for back in reversed(range(number))]


@pytest.fixture(scope="module")
def city() -> City:
    return build_city(CityPlan(reports=1_200, days=364, offices=8, slow_office=3, gaming_office=5))


@pytest.fixture(scope="module")
def published(city: City) -> list[Pair]:
    return releases(city, quarters(city, 3))


def cells(pair: Pair) -> dict[Any, Any]:
    return dict(parse(*pair).cells)


def test_no_count_below_ten_and_no_small_change(published: list[Pair]) -> None:
    seen: dict[Any, int] = {}
    shown = 0
    for pair in published:
        for key, cell in cells(pair).items():
            if cell.count is None:
                continue
            shown += 1
            assert cell.count >= 10
            change = abs(cell.count - seen.get(key, 0))
            assert change == 0 or change >= 10
            seen[key] = cell.count
    assert shown > 50


def test_the_attack_on_what_was_published_finds_nothing(published: list[Pair]) -> None:
    report = attack([parse(*pair) for pair in published])
    assert report.found == ()
    assert report.cells > 100
    assert report.changes > 100


def test_a_planted_five_is_caught(published: list[Pair]) -> None:
    """The same tables with one hidden cell shown as the rule k = 5 would show it."""
    figures, tables = published[-1]
    planted = canonical_copy(tables)
    cell = next(cell for cell in planted["oneway"][1]["cells"] if cell["count"] is None)
    cell["count"] = 5
    found = attack([parse(figures, planted)]).found
    assert ("subject", cell["value"]) in {(each.key.table, each.key.row) for each in found}


def canonical_copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: canonical_copy(each) for key, each in value.items()}
    return [canonical_copy(each) for each in value] if isinstance(value, list) else value


def test_the_slow_office_and_the_closing_office_are_worst_and_nobody_is_best(
    published: list[Pair],
) -> None:
    ranking = published[-1][1]["ranking"]
    assert {"kantor-03", "kantor-05"} >= set(ranking["worst"]) != set()
    assert "kantor-05" not in ranking["best"]
    assert "kantor-03" not in ranking["best"]


def test_whoever_has_the_release_recomputes_the_ranking(published: list[Pair]) -> None:
    for figures, tables in published:
        ranking = ranking_of(parse(figures, tables), tables)
        assert tables["ranking"] == {
            "best": list(ranking.best),
            "worst": list(ranking.worst),
            "compared": ranking.compared,
        }


def test_the_objects_have_one_canonical_form(published: list[Pair]) -> None:
    for _, tables in published:
        assert canonical_json(tables)


@pytest.mark.parametrize("number", [0, 40])
def test_one_report_more_or_elsewhere_tells_its_office_nothing(
    city: City, published: list[Pair], number: int
) -> None:
    """An office knows the log, all releases, and who came to its counter in which week.

    All releases are made again as if one report were about another office, service and amount.
    Figures and log stay the same to the byte.  Where the tables differ, each of the two worlds says
    nothing or tells of ten reports or more, now and since the release before; and the attack finds
    nothing in either, so neither world can be told from one in which the report is missing.
    """
    days = quarters(city, 3)
    person = [case for case in city.cases if days[0] < case.arrival <= days[1]][number]
    other = "kantor-01" if person.unit != "kantor-01" else "kantor-02"
    changed = {person.pseudonym: {"unit": other, "service": "kk", "asked_band": "zero"}}
    world = releases(city, days, changed)
    assert [pair[0] for pair in world] == [pair[0] for pair in published]
    assert attack([parse(*pair) for pair in world]).found == ()
    for place, (ours, theirs) in enumerate(zip(published, world, strict=True)):
        for key, cell in cells(ours).items():
            if cell == cells(theirs)[key]:
                continue
            assert is_crowd(published[: place + 1], key)
            assert is_crowd(world[: place + 1], key)


def is_crowd(pairs: list[Pair], key: Any) -> bool:
    counts = [cells(pair)[key].count for pair in pairs]
    said = [count for count in counts if count is not None]
    changes = [abs(after - before) for before, after in pairwise(said)]
    return all(count >= 10 for count in said) and all(each == 0 or each >= 10 for each in changes)


def test_cards_that_are_not_those_of_the_figures_are_refused() -> None:
    cases = [logged(SUNDAY) for _ in range(12)]
    figures = city_figures(cases, SUNDAY)
    with pytest.raises(InputError):
        attribute_tables([CardedCase(case) for case in cases[1:]], figures, [], FEW)


def test_a_release_that_is_not_earlier_or_not_a_release_is_refused() -> None:
    cases = [logged(SUNDAY) for _ in range(12)]
    figures = city_figures(cases, SUNDAY)
    cards = [CardedCase(case, unit="x") for case in cases]
    made = attribute_tables(cards, figures, [], FEW)
    with pytest.raises(InputError):
        attribute_tables(cards, figures, [(figures, made.tables)], FEW)
    with pytest.raises(PastError):
        attribute_tables(cards, figures, [(figures, {"as_of": figures["as_of"]})], FEW)


def test_values_outside_the_list_count_as_unknown_and_nothing_is_lost() -> None:
    cases = [logged(SUNDAY) for _ in range(60)]
    figures = city_figures(cases, SUNDAY)
    cards = [CardedCase(case, subject=name) for case, name in zip(cases, "xyz" * 20, strict=True)]
    tables = attribute_tables(cards, figures, [], FEW).tables
    subject = next(table for table in tables["oneway"] if table["by"] == "subject")
    assert {cell["value"]: cell["count"] for cell in subject["cells"]} == {
        "unknown": 20,
        "x": 20,
        "y": 20,
    }
