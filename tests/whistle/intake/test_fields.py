# SPDX-License-Identifier: AGPL-3.0-or-later
"""What may be answered to each question."""

from datetime import date

import pytest

from whistle import limits
from whistle.intake import fields
from whistle.intake.fields import REPORT_FIELDS, Field, Kind, year_options

BY_NAME = {field.name: field for field in REPORT_FIELDS}


def test_names_and_order() -> None:
    assert [field.name for field in REPORT_FIELDS] == [
        "story",
        "happened",
        "unit",
        "service",
        "place",
        "month",
        "year",
        "how",
        "reason",
        "asked",
        "paid",
        "who",
        "witnesses",
        "others",
        "elsewhere",
        "wish",
        "danger",
        "exclude_unit",
    ]


def test_only_the_story_is_required() -> None:
    assert [field.name for field in REPORT_FIELDS if field.required] == ["story"]


def test_nothing_needs_to_be_answered_but_the_story() -> None:
    assert [field.name for field in REPORT_FIELDS if not field.accepts("")] == ["story"]


@pytest.mark.parametrize("field", REPORT_FIELDS, ids=lambda field: field.name)
def test_every_code_is_accepted_and_no_other(field: Field) -> None:
    assert all(field.accepts(code) for code in field.options)
    if field.kind in (Kind.CHOICE, Kind.CATALOGUE):
        for wrong in ("nothing", field.name, " ", "\0", "<script>"):
            assert not field.accepts(wrong)


@pytest.mark.parametrize("field", REPORT_FIELDS, ids=lambda field: field.name)
def test_codes_are_short_ascii_and_differ(field: Field) -> None:
    assert len(set(field.options)) == len(field.options)
    for code in field.options:
        assert code.isascii()
        assert code.replace("_", "").isalnum()
        assert len(code) <= field.max_chars


@pytest.mark.parametrize("field", [BY_NAME["unit"], BY_NAME["service"], BY_NAME["exclude_unit"]])
def test_catalogue_ids(field: Field) -> None:
    assert field.accepts("kel-melati", {"kel-melati"})
    assert not field.accepts("kel-melati", {"kel-kenanga"})
    assert not field.accepts("kel-melati")


@pytest.mark.parametrize("field", [BY_NAME["story"], BY_NAME["place"], fields.CODE])
def test_length_at_the_edge(field: Field) -> None:
    assert field.accepts("x" * field.max_chars)
    assert not field.accepts("x" * (field.max_chars + 1))


@pytest.mark.parametrize("year", ["1999", "2026", "2099"])
def test_years(year: str) -> None:
    assert BY_NAME["year"].accepts(year)


@pytest.mark.parametrize("year", ["26", "1899", "2100", "20261", "٢٠٢٦", "2026\n", "-202"])
def test_other_years(year: str) -> None:
    assert not BY_NAME["year"].accepts(year)


def test_years_offered() -> None:
    years = year_options(date(2026, 1, 1))
    assert (years[0], len(years)) == ("2026", fields.YEARS_OFFERED)
    assert all(BY_NAME["year"].accepts(year) for year in years)


def test_confirming_takes_a_tick() -> None:
    assert fields.CONFIRM.accepts("yes")
    assert not fields.CONFIRM.accepts("")
    assert not fields.CONFIRM.accepts("on")


def test_the_answers_fit_the_server() -> None:
    assert fields.MAX_FILES == limits.MAX_FILES
    assert sum(4 * field.max_chars for field in REPORT_FIELDS) <= limits.MAX_TEXT_BYTES
    assert len(REPORT_FIELDS) + fields.MAX_FILES < limits.MAX_PARTS
