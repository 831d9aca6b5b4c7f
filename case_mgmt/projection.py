# SPDX-License-Identifier: AGPL-3.0-or-later
"""What follows from the acts of a case: its code, its limits, who holds it, what is new.

Invariants
* Everything here is a function of the acts and the policy; the store keeps it only so that a queue
  of ten thousand cases need not be computed anew, and may be thrown away and rebuilt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from case_mgmt.acts import Act
from case_mgmt.deadlines import Schedule, schedule
from case_mgmt.model import ActKind, PersonId, State
from case_mgmt.policy import Policy

_OFFICE: Final = frozenset({ActKind.TRANSITION, ActKind.UPDATE, ActKind.EXTEND})
_REPORTER: Final = frozenset({ActKind.FOLLOW_UP, ActKind.CONTEST, ActKind.WITHDRAW})


@dataclass(frozen=True)
class Projection:
    """The present of a case."""

    state: State
    arrival: date
    assignee: PersonId | None
    schedule: Schedule
    first_follow_up: date | None
    """Day of the office's first message."""
    new_material: bool
    """The reporter has written since the office last did."""


def project(history: Sequence[Act], policy: Policy) -> Projection:
    """The present that these acts amount to; there is at least one act."""
    assignee: PersonId | None = None
    first: date | None = None
    new_material = False
    for act in history:
        if act.kind is ActKind.ASSIGN:
            assignee = act.assignee
        elif act.kind in _OFFICE:
            first = first or act.day
            new_material = False
        elif act.kind in _REPORTER:
            new_material = True
    return Projection(
        state=history[-1].target,
        arrival=history[0].day,
        assignee=assignee,
        schedule=schedule(history, policy),
        first_follow_up=first,
        new_material=new_material,
    )
