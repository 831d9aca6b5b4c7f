# SPDX-License-Identifier: AGPL-3.0-or-later
"""A simulated city with cards: `release_at` makes figures and tables as a publisher would."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from case_mgmt.figures.cards import CardedCase
from case_mgmt.figures.city import city_figures
from case_mgmt.figures.tables import Tables, attribute_tables
from case_mgmt.publication.check import cases_from
from case_mgmt.publication.history import LoggedCase
from tests.support.city import HOW, MONEY, SERVICES, SUBJECTS, City, SimulatedCase

Pair = tuple[dict[str, Any], dict[str, Any]]


def domains(city: City) -> dict[str, Sequence[str]]:
    return {
        "unit": [f"kantor-{number:02d}" for number in range(1, city.plan.offices + 1)],
        "service": SERVICES,
        "subject": SUBJECTS,
        "how": HOW,
        "asked": MONEY,
        "paid": MONEY,
    }


def carded(case: LoggedCase, known: SimulatedCase) -> CardedCase:
    return CardedCase(
        case,
        unit=known.unit,
        service=known.service,
        subject=known.subject,
        how=known.how,
        asked_band=known.asked,
        paid_band=known.paid,
    )


def logged_until(city: City, as_of: date) -> tuple[LoggedCase, ...]:
    """The cases as a release of that day would read them from the log."""
    return tuple(
        replace(case, events=tuple(each for each in case.events if each.window.last <= as_of))
        for case in cases_from(city.leaves)
        if case.window.last <= as_of
    )


def releases(
    city: City, days: Sequence[date], changed: Mapping[bytes, Mapping[str, str]] | None = None
) -> list[Pair]:
    """All releases up to these days; `changed` gives some cases other attributes."""
    known = {case.pseudonym: case for case in city.cases}
    past: list[Pair] = []
    for day in days:
        cases = logged_until(city, day)
        cards = [
            replace(carded(case, known[case.pseudonym]), **(changed or {}).get(case.pseudonym, {}))
            for case in cases
        ]
        figures = city_figures(cases, day)
        made: Tables = attribute_tables(cards, figures, past, domains(city))
        past.append((figures, made.tables))
    return past
