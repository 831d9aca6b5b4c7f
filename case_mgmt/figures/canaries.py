# SPDX-License-Identifier: AGPL-3.0-or-later
"""How the auditor's own test reports were answered.

Invariants
* Only revealed canaries are counted, and only here.
* A wait is the upper edge of its band; an answer after the last edge has no number of days.

Source: docs/spec/figures.md section 7.
"""

from collections.abc import Sequence
from typing import Any

from case_mgmt.figures.definitions import CANARY_DAYS
from case_mgmt.figures.reading import edge, first_follow_up, followed_up_within
from case_mgmt.publication.history import LoggedCase


def canary_figures(canaries: Sequence[LoggedCase]) -> dict[str, Any]:
    """`canaries` of figures.json; the unanswered count as waiting longest."""
    bands = [first_follow_up(case) for case in canaries]
    waits = sorted(band for band in bands if band is not None)
    middle = (len(canaries) - 1) // 2
    all_answered = canaries and len(waits) == len(canaries)
    return {
        "sent": len(canaries),
        "answered": len(waits),
        "within": [
            {"days": days, "count": sum(followed_up_within(case, days) for case in canaries)}
            for days in CANARY_DAYS
        ],
        "median_days": edge(waits[middle]) if canaries and middle < len(waits) else None,
        "worst_days": edge(waits[-1]) if all_answered else None,
    }
