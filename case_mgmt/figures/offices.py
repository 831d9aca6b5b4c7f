# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which offices follow up better or worse than chance explains: funnel limits, best and worst.

Invariants
* Only published counts go in, so the ranking tells nothing that the table does not, and anybody can
  recompute it.  Where a count is only said to be below ten, the office gets the benefit of the
  doubt: nine where many would help it, none where few would.
* An office is listed only beyond the 99.8 % limits, and only if it stays there after Holm's
  correction for the number of offices compared: if no office differs, the probability that anybody
  is listed in a release is at most 1 %.
* At most fifteen best and fifteen worst; none where none can be told apart.
* Volume is never ranked.

Sources: Spiegelhalter (2002, 2005); Holm (1979).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from case_mgmt.figures.binomial import at_least, at_most, limits
from case_mgmt.figures.definitions import (
    ALARM,
    ALERT,
    FAMILY_LEVEL,
    FUNNEL_SIZES,
    LISTED,
    RANK_LEAST,
    K,
)
from case_mgmt.figures.published import Cell
from case_mgmt.figures.shares import ten_thousandths


@dataclass(frozen=True)
class Office:
    """An office's row: reports examined in time and not, as published."""

    unit: str
    examined: Cell
    not_examined: Cell

    @property
    def since(self) -> date:
        """The release that first said so."""
        return self.examined.since

    @property
    def is_compared(self) -> bool:
        """Whether enough is published to compare it."""
        both = (self.examined, self.not_examined)
        said = all(cell.count is not None or cell.below for cell in both)
        return said and sum(cell.count or 0 for cell in both) >= RANK_LEAST

    @property
    def share(self) -> int | None:
        """The share examined, where both counts are published."""
        yes, no = self.examined.count, self.not_examined.count
        return None if yes is None or no is None else ten_thousandths(yes, yes + no)


@dataclass(frozen=True)
class Target:
    """The whole city at a release: what an office is compared with."""

    examined: int
    of: int

    @property
    def share(self) -> Fraction:
        """Exact; a city without reports compares with nothing."""
        return Fraction(self.examined, self.of) if self.of else Fraction(1, 2)


@dataclass(frozen=True)
class Ranking:
    """Who is beyond the limits, the furthest first."""

    best: tuple[str, ...]
    worst: tuple[str, ...]
    compared: int

    def standing(self, office: Office) -> str:
        """What the table says of an office."""
        if not office.is_compared:
            return "too_few"
        if office.unit in self.best:
            return "best"
        return "worst" if office.unit in self.worst else "within"


def rank(offices: Iterable[Office], targets: Mapping[date, Target]) -> Ranking:
    """List best and worst; `targets` holds the city at every `since`."""
    compared = [office for office in offices if office.is_compared]
    judged = sorted(
        (_p_value(office, targets[office.since].share), office.unit) for office in compared
    )
    listed = [name for _, name in _holm(judged)]
    sides = {name: side for (_, side), name in judged}
    return Ranking(
        tuple(name for name in listed if sides[name] > 0)[:LISTED],
        tuple(name for name in listed if sides[name] < 0)[:LISTED],
        len(compared),
    )


def funnel_limits(target: Target) -> list[dict[str, Any]]:
    """The limits of the funnel at round numbers of reports, in ten-thousandths."""
    rows = []
    for size in FUNNEL_SIZES:
        low95, high95 = limits(size, target.share, ALERT)
        low998, high998 = limits(size, target.share, ALARM)
        rows.append(
            {
                "n": size,
                "low95": ten_thousandths(low95, size),
                "high95": ten_thousandths(high95, size),
                "low998": ten_thousandths(low998, size),
                "high998": ten_thousandths(high998, size),
            }
        )
    return rows


def _p_value(office: Office, share: Fraction) -> tuple[float, int]:
    """Two-sided probability under the city's share, and the side (-1 worse, 1 better)."""
    most = K - 1
    yes, no = office.examined.count, office.not_examined.count
    better = at_least(yes or 0, (yes or 0) + (most if no is None else no), share)
    worse = at_most(most if yes is None else yes, (most if yes is None else yes) + (no or 0), share)
    return (min(1.0, 2 * better), 1) if better < worse else (min(1.0, 2 * worse), -1)


def _holm(
    judged: Sequence[tuple[tuple[float, int], str]],
) -> list[tuple[float, str]]:
    listed = []
    for place, ((p_value, _), unit) in enumerate(judged):
        if p_value > min(ALARM, FAMILY_LEVEL / (len(judged) - place)):
            break
        listed.append((p_value, unit))
    return listed
