# SPDX-License-Identifier: AGPL-3.0-or-later
"""The transition table: which step leads from which public code to which, and what it needs.

Invariants
* One table, one function; a step that is not in the table does not exist.
* Every step of the office carries a message to the reporter; an assignment alone does not.
* Every closing needs a second person.
* Reopening and withdrawing belong to the reporter alone.
* What is no report (spam, a flood) is set aside by a step like any other: signed by two people,
  with a message and a reason, counted publicly, open to objection. Nothing is ever deleted for it.

Specification: docs/spec/acts.md, section 2 (its table is generated from here).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from case_mgmt.errors import LifecycleError
from case_mgmt.model import CLOSINGS, OPEN, REASONS, ActKind, State


class Actor(StrEnum):
    """Whose will a step is; the service signs what the reporter or the arrival causes."""

    OFFICE = "office"
    REPORTER = "reporter"
    SERVICE = "service"


@dataclass(frozen=True)
class Rule:
    """What one step needs."""

    actors: frozenset[Actor]
    message: bool
    second: bool = False
    reason: bool = False


Step = tuple[ActKind, State | None, State]

_BY_OFFICE: Final = frozenset({Actor.OFFICE})
_REASON_REQUIRED: Final = frozenset(
    {State.INSUFFICIENT, State.OUTSIDE_MANDATE, State.JOINED, State.SET_ASIDE}
)

OFFICE_MOVES: Final[Mapping[State, tuple[State, ...]]] = MappingProxyType(
    {
        State.RECEIVED: (State.ASSESSING, State.SET_ASIDE),
        State.ASSESSING: (
            State.NEEDS_INFO,
            State.EXAMINING,
            State.REFERRED,
            State.INSUFFICIENT,
            State.OUTSIDE_MANDATE,
            State.JOINED,
            State.SET_ASIDE,
        ),
        State.NEEDS_INFO: (
            State.ASSESSING,
            State.EXAMINING,
            State.REFERRED,
            State.INSUFFICIENT,
            State.OUTSIDE_MANDATE,
        ),
        State.EXAMINING: (
            State.NEEDS_INFO,
            State.REFERRED,
            State.UPHELD_ACTION,
            State.UPHELD_FIXED,
            State.INSUFFICIENT,
            State.OUTSIDE_MANDATE,
            State.JOINED,
        ),
        State.REFERRED: (
            State.EXAMINING,
            State.NEEDS_INFO,
            State.UPHELD_ACTION,
            State.UPHELD_FIXED,
            State.INSUFFICIENT,
            State.OUTSIDE_MANDATE,
        ),
        State.REOPENED: (
            State.EXAMINING,
            State.NEEDS_INFO,
            State.REFERRED,
            State.UPHELD_ACTION,
            State.UPHELD_FIXED,
            State.INSUFFICIENT,
            State.OUTSIDE_MANDATE,
            State.JOINED,
            State.SET_ASIDE,
        ),
    }
)


def _office_rule(target: State) -> Rule:
    return Rule(
        _BY_OFFICE, message=True, second=target in CLOSINGS, reason=target in _REASON_REQUIRED
    )


def _build() -> dict[Step, Rule]:
    table: dict[Step, Rule] = {
        (ActKind.RECEIVED, None, State.RECEIVED): Rule(frozenset({Actor.SERVICE}), message=False)
    }
    for source, targets in OFFICE_MOVES.items():
        for target in targets:
            table[(ActKind.TRANSITION, source, target)] = _office_rule(target)
    by_reporter = Rule(frozenset({Actor.REPORTER}), message=False)
    for source in State:
        table[(ActKind.FOLLOW_UP, source, source)] = by_reporter
        table[(ActKind.UPDATE, source, source)] = Rule(_BY_OFFICE, message=True)
        if source in OPEN:
            table[(ActKind.WITHDRAW, source, State.WITHDRAWN)] = by_reporter
            table[(ActKind.EXTEND, source, source)] = Rule(_BY_OFFICE, message=True, reason=True)
            table[(ActKind.ASSIGN, source, source)] = Rule(
                frozenset({Actor.OFFICE, Actor.SERVICE}), message=False
            )
        else:
            table[(ActKind.CONTEST, source, State.REOPENED)] = by_reporter
    return table


TABLE: Final[Mapping[Step, Rule]] = MappingProxyType(_build())


def rule_for(kind: ActKind, source: State | None, target: State, actor: Actor) -> Rule:
    """The rule of one step.

    Raises LifecycleError when the table has no such step or it is not this actor's.
    """
    rule = TABLE.get((kind, source, target))
    if rule is None or actor not in rule.actors:
        raise LifecycleError("the transition table has no such step")
    return rule


def moves_from(state: State) -> tuple[tuple[State, Rule], ...]:
    """What the office may do next, in the order of the table."""
    return tuple((target, _office_rule(target)) for target in OFFICE_MOVES.get(state, ()))


def reason_codes(target: State) -> tuple[str, ...]:
    """The closed list of reason codes of a target; empty when it takes none."""
    return REASONS.get(target, ())
