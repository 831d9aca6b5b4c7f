# SPDX-License-Identifier: AGPL-3.0-or-later
"""The flag "follow-up is slowing down".

Invariants
* Only weeks whose days are over are used, the last twelve at most.
* The flag needs both: a fall that chance explains at most once in a hundred releases of a steady
  city, and a fall of ten percentage points between the older and the newer half.
* Too few weeks or reports: no flag.

Source: Cochran (1954) and Armitage (1955), test for trend in proportions; docs/spec/figures.md
section 6.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from case_mgmt.figures.definitions import (
    TREND_DAYS,
    TREND_DROP,
    TREND_LEAST_REPORTS,
    TREND_LEAST_WINDOWS,
    TREND_LEVEL,
    TREND_WINDOWS,
)
from case_mgmt.figures.shares import ten_thousandths


@dataclass(frozen=True)
class Cohort:
    """A week's reports and how many of them were followed up in time."""

    received: int
    followed_up: int


def slowing(series: Mapping[int, Sequence[Cohort]]) -> dict[str, Any]:
    """The flag; `series` holds, by days, the mature cohorts from old to new."""
    recent = {days: tuple(series[days])[-TREND_WINDOWS:] for days in TREND_DAYS}
    for days in TREND_DAYS:
        before, after = _halves(recent[days])
        if before is not None and after is not None and _falls(recent[days], before - after):
            return _answer(len(recent[days]), days, before, after)
    return _answer(len(recent[TREND_DAYS[0]]), None, None, None)


def p_falling(cohorts: Sequence[Cohort]) -> float:
    """One-sided probability of such a fall if nothing changes."""
    total = sum(each.received for each in cohorts)
    reached = sum(each.followed_up for each in cohorts)
    if reached in {0, total}:
        return 1.0
    share = reached / total
    mean = sum(place * each.received for place, each in enumerate(cohorts)) / total
    slope = sum((place - mean) * each.followed_up for place, each in enumerate(cohorts))
    spread = sum((place - mean) ** 2 * each.received for place, each in enumerate(cohorts))
    if spread == 0:
        return 1.0
    score = slope / math.sqrt(share * (1 - share) * spread)
    return 0.5 * math.erfc(-score / math.sqrt(2))


def _falls(cohorts: Sequence[Cohort], drop: int) -> bool:
    enough = (
        len(cohorts) >= TREND_LEAST_WINDOWS
        and sum(each.received for each in cohorts) >= TREND_LEAST_REPORTS
    )
    return enough and drop >= TREND_DROP and p_falling(cohorts) <= TREND_LEVEL


def _halves(cohorts: Sequence[Cohort]) -> tuple[int | None, int | None]:
    middle = len(cohorts) // 2
    return _pooled(cohorts[:middle]), _pooled(cohorts[middle:])


def _pooled(cohorts: Sequence[Cohort]) -> int | None:
    reached = sum(each.followed_up for each in cohorts)
    return ten_thousandths(reached, sum(each.received for each in cohorts))


def _answer(
    windows: int, days: int | None, before: int | None, after: int | None
) -> dict[str, Any]:
    return {
        "flag": days is not None,
        "windows": windows,
        "days": days,
        "before": before,
        "after": after,
    }
