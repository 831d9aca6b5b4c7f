# SPDX-License-Identifier: AGPL-3.0-or-later
"""The only reader of the clock.

Invariants:

* everything below takes `today` or `now` as an argument;
* what is stored about a reporter is a `date`, never finer.
"""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

Today = Callable[[], date]
Now = Callable[[], int]
Monotonic = Callable[[], float]


def unix_now() -> int:
    """Return whole seconds since 1970-01-01 UTC; for signed requests between our own programs."""
    return int(time.time())


def today(utc_offset_hours: int, *, days_ahead: int = 0) -> date:
    """Return the calendar day at the organisation's seat; `days_ahead` moves a demo's calendar."""
    return (datetime.now(UTC) + timedelta(hours=utc_offset_hours, days=days_ahead)).date()


def monotonic() -> float:
    """Return seconds on a clock that never goes back; for timeouts, never stored."""
    return time.monotonic()
