# SPDX-License-Identifier: AGPL-3.0-or-later
"""What only a reporter can notice: a broken promise, a post-dated arrival, an invented follow-up.

Invariants
* Everything happens on the reporter's computer with the whole log: nobody learns which entry was
  looked up.
* A proof of dropping holds the promise and the log's own signed checkpoint; both name no person.
* Absence is proof only when the log covers the promised day; before, the answer is "not yet".
* Whose case it is follows from the promise, never from the notices alone: whoever shows notices
  could show none, or another case's.

Source: docs/spec/receipt.md section 7, docs/spec/verify.md section 6, RFC 6962 section 3.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from case_mgmt.publication.leaves import NONCE, PSEUDONYM, Code, FollowUp, Kind, Leaf
from case_mgmt.publication.weeks import batches_of
from crypto import jsonfields as read
from crypto.encoding import b64, parse_day, parse_json, unb64
from crypto.errors import AuthenticationError, MalformedError
from crypto.manifest import ManifestContent
from crypto.promise import PROMISE_LENGTH, Promise, verify_promise
from whistle.verify.faults import Fault, FaultError, Found, Verdict
from whistle.verify.publiclog import PublicLog

INTAKE: Final = "intake"
DROPPING: Final = "whistle-proof-of-dropping"
MAX_PAPER: Final = 1024 * 1024  # bytes
MAX_NOTICES: Final = 10_000
_HASH: Final = 32

Answer = Literal["included", "early", "dropped"]


@dataclass(frozen=True)
class PromiseResult:
    """What became of a promise: in the log at `index`, not due yet, or broken."""

    answer: Answer
    promise: Promise
    index: int | None = None
    period: date | None = None
    late: int = 0
    """Days from the promised day of arrival to the first on which the log lets it arrive, if later.

    What is collected late counts from the first day still open, so an outage does the same.
    """


@dataclass(frozen=True)
class Notice:
    """A follow-up as the reporter was shown it."""

    event: FollowUp
    nonce: bytes
    by: date
    """The day by which it must be in the log."""
    index: int | None = None
    """Where the reporter was told it is."""


def read_promise(data: bytes) -> bytes:
    """The promise in a file: as it is, as text, or inside a proof of dropping.  FaultError."""
    if len(data) == PROMISE_LENGTH:
        return data
    try:
        if data.lstrip().startswith(b"{"):
            source = read.members(parse_json(data, max_bytes=MAX_PAPER))
            if source.get("promise", "") is None:
                raise FaultError(Fault.PROMISE_ABSENT)
            return unb64(read.text(source, "promise", 400))
        return unb64("".join(data.decode("ascii").split()))
    except (MalformedError, UnicodeDecodeError) as error:
        raise FaultError(Fault.PROMISE_FORGED) from error


def check_promise(data: bytes, manifest: ManifestContent, log: PublicLog) -> PromiseResult:
    """Look the promise up in the whole log.  Raises FaultError(PROMISE_FORGED)."""
    promise = _verified(data, manifest)
    if promise.instance_id != log.instance_id:
        raise FaultError(Fault.PROMISE_FORGED)
    for index, leaf in enumerate(log.leaves):
        if leaf.kind is Kind.REPORT and leaf.commitment == promise.commitment:
            late = max(0, (_first_day(index, log.leaves) - promise.day).days)
            return PromiseResult("included", promise, index, leaf.period, late)
    return PromiseResult("dropped" if log.as_of >= promise.latest else "early", promise)


def check_own_promise(
    data: bytes, manifest: ManifestContent, log: PublicLog, verdict: Verdict
) -> PromiseResult | None:
    """The promise beside the notices in a reporter's file; None: there is none, or it is forged."""
    try:
        if read.members(parse_json(data, max_bytes=MAX_PAPER)).get("promise") is None:
            verdict.skipped("promise")
            return None
        with verdict.checking("promise"):
            return check_promise(read_promise(data), manifest, log)
    except MalformedError:
        verdict.skipped("promise")
    except FaultError:
        pass  # noted by `checking`
    return None


def judge_included(verdict: Verdict, result: PromiseResult | None, period: str) -> None:
    """Whether the report is in the log, and not as if it had come later; `period` for the eye."""
    if result is None or result.answer == "early":
        verdict.skipped("included")
    elif result.index is None:
        verdict.judge("included", [broken(result)])
    else:
        late = [Found(Fault.ARRIVAL_POSTDATED, str(result.late))] if result.late else []
        verdict.judge("included", late, index=result.index, period=period)


