# SPDX-License-Identifier: AGPL-3.0-or-later
"""The use cases of the case office, each one unit of work.

Invariants
* Whoever asks is a person of the manifest (the caller verified the request's signature); what they
  may see is decided here: only cases whose report was sealed to them.
* Nothing is returned before it is durable.
* Looking at a case changes nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from case_mgmt.acts import SignedAct
from case_mgmt.arrivals import Arrivals
from case_mgmt.deadlines import Clock
from case_mgmt.disclosure import disclosed
from case_mgmt.errors import GateError, UnknownCaseError
from case_mgmt.gate import (
    Proposed,
    Rulebook,
    Submission,
    admit,
    confirm,
    handles,
    may_decide,
)
from case_mgmt.ledger import RETURNED, Ledger, ServiceKey, current, view_of, waiting_in
from case_mgmt.lifecycle import Rule, moves_from
from case_mgmt.model import ActHash, BlobId, CaseId, DeviceKey, PersonId, State
from case_mgmt.notes import check_note
from case_mgmt.records import Record
from case_mgmt.statistics import CaseFacts, publish
from case_mgmt.store.log_ports import PublicFile
from case_mgmt.store.ports import (
    Case,
    CaseStore,
    LedgerEntry,
    Note,
    OutboxEntry,
    Proposal,
    ReadUnit,
    Return,
    StoredRecord,
    WriteUnit,
)
from case_mgmt.upkeep import free_stuck_cases, renew_limits
from crypto.manifest import Person
from crypto.rng import Rng


class Status(StrEnum):
    """What became of a submitted act."""

    COMMITTED = "committed"
    AWAITING_SECOND = "awaiting_second"


@dataclass(frozen=True)
class Overview:
    """A case as one person sees it in a list."""

    case: Case
    clock: Clock
    proposal: Proposal | None
    allowed: tuple[tuple[State, Rule], ...]


@dataclass(frozen=True)
class CaseFile:
    """A whole case as one person sees it."""

    overview: Overview
    records: Sequence[StoredRecord]
    history: Sequence[LedgerEntry]
    notes: Sequence[Note]
    returns: Sequence[Return]
    wants_card: bool = False
    """Whether the publishers have no card of it yet, and there is a log that counts it."""


class CaseOffice:
    """Everything that can be asked of the case office."""

    def __init__(self, store: CaseStore, key: ServiceKey, rng: Rng) -> None:
        self._store = store
        self._key = key
        self._rng = rng
        self.revision = 0
        """Grows with everything that may change the public counts."""

    # --- from the reporter ---------------------------------------------------------------------

    def take_in(self, record: Record, rules: Rulebook) -> CaseId:
        """Take in a record; its blobs are durable already.  Raises RecordError and its kin."""
        with self._changing() as unit:
            return Arrivals(unit, self._key, rules, self._rng).take_in(record)

    # --- from the office -----------------------------------------------------------------------

    def submit(
        self, case: CaseId, person: Person, submission: Submission, rules: Rulebook
    ) -> tuple[Status, Overview]:
        """Put an act before the gate; commit it, or let it wait for a second person."""
        with self._changing() as unit:
            case_now = _visible(unit, case, person)
            if submission.act.signer != person.desk_public.hex():
                raise GateError("signer_differs")
            admission = admit(view_of(unit, case_now, rules.today), submission, rules)
            signed = SignedAct(submission.act, submission.signature)
            if admission.needs_second and submission.container is not None:
                waiting = Proposal(
                    signed.hash, signed, submission.container, PersonId(admission.signer.id)
                )
                self._ledger(unit, rules).propose(waiting)
                return Status.AWAITING_SECOND, _overview(case_now, waiting, person, rules)
            updated = self._ledger(unit, rules).append(
                case_now, LedgerEntry(signed, submission.container)
            )
            return Status.COMMITTED, _overview(updated, None, person, rules)

    def confirm(
        self, case: CaseId, person: Person, act: ActHash, signature: bytes, rules: Rulebook
    ) -> Overview:
        """The second person agrees: the closing becomes part of the case."""
        with self._changing() as unit:
            case_now = _visible(unit, case, person)
            waiting = _waiting(unit, case, act)
            second = DeviceKey(person.desk_public.hex())
            proposed = Proposed(waiting.signed.act, waiting.by)
            confirm(view_of(unit, case_now, rules.today), proposed, second, signature, rules)
            signed = SignedAct(waiting.signed.act, waiting.signed.signature, second, signature)
            updated = self._ledger(unit, rules).append(
                case_now, LedgerEntry(signed, waiting.container)
            )
            return _overview(updated, None, person, rules)

    def hand_back(self, case: CaseId, person: Person, act: ActHash, rules: Rulebook) -> Overview:
        """The second person declines, or the first takes the closing back."""
        with self._store.writing() as unit:
            case_now = _visible(unit, case, person)
            waiting = _waiting(unit, case, act)
            unit.close_proposal(waiting.hash, RETURNED)
            closing = waiting.signed.act
            unit.add_return(
                case,
                Return(waiting.hash, closing.target, waiting.by, PersonId(person.id), rules.today),
            )
            return _overview(case_now, None, person, rules)

    def add_note(self, case: CaseId, person: Person, container: bytes, rules: Rulebook) -> None:
        """Keep a private note; it never reaches the reporter and is no act."""
        with self._store.writing() as unit:
            _visible(unit, case, person)
            check_note(unit, case, PersonId(person.id), container, rules.manifest)
            unit.add_note(case, Note(PersonId(person.id), rules.today, container))

    # --- looking -------------------------------------------------------------------------------

    def queue(self, person: Person, rules: Rulebook) -> list[Overview]:
        """The person's cases, next limit first, closed ones last."""
        with self._store.reading() as unit:
            waiting = unit.proposals()
            found = [
                _overview(case, current(waiting.get(case.id), rules.today), person, rules)
                for case in unit.cases_of(PersonId(person.id))
            ]
        return sorted(found, key=_urgency)

    def show(self, case: CaseId, person: Person, rules: Rulebook) -> CaseFile:
        """The whole case."""
        with self._store.reading() as unit:
            case_now = _visible(unit, case, person)
            waiting = waiting_in(unit, case, rules.today)
            return CaseFile(
                overview=_overview(case_now, waiting, person, rules),
                records=unit.records(case),
                history=unit.acts(case),
                notes=unit.notes(case),
                returns=unit.returns(case),
                wants_card=unit.log_case(case) is not None and not unit.has_card(case),
            )

    def overview(self, case: CaseId, person: Person, rules: Rulebook) -> Overview:
        """The case as it stands in the person's list."""
        with self._store.reading() as unit:
            case_now = _visible(unit, case, person)
            return _overview(case_now, waiting_in(unit, case, rules.today), person, rules)

    def blob_size(self, case: CaseId, person: Person, blob: BlobId) -> int:
        """The size of a sealed attachment of this case.  Raises UnknownCaseError."""
        with self._store.reading() as unit:
            _visible(unit, case, person)
            size = unit.blob_size(case, blob)
        if size is None:
            raise UnknownCaseError("no such attachment")
        return size

    def ledger(self, person: Person, rules: Rulebook) -> list[SignedAct]:
        """The acts this person may see, without content."""
        with self._store.reading() as unit:
            return list(disclosed(unit, person, rules.manifest))

    def statistics(self, rules: Rulebook) -> dict[str, Any]:
        """The public counts."""
        with self._store.reading() as unit:
            cases = unit.cases()
        return publish((_facts(case, rules) for case in cases), rules.today)

    # --- the service's own work ----------------------------------------------------------------

    def outbox(self, limit: int) -> Sequence[OutboxEntry]:
        """Notices that wait to be pushed."""
        with self._store.reading() as unit:
            return unit.outbox(limit)

    def end_outbox(self, ids: Iterable[int], outcome: str) -> None:
        """Notices were pushed (`sent`), or the intake will never take them (`refused`)."""
        with self._store.writing() as unit:
            unit.end_outbox(ids, outcome)

    def unpushed_files(self, limit: int, max_bytes: int) -> Sequence[PublicFile]:
        """Public files that the intake does not have yet."""
        with self._store.reading() as unit:
            return unit.unpushed(limit, max_bytes)

    def files_pushed(self, serials: Iterable[int]) -> None:
        """The intake has these."""
        with self._store.writing() as unit:
            unit.pushed(serials)

    def compare_public(self, held: int) -> None:
        """Send everything again if the intake holds fewer files than it was given."""
        with self._store.writing() as unit:
            if held < unit.pushed_files():
                unit.push_again()

    def known_blobs(self) -> frozenset[BlobId]:
        """All blobs that belong to a case."""
        with self._store.reading() as unit:
            return unit.blob_ids()

    def settle(self, rules: Rulebook) -> int:
        """Bring the stored limits up to the policy, and free cases that nobody may act on.

        Gives the number of cases changed.
        """
        with self._changing() as unit:
            changed = renew_limits(unit, rules)
            return changed + free_stuck_cases(unit, self._ledger(unit, rules), rules)

    def remember(self, name: str, value: str) -> None:
        """Keep a value of the service itself."""
        with self._store.writing() as unit:
            unit.set_setting(name, value)

    def recall(self, name: str) -> str | None:
        """A value kept by `remember`."""
        with self._store.reading() as unit:
            return unit.setting(name)

    @contextmanager
    def _changing(self) -> Iterator[WriteUnit]:
        with self._store.writing() as unit:
            yield unit
        self.revision += 1

    def _ledger(self, unit: WriteUnit, rules: Rulebook) -> Ledger:
        return Ledger(unit, self._key, rules, self._rng)


