# SPDX-License-Identifier: AGPL-3.0-or-later
"""The definitions every published number rests on, in one place and with a version.

Invariant: a constant here changes only together with `DEFINITIONS`; figures of different
definitions are never compared.

Source: docs/spec/figures.md.
"""

from typing import Final

from case_mgmt.publication.leaves import CLOSING_CODES, Code

DEFINITIONS: Final = "2026-1"
WHOLE: Final = 10_000
"""Shares are written in ten-thousandths."""
Z95: Final = 1.959963984540054
"""97.5 % point of the normal distribution."""

SHARE_DAYS: Final = (7, 30, 60, 90)
"""The headline: followed up within so many days of arrival.  All are edges of waiting bands."""
CURVE_EVENTS: Final = 10
"""A median rests on at least so many events."""
AGE_EDGES: Final = (7, 30, 60, 90, 180, 365)
CANARY_DAYS: Final = (3, 7, 30)

EXAMINING_CODES: Final = frozenset({Code.NEEDS_INFO, Code.EXAMINING, Code.REFERRED})
"""Real work on a report: a question, an examination, a referral."""
HASTY_DAYS: Final = 3
"""A closing within so many days of arrival is hasty whatever came before it."""
OUTCOME_CAUSES: Final = (
    Code.UPHELD_ACTION,
    Code.UPHELD_FIXED,
    Code.INSUFFICIENT,
    Code.OUTSIDE_MANDATE,
    Code.JOINED,
    Code.SET_ASIDE,
    Code.REFERRED,
    Code.WITHDRAWN,
)
"""The competing ends of waiting, in the order they are shown."""

TREND_WINDOWS: Final = 12
TREND_LEAST_WINDOWS: Final = 6
TREND_LEAST_REPORTS: Final = 60
TREND_DAYS: Final = (7, 30)
TREND_LEVEL: Final = 0.005
"""One-sided level of each of the two trend tests: together at most 1 % for a steady city."""
TREND_DROP: Final = 1_000
"""The flag also asks for a fall of ten percentage points: smaller ones may be real but small."""

K: Final = 10
"""No count below this is shown; of a hidden one at least so many values stay possible."""
UNKNOWN: Final = "unknown"
RANK_DAYS: Final = 30
RANK_LEAST: Final = 30
LISTED: Final = 15
FAMILY_LEVEL: Final = 0.01
"""Probability, at most, that offices that do not differ get anybody listed."""
ALERT: Final = 0.05
ALARM: Final = 0.002
FUNNEL_SIZES: Final = (10, 20, 30, 40, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1_000)


def code_name(code: Code) -> str:
    """The code as written in the objects."""
    return code.name.lower()


CLOSINGS: Final = tuple(code for code in OUTCOME_CAUSES if code in CLOSING_CODES)
