# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an auditor can check who was shown what is behind the leaves.

Invariants
* A follow-up is opened by its act and its nonce; an opening that gives another commitment is false,
  and a follow-up leaf that nobody opens counts as unexplained.
* Nothing read here is written anywhere: the openings name cases that the public does not see.

Source: docs/spec/verify.md section 7.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from case_mgmt.publication.leaves import NONCE, PSEUDONYM, REPORTER_CODES, Code, FollowUp, Kind
from crypto import jsonfields as read
from crypto.encoding import parse_json
from crypto.errors import MalformedError
from whistle.verify.faults import Fault, FaultError, Found
from whistle.verify.publiclog import PublicLog

MAX_OPENINGS: Final = 10_000_000
MAX_PAPER: Final = 1024 * 1024 * 1024  # bytes
MAX_SHOWN: Final = 20
_HASH: Final = 32


@dataclass(frozen=True)
class Opening:
    """What is behind one follow-up leaf."""

    event: FollowUp
    nonce: bytes


def read_openings(data: bytes) -> tuple[Opening, ...]:
    """The openings in a file {"v":1,"follow_ups":[...]}.  Raises FaultError(OPENING_FALSE)."""
    try:
        source = read.members(parse_json(data, max_bytes=MAX_PAPER))
        entries = read.items(source, "follow_ups", MAX_OPENINGS)
        return tuple(_opening(read.members(each)) for each in entries)
    except (MalformedError, ValueError) as error:
        raise FaultError(Fault.OPENING_FALSE) from error


def check_openings(openings: Sequence[Opening], log: PublicLog) -> list[Found]:
    """Openings that open nothing, and follow-ups of the office that nobody opened."""
    left = {
        leaf.commitment: index
        for index, leaf in enumerate(log.leaves)
        if leaf.kind is Kind.FOLLOW_UP
    }
    found: list[Found] = []
    for number, each in enumerate(openings):
        index = left.pop(each.event.commitment(each.nonce), None)
        if index is None or log.leaves[index] != each.event.leaf(
            log.leaves[index].period, each.nonce
        ):
            found.append(Found(Fault.OPENING_FALSE, str(number)))
    unopened = [index for index in left.values() if log.leaves[index].code not in REPORTER_CODES]
    found += [Found(Fault.FOLLOW_UP_UNOPENED, str(index)) for index in unopened]
    return found[:MAX_SHOWN]


def _opening(source: Mapping[str, Any]) -> Opening:
    event = FollowUp(
        Code(read.integer(source, "code")),
        read.integer(source, "wait"),
        read.hexadecimal(source, "case", PSEUDONYM),
        read.hexadecimal(source, "act", _HASH),
    )
    return Opening(event, read.hexadecimal(source, "nonce", NONCE))
