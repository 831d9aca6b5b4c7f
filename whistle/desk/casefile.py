# SPDX-License-Identifier: AGPL-3.0-or-later
"""A case as this desk has opened and verified it: what the pages and commands show and act on.

The order of trust: the manifest (trust.py) → the signed acts (history) → the sealed report → our
own sealed copies. The server's summary is compared with what follows from the acts; where they
differ, the acts win and the difference is a remark.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from case_mgmt.deadlines import Clock, due
from case_mgmt.desk.agreement import Agreement, compare
from case_mgmt.desk.errors import ComposeError, OpeningError
from case_mgmt.desk.evidence import EvidenceFile, name_all
from case_mgmt.desk.history import CheckedAct, History, Signatory, check_history, signatory
from case_mgmt.desk.office import Note, OfficeCopy, OfficeFile, open_office_file
from case_mgmt.desk.opening import Lens, OpenedFollowUp, OpenedReport, OpenedThread, open_thread
from case_mgmt.desk.signing import Proposal, Verified, check_proposal, read_proposal
from case_mgmt.model import ActKind, Role, State
from crypto.frame import Origin
from crypto.private.keystore import Identity
from whistle.desk.errors import GateRefusedError, UnreachableError
from whistle.desk.records import CaseRecord, Move
from whistle.desk.trust import Organisation

SystemRemark = Literal["history_broken", "head_differs", "summary_differs", "notes_unreadable"]


@dataclass(frozen=True)
class CaseRemark:
    """Something the investigator must know; `message` or `act` when it is about one of them."""

    code: str
    message: str | None = None
    act: int | None = None


@dataclass(frozen=True)
class PendingView:
    """A closing that waits; `copy`: what would be read, `problem`: why it cannot be trusted."""

    proposal: Proposal
    proposer: Signatory | None
    is_mine: bool
    copy: OfficeCopy | None
    problem: str | None

    @property
    def target(self) -> State:
        """The proposed code."""
        return self.proposal.signed.act.target


@dataclass(frozen=True)
class TimelineEntry:
    """One line of what the reporter sees; `act` for steps, `message` for what the reporter sent."""

    day: date
    author: Literal["office", "reporter", "system"]
    act: CheckedAct | None = None
    copy: OfficeCopy | None = None
    message: OpenedFollowUp | None = None


@dataclass(frozen=True)
class CaseFile:
    """Everything about one case, opened."""

    organisation: Organisation
    record: CaseRecord
    history: History
    thread: OpenedThread
    office: OfficeFile
    agreement: Agreement
    clock: Clock
    pending: PendingView | None
    files: tuple[EvidenceFile, ...]
    remarks: tuple[CaseRemark, ...]

    @property
    def state(self) -> State:
        """The public code that follows from the signed acts."""
        return self.history.head.state

    @property
    def verified(self) -> Verified:
        """What a second person's signature rests on."""
        organisation = self.organisation
        return Verified(organisation.manifest, self.history.head, self.office, organisation.today)

    @property
    def moves(self) -> tuple[Move, ...]:
        """What the server would allow this person to do now."""
        return self.record.summary.allowed

    @property
    def is_mine_to_decide(self) -> bool:
        """Whether the case is this person's, or this person supervises."""
        me = self.organisation.me
        return self.record.summary.assignee == me.id or Role.SUPERVISOR in me.roles

    @property
    def notes(self) -> tuple[Note, ...]:
        """Private notes, oldest first."""
        return self.office.notes

    @property
    def is_sealed_on_arrival(self) -> bool:
        """Whether the report was sealed by the server and not by the reporter."""
        return self.thread.report.origin is Origin.ARRIVAL

    def files_of(self, message: OpenedReport | OpenedFollowUp) -> tuple[EvidenceFile, ...]:
        """The named files of one message."""
        ids = {ref.id for ref in message.attachments}
        return tuple(file for file in self.files if file.ref.id in ids)

    def timeline(self) -> tuple[TimelineEntry, ...]:
        """What the reporter sees, oldest first: visible acts, and their own messages."""
        return tuple(_timeline(self))


