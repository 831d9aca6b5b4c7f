# SPDX-License-Identifier: AGPL-3.0-or-later
"""Published cells as tables.json, and the ranking that follows from them.

Invariant: everything here follows from published cells and the city's totals; whoever has the
releases can make the same object again (`ranking_of`).

Source: docs/spec/figures.md section 3.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from case_mgmt.figures.definitions import DEFINITIONS, RANK_DAYS, K
from case_mgmt.figures.draft import office_keys
from case_mgmt.figures.money import NOTHING
from case_mgmt.figures.offices import Office, Ranking, Target, funnel_limits, rank
from case_mgmt.figures.published import (
    EXAMINED,
    NOT_EXAMINED,
    ONE_WAY,
    TWO_WAY,
    UNITS,
    Key,
    MoneyRow,
    Published,
)
from case_mgmt.figures.shares import ten_thousandths


def tables_object(release: Published, days: Mapping[date, Published]) -> dict[str, Any]:
    """tables.json; `days` holds this and all earlier releases by their day."""
    offices = _offices(release)
    targets = {
        office.since: Target(days[office.since].examined, days[office.since].mature)
        for office in offices
    }
    targets[release.as_of] = Target(release.examined, release.mature)
    ranking = rank(offices, targets)
    return {
        "v": 1,
        "definitions": DEFINITIONS,
        "as_of": release.as_of.isoformat(),
        "k": K,
        "oneway": [{"by": name, "cells": _one_way(release, name)} for name in ONE_WAY],
        "twoway": [
            {"rows": rows, "columns": columns, "cells": _two_way(release, f"{rows}_{columns}")}
            for rows, columns in TWO_WAY
        ],
        "units": [_office_object(office, ranking) for office in offices],
        "funnel": {
            "days": RANK_DAYS,
            "targets": [_target_object(day, targets[day]) for day in sorted(targets)],
            "limits": funnel_limits(targets[release.as_of]),
        },
        "ranking": {
            "best": list(ranking.best),
            "worst": list(ranking.worst),
            "compared": ranking.compared,
        },
        "money": [_money_object(name, row) for name, row in sorted(release.money.items())],
    }


def ranking_of(release: Published, tables: Mapping[str, Any]) -> Ranking:
    """The ranking that follows from a release's own tables.  For whoever verifies it."""
    targets = {
        date.fromisoformat(row["as_of"]): Target(row["examined"], row["of"])
        for row in tables["funnel"]["targets"]
    }
    return rank(_offices(release), targets)


def _offices(release: Published) -> tuple[Office, ...]:
    units = sorted({key.row for key in release.cells if key.table == UNITS})
    return tuple(Office(unit, *(release.cells[key] for key in office_keys(unit))) for unit in units)


def _one_way(release: Published, table: str) -> list[dict[str, Any]]:
    return [
        {"value": key.row, "count": cell.count, "since": cell.since.isoformat()}
        for key, cell in _of(release, table)
    ]


def _two_way(release: Published, table: str) -> list[dict[str, Any]]:
    return [
        {
            "row": key.row,
            "column": key.column,
            "count": cell.count,
            "since": cell.since.isoformat(),
        }
        for key, cell in _of(release, table)
    ]


def _of(release: Published, table: str) -> list[tuple[Key, Any]]:
    return sorted((key, cell) for key, cell in release.cells.items() if key.table == table)


def _office_object(office: Office, ranking: Ranking) -> dict[str, Any]:
    below = EXAMINED if office.examined.below else None
    return {
        "unit": office.unit,
        "examined": office.examined.count,
        "not_examined": office.not_examined.count,
        "below": NOT_EXAMINED if office.not_examined.below else below,
        "share": office.share,
        "standing": ranking.standing(office),
        "since": office.since.isoformat(),
    }


def _target_object(day: date, target: Target) -> dict[str, Any]:
    return {
        "as_of": day.isoformat(),
        "examined": target.examined,
        "of": target.of,
        "share": ten_thousandths(target.examined, target.of),
    }


def _money_object(service: str, row: MoneyRow) -> dict[str, Any]:
    nothing = (row.asked, row.paid) == (NOTHING, NOTHING)
    return {
        "by": "service",
        "value": service,
        "asked_at_least": row.asked.at_least,
        "asked_median": row.asked.median,
        "paid_at_least": row.paid.at_least,
        "paid_median": None if nothing else row.paid.median,
        "since": row.since.isoformat(),
    }
