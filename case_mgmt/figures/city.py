# SPDX-License-Identifier: AGPL-3.0-or-later
"""The city's figures: exact, and the same for everybody who counts the same log.

Invariants
* Input is the log alone, `as_of` and the canaries revealed; nothing an office says beside it.
* Nothing ages out of a total: open + closed + withdrawn = received.
* A share is shown for weeks whose days are over; until then the count stands without a share.
* Revealed canaries are in no count but their own.

Source: docs/spec/figures.md section 2; reference for the measures: Spiegelhalter (2005) and the
notes in docs/spec/figures.md section 5.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from case_mgmt.figures.canaries import canary_figures
from case_mgmt.figures.definitions import (
    AGE_EDGES,
    CLOSINGS,
    DEFINITIONS,
    SHARE_DAYS,
    TREND_DAYS,
    code_name,
)
from case_mgmt.figures.reading import (
    answer,
    closings,
    examined_within,
    exposure,
    first_closing_is_hasty,
    followed_up_within,
    is_contested,
    standing,
)
from case_mgmt.figures.shares import cohort, share
from case_mgmt.figures.trend import Cohort, slowing
from case_mgmt.figures.waiting import first_follow_up_curve, outcome_curves
from case_mgmt.publication.history import LoggedCase, Window
from case_mgmt.publication.leaves import Code

Measure = Callable[[LoggedCase, int], bool]
_MEASURES: Final[dict[str, Measure]] = {
    "followed_up": followed_up_within,
    "examined": examined_within,
}


@dataclass(frozen=True)
class _Week:
    window: Window
    exposure: int
    reached: dict[str, dict[int, int]]
    received: int


def city_figures(
    cases: Iterable[LoggedCase], as_of: date, revealed: Collection[bytes] = frozenset()
) -> dict[str, Any]:
    """figures.json; `revealed` are the pseudonyms of the canaries.  Raises InputError."""
    every = tuple(cases)
    counted = tuple(case for case in every if case.pseudonym not in revealed)
    canaries = tuple(case for case in every if case.pseudonym in revealed)
    weeks = _weeks(counted, as_of)
    return {
        "v": 1,
        "definitions": DEFINITIONS,
        "as_of": as_of.isoformat(),
        **_totals(counted),
        "headline": {
            name: [_within(weeks, name, days) for days in SHARE_DAYS] for name in _MEASURES
        },
        "weekly": [_week_object(week) for week in weeks],
        "first_follow_up": first_follow_up_curve(counted, as_of),
        "outcome": outcome_curves(counted, as_of),
        **_ages(counted, as_of),
        **_closings(counted),
        "canaries": canary_figures(canaries),
        "slowing": slowing({days: _mature(weeks, days) for days in TREND_DAYS}),
    }


def _totals(cases: Sequence[LoggedCase]) -> dict[str, int]:
    codes = [standing(case)[0] for case in cases]
    closed = sum(code in CLOSINGS for code in codes)
    withdrawn = codes.count(Code.WITHDRAWN)
    return {
        "received": len(cases),
        "open": len(cases) - closed - withdrawn,
        "closed": closed,
        "withdrawn": withdrawn,
    }


def _weeks(cases: Sequence[LoggedCase], as_of: date) -> tuple[_Week, ...]:
    groups: dict[tuple[date, date], list[LoggedCase]] = {}
    for case in cases:
        groups.setdefault((case.window.last, case.window.first), []).append(case)
    return tuple(
        _Week(
            Window(first, last),
            exposure(Window(first, last), as_of),
            {
                name: {days: sum(measure(case, days) for case in group) for days in SHARE_DAYS}
                for name, measure in _MEASURES.items()
            },
            len(group),
        )
        for (last, first), group in sorted(groups.items())
    )


def _within(weeks: Sequence[_Week], name: str, days: int) -> dict[str, Any]:
    mature = [week for week in weeks if week.exposure >= days]
    count = sum(week.reached[name][days] for week in mature)
    return {"days": days, **share(count, sum(week.received for week in mature))}


def _week_object(week: _Week) -> dict[str, Any]:
    rows = {
        name: [
            cohort(days, reached[days], week.received, mature=week.exposure >= days)
            for days in SHARE_DAYS
        ]
        for name, reached in week.reached.items()
    }
    days = {"from": week.window.first.isoformat(), "to": week.window.last.isoformat()}
    return {**days, "received": week.received, **rows}


def _mature(weeks: Sequence[_Week], days: int) -> tuple[Cohort, ...]:
    return tuple(
        Cohort(week.received, week.reached["followed_up"][days])
        for week in weeks
        if week.exposure >= days
    )


def _ages(cases: Sequence[LoggedCase], as_of: date) -> dict[str, Any]:
    waits = [
        exposure(case.window, as_of)
        for case in cases
        if standing(case)[0] not in {*CLOSINGS, Code.WITHDRAWN}
    ]
    firsts = (0, *(last + 1 for last in AGE_EDGES))
    bands = zip(firsts, (*AGE_EDGES, None), strict=True)
    return {
        "open_ages": [
            {
                "from": first,
                "to": last,
                "count": sum(first <= wait and (last is None or wait <= last) for wait in waits),
            }
            for first, last in bands
        ],
        "oldest_open_days": max(waits, default=None),
    }


def _closings(cases: Sequence[LoggedCase]) -> dict[str, Any]:
    ever = [case for case in cases if closings(case)]
    same_day = sum(closings(case)[0] == 0 for case in ever)
    outcomes = [_outcome(code, cases) for code in CLOSINGS]
    return {
        "outcomes": outcomes,
        "confirmations": {
            "asked": sum(row["count"] for row in outcomes),
            **{
                name: sum(row[name] for row in outcomes)
                for name in ("settled", "not_settled", "silent")
            },
        },
        "contested": share(sum(map(is_contested, ever)), len(ever)),
        "same_day_closings": share(same_day, len(ever)),
        "hasty_closings": share(sum(map(first_closing_is_hasty, ever)), len(ever)),
    }


def _outcome(code: Code, cases: Sequence[LoggedCase]) -> dict[str, Any]:
    said = Counter(answer(case) for case in cases if standing(case)[0] is code)
    return {
        "code": code_name(code),
        "count": said.total(),
        "settled": said[Code.SETTLED],
        "not_settled": said[Code.NOT_SETTLED],
        "silent": said[None],
    }
