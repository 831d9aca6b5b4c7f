# SPDX-License-Identifier: AGPL-3.0-or-later
"""The one place that makes an act part of a case.

Invariants
* An act, the case as it stands after it, its leaf for the public log and the reporter's notice are
  written in one transaction.
* Whatever is written overtakes a proposed closing: the second person must have seen everything.
* Acts of the service itself go through the transition table like any other.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from case_mgmt.acts import FIRST_SEQ, Act, SignedAct, sign_act
from case_mgmt.gate import CaseView, Rulebook, is_current
from case_mgmt.lifecycle import Actor, rule_for
from case_mgmt.logbook import META, Happened, LogBook
from case_mgmt.model import (
    NO_ACT,
    ActKind,
    CaseId,
    DeviceKey,
    PersonId,
    State,
    ThreadId,
)
from case_mgmt.notices import is_visible, notice_for, seal
from case_mgmt.projection import project
from case_mgmt.store.ports import Case, LedgerEntry, Proposal, ReadUnit, WriteUnit
from crypto.rng import Rng
from crypto.signing import public_from_seed

CONFIRMED: Final = "confirmed"
RETURNED: Final = "returned"
LAPSED: Final = "lapsed"
OVERTAKEN: Final = "overtaken"


@dataclass(frozen=True, repr=False)
class ServiceKey:
    """The case server's own signing key."""

    seed: bytes

    @property
    def public(self) -> DeviceKey:
        """As acts name it."""
        return DeviceKey(public_from_seed(self.seed).hex())


@dataclass(frozen=True)
class Event:
    """A step that the service signs: what arrived, or whom it assigned."""

    kind: ActKind
    target: State
    actor: Actor
    day: date
    assignee: PersonId | None = None


@dataclass(frozen=True, repr=False)
class Newcomer:
    """A report that opens a case; `commitment` stands for it in the public log."""

    thread: ThreadId
    recipients: frozenset[PersonId]
    mailbox_key: bytes
    arrival: date
    commitment: bytes | None = None


def waiting_in(unit: ReadUnit, case: CaseId, today: date) -> Proposal | None:
    """The closing that waits for a second person; one of another day has lapsed."""
    return current(unit.proposal(case), today)


def current(proposal: Proposal | None, today: date) -> Proposal | None:
    """The proposal, unless it has lapsed."""
    lives = proposal is not None and is_current(proposal.signed.act, today)
    return proposal if lives else None


def view_of(unit: ReadUnit, case: Case, today: date) -> CaseView:
    """What the gate needs to know."""
    return CaseView(
        case=case.id,
        history=tuple(entry.signed.act for entry in unit.acts(case.id)),
        head=case.head,
        recipients=unit.recipients(case.id),
        assignee=case.present.assignee,
        has_proposal=waiting_in(unit, case.id, today) is not None,
    )


class Ledger:
    """Appends to cases inside one unit of work."""

    def __init__(self, unit: WriteUnit, key: ServiceKey, rules: Rulebook, rng: Rng) -> None:
        self._unit = unit
        self._key = key
        self._rules = rules
        self._rng = rng
        self._book = LogBook(unit, rules.manifest, rng)

    def open_case(self, case: CaseId, newcomer: Newcomer) -> Case:
        """A new case with its first act."""
        thread, arrival = newcomer.thread, newcomer.arrival
        act = Act(
            case=case,
            seq=FIRST_SEQ,
            prev=NO_ACT,
            kind=ActKind.RECEIVED,
            source=None,
            target=State.RECEIVED,
            day=arrival,
            signer=self._key.public,
        )
        rule_for(act.kind, act.source, act.target, Actor.SERVICE)
        signed = SignedAct(act, sign_act(self._key.seed, act))
        new = self._after(case, thread, signed, ())
        units = {each.id: each.unit for each in self._rules.manifest.people}
        audience = {each: units.get(each) for each in newcomer.recipients}
        self._unit.add_case(new, audience, newcomer.mailbox_key)
        self._unit.add_act(LedgerEntry(signed, None))
        told = self._book.arrived(case, newcomer.commitment, arrival)
        self._notify(new, (act,), LedgerEntry(signed, None), told)
        return new

    def record(self, case: Case, event: Event) -> Case:
        """Append a step that the service signs."""
        source = case.present.state
        rule_for(event.kind, source, event.target, event.actor)
        act = Act(
            case=case.id,
            seq=case.next_seq,
            prev=case.head,
            kind=event.kind,
            source=source,
            target=event.target,
            day=event.day,
            signer=self._key.public,
            assignee=event.assignee,
        )
        return self.append(case, LedgerEntry(SignedAct(act, sign_act(self._key.seed, act)), None))

    def propose(self, proposal: Proposal) -> None:
        """Let a closing wait for a second person, in the place of one that lapsed."""
        before = self._unit.proposal(proposal.signed.act.case)
        if before is not None:
            self._unit.close_proposal(before.hash, LAPSED)
        self._unit.add_proposal(proposal)

    def append(self, case: Case, entry: LedgerEntry) -> Case:
        """Append an act that has passed the gate or comes from the service."""
        history = tuple(known.signed.act for known in self._unit.acts(case.id))
        updated = self._after(case.id, case.thread, entry.signed, history)
        self._unit.add_act(entry)
        self._unit.save(updated)
        self._settle_proposal(case.id, entry.signed)
        act = entry.signed.act
        told = self._book.followed(Happened(act, entry.signed.hash, case.present.arrival))
        self._notify(updated, (*history, act), entry, told)
        return updated

    def _after(
        self, case: CaseId, thread: ThreadId, signed: SignedAct, history: tuple[Act, ...]
    ) -> Case:
        return Case(
            id=case,
            thread=thread,
            head=signed.hash,
            next_seq=signed.act.seq + 1,
            present=project((*history, signed.act), self._rules.policy),
        )

    def _settle_proposal(self, case: CaseId, signed: SignedAct) -> None:
        waiting = self._unit.proposal(case)
        if waiting is not None:
            outcome = CONFIRMED if waiting.hash == signed.hash else OVERTAKEN
            self._unit.close_proposal(waiting.hash, outcome)

    def _notify(
        self,
        case: Case,
        history: tuple[Act, ...],
        entry: LedgerEntry,
        told: dict[str, Any] | None,
    ) -> None:
        signed = entry.signed
        if not is_visible(signed.act):
            return
        notice = notice_for(signed, history, self._rules.policy, entry.container)
        if told is not None:
            notice.meta[META] = told
        key = self._unit.mailbox_key(case.id)
        box = seal(key, case.thread, signed.act.seq, notice, self._rng)
        self._unit.add_outbox(case.thread, signed.act.seq, box)
