# SPDX-License-Identifier: AGPL-3.0-or-later
"""The two waiting curves of the city as objects: to the first follow-up, and to the outcome.

Invariants
* Both run over the edges of the waiting bands, as far as anybody was watched.
* A median rests on ten events; "not reached" is said, never guessed.

Source: docs/spec/figures.md section 5.
"""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Any

from case_mgmt.figures.definitions import CURVE_EVENTS, OUTCOME_CAUSES, code_name
from case_mgmt.figures.reading import to_first_follow_up, to_outcome
from case_mgmt.figures.shares import rounded, ten_thousandths
from case_mgmt.figures.survival import (
    Estimate,
    aalen_johansen,
    crossing,
    kaplan_meier,
    steps,
)
from case_mgmt.publication.history import LoggedCase
from case_mgmt.publication.leaves import WAIT_EDGES, Code


def first_follow_up_curve(cases: Sequence[LoggedCase], as_of: date) -> dict[str, Any]:
    """`first_follow_up` of figures.json."""
    rows = steps((to_first_follow_up(case, as_of) for case in cases), WAIT_EDGES)
    curve = kaplan_meier(rows)
    events = sum(row.events for row in rows)
    return {
        "n": len(cases),
        "events": events,
        "median": _median(curve) if events >= CURVE_EVENTS else None,
        "curve": [
            {
                "days": point.step.days,
                "at_risk": point.step.at_risk,
                "events": point.step.events,
                "waiting": _written(point.value),
                "low": rounded(point.low),
                "high": rounded(point.high),
            }
            for point in curve
        ],
    }


def outcome_curves(cases: Sequence[LoggedCase], as_of: date) -> dict[str, Any]:
    """`outcome` of figures.json: one curve for each way in which waiting can end."""
    rows = steps((to_outcome(case, as_of) for case in cases), WAIT_EDGES)
    return {
        "n": len(cases),
        "curves": [_curve(cause, aalen_johansen(rows, cause)) for cause in OUTCOME_CAUSES],
    }


def _curve(cause: Code, curve: Sequence[Estimate]) -> dict[str, Any]:
    points = [
        {
            "days": point.step.days,
            "at_risk": point.step.at_risk,
            "events": point.step.ended.get(cause, 0),
            "share": _written(point.value),
            "low": rounded(point.low),
            "high": rounded(point.high),
        }
        for point in curve
    ]
    events = sum(point.step.ended.get(cause, 0) for point in curve)
    return {"cause": code_name(cause), "events": events, "points": points}


def _median(curve: Sequence[Estimate]) -> dict[str, int | None]:
    return {
        "days": crossing([(point.step.days, point.value) for point in curve]),
        "low": crossing([(point.step.days, point.low) for point in curve]),
        "high": crossing([(point.step.days, point.high) for point in curve]),
    }


def _written(value: Fraction) -> int:
    return ten_thousandths(value.numerator, value.denominator) or 0
