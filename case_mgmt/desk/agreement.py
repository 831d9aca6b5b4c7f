# SPDX-License-Identifier: AGPL-3.0-or-later
"""Compares what was signed as an act with what the reporter and the office sealed.

The case server signs what the reporter causes, and only it sees a report arrive. Here its word is
held against what it cannot make: messages signed by the sender key of the first report, and office
copies sealed at desks.

1. Each act in the reporter's name (`follow_up`, `contest`, `withdraw`) stands for one message of
   the thread's pinned sender, in the order stored; none is counted twice (`act_without_message`).
2. The day of arrival is the day the report was stored and the day inside its frame, give or take
   one (`arrival_differs`; a frame that withholds its day says nothing).
3. Each message of the office has a copy by the person who signed the act (`copy_missing`), which
   tells the reporter the status and reason of the act (`copy_differs`).

SECURITY: nothing is signed on top of an act that stands for no message; a withdrawal the server
made up would otherwise end a case in the reporter's name (test_agreement.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from case_mgmt.desk.history import CheckedAct, History
from case_mgmt.desk.office import OfficeFile
from case_mgmt.desk.opening import OpenedFollowUp, OpenedThread, StoredMessage
from case_mgmt.model import ActKind
from crypto.encoding import day_number
from crypto.frame import DAY_WITHHELD

ActRemarkCode = Literal["act_without_message", "arrival_differs", "copy_missing", "copy_differs"]
DAY_TOLERANCE = 1  # days
_INTENTS: Mapping[ActKind, frozenset[str]] = {
    ActKind.FOLLOW_UP: frozenset({"message", "contest", "withdraw"}),
    ActKind.CONTEST: frozenset({"contest"}),
    ActKind.WITHDRAW: frozenset({"withdraw"}),
}
"""A contest that came too late, or a withdrawal of a closed case, is a follow-up."""


@dataclass(frozen=True)
class ActRemark:
    """Something about an act that the investigator must know."""

    code: ActRemarkCode
    seq: int


@dataclass(frozen=True)
class Agreement:
    """Which message each act of the reporter stands for, and what does not agree."""

    messages: Mapping[int, OpenedFollowUp]
    remarks: tuple[ActRemark, ...]

    @property
    def has_invented_act(self) -> bool:
        """Whether an act in the reporter's name stands for no message."""
        return any(remark.code == "act_without_message" for remark in self.remarks)


def compare(
    history: History, thread: OpenedThread, stored: Sequence[StoredMessage], office: OfficeFile
) -> Agreement:
    """Compares all acts of a case with what is sealed in it."""
    messages = _pair(history, thread, stored)
    remarks = (
        remark for checked in history.acts for remark in _remarks(checked, thread, office, messages)
    )
    return Agreement(messages, tuple(remarks))


def _pair(
    history: History, thread: OpenedThread, stored: Sequence[StoredMessage]
) -> dict[int, OpenedFollowUp]:
    """Walks acts and stored messages together; a message that proves nothing uses up its place."""
    waiting = _proofs(thread, stored)
    paired: dict[int, OpenedFollowUp] = {}
    for checked in history.acts:
        act = checked.entry.signed.act
        if not checked.by_service or act.kind not in _INTENTS or not waiting:
            continue
        message = waiting[0]
        if message is None or message.body.intent in _INTENTS[act.kind]:
            del waiting[0]
        if message is not None and message.body.intent in _INTENTS[act.kind]:
            paired[act.seq] = message
    return paired


def _proofs(thread: OpenedThread, stored: Sequence[StoredMessage]) -> list[OpenedFollowUp | None]:
    """Per stored message: it, if the pinned sender signed it and it is not an earlier one again."""
    sender = thread.report.frame.sender
    seen = {thread.report.frame.message_id}
    opened = list(thread.follow_ups)
    proofs: list[OpenedFollowUp | None] = []
    for each in stored[1:]:
        message = opened.pop(0) if opened and opened[0].id == each.id else None
        holds = (
            message is not None
            and sender is not None
            and message.frame.sender == sender
            and message.frame.message_id not in seen
        )
        if message is not None:
            seen.add(message.frame.message_id)
        proofs.append(message if holds else None)
    return proofs


def _remarks(
    checked: CheckedAct,
    thread: OpenedThread,
    office: OfficeFile,
    messages: Mapping[int, OpenedFollowUp],
) -> Iterator[ActRemark]:
    act = checked.entry.signed.act
    if checked.by_service:
        if act.kind in _INTENTS and act.seq not in messages:
            yield ActRemark("act_without_message", act.seq)
        if act.kind is ActKind.RECEIVED and not _days_agree(act.day, thread):
            yield ActRemark("arrival_differs", act.seq)
    elif checked.entry.container is not None:
        yield from _copy_remarks(checked, checked.entry.container, office)


def _days_agree(arrival: date, thread: OpenedThread) -> bool:
    report = thread.report
    days = [day_number(arrival), day_number(report.day)]
    if report.frame.day != DAY_WITHHELD:
        days.append(report.frame.day)
    return max(days) - min(days) <= DAY_TOLERANCE


def _copy_remarks(checked: CheckedAct, container: bytes, office: OfficeFile) -> Iterator[ActRemark]:
    act = checked.entry.signed.act
    copy = office.copy_of(container)
    if copy is None or copy.author is None or copy.author.hex() != act.signer:
        yield ActRemark("copy_missing", act.seq)
        return
    status = act.target.value if act.kind is ActKind.TRANSITION else None
    if (copy.body.status, copy.body.reason) != (status, act.reason):
        yield ActRemark("copy_differs", act.seq)
