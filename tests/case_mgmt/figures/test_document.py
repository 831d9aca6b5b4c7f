# SPDX-License-Identifier: AGPL-3.0-or-later
"""The specification, the sample and the code have the same shapes and the same definitions."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from case_mgmt.figures import definitions
from case_mgmt.figures.cards import ATTRIBUTES, CardedCase
from case_mgmt.figures.city import city_figures
from case_mgmt.figures.tables import attribute_tables
from case_mgmt.publication.leaves import WAIT_EDGES, Code
from tests.support.histories import SUNDAY, logged
from tests.support.sample_figures import sample_figures, sample_suppression, sample_tables

TEXT = (Path(__file__).parents[3] / "docs/spec/figures.md").read_text(encoding="utf-8")
AS_OF = SUNDAY + timedelta(days=98)


def shape(value: Any) -> Any:
    """Names and nesting; of a list all outlines in it; of a value nothing."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return ["list", *sorted({repr(outline(each)) for each in value})]
    return None


def outline(value: Any) -> Any:
    return sorted(value) if isinstance(value, dict) else type(value).__name__


def made() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    cases = [
        logged(SUNDAY, (Code.EXAMINING, 2), (Code.UPHELD_FIXED, 40), (Code.SETTLED, 42))
        for _ in range(60)
    ]
    figures = city_figures(cases, AS_OF)
    cards = [
        CardedCase(case, "xy"[n % 2], "xy"[n % 2], "x", "y", "50k_100k", "50k_100k")
        for n, case in enumerate(cases)
    ]
    fields = dict.fromkeys(ATTRIBUTES, ("x", "y")) | {
        "asked": ("50k_100k",),
        "paid": ("50k_100k",),
    }
    tables = attribute_tables(cards, figures, [], fields)
    return figures, tables.tables, tables.suppression


def test_the_sample_has_the_shape_of_what_is_made() -> None:
    figures, tables, suppression = made()
    pairs = (
        (figures, sample_figures()),
        (tables, sample_tables()),
        (suppression, sample_suppression()),
    )
    for ours, sample in pairs:
        assert sorted(ours) == sorted(sample)
        for name, value in sample.items():
            if name != "ranking":
                assert shape(ours[name]) == shape(value), name


def test_every_name_is_in_the_specification() -> None:
    def names(value: Any) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*map(names, value.values()))
        return set().union(*map(names, value)) if isinstance(value, list) else set()

    assert [
        name for made_one in made() for name in names(made_one) if f'"{name}"' not in TEXT
    ] == []


def test_the_numbers_in_the_specification_are_those_of_the_code() -> None:
    assert f"Definitions `{definitions.DEFINITIONS}`" in TEXT
    assert set(definitions.SHARE_DAYS) | {definitions.RANK_DAYS} <= set(WAIT_EDGES)
    assert (definitions.K, definitions.RANK_LEAST, definitions.LISTED) == (10, 30, 15)
    assert f"within {definitions.HASTY_DAYS} days of arrival" in TEXT
    assert f"(at least {definitions.TREND_LEAST_WINDOWS} weeks and" in TEXT
    assert definitions.FAMILY_LEVEL == 2 * definitions.TREND_LEVEL == 0.01
