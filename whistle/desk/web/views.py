# SPDX-License-Identifier: AGPL-3.0-or-later
"""What each desk page shows: plain values for the templates, computed from an opened case.

Nothing here decides what may be done; buttons follow from the server's `allowed` and, for letters
without a change of status, from who the person is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from case_mgmt.desk.evidence import EvidenceFile
from case_mgmt.desk.history import CheckedAct
from case_mgmt.lifecycle import reason_codes
from case_mgmt.model import CLOSINGS, EXTENSION_REASONS, OPEN, ActKind, Role, State
from crypto.body import FollowUpBody, ReportBody
from crypto.manifest import Person
from whistle.desk.casefile import CaseFile, TimelineEntry
from whistle.desk.labels import DANGER_FIELD, STORY_FIELD, Answer, Labels
from whistle.desk.records import CaseSummary, Queue
from whistle.desk.web.drafts import LetterDraft

Urgency = Literal["late", "soon", "plain", "none"]
SOON_DAYS = 2


@dataclass(frozen=True)
class Deadline:
    """A due date with how urgent it is; `days` counts from today, negative when missed."""

    urgency: Urgency
    day: date | None
    kind: str
    days: int
    overdue_since: date | None


@dataclass(frozen=True)
class QueueRow:
    """One case of the queue."""

    case: str
    status: str
    assignee: str
    is_mine: bool
    received: date
    deadline: Deadline
    is_new: bool
    is_paused: bool
    proposal: str
    waits_for_me: bool


@dataclass(frozen=True)
class QueueView:
    """The queue page; `counts` are the figures above the table."""

    today: date
    rows: Sequence[QueueRow]
    late: int
    soon: int
    new: int
    second: int


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


@dataclass(frozen=True)
class ComposeView:
    """The page where a letter is written."""

    case: str
    kind: ActKind
    target: State | None
    title: str
    head: str
    text: str
    reasons: Sequence[tuple[str, str]]
    reason: str
    needs_reason: bool
    needs_second: bool
    until: str
    until_from: date | None
    until_to: date | None
    error: str
    status: str
    story: str
    danger: str
    last_message: str


def queue_view(queue: Queue, me: Person, labels: Labels) -> QueueView:
    """The queue, in the server's order, with what concerns this person marked."""
    rows = tuple(_queue_row(summary, queue.today, me, labels) for summary in queue.cases)
    return QueueView(
        today=queue.today,
        rows=rows,
        late=sum(row.deadline.urgency == "late" for row in rows),
        soon=sum(row.deadline.urgency == "soon" for row in rows),
        new=sum(row.is_new for row in rows),
        second=sum(row.waits_for_me for row in rows),
    )


def case_view(case: CaseFile, labels: Labels) -> CaseView:
    """Everything the case page shows."""
    me = case.organisation.me
    body = case.thread.report.body
    fields = body.fields if isinstance(body, ReportBody) else {}
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
        story=_answer(case, STORY_FIELD),
        answers=[answer for answer in answers if answer.field != STORY_FIELD],
        timeline=[_timeline_row(case, entry, labels) for entry in reversed(case.timeline())],
        acts=[_act_row(checked, labels) for checked in reversed(case.history.acts)],
        proposal=_proposal(case, labels),
        steps=[each for each in buttons if State(each.code) not in CLOSINGS],
        closings=[each for each in buttons if State(each.code) in CLOSINGS],
        may_write=may_write,
        may_extend=may_write and case.state in OPEN,
        people=case.thread.people,
        may_assign=Role.SUPERVISOR in me.roles and case.state in OPEN,
    )


