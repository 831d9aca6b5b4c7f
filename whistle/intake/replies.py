# SPDX-License-Identifier: AGPL-3.0-or-later
"""From a thread's sealed boxes to the history a reporter reads.

Invariants:

* only keys that follow from the receipt are used; a box or a reply that does not open, or whose
  reply is not the one the signed act names, is shown as unreadable instead of being left out;
* lateness is computed from the published dates and today, never read from a box;
* before the first act the clock is computed from the published policy, so it runs from arrival.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final, Literal

from case_mgmt import deadlines
from case_mgmt.acts import Act, message_hash
from case_mgmt.errors import ActFormatError
from case_mgmt.model import NO_ACT, OPEN, ActKind, CaseId, DeviceKey, State
from case_mgmt.policy import Policy
from crypto.body import ReplyBody
from crypto.encoding import parse_day
from crypto.errors import CryptoError, MalformedError
from crypto.frame import NO_PREVIOUS, frame_hash
from crypto.mailbox import Notice, open_notice, open_own_copy, open_reply
from crypto.receipt import ReceiptKeys
from whistle.intake.contexts import StatusContext, TimelineItem
from whistle.intake.records import OwnMessage, ThreadView

_SHOWN_AS_OWN: Final = frozenset({ActKind.FOLLOW_UP, ActKind.WITHDRAW})
_CODES: Final = {ActKind.UPDATE: "update", ActKind.EXTEND: "extend"}
_DUE_KINDS: Final = frozenset(
    {deadlines.ASSESS, deadlines.FIRST_STEP, deadlines.UPDATE, deadlines.OVERALL}
)
_BY_OFFICE: Final = frozenset({ActKind.TRANSITION, ActKind.UPDATE, ActKind.EXTEND})


@dataclass(frozen=True)
class History:
    """What a status page shows of a thread, and what the next message refers to."""

    context: StatusContext
    seen: int
    prev: bytes

    @property
    def is_open(self) -> bool:
        """Whether the reporter may still withdraw."""
        return self.context.state in OPEN

    def may_contest(self, today: date) -> bool:
        """Whether the reporter may object to the closing today, or take a withdrawal back."""
        until = self.context.contest_until
        taken_back = self.context.state == State.WITHDRAWN
        return taken_back or (until is not None and today <= until)


@dataclass(frozen=True)
class _Opened:
    """One mailbox entry: its line in the history, its act, its reply."""

    place: int
    item: TimelineItem | None
    meta: Mapping[str, Any] | None = None
    state: State | None = None
    prev: bytes | None = None


def read_thread(
    thread: ThreadView, keys: ReceiptKeys, instance_id: bytes, policy: Policy, today: date
) -> History:
    """Open everything of a thread."""
    opened = [_open(seq, box, keys, instance_id, thread.day) for seq, box in thread.boxes]
    lines = [((2 * entry.place), entry.item) for entry in opened if entry.item is not None]
    lines += [(2 * seen + 1, item) for seen, item in _own(thread.own, keys)]
    if not any(item.code == State.RECEIVED for _, item in lines):
        lines.append((-1, TimelineItem(thread.day, State.RECEIVED.value, "", "system")))
    lines.sort(key=lambda line: line[0])
    timeline = tuple(item for _, item in reversed(lines))
    known = [entry for entry in opened if entry.meta is not None]
    context = _with_clock(known[-1] if known else None, thread.day, policy, today)
    prevs = [entry.prev for entry in opened if entry.prev is not None]
    return History(
        context=replace(context, timeline=timeline, received=thread.day, mode=thread.mode),
        seen=max((seq for seq, _ in thread.boxes), default=0),
        prev=prevs[-1] if prevs else NO_PREVIOUS,
    )


def first_due(arrival: date, policy: Policy) -> date:
    """Return when a report that arrived on this day is due for its first step."""
    return deadlines.first_due(arrival, policy)


def _open(seq: int, box: bytes, keys: ReceiptKeys, instance_id: bytes, arrival: date) -> _Opened:
    try:
        notice = open_notice(keys.mailbox_key, keys.lookup_id, seq, box)
        act = Act.from_object(notice.meta.get("act"))
    except (CryptoError, ActFormatError):
        return _Opened(seq, TimelineItem(arrival, "unreadable", "", "system"))
    try:
        text, prev = _reply(notice, act, keys, instance_id)
    except CryptoError:
        item = TimelineItem(act.day, "unreadable", "", "system")
        return _Opened(seq, item, notice.meta, act.target)
    return _Opened(seq, _line(act, text), notice.meta, act.target, prev)


def _line(act: Act, text: str) -> TimelineItem | None:
    """Return the line of an act; the reporter's own acts show as what the reporter wrote."""
    if act.kind in _SHOWN_AS_OWN:
        return None
    author: Literal["office", "system"] = "office" if act.kind in _BY_OFFICE else "system"
    code = _CODES.get(act.kind, act.target.value)
    return TimelineItem(act.day, code, text, author, reason=act.reason)


