# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the queue page shows, and how a deadline is shown anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from crypto.manifest import Person
from whistle.desk.labels import Labels
from whistle.desk.records import CaseSummary, Queue

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
