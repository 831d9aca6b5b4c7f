# SPDX-License-Identifier: AGPL-3.0-or-later
"""Cases of a log, made by hand: `logged(DAY, (Code.EXAMINING, 5), (Code.INSUFFICIENT, 30))`."""

from datetime import date, timedelta
from itertools import count

from case_mgmt.publication.history import LoggedCase, LoggedEvent, Window
from case_mgmt.publication.leaves import Code, wait_band

SUNDAY = date(2026, 1, 11)
_NUMBERS = count()


def week(last: date = SUNDAY) -> Window:
    return Window(last - timedelta(days=6), last)


def logged(last: date, *happened: tuple[Code, int]) -> LoggedCase:
    """A case that arrived in the week ending on `last`; waits in whole days."""
    number = next(_NUMBERS)
    events = tuple(
        LoggedEvent(code, wait_band(days), week(last + timedelta(days=days)), number)
        for code, days in happened
    )
    return LoggedCase(number.to_bytes(16, "big"), bytes(32), week(last), number, events)
