# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the store takes in and gives out: plain, immutable rows. Days, never times; sealed, never
plain."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

Kind = Literal["report", "follow_up"]
Intent = Literal["message", "contest", "withdraw"]
Mode = Literal["tool", "browser", "arrival"]  # where a thread's report was sealed


@dataclass(frozen=True)
class Blob:
    """A sealed attachment: id (32 hex digits) and size of its file."""

    id: str
    size: int


@dataclass(frozen=True)
class Record:
    """A sealed message waiting to be collected."""

    id: bytes
    thread: bytes
    kind: Kind
    intent: Intent
    day: date
    recipients: tuple[str, ...]
    mailbox_key: bytes | None
    container: bytes
    blobs: tuple[Blob, ...] = ()
    commitment: bytes | None = None
    """Of a report: what stands for it in the public log."""


@dataclass(frozen=True)
class OwnMessage:
    """The reporter's own copy of a message, sealed under a key only the receipt gives."""

    message_id: bytes
    day: date
    box: bytes


@dataclass(frozen=True)
class Entry:
    """One sealed notice for a thread's mailbox."""

    thread: bytes
    seq: int
    box: bytes


@dataclass(frozen=True)
class ThreadView:
    """Everything a status page is made of; `dossier` is sealed (`whistle.intake.dossier`)."""

    day: date
    dossier: bytes
    boxes: tuple[tuple[int, bytes], ...]
    own: tuple[OwnMessage, ...]
    mode: Mode = "arrival"
    auth_public: bytes = b""
    commitment: bytes | None = None
    """What the report was forwarded with; None: nothing stands for it in the public log."""


@dataclass(frozen=True)
class NewThread:
    """What is kept of a report besides its record.

    `fingerprint` recognises the same submission by a client that sealed it; None on arrival.
    """

    auth_public: bytes
    dossier: bytes
    mode: Mode = "arrival"
    fingerprint: bytes | None = None


@dataclass(frozen=True)
class Claim:
    """A complete upload that a message takes with it; `owner` is the hash of its upload key."""

    blob: Blob
    owner: bytes
