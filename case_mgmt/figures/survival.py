# SPDX-License-Identifier: AGPL-3.0-or-later
"""Waiting curves: Kaplan-Meier, and Aalen-Johansen where waiting can end in several ways.

Invariants
* Estimates are exact fractions; only the intervals are floating point.
* A case censored on a day is still at risk on that day.
* The incidences of all causes and the share still waiting add up to one.
* Intervals are log-log with Greenwood's variance (delta method for incidences).

Sources: Kaplan & Meier (1958); Aalen & Johansen (1978); Collett, Modelling Survival Data in
Medical Research, 3rd ed., sections 2.2 and 12.2.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from case_mgmt.figures.definitions import Z95
from case_mgmt.figures.reading import Observation
from case_mgmt.publication.leaves import Code


@dataclass(frozen=True)
class Step:
    """One day of the grid: how many are still watched, and what ends on it."""

    days: int
    at_risk: int
    ended: dict[Code, int]

    @property
    def events(self) -> int:
        """How many stop waiting on this day."""
        return sum(self.ended.values())


@dataclass(frozen=True)
class Estimate:
    """A probability with its 95 % interval on one day."""

    step: Step
    value: Fraction
    low: float
    high: float


def steps(observations: Iterable[Observation], grid: Sequence[int]) -> tuple[Step, ...]:
    """The table of the days of the grid on which anybody is still watched.

    `grid` is rising and holds every day on which something ends.
    """
    seen = Counter(observations)
    rows = []
    for days in grid:
        at_risk = sum(number for each, number in seen.items() if each.days >= days)
        if at_risk == 0:
            break
        ended: dict[Code, int] = {}
        for each, number in seen.items():
            if each.days == days and each.cause is not None:
                ended[each.cause] = number
        rows.append(Step(days, at_risk, ended))
    return tuple(rows)


def kaplan_meier(rows: Sequence[Step]) -> tuple[Estimate, ...]:
    """The share still waiting after each day."""
    waiting, variance, found = Fraction(1), 0.0, []
    for row in rows:
        waiting *= 1 - Fraction(row.events, row.at_risk)
        variance += _greenwood(row)
        deviation = math.sqrt(variance)
        found.append(Estimate(row, waiting, *_log_log(float(waiting), deviation)))
    return tuple(found)


def aalen_johansen(rows: Sequence[Step], cause: Code) -> tuple[Estimate, ...]:
    """The share that has ended in this way by each day."""
    before = [Fraction(1)]
    for row in rows:
        before.append(before[-1] * (1 - Fraction(row.events, row.at_risk)))
    reached: list[Fraction] = []
    total = Fraction(0)
    for row, waiting in zip(rows, before, strict=False):
        total += waiting * Fraction(row.ended.get(cause, 0), row.at_risk)
        reached.append(total)
    found = []
    for last, row in enumerate(rows):
        variance = _incidence_variance(rows[: last + 1], before, reached, cause)
        found.append(_incidence(row, reached[last], variance))
    return tuple(found)


def crossing(curve: Sequence[tuple[int, float | Fraction]]) -> int | None:
    """The first day on which a falling curve is at one half or below; None: not reached."""
    return next((days for days, value in curve if value <= Fraction(1, 2)), None)


def _greenwood(row: Step) -> float:
    left = row.at_risk - row.events
    return 0.0 if left == 0 else row.events / (row.at_risk * left)


def _log_log(value: float, deviation: float) -> tuple[float, float]:
    """Interval of a share still waiting; `deviation` is that of its logarithm."""
    if value in {0.0, 1.0}:
        return value, value
    exponent = Z95 * deviation / math.log(value)
    return value ** math.exp(-exponent), value ** math.exp(exponent)


def _incidence(row: Step, value: Fraction, variance: float) -> Estimate:
    share = float(value)
    if share in {0.0, 1.0}:
        return Estimate(row, value, share, share)
    logarithm = math.log(share)
    deviation = math.sqrt(max(0.0, variance)) / (share * -logarithm)
    low = math.exp(logarithm * math.exp(Z95 * deviation))
    high = math.exp(logarithm * math.exp(-Z95 * deviation))
    return Estimate(row, value, low, high)


def _incidence_variance(
    rows: Sequence[Step], before: Sequence[Fraction], reached: Sequence[Fraction], cause: Code
) -> float:
    now = reached[len(rows) - 1]
    total = 0.0
    for row, waiting, share in zip(rows, before, reached, strict=False):
        ended, still = row.ended.get(cause, 0), float(waiting)
        ahead = float(now - share)
        total += ahead * ahead * _greenwood(row)
        total += still * still * ended * (row.at_risk - ended) / row.at_risk**3
        total -= 2 * ahead * still * ended / row.at_risk**2
    return total
