# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a logged case says about itself: how long it waited, where it stands, who examined it.

Invariants
* An event counts at the upper edge of its waiting band, so no wait is told shorter than it was.
* A case is watched until `as_of` minus the last day it can have arrived; what the log says beyond
  that is not used, for cases without a follow-up have no such knowledge of themselves.
* Reopening keeps the original arrival: all waits are counted from there.
* A hasty closing takes the examination back, and no later closing gives it again: closing faster
  than it can be examined never helps an office.
* Whether a case was examined within so many days is settled once its days are over.

Source: docs/spec/figures.md section 5.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from case_mgmt.figures.definitions import EXAMINING_CODES, HASTY_DAYS, OUTCOME_CAUSES
from case_mgmt.figures.errors import InputError
from case_mgmt.publication.history import LoggedCase, Window
from case_mgmt.publication.leaves import (
    CLOSING_CODES,
    OPEN_BAND,
    REPORTER_CODES,
    WAIT_EDGES,
    Code,
)

NOT_STATES: Final = frozenset({Code.UPDATED, Code.EXTENDED, Code.SETTLED, Code.NOT_SETTLED})
ANSWERS: Final = frozenset({Code.SETTLED, Code.NOT_SETTLED})
LAST_EDGE: Final = WAIT_EDGES[-1]


@dataclass(frozen=True)
class Observation:
    """How long a case was watched, in days, and what ended it (None: still waiting)."""

    days: int
    cause: Code | None


def exposure(window: Window, as_of: date) -> int:
    """Days that every case of the window has surely waited.  Raises InputError."""
    days = (as_of - window.last).days
    if days < 0:
        raise InputError("a case arrived after the day of the figures")
    return days


def edge(band: int) -> int | None:
    """Upper edge of a waiting band in days; the last band has none."""
    return None if band == OPEN_BAND else WAIT_EDGES[band]


def standing(case: LoggedCase) -> tuple[Code, int]:
    """The public code in force (NONE: received) and the waiting band it came in."""
    states = [event for event in case.events if event.code not in NOT_STATES]
    return (states[-1].code, states[-1].wait) if states else (Code.NONE, 0)


def first_follow_up(case: LoggedCase) -> int | None:
    """Waiting band of the office's first message; None: there is none."""
    waits = [event.wait for event in case.events if event.code not in REPORTER_CODES]
    return min(waits, default=None)


def followed_up_within(case: LoggedCase, days: int) -> bool:
    """Whether the office answered within so many days; exact for edges of bands."""
    band = first_follow_up(case)
    return band is not None and _within(band, days)


def examined_within(case: LoggedCase, days: int) -> bool:
    """Whether within so many days it was examined, referred or asked about, without haste."""
    since: int | None = None
    for event in case.events:
        if not _within(event.wait, days):
            continue
        if event.code in EXAMINING_CODES:
            since = event.wait if since is None else since
        elif event.code in CLOSING_CODES and is_hasty(event.wait, since):
            since = None
    return since is not None


def is_hasty(closing: int, examined: int | None) -> bool:
    """Whether a closing came too soon, or without an examination in an earlier band."""
    return _within(closing, HASTY_DAYS) or examined is None or examined >= closing


def closings(case: LoggedCase) -> tuple[int, ...]:
    """Waiting bands of all closings."""
    return tuple(event.wait for event in case.events if event.code in CLOSING_CODES)


def first_closing_is_hasty(case: LoggedCase) -> bool:
    """Whether the first closing came too soon; false when there is none."""
    since: int | None = None
    for event in case.events:
        if event.code in EXAMINING_CODES and since is None:
            since = event.wait
        if event.code in CLOSING_CODES:
            return is_hasty(event.wait, since)
    return False


def is_contested(case: LoggedCase) -> bool:
    """Whether the reporter objected to a closing."""
    closed = False
    for event in case.events:
        if event.code is Code.REOPENED and closed:
            return True
        closed = closed or event.code in CLOSING_CODES
        if event.code is Code.WITHDRAWN:
            closed = False
    return False


def answer(case: LoggedCase) -> Code | None:
    """What the reporter said about the closing in force: settled, not settled, or nothing."""
    said: Code | None = None
    for event in case.events:
        if event.code in CLOSING_CODES:
            said = None
        elif event.code in ANSWERS:
            said = event.code
    return said


def to_first_follow_up(case: LoggedCase, as_of: date) -> Observation:
    """The wait for the office's first message; withdrawing does not stop it."""
    return _observed(first_follow_up(case), Code.UPDATED, exposure(case.window, as_of))


def to_outcome(case: LoggedCase, as_of: date) -> Observation:
    """The wait for the outcome that stands; a reopened case waits again since its arrival."""
    code, band = standing(case)
    reached = band if code in OUTCOME_CAUSES else None
    return _observed(reached, code, exposure(case.window, as_of))


def _observed(band: int | None, cause: Code, watched: int) -> Observation:
    days = None if band is None else edge(band)
    if days is not None and days <= watched:
        return Observation(days, cause)
    return Observation(min(watched, LAST_EDGE), None)


def _within(band: int, days: int) -> bool:
    last = edge(band)
    return last is not None and last <= days
