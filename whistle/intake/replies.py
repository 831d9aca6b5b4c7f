# SPDX-License-Identifier: AGPL-3.0-or-later
"""From a thread's sealed boxes to the history a reporter reads.

Invariants:

* only keys that follow from the receipt are used;
* an entry counts only if its act is believed (`whistle.intake.standing`) and the reply it names
  opens and is by the act's signer; an objection or a withdrawal counts only if the reporter's own
  copy of it is here. Any other entry is shown as what it is, without its text, and decides nothing;
* an act by a key that is no longer listed is marked; one by a key never listed is marked and
  decides nothing;
* code, limits and lateness are computed from the acts that count, the published policy and today,
  never read from a notice.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Literal

from case_mgmt import deadlines
from case_mgmt.acts import Act, SignedAct, message_hash
from case_mgmt.errors import ActFormatError
from case_mgmt.model import NO_ACT, OPEN, ActKind, CaseId, DeviceKey, State
from case_mgmt.policy import Policy
from crypto.body import ReplyBody
from crypto.encoding import unb64, unhex
from crypto.errors import CryptoError, MalformedError
from crypto.frame import NO_PREVIOUS, frame_hash
from crypto.mailbox import Notice, open_notice, open_own_copy, open_reply
from crypto.receipt import ReceiptKeys
from crypto.signing import PUBLIC
from whistle.intake.contexts import StatusContext, TimelineItem
from whistle.intake.logged import Logged, is_promised, read_logged, resolve
from whistle.intake.records import OwnMessage, ThreadView
from whistle.intake.standing import Place, Signers, Standing, judge

_SHOWN_AS_OWN: Final = frozenset({ActKind.FOLLOW_UP, ActKind.WITHDRAW})
_WISHES: Final = frozenset({ActKind.CONTEST, ActKind.WITHDRAW})
_CODES: Final = {ActKind.UPDATE: "update", ActKind.EXTEND: "extend"}
_BY_OFFICE: Final = frozenset({ActKind.TRANSITION, ActKind.UPDATE, ActKind.EXTEND})
_NOTES: Final = {Standing.FORMER: "former", Standing.UNKNOWN: "unknown"}
_UNDATED: Final = date.min
Damage = Literal["unreadable", "unverified"]


@dataclass(frozen=True)
class Office:
    """Whose answers these are: the organisation as far as its answers are checked against it."""

    instance_id: bytes
    signers: Signers
    policy: Policy


@dataclass(frozen=True)
class History:
    """What a status page shows of a thread, and what the next message refers to."""

    context: StatusContext
    seen: int
    prev: bytes
    logged: tuple[Logged, ...] = ()
    """What the public log must hold of this thread, as far as the reporter was told."""

    def resolved(self, place: Callable[[bytes], int | None], size: int, today: date) -> "History":
        """The same with every leaf looked up in the public log of this size."""

        def look(one: Logged) -> Logged:
            return resolve(one, place, size, today)

        timeline = [
            item if item.log is None else replace(item, log=look(item.log))
            for item in self.context.timeline
        ]
        return replace(
            self,
            context=replace(self.context, timeline=tuple(timeline)),
            logged=tuple(look(each) for each in self.logged),
        )

    @property
    def is_open(self) -> bool:
        """Whether the reporter may still withdraw."""
        return self.context.state in OPEN

    @property
    def may_contest(self) -> bool:
        """Whether the reporter may object to the closing, or take a withdrawal back."""
        return self.context.contest_until is not None or self.context.state == State.WITHDRAWN


@dataclass(frozen=True)
class _Opened:
    """One mailbox entry: its line in the history, its act if that counts, its reply."""

    place: int
    item: TimelineItem | None
    signed: SignedAct | None = None
    logged: Logged | None = None
    standing: Standing = Standing.UNKNOWN
    prev: bytes | None = None


def read_thread(thread: ThreadView, keys: ReceiptKeys, office: Office, today: date) -> History:
    """Open and check everything of a thread."""
    own = _own(thread.own, keys)
    wishes = Counter(item.code for _, item in own)
    opened = _Reader(keys, office, thread.day, today, wishes).read(thread.boxes)
    if not is_promised(thread.commitment, keys):
        opened = [_without_report(entry) for entry in opened]
    lines = [((2 * entry.place), entry.item) for entry in opened if entry.item is not None]
    lines += [(2 * seen + 1, item) for seen, item in own]
    if not any(item.code == State.RECEIVED for _, item in lines):
        lines.append((-1, TimelineItem(thread.day, State.RECEIVED.value, "", "system")))
    lines.sort(key=lambda line: line[0])
    prevs = [entry.prev for entry in opened if entry.prev is not None]
    return History(
        context=replace(
            _present(opened, thread.day, office.policy, today),
            timeline=tuple(item for _, item in reversed(lines)),
            received=thread.day,
            mode=thread.mode,
        ),
        seen=max((seq for seq, _ in thread.boxes), default=0),
        prev=prevs[-1] if prevs else NO_PREVIOUS,
        logged=tuple(entry.logged for entry in opened if entry.logged is not None),
    )


def first_due(arrival: date, policy: Policy) -> date:
    """Return when a report that arrived on this day is due for its first step."""
    return deadlines.first_due(arrival, policy)


class _Reader:
    """Opens the boxes of one thread in order; each is checked against what stands before it."""

    def __init__(
        self,
        keys: ReceiptKeys,
        office: Office,
        arrival: date,
        today: date,
        wishes: Counter[str],
    ) -> None:
        self._wishes = wishes
        self._keys = keys
        self._office = office
        self._arrival = arrival
        self._today = today
        self._before: SignedAct | None = None
        self._is_neighbour = False

    def read(self, boxes: Sequence[tuple[int, bytes]]) -> list[_Opened]:
        """Open all boxes, lowest number first."""
        opened = []
        for seq, box in boxes:
            entry = self._open(seq, box)
            self._is_neighbour = entry.signed is not None
            if entry.signed is not None:
                self._before = entry.signed
            opened.append(entry)
        return opened

    def _open(self, seq: int, box: bytes) -> _Opened:
        try:
            notice = open_notice(self._keys.mailbox_key, self._keys.lookup_id, seq, box)
        except CryptoError:
            return _damaged(seq, "unreadable")
        place = Place(seq, self._before, self._is_neighbour, self._arrival, self._today)
        try:
            signed = _signed_act(notice)
            standing = judge(signed, place, self._office.signers)
            self._require_wish(signed.act)
            logged = read_logged(notice.meta, signed, self._keys)
        except (CryptoError, ActFormatError):
            return _damaged(seq, "unverified")
        try:
            text, prev = self._reply(notice, signed.act)
        except CryptoError:
            return _damaged(seq, "unreadable", signed.act.day)
        item = _line(signed.act, text, standing)
        if standing is Standing.UNKNOWN:
            return _Opened(seq, item)
        item = None if item is None else replace(item, log=logged)
        return _Opened(seq, item, signed, logged, standing, prev)

    def _require_wish(self, act: Act) -> None:
        """SECURITY: the service signs these in the reporter's name; the reporter's own copies say
        whether the reporter wanted it
        (tests/whistle/intake/test_replies.py::test_nobody_withdraws_for_the_reporter)."""
        if act.kind not in _WISHES:
            return
        if self._wishes[act.kind.value] == 0:
            raise ActFormatError("the reporter has not sent this")
        self._wishes[act.kind.value] -= 1

    def _reply(self, notice: Notice, act: Act) -> tuple[str, bytes | None]:
        """Return the text of the reply the act names, and the hash by which to answer it."""
        if notice.container is None:
            if act.message is not None:
                raise MalformedError("the message of this act is missing")
            return "", None
        if act.message != message_hash(notice.container):
            raise MalformedError("not the message the act names")
        frame, raw = open_reply(self._keys, notice.container, self._office.instance_id)
        if frame.sender is None or frame.sender.hex() != act.signer:
            raise MalformedError("the message is not by the signer of the act")
        return ReplyBody.parse(frame.body).text, frame_hash(raw)


def _signed_act(notice: Notice) -> SignedAct:
    """Read the act and its signatures, strictly."""
    second, proof = notice.meta.get("countersigner"), notice.meta.get("countersignature")
    return SignedAct(
        act=Act.from_object(notice.meta.get("act")),
        signature=_signature(notice.meta.get("signature")),
        countersigner=None if second is None else DeviceKey(unhex(second, PUBLIC).hex()),
        countersignature=None if proof is None else _signature(proof),
    )


def _signature(value: object) -> bytes:
    if not isinstance(value, str):
        raise MalformedError("not a signature")
    return unb64(value)


def _without_report(entry: _Opened) -> _Opened:
    """The same, saying nothing of a leaf of the report itself: there can be none."""
    if entry.logged is None or entry.logged.event is not None:
        return entry
    item = None if entry.item is None else replace(entry.item, log=None)
    return replace(entry, item=item, logged=None)


def _damaged(seq: int, kind: Damage, day: date = _UNDATED) -> _Opened:
    return _Opened(seq, TimelineItem(day, kind, "", "system", note=kind))


def _line(act: Act, text: str, standing: Standing) -> TimelineItem | None:
    """Return the line of an act; the reporter's own acts show as what the reporter wrote."""
    if act.kind in _SHOWN_AS_OWN:
        return None
    is_office = act.kind in _BY_OFFICE and standing is not Standing.UNKNOWN
    author: Literal["office", "system"] = "office" if is_office else "system"
    code = _CODES.get(act.kind, act.target.value)
    note = _NOTES.get(standing)
    return TimelineItem(act.day, code, text, author, reason=act.reason, note=note)


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
            item = TimelineItem(message.day, "unreadable", "", "system", note="unreadable")
            lines.append((0, item))
    return lines


def _present(
    opened: Sequence[_Opened], arrival: date, policy: Policy, today: date
) -> StatusContext:
    """Return the present code and its dates, from arrival and the acts that count."""
    counting = [entry for entry in opened if entry.signed is not None]
    acts = [_arrival(arrival)]
    acts += [entry.signed.act for entry in counting if entry.signed is not None]
    clock = deadlines.due(acts, policy, today)
    until = clock.contest_until
    return StatusContext(
        kind="case",
        state=acts[-1].target.value,
        is_by_former=bool(counting) and counting[-1].standing is Standing.FORMER,
        due=clock.next_due,
        due_kind=clock.next_kind,
        overall_due=clock.overall_due,
        overdue_since=clock.overdue_since,
        contest_until=until if until is not None and today <= until else None,
        paused=clock.paused,
    )


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
