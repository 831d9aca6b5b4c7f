# SPDX-License-Identifier: AGPL-3.0-or-later
"""Builds what leaves the desk: sealed messages and notes (acts are in case_mgmt.desk.signing).

- A message to the reporter is a REPLY frame in a container with exactly one stanza, for the reply
  key of the thread's first report; with it comes the office copy (see case_mgmt.desk.office).
- A private note is a NOTE frame for the case's recipients. The two never share a function, and no
  function here takes a frame type.
- The author must be able to read the case: who is not among the people gets an error, not a
  message.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from case_mgmt.desk.errors import ComposeError
from case_mgmt.desk.opening import OpenedThread
from case_mgmt.desk.wording import private_text, visible_text
from crypto.body import NoteBody, ReplyBody
from crypto.encoding import day_number
from crypto.envelope import seal_message
from crypto.frame import Frame, FrameType, Origin, encode_frame, recipients_digest
from crypto.manifest import Person
from crypto.private.keystore import Identity
from crypto.private.open_report import rewrap
from crypto.rng import Rng
from crypto.xwing import Recipient

MESSAGE_ID_BYTES = 16


@dataclass(frozen=True)
class Draft:
    """What the investigator wrote, before sealing; `status` is None for an update or extension.

    `ending` is a last sentence of the desk itself; it does not make up for words of one's own.
    """

    lang: str
    text: str
    status: str | None = None
    reason: str | None = None
    ending: str = ""

    def body(self, day: date) -> ReplyBody:
        """Exactly what the reporter will read. Raises: ComposeError."""
        return ReplyBody(
            lang=self.lang,
            status=self.status,
            reason=self.reason,
            text=f"{visible_text(self.text)}\n\n{self.ending}".rstrip(),
            day=day.isoformat(),
        )


@dataclass(frozen=True)
class SealedReply:
    """One payload under two headers: for the reporter alone, and for the office."""

    container: bytes
    office_copy: bytes


@dataclass(frozen=True)
class Author:
    """Who writes, on which day, with which randomness."""

    identity: Identity
    day: date
    rng: Rng

    def seal_reply(self, thread: OpenedThread, draft: Draft, previous: bytes) -> SealedReply:
        """The message and its office copy; `previous` is the last frame hash seen.

        Raises: ComposeError.
        """
        people = self._recipients(thread.people)
        frame = self._frame(thread, FrameType.REPLY, previous, [thread.reply_to])
        frame_bytes = self._signed(frame, draft.body(self.day).encode())
        # Sealed to the office first, then re-headed for the reporter: the payload, and so the
        # text, is one.
        office_copy = seal_message(frame_bytes, people, self.rng)
        container = rewrap(self.identity.recipient_seed, office_copy, [thread.reply_to], self.rng)
        return SealedReply(container, office_copy)

    def seal_note(self, thread: OpenedThread, lang: str, text: str, previous: bytes) -> bytes:
        """A private note for the people of the case. Raises: ComposeError."""
        people = self._recipients(thread.people)
        frame = self._frame(thread, FrameType.NOTE, previous, people)
        body = NoteBody(lang, private_text(text)).encode()
        return seal_message(self._signed(frame, body), people, self.rng)

    def seal_for(
        self, thread: OpenedThread, recipients: Sequence[Recipient], body: bytes, previous: bytes
    ) -> bytes:
        """A note about the case for people outside it (a card for the publishers)."""
        frame = self._frame(thread, FrameType.NOTE, previous, recipients)
        return seal_message(self._signed(frame, body), list(recipients), self.rng)

    def _recipients(self, people: Sequence[Person]) -> list[Recipient]:
        own = self.identity.recipient.raw
        recipients = [person.recipient for person in people]
        if all(recipient.raw != own for recipient in recipients):
            raise ComposeError("not_a_recipient")
        return recipients

    def _frame(
        self,
        thread: OpenedThread,
        kind: FrameType,
        previous: bytes,
        recipients: Sequence[Recipient],
    ) -> Frame:
        first = thread.report.frame
        return Frame(
            type=kind,
            origin=Origin.DESK,
            instance_id=first.instance_id,
            thread_id=first.thread_id,
            message_id=self.rng(MESSAGE_ID_BYTES),
            prev=previous,
            recipients_digest=recipients_digest(recipients),
            day=day_number(self.day),
            body=b"",
            sender=self.identity.device_public,
        )

    def _signed(self, frame: Frame, body: bytes) -> bytes:
        return encode_frame(replace(frame, body=body), self.identity.device_seed)
