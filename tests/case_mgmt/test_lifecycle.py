# SPDX-License-Identifier: AGPL-3.0-or-later
"""The table itself: exits, second persons, messages, and whose step is whose."""

import itertools

import pytest

from case_mgmt.errors import LifecycleError
from case_mgmt.lifecycle import TABLE, Actor, moves_from, reason_codes, rule_for
from case_mgmt.model import CLOSINGS, OPEN, ActKind, State


def exits(state: State) -> set[State]:
    return {target for _, source, target in TABLE if source is state and target is not state}


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_way_out(state: State) -> None:
    assert exits(state)


@pytest.mark.parametrize("state", State)
def test_every_state_is_reachable_and_can_come_to_a_closing(state: State) -> None:
    def closure(start: State) -> set[State]:
        seen = {start}
        while new := {target for source in seen for target in exits(source)} - seen:
            seen |= new
        return seen

    assert state in closure(State.RECEIVED)
    assert closure(state) & CLOSINGS == CLOSINGS


def test_open_closed_and_withdrawn_are_all_there_is() -> None:
    assert OPEN | CLOSINGS | {State.WITHDRAWN} == set(State)
    assert not OPEN & CLOSINGS


def test_every_closing_needs_a_second_person_and_nothing_else_does() -> None:
    for (kind, _, target), rule in TABLE.items():
        assert rule.second == (kind is ActKind.TRANSITION and target in CLOSINGS)


def test_every_step_of_the_office_but_an_assignment_carries_a_message() -> None:
    for (kind, _, _), rule in TABLE.items():
        office = Actor.OFFICE in rule.actors
        assert rule.message == (office and kind is not ActKind.ASSIGN)


def test_obligatory_reasons_have_a_list() -> None:
    for (kind, _, target), rule in TABLE.items():
        if rule.reason and kind is ActKind.TRANSITION:
            assert reason_codes(target)
    assert not reason_codes(State.UPHELD_ACTION)


def test_only_the_reporter_withdraws_and_reopens() -> None:
    for (kind, _, target), rule in TABLE.items():
        if kind in (ActKind.WITHDRAW, ActKind.CONTEST) or target in (
            State.WITHDRAWN,
            State.REOPENED,
        ):
            if kind in (ActKind.WITHDRAW, ActKind.CONTEST):
                assert rule.actors == {Actor.REPORTER}
            else:
                assert (kind, target) != (ActKind.TRANSITION, target)


def test_a_step_outside_the_table_is_refused_for_everybody() -> None:
    for kind, source, target in itertools.product(ActKind, [None, *State], State):
        for actor in Actor:
            rule = TABLE.get((kind, source, target))
            if rule is None or actor not in rule.actors:
                with pytest.raises(LifecycleError):
                    rule_for(kind, source, target, actor)
            else:
                assert rule_for(kind, source, target, actor) is rule


CONTRACT_TABLE = {
    "received": "assessing set_aside",
    "assessing": "needs_info examining referred insufficient outside_mandate joined set_aside",
    "needs_info": "assessing examining referred insufficient outside_mandate",
    "examining": "needs_info referred upheld_action upheld_fixed insufficient outside_mandate"
    " joined",
    "referred": "examining needs_info upheld_action upheld_fixed insufficient outside_mandate",
    "reopened": "examining needs_info referred upheld_action upheld_fixed insufficient"
    " outside_mandate joined set_aside",
}


@pytest.mark.parametrize("state", State)
def test_the_moves_of_the_office_are_these(state: State) -> None:
    wanted = CONTRACT_TABLE.get(state.value, "").split()
    assert [target.value for target, _ in moves_from(state)] == wanted
