# SPDX-License-Identifier: AGPL-3.0-or-later
"""Opens a case's sealed messages and says what does not fit (docs/spec/envelope.md, receiver
checks).

A container is opened for one instance and one thread; anything else is not shown at all. What is
shown is checked against its context; each mismatch becomes a `Remark` in the order of these
steps:

1. the first message is a report and carries the reply key; it pins the sender key of the thread;
2. every later message is a follow-up signed by the pinned key (`unknown_sender`, `unsigned`);
3. no message id occurs twice (`repeated`);
4. `prev` names a frame of this thread seen before (`gap`); a frame sealed on arrival cannot know
   it;
5. the recipients digest is that of the people the manifest and the report allow
   (`recipients_differ`; also after a person joined or left);
6. the day in the frame is not after the day the server recorded (`day_differs`);
7. the attachments named are the blobs stored (`file_missing`, `file_extra`).

SECURITY: replies go to the reply key of the first report only, never to a key a server offers.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from typing import Generic, Literal, TypeVar

from case_mgmt.desk.errors import OpeningError
from crypto.body import AttachmentRef, FollowUpBody, ReportBody
from crypto.encoding import day_number
from crypto.errors import AuthenticationError, CryptoError
from crypto.frame import NO_PREVIOUS, Frame, FrameType, Origin, frame_hash, recipients_digest
from crypto.manifest import Manifest, Person
from crypto.private.open_report import open_message
from crypto.xwing import Recipient

Body = TypeVar("Body", ReportBody, FollowUpBody)

EXCLUDING_FIELDS = ("unit", "exclude_unit")
"""The answers of a report that keep people of a unit from reading it."""

RemarkCode = Literal[
    "unknown_sender",
    "unsigned",
    "repeated",
    "gap",
    "recipients_differ",
    "day_differs",
    "file_missing",
    "file_extra",
    "cannot_open",
    "malformed",
    "wrong_type",
]


@dataclass(frozen=True)
class StoredMessage:
    """A reporter's message as the case server keeps it."""

    id: str
    kind: Literal["report", "follow_up"]
    day: date
    container: bytes
    blobs: Mapping[str, int]


@dataclass(frozen=True)
class Remark:
    """Something about a message that the investigator must know."""

    code: RemarkCode
    message: str


@dataclass(frozen=True)
class OpenedMessage(Generic[Body]):
    """A reporter's message in the clear, with its frame and what it links to."""

    id: str
    day: date
    frame: Frame
    hash: bytes
    body: Body

    @property
    def origin(self) -> Origin:
        """Where it was sealed."""
        return self.frame.origin

    @property
    def attachments(self) -> tuple[AttachmentRef, ...]:
        """Its files."""
        return self.body.attachments


OpenedReport = OpenedMessage[ReportBody]
OpenedFollowUp = OpenedMessage[FollowUpBody]


@dataclass(frozen=True)
class OpenedThread:
    """Everything a reporter sent in one case, in order, and who may read it."""

    report: OpenedReport
    follow_ups: tuple[OpenedFollowUp, ...]
    reply_to: Recipient
    people: tuple[Person, ...]
    remarks: tuple[Remark, ...]

    @property
    def messages(self) -> tuple[OpenedReport | OpenedFollowUp, ...]:
        """The report and what followed."""
        return (self.report, *self.follow_ups)

    @property
    def last_hash(self) -> bytes:
        """The frame hash a reply names as the last one seen."""
        return self.messages[-1].hash


