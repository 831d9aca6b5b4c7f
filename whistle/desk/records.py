# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the case server says, read strictly (docs/spec/case-api.md). Reading is not believing.

A summary is the server's view and good enough for a list; decisions are made on what the desk
verified itself (whistle.desk.casefile). Anything malformed raises `UnreachableError`: what
answered is not a case server this desk understands.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeVar

from case_mgmt.acts import Act, SignedAct
from case_mgmt.desk.history import Entry
from case_mgmt.desk.opening import StoredMessage
from case_mgmt.desk.signing import Proposal
from case_mgmt.errors import CaseError
from case_mgmt.model import CaseId, DeviceKey, State
from crypto.encoding import parse_day, parse_json, unb64, unhex
from crypto.errors import CryptoError
from whistle.desk.errors import UnreachableError

MAX_JSON_BYTES = 256 * 1024 * 1024
T = TypeVar("T")


@dataclass(frozen=True)
class Move:
    """A step the server would allow now."""

    to: str
    needs_second: bool
    needs_reason: bool


@dataclass(frozen=True)
class ProposalLine:
    """A waiting closing, as a list shows it."""

    to: str
    by: str


@dataclass(frozen=True)
class CaseSummary:
    """A case in the queue."""

    case: CaseId
    state: State
    assignee: str | None
    received: date
    next_due: date | None
    due_kind: str | None
    overall_due: date | None
    overdue_since: date | None
    paused: bool
    new_material: bool
    proposal: ProposalLine | None
    allowed: tuple[Move, ...]


@dataclass(frozen=True)
class CaseRecord:
    """A whole case as stored: sealed messages, signed acts, sealed notes."""

    summary: CaseSummary
    thread: bytes
    messages: tuple[StoredMessage, ...]
    intents: Mapping[str, str]
    entries: tuple[Entry, ...]
    head: str
    pending: Proposal | None
    notes: tuple[bytes, ...]
    wants_card: bool = False
    """Whether the publishers have no card of it yet."""


@dataclass(frozen=True)
class Queue:
    """The signer's cases, next deadline first."""

    today: date
    cases: tuple[CaseSummary, ...]


def read_json(data: bytes) -> Any:
    """Parsed JSON of an answer. Raises: UnreachableError."""
    return _reading(lambda: parse_json(data, max_bytes=MAX_JSON_BYTES))


def parse_queue(data: Any) -> Queue:
    """The answer to GET /v1/queue. Raises: UnreachableError."""
    return _reading(
        lambda: Queue(parse_day(data["today"]), tuple(_summary(item) for item in data["cases"]))
    )


def parse_summary(data: Any) -> CaseSummary:
    """A CaseSummary object. Raises: UnreachableError."""
    return _reading(lambda: _summary(data))


def parse_case(data: Any) -> CaseRecord:
    """The answer to GET /v1/cases/{case}. Raises: UnreachableError."""
    return _reading(lambda: _case(data))


def _reading(parse: Callable[[], T]) -> T:
    try:
        return parse()
    except (CryptoError, CaseError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise UnreachableError("desk.error.bad_answer") from error


def _summary(data: Any) -> CaseSummary:
    proposal = data["proposal"]
    return CaseSummary(
        case=CaseId(_text(data["case"])),
        state=State(data["state"]),
        assignee=_optional(data["assignee"], _text),
        received=parse_day(data["received"]),
        next_due=_optional(data["next_due"], parse_day),
        due_kind=_optional(data["due_kind"], _text),
        overall_due=_optional(data["overall_due"], parse_day),
        overdue_since=_optional(data["overdue_since"], parse_day),
        paused=bool(data["paused"]),
        new_material=bool(data["new_material"]),
        proposal=_optional(
            proposal, lambda item: ProposalLine(_text(item["to"]), _text(item["by"]))
        ),
        allowed=tuple(_move(item) for item in data["allowed"]),
    )


def _move(data: Any) -> Move:
    return Move(_text(data["to"]), bool(data["needs_second"]), bool(data["needs_reason"]))


def _case(data: Any) -> CaseRecord:
    return CaseRecord(
        summary=_summary(data),
        thread=unhex(data["thread"], 16),
        messages=tuple(_message(item) for item in data["messages"]),
        intents={_text(item["id"]): _text(item.get("intent") or "") for item in data["messages"]},
        entries=tuple(_entry(item) for item in data["history"]),
        head=_text(data["head"]),
        pending=_optional(data["pending"], _pending),
        notes=tuple(unb64(item["container"]) for item in data["notes"]),
        wants_card=bool(data.get("card", False)),
    )


def _message(data: Any) -> StoredMessage:
    kind: Literal["report", "follow_up"] = "report" if data["kind"] == "report" else "follow_up"
    return StoredMessage(
        id=_text(data["id"]),
        kind=kind,
        day=parse_day(data["day"]),
        container=unb64(data["container"]),
        blobs={_text(blob["id"]): int(blob["size"]) for blob in data["blobs"]},
    )


def _entry(data: Any) -> Entry:
    return Entry(_signed(data), _optional(data.get("container"), unb64))


def _signed(data: Any) -> SignedAct:
    return SignedAct(
        act=Act.from_object(data["act"]),
        signature=unb64(data["signature"]),
        countersigner=_optional(data.get("countersigner"), lambda key: DeviceKey(_text(key))),
        countersignature=_optional(data.get("countersignature"), unb64),
    )


def _pending(data: Any) -> Proposal:
    return Proposal(_signed(data), unb64(data["container"]))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    return value


def _optional(value: Any, parse: Callable[[Any], T]) -> T | None:
    return None if value is None else parse(value)
