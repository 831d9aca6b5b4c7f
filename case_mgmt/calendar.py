# SPDX-License-Identifier: AGPL-3.0-or-later
"""Working days: Monday to Friday, less the holidays of the policy.

Invariants
* "n working days after D" never counts D itself; the result is a working day for every n >= 1.
* Outside the years of the holiday table only weekends are left out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

_ONE: Final = timedelta(days=1)
_SATURDAY: Final = 5


@dataclass(frozen=True)
class WorkCalendar:
    """A set of holidays, and the arithmetic over it."""

    holidays: frozenset[date]

    @classmethod
    def of(cls, holidays: Iterable[date]) -> "WorkCalendar":
        """A calendar over these holidays."""
        return cls(frozenset(holidays))

    def is_working_day(self, day: date) -> bool:
        """Whether the office is expected to work on this day."""
        return day.weekday() < _SATURDAY and day not in self.holidays

    def add(self, day: date, count: int) -> date:
        """The `count`-th working day after `day`; `day` itself when count is 0."""
        if count < 0:
            raise ValueError("working days are only added")
        current = day
        remaining = count
        while remaining:
            current += _ONE
            if self.is_working_day(current):
                remaining -= 1
        return current

    def between(self, start: date, end: date) -> int:
        """How many working days lie after `start`, up to and including `end`."""
        current, count = start, 0
        while current < end:
            current += _ONE
            count += self.is_working_day(current)
        return count

    def on_or_before(self, day: date) -> date:
        """`day`, or the last working day before it."""
        current = day
        while not self.is_working_day(current):
            current -= _ONE
        return current