@dataclass(frozen=True)
class Lens:
    """Who opens, for which organisation and which thread."""

    seed: bytes
    manifest: Manifest
    thread: bytes

    def open_report(self, message: StoredMessage) -> OpenedReport:
        """A report in the clear. Raises: OpeningError."""
        return self._open(message, FrameType.REPORT, ReportBody.parse)

    def open_follow_up(self, message: StoredMessage) -> OpenedFollowUp:
        """A later message in the clear. Raises: OpeningError."""
        return self._open(message, FrameType.FOLLOW_UP, FollowUpBody.parse)

    def _open(
        self, message: StoredMessage, kind: FrameType, parse: Callable[[bytes], Body]
    ) -> OpenedMessage[Body]:
        try:
            frame, raw = open_message(
                self.seed, message.container, self.manifest.instance_id, self.thread
            )
        except AuthenticationError as error:
            raise OpeningError("cannot_open") from error
        except CryptoError as error:
            raise OpeningError("malformed") from error
        if frame.type is not kind:
            raise OpeningError("wrong_type")
        try:
            body = parse(frame.body)
        except CryptoError as error:
            raise OpeningError("malformed") from error
        return OpenedMessage(message.id, message.day, frame, frame_hash(raw), body)


def open_thread(
    lens: Lens, stored: Sequence[StoredMessage], replies: Set[bytes] = frozenset()
) -> OpenedThread:
    """Opens a whole thread; `replies` are the frame hashes of our own messages in it.

    Raises: OpeningError when its first report cannot be trusted or read.
    """
    if not stored or stored[0].kind != "report":
        raise OpeningError("no_first_report")
    report = lens.open_report(stored[0])
    reply_to = report.body.reply_recipient()
    people = people_for(report.body.fields, lens.manifest)
    checker = _Checker(report.frame.sender, people, replies)
    checker.check(report, stored[0])
    follow_ups = _open_follow_ups(lens, stored[1:], checker)
    return OpenedThread(report, follow_ups, reply_to, people, tuple(checker.remarks))


def people_for(fields: Mapping[str, str], manifest: Manifest) -> tuple[Person, ...]:
    """Who may read a report with these answers: nobody of the units it accuses or excludes."""
    excluded = {fields.get(name) for name in EXCLUDING_FIELDS}
    everyone = manifest.recipients_for(None)
    return tuple(person for person in everyone if person.unit not in excluded)


def _open_follow_ups(
    lens: Lens, stored: Iterable[StoredMessage], checker: "_Checker"
) -> tuple[OpenedFollowUp, ...]:
    opened: list[OpenedFollowUp] = []
    for message in stored:
        try:
            follow_up = lens.open_follow_up(message)
        except OpeningError as error:
            checker.note(error.code, message.id)
            continue
        checker.check(follow_up, message)
        opened.append(follow_up)
    return tuple(opened)


class _Checker:
    """Steps 2 to 7, with the memory they need over a thread."""

    def __init__(self, sender: bytes | None, people: Sequence[Person], replies: Set[bytes]) -> None:
        self.remarks: list[Remark] = []
        self._sender = sender
        self._digest = recipients_digest([person.recipient for person in people])
        self._ids: set[bytes] = set()
        self._hashes: set[bytes] = {NO_PREVIOUS, *replies}

    def note(self, code: str, message: str) -> None:
        """Adds a remark."""
        self.remarks.append(Remark(code, message))  # type: ignore[arg-type]  # OpeningCode overlaps

    def check(self, opened: OpenedReport | OpenedFollowUp, stored: StoredMessage) -> None:
        """All steps for one message."""
        frame = opened.frame
        for code, wrong in (
            ("unsigned", frame.sender is None),
            ("unknown_sender", frame.sender is not None and frame.sender != self._sender),
            ("repeated", frame.message_id in self._ids),
            ("gap", self._is_gap(frame)),
            ("recipients_differ", frame.recipients_digest != self._digest),
            ("day_differs", frame.day > day_number(stored.day)),
        ):
            if wrong:
                self.note(code, opened.id)
        self._check_files(opened, stored)
        self._ids.add(frame.message_id)
        self._hashes.add(opened.hash)

    def _is_gap(self, frame: Frame) -> bool:
        return frame.prev not in self._hashes

    def _check_files(self, opened: OpenedReport | OpenedFollowUp, stored: StoredMessage) -> None:
        named = {ref.id for ref in opened.attachments}
        if named - stored.blobs.keys():
            self.note("file_missing", opened.id)
        if stored.blobs.keys() - named:
            self.note("file_extra", opened.id)
