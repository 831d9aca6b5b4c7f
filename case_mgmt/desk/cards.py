# SPDX-License-Identifier: AGPL-3.0-or-later
"""Cards: the countable fields of a report, sealed by a desk to the publishers, opened by one.

Invariants
* A card holds the answers of `CARD_FIELDS` and nothing else: no word that somebody wrote.
* It is a frame of type NOTE whose recipients are the publishers, signed by a desk key; the reporter
  opens only replies, a case's people only their own notes.
* What a publisher opens is believed only from a key that the manifest names or named.

Source: docs/spec/case-api.md section 6.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from case_mgmt.desk.composing import Author
from case_mgmt.desk.errors import OpeningError
from case_mgmt.desk.opening import OpenedThread
from crypto.body import NoteBody
from crypto.encoding import canonical_json, parse_json
from crypto.errors import CryptoError
from crypto.frame import NO_PREVIOUS, FrameType, decode_frame
from crypto.manifest import Manifest, Person
from crypto.private.age_open import open_all

CARD_FIELDS: Final[Mapping[str, str]] = {
    "unit": "unit",
    "service": "service",
    "subject": "happened",
    "how": "how",
    "asked": "asked",
    "paid": "paid",
}
"""What a card calls an answer, and what the form calls it."""
_MAX_VALUE: Final = 64
_MAX_CARD: Final = 2048


def card_fields(answers: Mapping[str, str]) -> dict[str, str]:
    """The countable answers of a report; an absent or long one is empty."""
    found = {name: answers.get(field, "") for name, field in CARD_FIELDS.items()}
    return {name: value if len(value) <= _MAX_VALUE else "" for name, value in found.items()}


def seal_card(author: Author, thread: OpenedThread, people: Sequence[Person]) -> bytes:
    """The card of this case for these publishers."""
    report = thread.report.body
    text = canonical_json(card_fields(report.fields)).decode()
    body = NoteBody(report.lang, text).encode()
    return author.seal_for(thread, [person.recipient for person in people], body, NO_PREVIOUS)


def open_card(seed: bytes, container: bytes, manifest: Manifest) -> dict[str, str]:
    """What a card says.  Raises OpeningError."""
    try:
        frame = decode_frame(open_all(seed, container))
        if frame.type is not FrameType.NOTE or frame.instance_id != manifest.instance_id:
            raise OpeningError("wrong_type")
        if frame.sender is None or manifest.signer(frame.sender) is None:
            raise OpeningError("wrong_type")
        fields = parse_json(NoteBody.parse(frame.body).text.encode(), max_bytes=_MAX_CARD)
    except CryptoError as error:
        raise OpeningError("malformed") from error
    return _checked(fields)


def _checked(fields: Any) -> dict[str, str]:
    if not isinstance(fields, dict) or set(fields) != set(CARD_FIELDS):
        raise OpeningError("malformed")
    if not all(isinstance(each, str) and len(each) <= _MAX_VALUE for each in fields.values()):
        raise OpeningError("malformed")
    return dict(fields)
