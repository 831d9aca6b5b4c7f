# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a reporter's sealed message does: opens a case, or becomes an act in it.

Invariants
* Taking in the same record again changes nothing.
* The clock starts on the day the intake recorded, never on the day the record was collected.
* A contest in time reopens; a later one, or one against an open case, is an ordinary message.
  A withdrawal can be taken back by the reporter on any day.
"""

from datetime import date

from case_mgmt.acts import new_case_id
from case_mgmt.errors import RecordError, UnknownThreadError
from case_mgmt.gate import Rulebook, present_handlers
from case_mgmt.ledger import Event, Ledger, Newcomer, ServiceKey
from case_mgmt.lifecycle import Actor
from case_mgmt.model import CLOSINGS, OPEN, ActKind, CaseId, State
from case_mgmt.records import Record
from case_mgmt.store.ports import Case, StoredRecord, WriteUnit
from case_mgmt.upkeep import assign, free_if_stuck
from crypto.rng import Rng


class Arrivals:
    """Takes in records inside one unit of work."""

    def __init__(self, unit: WriteUnit, key: ServiceKey, rules: Rulebook, rng: Rng) -> None:
        self._unit = unit
        self._ledger = Ledger(unit, key, rules, rng)
        self._rules = rules
        self._rng = rng

    def take_in(self, record: Record) -> CaseId:
        """The case the record now belongs to.

        Raises RecordError, or UnknownThreadError for a message whose report is not here yet.
        """
        known = self._unit.case_of_thread(record.thread)
        if self._unit.has_record(record.id):
            if known is None:
                raise RecordError("a record id was used for another thread")
            return known.id
        if record.kind == "report":
            if known is not None:
                raise RecordError("a thread has one report")
            return self._open(record)
        if known is None:
            raise UnknownThreadError("the report of this thread is not here yet")
        return self._follow(known, record)

    def _open(self, record: Record) -> CaseId:
        if record.mailbox_key is None:
            raise RecordError("a report carries its mailbox key")
        newcomer = Newcomer(
            record.thread,
            frozenset(record.recipients),
            record.mailbox_key,
            min(record.day, self._rules.today),
            record.commitment,
        )
        case = self._ledger.open_case(self._new_id(), newcomer)
        self._keep(case.id, record)
        candidates = present_handlers(self._rules.manifest, record.recipients)
        assign(self._unit, self._ledger, case, self._rules, candidates)
        return case.id

    def _follow(self, case: Case, record: Record) -> CaseId:
        self._keep(case.id, record)
        last = self._unit.acts(case.id)[-1].signed.act.day
        day = max(last, min(record.day, self._rules.today))
        updated = self._ledger.record(case, _event(case, record, day))
        if updated.present.state is not case.present.state:
            free_if_stuck(self._unit, self._ledger, updated, self._rules)
        return case.id

    def _keep(self, case: CaseId, record: Record) -> None:
        self._unit.add_record(
            case,
            StoredRecord(
                record.id, record.kind, record.intent, record.day, record.container, record.blobs
            ),
        )

    def _new_id(self) -> CaseId:
        while True:
            identifier = new_case_id(self._rng)
            if self._unit.case(identifier) is None:
                return identifier


def _event(case: Case, record: Record, day: date) -> Event:
    state = case.present.state
    if record.intent == "contest" and _may_contest(case, record.day):
        return Event(ActKind.CONTEST, State.REOPENED, Actor.REPORTER, day)
    if record.intent == "withdraw" and state in OPEN:
        return Event(ActKind.WITHDRAW, State.WITHDRAWN, Actor.REPORTER, day)
    return Event(ActKind.FOLLOW_UP, state, Actor.REPORTER, day)


def _may_contest(case: Case, day: date) -> bool:
    if case.present.state is State.WITHDRAWN:
        return True
    until = case.present.schedule.contest_until
    return case.present.state in CLOSINGS and until is not None and day <= until
