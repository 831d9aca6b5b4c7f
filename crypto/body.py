# SPDX-License-Identifier: AGPL-3.0-or-later
"""The JSON inside a frame: reports, follow-ups, replies and notes.

Invariants: `v` is 1; unknown keys are ignored and duplicate keys refused; what a stranger typed
into a file's name or type is tamed on both sides, never a reason to lose a report.

Source: docs/spec/envelope.md section 7.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

from crypto import jsonfields as read
from crypto.encoding import canonical_json, parse_day, parse_json
from crypto.errors import MalformedError
from crypto.filenames import clean_media_type, clean_name
from crypto.padding import MAX_BODY, padme
from crypto.words import LANGUAGES, Language
from crypto.xwing import Recipient, identity_from_age, recipient_from_seed

VERSION: Final = 1
MAX_ATTACHMENTS: Final = 32
MAX_FIELDS: Final = 100
MAX_KEY: Final = 64  # characters of a form name, field name or code
MAX_TEXT: Final = MAX_BODY

Intent = Literal["message", "contest", "withdraw"]
INTENTS: Final[tuple[Intent, ...]] = ("message", "contest", "withdraw")


@dataclass(frozen=True)
class AttachmentRef:
    """Where an attachment is and what opens it; `identity` is a secret."""

    id: str
    identity: str = field(repr=False)
    size: int
    padded: int
    sha256: str
    name: str
    type: str
    stripped: bool

    def to_json(self) -> dict[str, Any]:
        """Return the JSON member."""
        return {
            "id": self.id,
            "alg": "age",
            "identity": self.identity,
            "size": self.size,
            "padded": self.padded,
            "sha256": self.sha256,
            "name": self.name,
            "type": self.type,
            "stripped": self.stripped,
        }

    @classmethod
    def from_json(cls, value: Any) -> "AttachmentRef":
        """Parse and check one entry."""
        members = read.members(value)
        if read.text(members, "alg", MAX_KEY) != "age":
            raise MalformedError("attachment of an unknown kind")
        identity = read.text(members, "identity", 128)
        identity_from_age(identity)
        size = read.integer(members, "size")
        padded = read.integer(members, "padded")
        if padded != padme(size):
            raise MalformedError("attachment is not padded as it should be")
        return cls(
            id=read.hexadecimal(members, "id", 16).hex(),
            identity=identity,
            size=size,
            padded=padded,
            sha256=read.hexadecimal(members, "sha256", 32).hex(),
            name=clean_name(read.text(members, "name", MAX_TEXT)),
            type=clean_media_type(read.text(members, "type", MAX_TEXT)),
            stripped=read.boolean(members, "stripped"),
        )


@dataclass(frozen=True, repr=False)
class ReportBody:
    """What a reporter says first, and the identity that opens the replies.

    The 32-byte seed is sent instead of the 1,216-byte public key: a report of 2 KB then fits the
    smallest frame, and everybody who may read the case can also read what it was answered.
    """

    lang: str
    form: str
    fields: Mapping[str, str]
    reply_identity: str
    attachments: tuple[AttachmentRef, ...] = ()

    def reply_recipient(self) -> Recipient:
        """Return the public key every reply to this report is sealed to."""
        return recipient_from_seed(identity_from_age(self.reply_identity))

    def encode(self) -> bytes:
        """Return the JSON."""
        return canonical_json(
            {
                "v": VERSION,
                "lang": self.lang,
                "form": self.form,
                "fields": dict(self.fields),
                "reply_identity": self.reply_identity,
                "attachments": [each.to_json() for each in self.attachments],
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> "ReportBody":
        """Parse and check."""
        members = _members(data)
        reply_identity = read.text(members, "reply_identity", 128)
        identity_from_age(reply_identity)
        return cls(
            lang=_language(members),
            form=read.text(members, "form", MAX_KEY),
            fields=_fields(members),
            reply_identity=reply_identity,
            attachments=_attachments(members),
        )


@dataclass(frozen=True, repr=False)
class FollowUpBody:
    """What a reporter adds later."""

    lang: str
    intent: Intent
    text: str
    attachments: tuple[AttachmentRef, ...] = ()

    def encode(self) -> bytes:
        """Return the JSON."""
        return canonical_json(
            {
                "v": VERSION,
                "lang": self.lang,
                "intent": self.intent,
                "text": self.text,
                "attachments": [each.to_json() for each in self.attachments],
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> "FollowUpBody":
        """Parse and check."""
        members = _members(data)
        return cls(
            lang=_language(members),
            intent=cast(Intent, read.choice(members, "intent", INTENTS)),
            text=read.text(members, "text", MAX_TEXT),
            attachments=_attachments(members),
        )


@dataclass(frozen=True, repr=False)
class ReplyBody:
    """What the office tells the reporter."""

    lang: str
    status: str | None
    reason: str | None
    text: str
    day: str

    def encode(self) -> bytes:
        """Return the JSON."""
        return canonical_json(
            {
                "v": VERSION,
                "lang": self.lang,
                "status": self.status,
                "reason": self.reason,
                "text": self.text,
                "day": self.day,
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> "ReplyBody":
        """Parse and check."""
        members = _members(data)
        return cls(
            lang=_language(members),
            status=read.optional_text(members, "status", MAX_KEY),
            reason=read.optional_text(members, "reason", MAX_KEY),
            text=read.text(members, "text", MAX_TEXT),
            day=parse_day(members.get("day")).isoformat(),
        )


@dataclass(frozen=True, repr=False)
class NoteBody:
    """What investigators tell only each other."""

    lang: str
    text: str

    def encode(self) -> bytes:
        """Return the JSON."""
        return canonical_json({"v": VERSION, "lang": self.lang, "text": self.text})

    @classmethod
    def parse(cls, data: bytes) -> "NoteBody":
        """Parse and check."""
        members = _members(data)
        return cls(lang=_language(members), text=read.text(members, "text", MAX_TEXT))


def _members(data: bytes) -> Mapping[str, Any]:
    members = read.members(parse_json(data, max_bytes=MAX_BODY))
    if read.integer(members, "v") != VERSION:
        raise MalformedError("body of an unknown version")
    return members


def _language(members: Mapping[str, Any]) -> Language:
    return cast(Language, read.choice(members, "lang", LANGUAGES))


def _fields(members: Mapping[str, Any]) -> dict[str, str]:
    fields = read.members(members.get("fields"))
    if len(fields) > MAX_FIELDS or any(len(name) > MAX_KEY for name in fields):
        raise MalformedError("too many or too long field names")
    return {name: read.text(fields, name, MAX_TEXT) for name in fields}


def _attachments(members: Mapping[str, Any]) -> tuple[AttachmentRef, ...]:
    entries = read.items(members, "attachments", MAX_ATTACHMENTS)
    attachments = tuple(AttachmentRef.from_json(entry) for entry in entries)
    if len({each.id for each in attachments}) != len(attachments):
        raise MalformedError("an attachment is listed twice")
    return attachments