def _visible(unit: ReadUnit, case: CaseId, person: Person) -> Case:
    """The case, if its report was sealed to this person.

    SECURITY: the only door to a case; whoever belongs to the accused unit is no recipient
    (tests/whistle/cases/test_authorisation.py).
    """
    current = unit.case(case)
    if current is None:
        raise UnknownCaseError("no such case")
    if not handles(person) or PersonId(person.id) not in unit.recipients(case):
        raise GateError("conflicted")
    return current


def _waiting(unit: ReadUnit, case: CaseId, act: ActHash) -> Proposal:
    waiting = unit.proposal(case)
    if waiting is None or waiting.hash != act:
        raise GateError("no_proposal")
    return waiting


def _overview(case: Case, waiting: Proposal | None, person: Person, rules: Rulebook) -> Overview:
    decides = waiting is None and may_decide(person, case.present.assignee)
    return Overview(
        case=case,
        clock=case.present.schedule.at(rules.today),
        proposal=waiting,
        allowed=moves_from(case.present.state) if decides else (),
    )


def _urgency(overview: Overview) -> tuple[bool, str, str]:
    limit = overview.clock.next_due
    return limit is None, "" if limit is None else limit.isoformat(), overview.case.id


def _facts(case: Case, rules: Rulebook) -> CaseFacts:
    present = case.present
    return CaseFacts(
        arrival=present.arrival,
        state=present.state,
        first_follow_up=present.first_follow_up,
        overdue=present.schedule.at(rules.today).overdue_since is not None,
    )