def proof_of_dropping(data: bytes, result: PromiseResult, log: PublicLog) -> bytes:
    """A file to hand on: anybody with the same log finds the same; it names no person."""
    value = {
        "kind": DROPPING,
        "v": 1,
        "instance": log.instance_id.hex(),
        "promise": b64(data),
        "latest": result.promise.latest.isoformat(),
        "checkpoint": log.note,
    }
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"


def read_notices(data: bytes) -> tuple[Notice, ...]:
    """The follow-ups a reporter has saved.  Raises FaultError(NOTICE_FALSE): not such a file."""
    try:
        source = read.members(parse_json(data, max_bytes=MAX_PAPER))
        entries = read.items(source, "notices", MAX_NOTICES)
        return tuple(_notice(read.members(each)) for each in entries)
    except (MalformedError, ValueError) as error:
        raise FaultError(Fault.NOTICE_FALSE) from error


def check_notices(
    notices: Sequence[Notice], log: PublicLog, promised: PromiseResult | None = None
) -> list[Found]:
    """What was shown but is not in the log, and what is in the log but was never shown.

    With the reporter's promise, and the report in the log, the case is the promise's, even when
    nothing was shown; a notice of another case is false.
    """
    places = {leaf.commitment: index for index, leaf in enumerate(log.leaves)}
    found: list[Found] = []
    shown: set[int] = set()
    for number, notice in enumerate(notices):
        index = _place(notice, places, log.leaves)
        if index is not None:
            shown.add(index)
        found += _judge(number, notice, index, log)
    own = _own_case(promised, log)
    cases = {notice.event.case for notice in notices} | own
    found += [
        Found(Fault.NOTICE_FALSE, str(number))
        for number, notice in enumerate(notices)
        if own and notice.event.case not in own
    ]
    found += [
        Found(Fault.FOLLOW_UP_INVENTED, str(index))
        for index, leaf in enumerate(log.leaves)
        if leaf.kind is Kind.FOLLOW_UP and leaf.case in cases and index not in shown
    ]
    return found


def _own_case(promised: PromiseResult | None, log: PublicLog) -> set[bytes]:
    if promised is None or promised.index is None:
        return set()
    return {log.leaves[promised.index].case}


def _first_day(index: int, leaves: Sequence[Leaf]) -> date:
    """The first day on which the report at `index` may have arrived, as the log tells it."""
    for batch in batches_of(leaves):
        if index < batch.stop:
            return batch.reports.first
    return leaves[index].period


def _judge(number: int, notice: Notice, index: int | None, log: PublicLog) -> list[Found]:
    if index is None:
        overdue = log.as_of >= notice.by
        return [Found(Fault.NOTICE_UNLOGGED, str(number))] if overdue else []
    if notice.index is not None and notice.index != index:
        return [Found(Fault.PROOF_OTHER_INDEX, str(notice.index))]
    return []


def _place(notice: Notice, places: Mapping[bytes, int], leaves: Sequence[Leaf]) -> int | None:
    """The index of the leaf of exactly this event, or None."""
    index = places.get(notice.event.commitment(notice.nonce))
    if index is None:
        return None
    leaf = leaves[index]
    return index if leaf == notice.event.leaf(leaf.period, notice.nonce) else None


def _notice(source: Mapping[str, Any]) -> Notice:
    event = FollowUp(
        Code(read.integer(source, "code")),
        read.integer(source, "wait"),
        read.hexadecimal(source, "case", PSEUDONYM),
        read.hexadecimal(source, "act", _HASH),
    )
    index = read.integer(source, "index") if source.get("index") is not None else None
    return Notice(
        event, read.hexadecimal(source, "nonce", NONCE), parse_day(source.get("by")), index
    )


def _verified(data: bytes, manifest: ManifestContent) -> Promise:
    former = [each.public for each in manifest.former_services if each.id == INTAKE]
    for key in (manifest.services.get(INTAKE, b""), *former):
        try:
            return verify_promise(key, data)
        except AuthenticationError:
            continue
        except MalformedError as error:
            raise FaultError(Fault.PROMISE_FORGED) from error
    raise FaultError(Fault.PROMISE_FORGED)


def broken(result: PromiseResult) -> Found:
    """The fault of a promise that was not kept."""
    return Found(Fault.PROMISE_BROKEN, result.promise.latest.isoformat())


def waiting(notices: Sequence[Notice], log: PublicLog) -> int:
    """How many notices are not in the log and need not be yet."""
    there = {leaf.commitment for leaf in log.leaves}
    return sum(
        each.event.commitment(each.nonce) not in there and log.as_of < each.by for each in notices
    )
