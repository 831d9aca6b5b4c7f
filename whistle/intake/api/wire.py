# SPDX-License-Identifier: AGPL-3.0-or-later
"""From the JSON of a client to typed values.

Invariants: unknown members are ignored; everything else has one permitted form, or the request is
malformed; nothing here is true yet, only well formed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from crypto import jsonfields as read
from crypto.encoding import unb64
from crypto.errors import MalformedError
from crypto.signing import PUBLIC, SIGNATURE
from whistle.intake.nonces import NONCE
from whistle.intake.records import Blob, Claim, Intent
from whistle.intake.submissions import Addition, Submission
from whistle.intake.upload_table import owner_of
from whistle.limits import MAX_API_BODY, MAX_BLOBS, MAX_DOSSIER

UPLOAD_KEY: Final = 32
_INTENTS: Final[dict[str, Intent]] = {
    "message": "message",
    "contest": "contest",
    "withdraw": "withdraw",
}
_MAX_PEOPLE: Final = 16
_MAX_ID: Final = 63


@dataclass(frozen=True, repr=False)
class Signed:
    """Who asks, and the proof."""

    lookup_id: bytes
    nonce: bytes
    signature: bytes


def parse_signed(value: Any) -> Signed:
    """Read the members of every signed request."""
    source = read.members(value)
    return Signed(
        lookup_id=read.hexadecimal(source, "lookup_id", 16),
        nonce=read.hexadecimal(source, "nonce", NONCE),
        signature=_bytes(source, "signature", SIGNATURE),
    )


def parse_report(value: Any) -> tuple[Submission, tuple[Claim, ...]]:
    """Read a sealed report."""
    source = read.members(value)
    claims = _claims(source)
    committed = source.get("commitment")
    submission = Submission(
        mode="browser",
        lookup_id=read.hexadecimal(source, "lookup_id", 16),
        auth_public=read.hexadecimal(source, "auth_public", PUBLIC),
        mailbox_key=read.hexadecimal(source, "mailbox_key", 32),
        dossier=unb64(read.text(source, "dossier", 2 * MAX_DOSSIER)),
        recipients=_people(source),
        container=unb64(read.text(source, "container", MAX_API_BODY)),
        blobs=tuple(claim.blob for claim in claims),
        commitment=None if committed is None else read.hexadecimal(source, "commitment", 32),
    )
    return submission, claims


def parse_addition(value: Any) -> Addition:
    """Read a sealed later message."""
    source = read.members(value)
    own = read.members(source.get("own"))
    return Addition(
        lookup_id=read.hexadecimal(source, "lookup_id", 16),
        intent=_INTENTS[read.choice(source, "intent", tuple(_INTENTS))],
        recipients=None if source.get("recipients") is None else _people(source),
        container=unb64(read.text(source, "container", MAX_API_BODY)),
        message_id=read.hexadecimal(own, "id", 16),
        box=unb64(read.text(own, "box", MAX_API_BODY)),
        claims=_claims(source),
    )


def parse_upload_key(text: str | None) -> bytes:
    """Read the header with the key of an upload; return what is kept of it."""
    key = unb64(text or "")
    if len(key) != UPLOAD_KEY:
        raise MalformedError("not an upload key")
    return owner_of(key)


def _claims(source: Mapping[str, Any]) -> tuple[Claim, ...]:
    claims = tuple(_claim(each) for each in read.items(source, "blobs", MAX_BLOBS))
    if len({claim.blob.id for claim in claims}) != len(claims):
        raise MalformedError("a blob is listed twice")
    return claims


def _claim(value: Any) -> Claim:
    source = read.members(value)
    blob = Blob(read.hexadecimal(source, "id", 16).hex(), read.integer(source, "size"))
    return Claim(blob, parse_upload_key(read.text(source, "upload", 2 * UPLOAD_KEY)))


def _people(source: Mapping[str, Any]) -> tuple[str, ...]:
    people = read.items(source, "recipients", _MAX_PEOPLE)
    if not people or not all(isinstance(one, str) and len(one) <= _MAX_ID for one in people):
        raise MalformedError("not a list of people")
    return tuple(people)


def _bytes(source: Mapping[str, Any], key: str, length: int) -> bytes:
    data = unb64(read.text(source, key, 2 * length))
    if len(data) != length:
        raise MalformedError("bytes of the wrong length")
    return data
