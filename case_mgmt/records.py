# SPDX-License-Identifier: AGPL-3.0-or-later
"""A record of the feed: one sealed message of a reporter, read strictly.

Invariants
* The container is a well-formed message container, though nobody here can open it.
* A report names its recipients and carries its mailbox key; a later message carries neither need.

Specification: docs/spec/case-api.md, section 8.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal, TypeVar

from case_mgmt.errors import RecordError
from case_mgmt.model import BlobId, PersonId, RecordId, ThreadId
from case_mgmt.store.ports import Blob
from crypto.encoding import parse_day, unb64, unhex
from crypto.envelope import check_container
from crypto.errors import MalformedError

MAX_BLOBS: Final = 16
MAX_BLOB_BYTES: Final = 1 << 32
MAX_RECIPIENTS: Final = 16
_PERSON: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

Kind = Literal["report", "follow_up"]
Intent = Literal["message", "contest", "withdraw"]
_KINDS: Final[Mapping[str, Kind]] = {"report": "report", "follow_up": "follow_up"}
_INTENTS: Final[Mapping[str, Intent]] = {
    "message": "message",
    "contest": "contest",
    "withdraw": "withdraw",
}
T = TypeVar("T")


@dataclass(frozen=True)
class Record:
    """One sealed message as the intake hands it over."""

    id: RecordId
    kind: Kind
    thread: ThreadId
    intent: Intent
    day: date
    recipients: tuple[PersonId, ...]
    mailbox_key: bytes | None
    container: bytes
    blobs: tuple[Blob, ...]
    commitment: bytes | None = None
    """What stands for the report in the public log; None for a later message."""


def parse_record(obj: Any) -> Record:
    """Read one entry of the feed's list.  Raises RecordError."""
    if not isinstance(obj, dict):
        raise RecordError("a record is an object")
    try:
        record = _record(obj)
        check_container(record.container)
    except (MalformedError, KeyError, ValueError, TypeError) as error:
        raise RecordError("a record of the feed is malformed") from error
    if record.kind == "report" and (not record.recipients or record.mailbox_key is None):
        raise RecordError("a report names its recipients and its mailbox key")
    return record


def record_id(obj: Any) -> RecordId | None:
    """The id of a record, even if the rest of it is unusable."""
    try:
        return RecordId(unhex(obj["id"], 16).hex())
    except (MalformedError, KeyError, TypeError):
        return None


def _record(obj: Mapping[str, Any]) -> Record:
    key, commitment = obj["mailbox_key"], obj["commitment"]
    return Record(
        id=RecordId(unhex(obj["id"], 16).hex()),
        kind=_KINDS[obj["kind"]],
        thread=ThreadId(unhex(obj["thread"], 16).hex()),
        intent=_INTENTS[obj["intent"]],
        day=parse_day(obj["day"]),
        recipients=_listed(obj["recipients"], MAX_RECIPIENTS, _person),
        mailbox_key=None if key is None else unhex(key, 32),
        container=unb64(_text(obj["container"])),
        blobs=_listed(obj["blobs"], MAX_BLOBS, _blob),
        commitment=None if commitment is None else unhex(commitment, 32),
    )


def _listed(value: Any, most: int, parse: Callable[[Any], T]) -> tuple[T, ...]:
    if not isinstance(value, list) or len(value) > most:
        raise ValueError("not a list of the expected length")
    return tuple(parse(item) for item in value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _person(value: Any) -> PersonId:
    if not isinstance(value, str) or not _PERSON.fullmatch(value):
        raise ValueError("not a person's id")
    return PersonId(value)


def _blob(value: Any) -> Blob:
    size = value["size"]
    if isinstance(size, bool) or not isinstance(size, int) or not 0 < size <= MAX_BLOB_BYTES:
        raise ValueError("not a size")
    return Blob(BlobId(unhex(value["id"], 16).hex()), size)
