# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a reporter is told about the public log: where an event stands in it, or by when it must.

Invariants:

* the leaf is computed from what was told and from the act itself, so that a leaf about anything
  else is not found;
* an event whose day has passed without its leaf is told as what it is: a broken word;
* the report itself has a promise and a leaf only if it was forwarded with its own commitment;
* the reporter's file names the promise and what was shown, never the receipt.

Source: docs/spec/log.md section 6, docs/spec/acts.md section 7.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, Literal

from case_mgmt.acts import SignedAct
from case_mgmt.model import ActKind
from case_mgmt.publication.leaves import NONCE, PSEUDONYM, Code, FollowUp
from crypto.encoding import parse_day, unhex
from crypto.errors import MalformedError
from crypto.promise import commitment
from crypto.receipt import ReceiptKeys

META: Final = "log"
_BANDS: Final = 256
Kind = Literal["logged", "waiting", "overdue"]


@dataclass(frozen=True)
class Logged:
    """An event and its leaf; `place` and `kind` are known after `resolve`."""

    commitment: bytes
    by: date
    event: FollowUp | None = None
    nonce: bytes = b""
    place: int | None = None
    kind: Kind = "waiting"

    def to_object(self) -> dict[str, Any] | None:
        """As the reporter's file has it; None for the report itself, whose promise is there."""
        if self.event is None:
            return None
        return {
            "code": int(self.event.code),
            "wait": self.event.wait,
            "case": self.event.case.hex(),
            "act": self.event.act.hex(),
            "nonce": self.nonce.hex(),
            "by": self.by.isoformat(),
            "index": self.place,
        }


def read_logged(meta: Mapping[str, Any], signed: SignedAct, keys: ReceiptKeys) -> Logged | None:
    """What a notice tells about the log; None if nothing.  Raises MalformedError."""
    told = meta.get(META)
    if told is None:
        return None
    try:
        by = parse_day(told["by"])
        if signed.act.kind is ActKind.RECEIVED:
            return Logged(commitment(keys), by)
        event = FollowUp(
            Code(told["code"]),
            _band(told["wait"]),
            unhex(told["case"], PSEUDONYM),
            bytes.fromhex(signed.hash),
        )
        nonce = unhex(told["nonce"], NONCE)
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedError("what is told of the log is malformed") from error
    return Logged(event.commitment(nonce), by, event, nonce)


def resolve(one: Logged, place: Callable[[bytes], int | None], size: int, today: date) -> Logged:
    """Look the leaf up; a place counts when the newest public checkpoint covers it."""
    found = place(one.commitment)
    if found is not None and found < size:
        return replace(one, place=found, kind="logged")
    return replace(one, kind="overdue" if today > one.by else "waiting")


def is_promised(forwarded: bytes | None, keys: ReceiptKeys) -> bool:
    """Whether a report that was forwarded with this commitment can come into the log as its own.

    SECURITY: a promise of anything else could never be kept: signed, it would be a false proof of
    dropping
    (tests/whistle/intake/test_promised.py::test_a_bundle_without_its_own_commitment_gets_no_promise).
    """
    return forwarded == commitment(keys)


def evidence(instance_id: bytes, promise: str | None, shown: Sequence[Logged]) -> dict[str, Any]:
    """The reporter's file: for `whistle verify promise` and `whistle verify notices`; without a
    promise if none can be kept (`is_promised`)."""
    notices = [each.to_object() for each in shown]
    return {
        "v": 1,
        "instance": instance_id.hex(),
        "promise": promise,
        "notices": [each for each in notices if each is not None],
    }


def _band(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _BANDS:
        raise ValueError("not a band")
    return value