def _reply(
    notice: Notice, act: Act, keys: ReceiptKeys, instance_id: bytes
) -> tuple[str, bytes | None]:
    """Return the text of the reply the act names, and the hash by which to answer it."""
    if notice.container is None:
        if act.message is not None:
            raise MalformedError("the message of this act is missing")
        return "", None
    if act.message != message_hash(notice.container):
        raise MalformedError("not the message the act names")
    frame, raw = open_reply(keys, notice.container, instance_id)
    if frame.sender is None or frame.sender.hex() != act.signer:
        raise MalformedError("the message is not by the signer of the act")
    return ReplyBody.parse(frame.body).text, frame_hash(raw)


def _own(messages: Sequence[OwnMessage], keys: ReceiptKeys) -> list[tuple[int, TimelineItem]]:
    lines = []
    for message in messages:
        try:
            copy = json.loads(
                open_own_copy(keys.state_key, keys.lookup_id, message.message_id, message.box)
            )
            item = TimelineItem(
                message.day, str(copy["intent"]), str(copy["text"]), "reporter",
                files=int(copy["files"]),
            )  # fmt: skip
            lines.append((int(copy["seen"]), item))
        except (CryptoError, ValueError, KeyError, TypeError):
            lines.append((0, TimelineItem(message.day, "unreadable", "", "system")))
    return lines


def _with_clock(last: _Opened | None, arrival: date, policy: Policy, today: date) -> StatusContext:
    """Return the present state and its dates, from the last act or from arrival."""
    if last is None or last.meta is None or last.state is None:
        clock = deadlines.due([_arrival(arrival)], policy, today)
        return StatusContext(
            kind="case",
            state=State.RECEIVED.value,
            due=clock.next_due,
            due_kind=clock.next_kind,
            overall_due=clock.overall_due,
            overdue_since=clock.overdue_since,
            paused=clock.paused,
        )
    due = _day(last.meta.get("due"))
    late = due is not None and today > due
    kind = last.meta.get("due_kind")
    return StatusContext(
        kind="case",
        state=last.state.value,
        due=due,
        due_kind=kind if kind in _DUE_KINDS else None,
        overall_due=_day(last.meta.get("overall_due")),
        overdue_since=due + timedelta(days=1) if late and due else None,
        contest_until=_day(last.meta.get("contest_until")),
        paused=bool(last.meta.get("paused")),
    )


def _day(value: object) -> date | None:
    try:
        return None if value is None else parse_day(value)
    except MalformedError:
        return None


def _arrival(day: date) -> Act:
    """Return the act with which every case begins, as far as the clock needs it."""
    return Act(
        case=CaseId("WH-00000000"),
        seq=1,
        prev=NO_ACT,
        kind=ActKind.RECEIVED,
        source=None,
        target=State.RECEIVED,
        day=day,
        signer=DeviceKey("0" * 64),
    )
