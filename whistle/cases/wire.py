# SPDX-License-Identifier: AGPL-3.0-or-later
"""JSON of the desk's interface, both ways (docs/spec/case-api.md, sections 3 and 4).

Invariants: reading is strict and raises `ApiError("bad_request")`; writing never loses a field.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from case_mgmt.acts import Act, SignedAct
from case_mgmt.errors import ActFormatError, GateError
from case_mgmt.gate import Submission
from case_mgmt.model import ActHash
from case_mgmt.notices import day_text
from case_mgmt.service import CaseFile, Overview
from case_mgmt.store.ports import LedgerEntry, Note, Proposal, Return, StoredRecord
from crypto.encoding import b64, parse_json, unb64, unhex
from crypto.errors import MalformedError
from whistle.cases.errors import ApiError
from whistle.cases.limits import MAX_FILE_BODY, MAX_JSON_BODY

T = TypeVar("T")


def read_submission(body: bytes) -> Submission:
    """The body of POST …/acts."""
    obj = _object(body, {"act", "signature", "container"})
    try:
        act = Act.from_object(obj["act"])
    except ActFormatError as error:
        raise GateError("act_format") from error
    container = obj["container"]
    return Submission(
        act=act,
        signature=_read(lambda: unb64(obj["signature"])),
        container=None if container is None else _read(lambda: unb64(container)),
    )


def read_confirmation(body: bytes) -> tuple[ActHash, bytes]:
    """The body of POST …/proposal/confirm."""
    obj = _object(body, {"act_hash", "countersignature"})
    signature = _read(lambda: unb64(obj["countersignature"]))
    return _hash(obj["act_hash"]), signature


def read_return(body: bytes) -> ActHash:
    """The body of POST …/proposal/return."""
    return _hash(_object(body, {"act_hash"})["act_hash"])


def read_note(body: bytes) -> bytes:
    """The body of POST …/notes."""
    obj = _object(body, {"container"})
    return _read(lambda: unb64(obj["container"]))


def read_file(body: bytes) -> tuple[str, bytes]:
    """The body of POST …/files."""
    obj = _read(lambda: parse_json(body, max_bytes=MAX_FILE_BODY))
    if not isinstance(obj, dict) or set(obj) != {"path", "content"}:
        raise ApiError("bad_request")
    path = obj["path"]
    if not isinstance(path, str):
        raise ApiError("bad_request")
    return path, _read(lambda: unb64(obj["content"]))


def summary(overview: Overview) -> dict[str, Any]:
    """CaseSummary."""
    case, clock = overview.case, overview.clock
    return {
        "case": case.id,
        "state": case.present.state.value,
        "assignee": case.present.assignee,
        "received": case.present.arrival.isoformat(),
        "next_due": day_text(clock.next_due),
        "due_kind": clock.next_kind,
        "overall_due": day_text(clock.overall_due),
        "update_due": day_text(clock.update_due),
        "overdue_since": day_text(clock.overdue_since),
        "contest_until": day_text(clock.contest_until),
        "paused": clock.paused,
        "new_material": case.present.new_material,
        "proposal": _proposal_line(overview.proposal),
        "allowed": [
            {"to": target.value, "needs_second": rule.second, "needs_reason": rule.reason}
            for target, rule in overview.allowed
        ],
    }


def case_file(file: CaseFile) -> dict[str, Any]:
    """A whole case."""
    case = file.overview.case
    return {
        **summary(file.overview),
        "thread": case.thread,
        "messages": [_record(record) for record in file.records],
        "history": [_entry(entry) for entry in file.history],
        "head": case.head,
        "next_seq": case.next_seq,
        "pending": _pending(file.overview.proposal),
        "notes": [_note(note) for note in file.notes],
        "returns": [_return(each) for each in file.returns],
        "card": file.wants_card,
    }


def signed_act(signed: SignedAct) -> dict[str, Any]:
    """An act with its signatures."""
    countersignature = signed.countersignature
    return {
        "act": signed.act.to_object(),
        "signature": b64(signed.signature),
        "countersigner": signed.countersigner,
        "countersignature": None if countersignature is None else b64(countersignature),
    }


def _proposal_line(proposal: Proposal | None) -> dict[str, Any] | None:
    if proposal is None:
        return None
    return {"to": proposal.signed.act.target.value, "by": proposal.by}


def _pending(proposal: Proposal | None) -> dict[str, Any] | None:
    if proposal is None:
        return None
    return {
        "act": proposal.signed.act.to_object(),
        "act_hash": proposal.hash,
        "signature": b64(proposal.signed.signature),
        "container": b64(proposal.container),
        "by": proposal.by,
    }


def _record(record: StoredRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "kind": record.kind,
        "intent": record.intent,
        "day": record.day.isoformat(),
        "container": b64(record.container),
        "blobs": [{"id": blob.id, "size": blob.size} for blob in record.blobs],
    }


def _entry(entry: LedgerEntry) -> dict[str, Any]:
    container = entry.container
    return {
        **signed_act(entry.signed),
        "container": None if container is None else b64(container),
    }


def _note(note: Note) -> dict[str, Any]:
    return {"person": note.person, "day": note.day.isoformat(), "container": b64(note.container)}


def _return(returned: Return) -> dict[str, Any]:
    return {
        "act_hash": returned.hash,
        "to": returned.target.value,
        "proposed_by": returned.proposed_by,
        "by": returned.by,
        "day": returned.day.isoformat(),
    }


def _object(body: bytes, names: set[str]) -> dict[str, Any]:
    obj = _read(lambda: parse_json(body, max_bytes=MAX_JSON_BODY))
    if not isinstance(obj, dict) or set(obj) != names:
        raise ApiError("bad_request")
    return obj


def _hash(value: Any) -> ActHash:
    return ActHash(_read(lambda: unhex(value, 32)).hex())


def _read(parse: Callable[[], T]) -> T:
    try:
        return parse()
    except (MalformedError, AttributeError, TypeError) as error:
        raise ApiError("bad_request") from error