def open_case_file(identity: Identity, organisation: Organisation, record: CaseRecord) -> CaseFile:
    """Opens and verifies a case. Raises: GateRefusedError, UnreachableError."""
    if not record.entries:
        raise UnreachableError("desk.error.bad_answer")
    manifest = organisation.manifest
    history = check_history(record.summary.case, record.entries, manifest)
    office = open_office_file(identity.recipient_seed, manifest, record.thread, record.notes)
    lens = Lens(identity.recipient_seed, manifest, record.thread)
    try:
        thread = open_thread(lens, record.messages, office.hashes)
    except OpeningError as error:
        raise GateRefusedError(f"desk.opening.{error.code}") from error
    acts = [checked.entry.signed.act for checked in history.acts]
    agreement = compare(history, thread, record.messages, office)
    clock = due(acts, organisation.policy, organisation.today)
    refs = [ref for message in thread.messages for ref in message.attachments]
    return CaseFile(
        organisation=organisation,
        record=record,
        history=history,
        thread=thread,
        office=office,
        agreement=agreement,
        clock=clock,
        pending=_pending(
            organisation, record, Verified(manifest, history.head, office, organisation.today)
        ),
        files=name_all(refs),
        remarks=(*_case_remarks(record, history, office, clock), *_part_remarks(thread, agreement)),
    )


def _pending(organisation: Organisation, record: CaseRecord, known: Verified) -> PendingView | None:
    if record.pending is None:
        return None
    signer = bytes.fromhex(record.pending.signed.act.signer)
    proposer, me = signatory(known.manifest, signer), organisation.me
    is_mine = proposer is not None and proposer.id == me.id
    copy: OfficeCopy | None = None
    problem: str | None = None
    try:
        copy = (
            read_proposal(record.pending, known)
            if is_mine
            else check_proposal(record.pending, known, me)
        )
    except ComposeError as error:
        problem = error.code
    return PendingView(
        proposal=record.pending,
        proposer=proposer,
        is_mine=is_mine,
        copy=copy,
        problem=problem,
    )


def _case_remarks(
    record: CaseRecord, history: History, office: OfficeFile, clock: Clock
) -> Iterator[CaseRemark]:
    if not history.is_verified:
        yield CaseRemark("history_broken")
    if record.head != history.head.prev:
        yield CaseRemark("head_differs")
    summary = record.summary
    ours = (history.head.state, clock.next_due, clock.overdue_since)
    if ours != (summary.state, summary.next_due, summary.overdue_since):
        yield CaseRemark("summary_differs")
    if office.unreadable:
        yield CaseRemark("notes_unreadable")


def _part_remarks(thread: OpenedThread, agreement: Agreement) -> Iterator[CaseRemark]:
    for each in agreement.remarks:
        yield CaseRemark(each.code, act=each.seq)
    for remark in thread.remarks:
        yield CaseRemark(remark.code, message=remark.message)


def _timeline(case: CaseFile) -> Iterator[TimelineEntry]:
    """Acts in their order; a reporter's act is shown as the message it stands for.

    An act in the reporter's name that stands for no message is shown as the system's.
    """
    paired = case.agreement.messages
    for checked in case.history.acts:
        act = checked.entry.signed.act
        if act.kind is ActKind.ASSIGN:
            continue
        if act.seq in paired:
            yield TimelineEntry(act.day, "reporter", act=checked, message=paired[act.seq])
        elif checked.by_service:
            yield TimelineEntry(act.day, "system", act=checked)
        else:
            container = checked.entry.container
            copy = None if container is None else case.office.copy_of(container)
            yield TimelineEntry(act.day, "office", act=checked, copy=copy)
    shown = {id(message) for message in paired.values()}
    for message in case.thread.follow_ups:
        if id(message) not in shown:
            yield TimelineEntry(message.day, "reporter", message=message)