def compose_view(
    case: CaseFile, draft: LetterDraft, labels: Labels, error: str = ""
) -> ComposeView:
    """The composer for one letter."""
    codes = _reason_codes(draft)
    move = next((each for each in case.moves if each.to == draft.target), None)
    start, end = _extension_bounds(case) if draft.kind is ActKind.EXTEND else (None, None)
    return ComposeView(
        case=draft.case,
        kind=draft.kind,
        target=draft.target,
        title=letter_title(draft, labels),
        head=draft.seen_head,
        text=draft.text,
        reasons=[(code, labels.reason(code)) for code in codes],
        reason=draft.reason or "",
        needs_reason=draft.kind is ActKind.EXTEND or (move is not None and move.needs_reason),
        needs_second=move is not None and move.needs_second,
        until="" if draft.until is None else draft.until.isoformat(),
        until_from=start,
        until_to=end,
        error=error,
        status=labels.status(case.state),
        story=_answer(case, STORY_FIELD),
        danger=_answer(case, DANGER_FIELD),
        last_message=_last_message(case),
    )


def letter_title(draft: LetterDraft, labels: Labels) -> str:
    """What the letter does."""
    if draft.target is not None:
        return labels.status(draft.target)
    return labels.texts.t(f"desk.act.{draft.kind.value}")


def deadline(
    due: date | None, kind: str | None, overdue_since: date | None, today: date, labels: Labels
) -> Deadline:
    """A due date as a page shows it."""
    if due is None:
        return Deadline("none", None, "", 0, None)
    days = (due - today).days
    urgency: Urgency = "soon" if days <= SOON_DAYS else "plain"
    if overdue_since is not None:
        urgency = "late"
    return Deadline(urgency, due, labels.due_kind(kind), days, overdue_since)


def _queue_row(summary: CaseSummary, today: date, me: Person, labels: Labels) -> QueueRow:
    proposal = summary.proposal
    return QueueRow(
        case=summary.case,
        status=labels.status(summary.state),
        assignee=labels.person(summary.assignee),
        is_mine=summary.assignee == me.id,
        received=summary.received,
        deadline=deadline(summary.next_due, summary.due_kind, summary.overdue_since, today, labels),
        is_new=summary.new_material,
        is_paused=summary.paused,
        proposal="" if proposal is None else labels.status(proposal.to),
        waits_for_me=proposal is not None and proposal.by != me.id,
    )


def _timeline_row(case: CaseFile, entry: TimelineEntry, labels: Labels) -> TimelineRow:
    text, title, reason = "", "", ""
    files: Sequence[EvidenceFile] = ()
    if entry.act is not None:
        act = entry.act.entry.signed.act
        title, reason = labels.act(entry.act), labels.reason(act.reason)
    if entry.copy is not None:
        text = entry.copy.body.text
    if entry.message is not None and isinstance(entry.message.body, FollowUpBody):
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
    )


def _act_row(checked: CheckedAct, labels: Labels) -> ActRow:
    act = checked.entry.signed.act
    return ActRow(
        seq=act.seq,
        day=act.day,
        what=labels.act(checked),
        reason=labels.reason(act.reason),
        signer=labels.signer(checked),
        second=checked.second.name if checked.second else "",
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
        by=pending.proposer.name if pending.proposer else labels.texts.t("desk.label.unknown"),
        is_mine=pending.is_mine,
        reason=labels.reason(act.reason),
        text=pending.copy.body.text if pending.copy else "",
        problem=pending.problem,
    )


def _reason_codes(draft: LetterDraft) -> Sequence[str]:
    if draft.kind is ActKind.EXTEND:
        return EXTENSION_REASONS
    return reason_codes(draft.target) if draft.target is not None else ()


def _answer(case: CaseFile, field: str) -> str:
    body = case.thread.report.body
    return body.fields.get(field, "") if isinstance(body, ReportBody) else ""


def _last_message(case: CaseFile) -> str:
    bodies = [each.body for each in case.thread.follow_ups]
    texts = [body.text for body in bodies if isinstance(body, FollowUpBody)]
    return texts[-1] if texts else ""


def _extension_bounds(case: CaseFile) -> tuple[date | None, date | None]:
    """The first and last day the gate would accept, weekends and holidays apart."""
    limit = case.clock.overall_due
    if limit is None:
        return None, None
    base = max(limit, case.organisation.today)
    longest = timedelta(days=case.organisation.policy.extension_max_days)
    return base + timedelta(days=1), base + longest
