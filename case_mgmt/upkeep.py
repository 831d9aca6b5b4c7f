# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the service does by itself when the organisation's files change.

Invariants
* Stored limits are those of the policy in force.
* An open case that nobody may act on, because its assigned person has left and no supervisor is
  among its recipients, is given to another recipient by the rule of assignment.py.  Whoever else
  may act is left alone: handing over is then a supervisor's decision.
"""

import hashlib
from typing import Final

from case_mgmt.assignment import choose
from case_mgmt.gate import Rulebook, may_decide, present_handlers
from case_mgmt.ledger import Event, Ledger
from case_mgmt.lifecycle import Actor
from case_mgmt.model import OPEN, ActKind, PersonId
from case_mgmt.projection import project
from case_mgmt.store.ports import Case, ReadUnit, WriteUnit
from crypto.manifest import Person

_POLICY_SETTING: Final = "policy_sha256"


def renew_limits(unit: WriteUnit, rules: Rulebook) -> int:
    """Work out all limits anew if the policy has changed; gives the number of cases."""
    digest = hashlib.sha256(rules.policy.to_json()).hexdigest()
    if unit.setting(_POLICY_SETTING) == digest:
        return 0
    cases = unit.cases()
    for case in cases:
        history = [entry.signed.act for entry in unit.acts(case.id)]
        present = project(history, rules.policy)
        unit.save(Case(case.id, case.thread, case.head, case.next_seq, present))
    unit.set_setting(_POLICY_SETTING, digest)
    return len(cases)


def free_stuck_cases(unit: WriteUnit, ledger: Ledger, rules: Rulebook) -> int:
    """Assign every open case that nobody may act on; gives their number."""
    return sum(free_if_stuck(unit, ledger, case, rules) for case in unit.cases())


def free_if_stuck(unit: WriteUnit, ledger: Ledger, case: Case, rules: Rulebook) -> bool:
    """Assign this case anew if it is open and nobody may act on it; whether it was done."""
    if case.present.state not in OPEN:
        return False
    here = present_handlers(rules.manifest, unit.recipients(case.id))
    if any(may_decide(person, case.present.assignee) for person in here):
        return False
    return assign(unit, ledger, case, rules, here)


def assign(
    unit: ReadUnit, ledger: Ledger, case: Case, rules: Rulebook, candidates: list[Person]
) -> bool:
    """Give the case to one of these people; whether there was one."""
    load = unit.load(rules.today)
    chosen = choose(
        case.id,
        candidates,
        {person: each.open for person, each in load.items()},
        {person for person, each in load.items() if each.late},
    )
    if chosen is None:
        return False
    last = unit.acts(case.id)[-1].signed.act.day
    day = max(last, rules.today)
    ledger.record(
        case, Event(ActKind.ASSIGN, case.present.state, Actor.SERVICE, day, PersonId(chosen))
    )
    return True
