# SPDX-License-Identifier: AGPL-3.0-or-later
"""What each desk page shows: plain values for the templates, computed from an opened case.

Nothing here decides what may be done; buttons follow from the server's `allowed` and, for letters
without a change of status, from who the person is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from case_mgmt.desk.evidence import EvidenceFile
from case_mgmt.desk.history import CheckedAct
from case_mgmt.model import CLOSINGS, OPEN, Role, State
from crypto.manifest import Person
from whistle.desk.casefile import CaseFile, TimelineEntry
from whistle.desk.labels import STORY_FIELD, Answer, Labels
from whistle.desk.looking import Inside
from whistle.desk.terminal import error_text
from whistle.desk.web.queue_views import Deadline, deadline

Urgency = Literal["late", "soon", "plain", "none"]
SOON_DAYS = 2


@dataclass(frozen=True)
class Button:
    """A step that may be taken."""

    code: str
    label: str
    needs_second: bool


@dataclass(frozen=True)
class TimelineRow:
    """One line of the conversation."""

    day: date
    author: Literal["office", "reporter", "system"]
    title: str
    reason: str
    text: str
    is_unreadable: bool
    files: Sequence[EvidenceFile]
    origin: str
    """Where a reporter's message was sealed; empty for others."""


@dataclass(frozen=True)
class ActRow:
    """One signed act."""

    seq: int
    day: date
    what: str
    reason: str
    signer: str
    second: str
    is_verified: bool
    problems: Sequence[str]


@dataclass(frozen=True)
class ProposalView:
    """The banner of a waiting closing."""

    status: str
    by: str
    is_mine: bool
    reason: str
    text: str
    problem: str | None


@dataclass(frozen=True)
class InsideView:
    """The text sealed in a stock age file, or why it does not open."""

    text: str
    problem: str


@dataclass(frozen=True)
class CaseView:
    """The case page."""

    case: CaseFile
    status: str
    deadline: Deadline
    assignee: str
    me: Person
    origin: str
    story: str
    answers: Sequence[Answer]
    timeline: Sequence[TimelineRow]
    acts: Sequence[ActRow]
    proposal: ProposalView | None
    steps: Sequence[Button]
    closings: Sequence[Button]
    may_write: bool
    may_extend: bool
    people: Sequence[Person]
    may_assign: bool
    inside: Mapping[int, InsideView]


def case_view(case: CaseFile, labels: Labels, inside: Mapping[int, Inside]) -> CaseView:
    """Everything the case page shows."""
    me = case.organisation.me
    fields = case.thread.report.body.fields
    clock, today = case.clock, case.organisation.today
    summary = case.record.summary
    may_write = case.is_mine_to_decide
    buttons = [Button(move.to, labels.status(move.to), move.needs_second) for move in case.moves]
    answers = labels.answers(fields)
    return CaseView(
        case=case,
        status=labels.status(case.state),
        deadline=deadline(clock.next_due, clock.next_kind, clock.overdue_since, today, labels),
        assignee=labels.person(summary.assignee),
        me=me,
        origin=case.thread.report.origin.name.lower(),
        story=answer_of(case, STORY_FIELD),
        answers=[answer for answer in answers if answer.field != STORY_FIELD],
        timeline=[_timeline_row(case, entry, labels) for entry in reversed(case.timeline())],
        acts=[_act_row(checked, labels) for checked in reversed(case.history.acts)],
        proposal=_proposal(case, labels),
        steps=[each for each in buttons if State(each.code) not in CLOSINGS],
        closings=[each for each in buttons if State(each.code) in CLOSINGS],
        may_write=may_write,
        may_extend=may_write and _is_extendable(case),
        people=case.thread.people,
        may_assign=Role.SUPERVISOR in me.roles and case.state in OPEN,
        inside={position: _inside(each, labels) for position, each in inside.items()},
    )


def _is_extendable(case: CaseFile) -> bool:
    """What has been missed stays missed: the gate refuses an extension after the limit."""
    limit = case.clock.overall_due
    return case.state in OPEN and limit is not None and case.organisation.today <= limit


def _timeline_row(case: CaseFile, entry: TimelineEntry, labels: Labels) -> TimelineRow:
    text, title, reason = "", "", ""
    files: Sequence[EvidenceFile] = ()
    if entry.act is not None:
        act = entry.act.entry.signed.act
        title, reason = labels.act(entry.act), labels.reason(act.reason)
    if entry.copy is not None:
        text = entry.copy.body.text
    if entry.message is not None:
        files = case.files_of(entry.message)
        text = entry.message.body.text
        title = labels.texts.t(f"desk.intent.{entry.message.body.intent}")
    return TimelineRow(
        day=entry.day,
        author=entry.author,
        title=title,
        reason=reason,
        text=text,
        is_unreadable=entry.author == "office" and entry.copy is None,
        files=files,
        origin="" if entry.message is None else entry.message.origin.name.lower(),
    )


def _act_row(checked: CheckedAct, labels: Labels) -> ActRow:
    act = checked.entry.signed.act
    return ActRow(
        seq=act.seq,
        day=act.day,
        what=labels.act(checked),
        reason=labels.reason(act.reason),
        signer=labels.signer(checked),
        second=labels.signatory(checked.second) if checked.second else "",
        is_verified=checked.is_verified,
        problems=[labels.texts.t(f"desk.problem.{problem}") for problem in checked.problems],
    )


def _proposal(case: CaseFile, labels: Labels) -> ProposalView | None:
    pending = case.pending
    if pending is None:
        return None
    act = pending.proposal.signed.act
    return ProposalView(
        status=labels.status(act.target),
        by=labels.signatory(pending.proposer)
        if pending.proposer
        else labels.texts.t("desk.label.unknown"),
        is_mine=pending.is_mine,
        reason=labels.reason(act.reason),
        text=pending.copy.body.text if pending.copy else "",
        problem=pending.problem,
    )


def _inside(inside: Inside, labels: Labels) -> InsideView:
    problem = "" if inside.problem is None else error_text(inside.problem, labels.texts)
    return InsideView(inside.text or "", problem)


def answer_of(case: CaseFile, field: str) -> str:
    """One answer of the report, or nothing."""
    return case.thread.report.body.fields.get(field, "")
