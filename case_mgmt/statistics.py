# SPDX-License-Identifier: AGPL-3.0-or-later
"""The public counts, with small numbers left out.

Invariants
* A count below `SMALLEST` is None: it could describe somebody.
* A left-out count cannot be worked out by subtraction from the others of its group: when exactly
  one part of a whole is left out, the smallest remaining part is left out as well.
* Follow-up means the first message of the office; the receipt does not count.

Source: the publication rules of docs/spec/acts.md, section 8.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from case_mgmt.model import CLOSINGS, OPEN, State

SMALLEST: Final = 10
OUTCOMES: Final = (*sorted(CLOSINGS), State.WITHDRAWN)


@dataclass(frozen=True)
class CaseFacts:
    """All that the counts need to know about one case."""

    arrival: date
    state: State
    first_follow_up: date | None
    overdue: bool


def publish(cases: Iterable[CaseFacts], as_of: date) -> dict[str, Any]:
    """The statistics object of the feed."""
    facts = tuple(cases)
    is_open = sum(fact.state in OPEN for fact in facts)
    outcomes = {code.value: sum(fact.state is code for fact in facts) for code in OUTCOMES}
    shown = _suppress({"open": is_open, "closed": len(facts) - is_open})
    shown_outcomes = _suppress(outcomes)
    if shown["closed"] is None:
        shown_outcomes = dict.fromkeys(outcomes)
    return {
        "v": 1,
        "as_of": as_of.isoformat(),
        "received": _shown(len(facts)),
        "open": shown["open"],
        "followed_up_7": _shown(_followed_up(facts, 7)),
        "followed_up_30": _shown(_followed_up(facts, 30)),
        "closed": shown["closed"],
        "overdue": _shown(sum(fact.overdue for fact in facts)),
        "outcomes": shown_outcomes,
    }


def _shown(count: int) -> int | None:
    return count if count >= SMALLEST else None


def _suppress(parts: Mapping[str, int]) -> dict[str, int | None]:
    """Leave out small parts, and one more where a single one could be worked out."""
    shown = {name: _shown(count) for name, count in parts.items()}
    small = [name for name, count in parts.items() if 0 < count < SMALLEST]
    kept = sorted((count, name) for name, count in parts.items() if shown[name] is not None)
    if len(small) == 1 and kept:
        shown[kept[0][1]] = None
    return shown


def _followed_up(facts: Iterable[CaseFacts], days: int) -> int:
    return sum(
        fact.first_follow_up is not None and (fact.first_follow_up - fact.arrival).days <= days
        for fact in facts
    )
