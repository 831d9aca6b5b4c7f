# SPDX-License-Identifier: AGPL-3.0-or-later
"""The clock of a case: pure date arithmetic over its acts and the published policy.

Invariants
* Every limit is a function of the acts and the policy alone; `today` only decides what is missed.
* The overall limit counts from arrival.  Closing, contesting, reopening and handing over never
  move it; a pause may only lengthen it, and only while it is not yet missed.
* A limit is a working day; it is missed from the next day on.  What was missed before an
  extension stays missed after it.
* An awaited answer is assumed to use the whole pause; an earlier answer ends the pause.
* A closed case has no limits, only the last day to contest.

Specification: docs/spec/acts.md, section 5.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from case_mgmt.acts import Act
from case_mgmt.model import CLOSINGS, OPEN, ActKind, State
from case_mgmt.policy import Policy

_ONE_DAY: Final = timedelta(days=1)
ASSESS: Final = "assess"
FIRST_STEP: Final = "first_step"
UPDATE: Final = "update"
OVERALL: Final = "overall"

_BEFORE_FIRST_STEP: Final = frozenset({State.RECEIVED, State.ASSESSING, State.NEEDS_INFO})
_RESTARTS_UPDATE: Final = frozenset({ActKind.TRANSITION, ActKind.UPDATE, ActKind.CONTEST})
"""What the office told the reporter; and the reopening, before which no update was owed.

The message of an extension counts as well, unless an update was overdue already."""


@dataclass(frozen=True)
class Schedule:
    """The limits in force; the same on every day until the next act."""

    next_due: date | None = None
    next_kind: str | None = None
    overall_due: date | None = None
    update_due: date | None = None
    contest_until: date | None = None
    pause_until: date | None = None
    """Last day of a running pause."""

    def at(self, today: date) -> "Clock":
        """The clock as it reads on a day."""
        missed = self.next_due is not None and today > self.next_due
        return Clock(
            next_due=self.next_due,
            next_kind=self.next_kind,
            overall_due=self.overall_due,
            update_due=self.update_due,
            overdue_since=self.next_due + _ONE_DAY if missed and self.next_due else None,
            contest_until=self.contest_until,
            paused=self.pause_until is not None and today <= self.pause_until,
        )


@dataclass(frozen=True)
class Clock:
    """What is due next and what has been missed, on one day."""

    next_due: date | None
    next_kind: str | None
    """`assess`, `first_step`, `update` or `overall`."""
    overall_due: date | None
    update_due: date | None
    overdue_since: date | None
    contest_until: date | None
    paused: bool


@dataclass
class _Walk:
    """The limits while the acts are read in order."""

    step: date | None
    overall: date
    last_update: date
    step_kind: str = ASSESS
    pauses: int = 0
    pause: tuple[date, date] | None = None
    """First day and last possible day of a running pause."""
    extended: date = date.min
    """An extension given since the last pause began; that pause does not lengthen it."""
    assessed: bool = False

    @property
    def overall_due(self) -> date:
        return max(self.overall, self.extended)


def due(history: Sequence[Act], policy: Policy, today: date) -> Clock:
    """The clock of a case with these acts, on this day."""
    return schedule(history, policy).at(today)


def first_due(arrival: date, policy: Policy) -> date:
    """When a report that arrived on this day must be under assessment."""
    return policy.calendar.add(arrival, policy.assess)


def schedule(history: Sequence[Act], policy: Policy) -> Schedule:
    """The limits after these acts; an empty history has none."""
    if not history:
        return Schedule()
    arrival = history[0].day
    walk = _Walk(
        step=first_due(arrival, policy),
        overall=policy.calendar.add(arrival, policy.overall),
        last_update=arrival,
    )
    for act in history:
        _advance(walk, act, policy)
    last = history[-1].target
    if last in OPEN:
        return _open_schedule(walk, policy)
    return Schedule(contest_until=_contest_until(history, policy))


def _advance(walk: _Walk, act: Act, policy: Policy) -> None:
    if act.kind is ActKind.FOLLOW_UP or act.target != State.NEEDS_INFO:
        _end_pause(walk, act.day, policy)
    if act.kind is ActKind.EXTEND:
        _extend(walk, act, policy)
    elif act.kind in _RESTARTS_UPDATE:
        walk.last_update = act.day
    if act.kind is ActKind.TRANSITION:
        _step_taken(walk, act, policy)


def _extend(walk: _Walk, act: Act, policy: Policy) -> None:
    """Move the overall limit and the next update, each unless it was missed before."""
    whole = replace(walk)
    _end_pause(whole, date.max, policy)
    if act.until is not None and act.day <= whole.overall_due:
        walk.extended = max(walk.extended, act.until)
    if act.day <= _update_due(walk, policy):
        walk.last_update = act.day


def _update_due(walk: _Walk, policy: Policy) -> date:
    return policy.calendar.on_or_before(walk.last_update + timedelta(days=policy.update_every_days))


def _step_taken(walk: _Walk, act: Act, policy: Policy) -> None:
    if act.target is State.ASSESSING and not walk.assessed:
        walk.assessed = True
        walk.step, walk.step_kind = policy.calendar.add(act.day, policy.first_step), FIRST_STEP
    elif act.target not in _BEFORE_FIRST_STEP:
        walk.step = None
    if act.target is State.NEEDS_INFO:
        _start_pause(walk, act.day, policy)


def _start_pause(walk: _Walk, day: date, policy: Policy) -> None:
    if walk.pauses >= policy.pauses_allowed:
        return
    walk.pauses += 1
    walk.overall = walk.overall_due
    walk.pause = day, policy.calendar.add(day, policy.pause_max)


def _end_pause(walk: _Walk, day: date, policy: Policy) -> None:
    """Add what a running pause that ends on this day, or ended by itself before, was worth.

    Limits that were missed before the pause began stay missed.
    """
    if walk.pause is None:
        return
    start, last = walk.pause
    paused = policy.calendar.between(start, min(day, last))
    if walk.step is not None and start <= walk.step:
        walk.step = policy.calendar.add(walk.step, paused)
    if start <= walk.overall:
        walk.overall = policy.calendar.add(walk.overall, paused)
    walk.pause = None


def _open_schedule(walk: _Walk, policy: Policy) -> Schedule:
    pause_until = walk.pause[1] if walk.pause is not None else None
    _end_pause(walk, date.max, policy)
    update = _update_due(walk, policy)
    candidates = [(walk.overall_due, OVERALL), (update, UPDATE)]
    if walk.step is not None:
        candidates.append((walk.step, walk.step_kind))
    next_due, next_kind = min(candidates)
    return Schedule(
        next_due=next_due,
        next_kind=next_kind,
        overall_due=walk.overall_due,
        update_due=update,
        pause_until=pause_until,
    )


def _contest_until(history: Sequence[Act], policy: Policy) -> date | None:
    """The last day to contest a closing; a withdrawal may be taken back on any day."""
    if history[-1].target not in CLOSINGS:
        return None
    closing = next(act for act in reversed(history) if act.source != act.target)
    return policy.calendar.add(closing.day, policy.contest_within)
