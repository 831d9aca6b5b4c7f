# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an auditor can check who was shown what is behind the leaves.

Invariants
* A follow-up is opened by its act and its nonce; an opening that gives another commitment is false,
  and a follow-up leaf that nobody opens counts as unexplained, also one that says it was the
  reporter: what a reporter does is an act too, and the figures count it.
* Openings of entries that this log does not have yet are left aside.
* Nothing read here is written anywhere: the openings name cases that the public does not see.

Source: docs/spec/verify.md section 7.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from case_mgmt.publication.leaves import NONCE, FollowUp, Kind, Leaf
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
    """What is behind the follow-up leaf at `index`."""

    index: int
    act: bytes
    nonce: bytes


def read_openings(data: bytes) -> tuple[Opening, ...]:
    """The openings in a file {"v":1,"openings":[...]}.  Raises FaultError(OPENING_FALSE)."""
    try:
        source = read.members(parse_json(data, max_bytes=MAX_PAPER))
        entries = read.items(source, "openings", MAX_OPENINGS)
        return tuple(_opening(read.members(each)) for each in entries)
    except MalformedError as error:
        raise FaultError(Fault.OPENING_FALSE) from error


def check_openings(openings: Sequence[Opening], log: PublicLog) -> list[Found]:
    """Openings that open nothing, and follow-ups that nobody opened."""
    left = {index for index, leaf in enumerate(log.leaves) if leaf.kind is Kind.FOLLOW_UP}
    found: list[Found] = []
    for each in openings:
        if each.index in left and _opens(each, log.leaves[each.index]):
            left.discard(each.index)
        elif each.index < len(log.leaves):
            found.append(Found(Fault.OPENING_FALSE, str(each.index)))
    found += [Found(Fault.FOLLOW_UP_UNOPENED, str(index)) for index in sorted(left)]
    return found[:MAX_SHOWN]


def _opens(opening: Opening, leaf: Leaf) -> bool:
    event = FollowUp(leaf.code, leaf.wait, leaf.case, opening.act)
    return event.commitment(opening.nonce) == leaf.commitment


def _opening(source: Mapping[str, Any]) -> Opening:
    return Opening(
        read.integer(source, "index"),
        read.hexadecimal(source, "act", _HASH),
        read.hexadecimal(source, "nonce", NONCE),
    )
