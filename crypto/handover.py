# SPDX-License-Identifier: AGPL-3.0-or-later
"""A hand-over: the root key that ends names the root key that follows, and that one accepts.

Invariants
* Both keys sign the same canonical bytes, each under a label of its own.
* Nobody's program follows a hand-over by itself: an instance id is pinned by people.  The document
  lets everybody check that the new id was not invented by somebody else.

Source: docs/spec/backup.md, “Hand-over of the root key”.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from crypto import jsonfields as read
from crypto.domains import Domain
from crypto.encoding import canonical_json, parse_day, parse_json
from crypto.errors import MalformedError
from crypto.signing import PUBLIC, SIGNATURE, public_from_seed, sign, verify

VERSION: Final = 1
MAX_DOCUMENT: Final = 4096  # bytes
REASONS: Final = ("planned", "lost_control")


@dataclass(frozen=True)
class Handover:
    """From which day which instance follows which, and why."""

    old: bytes
    new: bytes
    day: date
    reason: str

    def encode(self) -> bytes:
        """The bytes both keys sign."""
        return canonical_json(self._statement())

    def _statement(self) -> dict[str, Any]:
        return {
            "v": VERSION,
            "old": self.old.hex(),
            "new": self.new.hex(),
            "day": self.day.isoformat(),
            "reason": self.reason,
        }

    def document(self, old_seed: bytes, new_seed: bytes) -> bytes:
        """The whole document, signed by both.  Raises MalformedError for the wrong seeds."""
        if (public_from_seed(old_seed), public_from_seed(new_seed)) != (self.old, self.new):
            raise MalformedError("not the keys the hand-over names")
        data = self.encode()
        return canonical_json(
            {
                "statement": self._statement(),
                "old_signature": sign(old_seed, Domain.HANDOVER, data).hex(),
                "new_signature": sign(new_seed, Domain.HANDOVER_ACCEPTED, data).hex(),
            }
        )


def verify_handover(document: bytes, old: bytes) -> Handover:
    """The hand-over of the instance `old`.

    Raises MalformedError for anything but a hand-over of that instance to another one, and
    AuthenticationError when one of the signatures does not match.
    """
    source = read.members(parse_json(document, max_bytes=MAX_DOCUMENT))
    statement = read.members(source.get("statement"))
    if read.integer(statement, "v") != VERSION:
        raise MalformedError("hand-over of an unknown version")
    found = Handover(
        old=read.hexadecimal(statement, "old", PUBLIC),
        new=read.hexadecimal(statement, "new", PUBLIC),
        day=parse_day(statement.get("day")),
        reason=read.choice(statement, "reason", REASONS),
    )
    if found.old != old or found.new == old:
        raise MalformedError("not a hand-over of this organisation")
    data = found.encode()
    if canonical_json(dict(statement)) != data:
        raise MalformedError("a hand-over with unknown members")
    verify(found.old, read.hexadecimal(source, "old_signature", SIGNATURE), Domain.HANDOVER, data)
    accepted = read.hexadecimal(source, "new_signature", SIGNATURE)
    verify(found.new, accepted, Domain.HANDOVER_ACCEPTED, data)
    return found
