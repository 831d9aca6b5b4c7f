# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the office itself keeps sealed in a case: private notes, and copies of what it wrote.

A visible message is sealed to the reporter alone, so nobody at the office could read it again: not
the author, not the second person who must sign a closing. Therefore the desk keeps an *office
copy*: the same payload under a header for the case's recipients. It is stored among the notes.

- A note is a frame of type NOTE; it can never become a message (the reporter opens only type
  REPLY).
- An office copy belongs to a visible message if and only if both payloads are the same bytes. One
  file key opens one payload, so who reads the copy reads what the reporter will read.
- Both are frames signed by a desk key of the manifest; others are listed as from nobody known.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from case_mgmt.desk.errors import OpeningError
from case_mgmt.desk.history import Signatory, signatory
from crypto.body import NoteBody, ReplyBody
from crypto.encoding import day_from_number
from crypto.envelope import split
from crypto.errors import CryptoError
from crypto.frame import Frame, FrameType, frame_hash
from crypto.manifest import Manifest
from crypto.private.open_report import open_message


@dataclass(frozen=True)
class Note:
    """A private note, opened; `author` is None when its key is not in the manifest."""

    day: date
    author: Signatory | None
    text: str


@dataclass(frozen=True)
class OfficeCopy:
    """A visible message as the office can read it again."""

    author: bytes | None
    body: ReplyBody
    hash: bytes


@dataclass(frozen=True)
class OfficeFile:
    """All notes, and all copies by the digest of their payload; `unreadable` counts the rest."""

    notes: tuple[Note, ...]
    copies: Mapping[bytes, OfficeCopy]
    unreadable: int

    def copy_of(self, container: bytes) -> OfficeCopy | None:
        """The copy of exactly this visible message."""
        try:
            return self.copies.get(payload_digest(container))
        except CryptoError:
            return None

    @property
    def hashes(self) -> frozenset[bytes]:
        """The frame hashes of our own messages."""
        return frozenset(copy.hash for copy in self.copies.values())


def payload_digest(container: bytes) -> bytes:
    """What ties a visible message and its office copy together. Raises: MalformedError."""
    return hashlib.sha256(split(container)[1]).digest()


def open_office_file(
    seed: bytes, manifest: Manifest, thread: bytes, containers: Iterable[bytes]
) -> OfficeFile:
    """Opens every note and copy that opens; never raises for stored bytes."""
    notes: list[Note] = []
    copies: dict[bytes, OfficeCopy] = {}
    unreadable = 0
    for container in containers:
        try:
            frame, raw = open_message(seed, container, manifest.instance_id, thread)
            if frame.type is FrameType.NOTE:
                notes.append(_note(frame, manifest))
            else:
                copies[payload_digest(container)] = _copy(frame, raw)
        except (CryptoError, OpeningError):
            unreadable += 1
    return OfficeFile(tuple(notes), copies, unreadable)


def _note(frame: Frame, manifest: Manifest) -> Note:
    author = signatory(manifest, frame.sender) if frame.sender else None
    return Note(day_from_number(frame.day), author, NoteBody.parse(frame.body).text)


def _copy(frame: Frame, raw: bytes) -> OfficeCopy:
    if frame.type is not FrameType.REPLY:
        raise OpeningError("wrong_type")
    return OfficeCopy(frame.sender, ReplyBody.parse(frame.body), frame_hash(raw))
