# SPDX-License-Identifier: AGPL-3.0-or-later
"""The leaves of the public log: a report arrived, a report was followed up, a release was made.

Invariants
* Every leaf has 60 bytes, whatever it says.
* A leaf names a case by a random pseudonym and a waiting time by a band of days; it holds no
  attribute, no day of arrival and no word.
* The commitment of a report hides a secret that only the receipt yields; that of a follow-up hides
  a nonce that only the reporter's mailbox holds.  Neither can be guessed from the leaf.
* `parse` accepts exactly what `encode` makes.

Source: docs/spec/log.md sections 2 and 3.
"""

import hashlib
import struct
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Final

from case_mgmt.model import State
from crypto.domains import Domain
from crypto.encoding import day_from_number, day_number, label
from crypto.errors import MalformedError

MAGIC: Final = b"WHL1"
PSEUDONYM: Final = 16
COMMITMENT: Final = 32
NONCE: Final = 32
_FIELDS: Final = struct.Struct(">4sBBBBI16s32s")
LEAF: Final = _FIELDS.size
NO_CASE: Final = bytes(PSEUDONYM)
WAIT_EDGES: Final = (0, 1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 75, 90, 120, 150, 180, 270, 365, 540)
"""Upper ends of the waiting bands in whole days, inclusive; a last band has no end.

7, 30, 60 and 90 are among them, so the headline shares are exact; everything else is coarse on
purpose: an exact number of days would tell the day of arrival to whoever knows the day of the
follow-up.
"""
OPEN_BAND: Final = len(WAIT_EDGES)


class Kind(IntEnum):
    """What a leaf says."""

    REPORT = 1
    FOLLOW_UP = 2
    RELEASE = 3


class Code(IntEnum):
    """What happened to a case, as a number that keeps its meaning for ever."""

    NONE = 0
    ASSESSING = 1
    NEEDS_INFO = 2
    EXAMINING = 3
    REFERRED = 4
    UPHELD_ACTION = 5
    UPHELD_FIXED = 6
    INSUFFICIENT = 7
    OUTSIDE_MANDATE = 8
    JOINED = 9
    REOPENED = 10
    WITHDRAWN = 11
    UPDATED = 12
    EXTENDED = 13
    SETTLED = 14
    NOT_SETTLED = 15
    SET_ASIDE = 16


CODE_OF_STATE: Final = {
    State.ASSESSING: Code.ASSESSING,
    State.NEEDS_INFO: Code.NEEDS_INFO,
    State.EXAMINING: Code.EXAMINING,
    State.REFERRED: Code.REFERRED,
    State.UPHELD_ACTION: Code.UPHELD_ACTION,
    State.UPHELD_FIXED: Code.UPHELD_FIXED,
    State.INSUFFICIENT: Code.INSUFFICIENT,
    State.OUTSIDE_MANDATE: Code.OUTSIDE_MANDATE,
    State.JOINED: Code.JOINED,
    State.SET_ASIDE: Code.SET_ASIDE,
    State.REOPENED: Code.REOPENED,
    State.WITHDRAWN: Code.WITHDRAWN,
}
"""Every public code but `received`, which is a leaf kind of its own."""
CLOSING_CODES: Final = frozenset(
    {
        Code.UPHELD_ACTION,
        Code.UPHELD_FIXED,
        Code.INSUFFICIENT,
        Code.OUTSIDE_MANDATE,
        Code.JOINED,
        Code.SET_ASIDE,
    }
)
REPORTER_CODES: Final = frozenset({Code.REOPENED, Code.WITHDRAWN, Code.SETTLED, Code.NOT_SETTLED})
"""Said by the reporter; everything else is an act of the office."""


@dataclass(frozen=True)
class Leaf:
    """One entry of the log.

    `period` is the last day of the batch; `wait` a band of `WAIT_EDGES`, counted from arrival;
    `case` the pseudonym; `commitment` the hiding commitment, or for a release the SHA-256 of its
    `release.json`.
    """

    kind: Kind
    code: Code
    wait: int
    period: date
    case: bytes
    commitment: bytes

    def encode(self) -> bytes:
        """The 60 bytes that are logged."""
        return _FIELDS.pack(
            MAGIC,
            self.kind,
            self.code,
            self.wait,
            0,
            day_number(self.period),
            self.case,
            self.commitment,
        )

    @classmethod
    def parse(cls, data: bytes) -> "Leaf":
        """The leaf of these bytes.  Raises MalformedError."""
        if len(data) != LEAF:
            raise MalformedError("not a leaf")
        magic, kind, code, wait, zero, period, case, commitment = _FIELDS.unpack(data)
        if magic != MAGIC or zero != 0 or wait > OPEN_BAND:
            raise MalformedError("not a leaf")
        try:
            leaf = cls(Kind(kind), Code(code), wait, day_from_number(period), case, commitment)
        except ValueError as error:
            raise MalformedError("leaf of an unknown kind") from error
        _check(leaf)
        return leaf


def report_leaf(period: date, case: bytes, commitment: bytes) -> Leaf:
    """A report has arrived; `commitment` is that of its promise (crypto.promise)."""
    return Leaf(Kind.REPORT, Code.NONE, 0, period, case, commitment)


def release_leaf(period: date, digest: bytes) -> Leaf:
    """A release was made; `digest` is the SHA-256 of its release.json."""
    return Leaf(Kind.RELEASE, Code.NONE, 0, period, NO_CASE, digest)


@dataclass(frozen=True)
class FollowUp:
    """What happened to a case, before it has its place in a batch."""

    code: Code
    wait: int
    case: bytes
    act: bytes
    """The act's SHA-256 (32 bytes): binds the leaf to the message the reporter was shown."""

    def leaf(self, period: date, nonce: bytes) -> Leaf:
        """The leaf with its commitment, which hides behind `nonce` (32 random bytes)."""
        return Leaf(Kind.FOLLOW_UP, self.code, self.wait, period, self.case, self.commitment(nonce))

    def commitment(self, nonce: bytes) -> bytes:
        """H(label ‖ nonce ‖ code ‖ wait ‖ case ‖ act)."""
        attributes = bytes((self.code, self.wait)) + self.case + self.act
        return hashlib.sha256(label(Domain.FOLLOW_UP, nonce, attributes)).digest()


def wait_band(days: int) -> int:
    """The band of a waiting time in whole days since arrival.  Raises ValueError below zero."""
    if days < 0:
        raise ValueError("a follow-up cannot precede its report")
    return next((band for band, edge in enumerate(WAIT_EDGES) if days <= edge), OPEN_BAND)


def wait_range(band: int) -> tuple[int, int | None]:
    """(first, last) whole day of a band; the last band has no last day."""
    first = 0 if band == 0 else WAIT_EDGES[band - 1] + 1
    return first, None if band == OPEN_BAND else WAIT_EDGES[band]


def _check(leaf: Leaf) -> None:
    follow_up = leaf.kind is Kind.FOLLOW_UP
    if follow_up is (leaf.code is Code.NONE):
        raise MalformedError("a leaf's code does not fit its kind")
    if not follow_up and leaf.wait != 0:
        raise MalformedError("a leaf's waiting time does not fit its kind")
    if (leaf.kind is Kind.RELEASE) is not (leaf.case == NO_CASE):
        raise MalformedError("a leaf's case does not fit its kind")
