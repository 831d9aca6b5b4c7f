# SPDX-License-Identifier: AGPL-3.0-or-later
"""Shares and their intervals as whole ten-thousandths.

Invariants
* The share itself is exact and rounded half up; nobody gets another number from the same counts.
* A share of nothing is null.

Source: Wilson (1927), score interval without continuity correction.
"""

import math
from typing import Any

from case_mgmt.figures.definitions import WHOLE, Z95


def ten_thousandths(count: int, of: int) -> int | None:
    """The share, rounded half up; null of nothing."""
    return None if of == 0 else (2 * WHOLE * count + of) // (2 * of)


def rounded(value: float) -> int:
    """A number between 0 and 1 as ten-thousandths."""
    return min(WHOLE, max(0, math.floor(WHOLE * value + 0.5)))


def wilson(count: int, of: int) -> tuple[int | None, int | None]:
    """The 95 % score interval of a share."""
    if of == 0:
        return None, None
    share = count / of
    square = Z95 * Z95
    centre = share + square / (2 * of)
    half = Z95 * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    whole = 1 + square / of
    return rounded((centre - half) / whole), rounded((centre + half) / whole)


def share(count: int, of: int) -> dict[str, Any]:
    """SHARE of the specification."""
    low, high = wilson(count, of)
    return {
        "count": count,
        "of": of,
        "share": ten_thousandths(count, of),
        "low": low,
        "high": high,
    }


def cohort(days: int, count: int, of: int, *, mature: bool) -> dict[str, Any]:
    """COHORT of the specification: no share before everybody has had the days."""
    low, high = wilson(count, of) if mature else (None, None)
    return {
        "days": days,
        "count": count,
        "mature": mature,
        "share": ten_thousandths(count, of) if mature else None,
        "low": low,
        "high": high,
    }
