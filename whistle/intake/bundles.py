# SPDX-License-Identifier: AGPL-3.0-or-later
"""Takes a sealed file from the upload page while it arrives: a bundle, or a stock age file.

A bundle (`crypto.bundle`) is a report sealed elsewhere: its head and container are checked as soon
as they are here, its blobs go to disk under names of our own and get theirs when the report is
stored. A stock age file becomes an attachment of a report that says nothing else; it must be sealed
to keys of our kind only, so that nobody believes a passphrase or another key will open it here.

Invariants:

* only sealed bytes are kept, at most one container and one head of them in memory, and these count
  in `Disk.memory`;
* the first mistake decides; what follows it is read away;
* no blob that is stored is ever written over;
* what was checked while the file came in is checked again, when it is stored, against the
  organisation then in force;
* the blobs have one owner, as the files of a form have (`whistle.intake.attachments`): from `store`
  on the storing step alone, which no caller that is cancelled interrupts.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from crypto.age import stanza
from crypto.age.header import MAX_HEADER, PAYLOAD_NONCE, VERSION_LINE, Stanza, try_parse_header
from crypto.age.stream import TAG
from crypto.age.writer import MAX_RECIPIENTS
from crypto.bundle import (
    MAGIC,
    MAX_BUNDLE_CONTAINER,
    MAX_HEAD,
    PREFIX,
    BundleHead,
    head_length,
    parse_head,
)
from crypto.encoding import unb64_standard
from crypto.errors import AuthenticationError, CryptoError, MalformedError
from crypto.rng import Rng
from crypto.xwing import ENCAPSULATED
from whistle.errors import UndecidedError
from whistle.intake.attachments import Attachments, AttachmentUpload
from whistle.intake.memory import Held
from whistle.intake.organisation import Organisation
from whistle.intake.problems import ProblemError
from whistle.intake.records import Blob, NewThread, Record
from whistle.intake.sealed_form import BLOB_HEADER, largest_blob, require_blob_head
from whistle.intake.store import Store
from whistle.intake.submissions import Answered, Submission, Submissions
from whistle.intake.uploads import BlobUpload, Disk
from whistle.limits import MAX_BLOBS, MAX_FILES

AGE_TYPE: Final = "application/age-encryption"
MAX_AGE_STANZAS: Final = MAX_RECIPIENTS


@dataclass(frozen=True)
class Reception:
    """What a sealed file is checked against and where it goes."""

    submissions: Submissions
    store: Store
    disk: Disk
    organisation: Callable[[], Organisation]
    max_file_bytes: int
    today: Callable[[], date]
    rng: Rng


def largest_bundle(max_file_bytes: int) -> int:
    """Return the bytes of the largest bundle."""
    return PREFIX + MAX_HEAD + MAX_BUNDLE_CONTAINER + MAX_FILES * largest_blob(max_file_bytes)


class SealedUpload:
    """One sealed file on its way in; `problem` is None as long as nothing is wrong."""

    def __init__(self, place: Reception, attachments: Attachments) -> None:
        self.problem: str | None = None
        self.answered: Answered | None = None
        self.age: AttachmentUpload | None = None
        self._place = place
        self._attachments = attachments
        self._buffer = bytearray()
        self._held = Held(place.disk.memory)
        self._step: Callable[[], bool] = self._begin
        self._head_bytes = 0
        self._head: BundleHead | None = None
        self._submission: Submission | None = None
        self._uploads: list[BlobUpload] = []
        self._left = 0
        self._age_size = 0

    # --- the protocols of whistle.intake.multipart ----------------------------------------------

    def open(self) -> "SealedUpload":
        """Begin the one file."""
        return self

    def add(self, data: bytes) -> None:
        """Take more of it."""
        self._held.add(len(data))
        self._buffer += data
        try:
            while self._step():
                pass
        except ProblemError as error:
            self._fail(error.code)
        except AuthenticationError:
            self._fail("signature")
        except CryptoError:
            self._fail("container")
        kept = len(self._submission.container) if self._submission else 0
        self._held.shrink(len(self._buffer) + kept)

    @property
    def is_behind(self) -> bool:
        """True when the disk should catch up first."""
        return any(upload.is_behind for upload in self._growing())

    async def catch_up(self) -> None:
        """Wait for the disk."""
        for upload in self._growing():
            await upload.catch_up()

    async def finish(self, name: str, _media_type: str) -> None:
        """The file has ended; whether it is complete shows in `problem`."""
        if self.problem is not None or self.answered is not None:
            return
        if self.age is not None and self._age_size > PAYLOAD_NONCE + TAG:
            await self.age.finish(name, AGE_TYPE)
        elif self._step == self._end:
            for upload in self._uploads:
                await upload.finish(self._place.today())
        else:
            self._fail("short")

    # --- afterwards -----------------------------------------------------------------------------

    async def store(self) -> Answered | None:
        """Store a complete bundle. Raises ProblemError."""
        one, place = self._submission, self._place
        if self.answered is not None or one is None:
            return self.answered
        organisation = place.organisation()
        place.submissions.check(one, organisation, place.max_file_bytes)
        uploads, self._uploads = self._uploads, []

        async def settle() -> Answered:
            try:
                return await place.submissions.store(
                    one, organisation, place.today(), lambda *row: self._keep(uploads, *row)
                )
            finally:  # stored blobs have names of their own by now
                await _remove(uploads)

        return await place.disk.see_through(settle())

    async def discard(self) -> None:
        """Remove what has grown, unless it is being stored."""
        self._held.shrink(0)
        uploads, self._uploads = self._uploads, []
        if uploads:
            await self._place.disk.see_through(_remove(uploads))

    async def _keep(self, uploads: Sequence[BlobUpload], thread: NewThread, record: Record) -> bool:
        """SECURITY: blobs stay while it is not known whether a row names them."""
        folder, names = self._place.disk.folder, [blob.id for blob in record.blobs]
        pairs = [(upload.blob, name) for upload, name in zip(uploads, names, strict=True)]
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._place.disk.executor, folder.adopt, pairs)
        except FileExistsError:
            raise ProblemError("conflict") from None
        try:
            kept = await self._place.store.add_report(thread, record)
        except UndecidedError:
            raise
        except Exception:
            folder.remove(names)
            raise
        if not kept:
            folder.remove(names)
        return kept

    # --- steps: each says whether it got anywhere -----------------------------------------------

    def _begin(self) -> bool:
        if len(self._buffer) < len(VERSION_LINE) and not self._buffer.startswith(MAGIC):
            return False
        if self._buffer.startswith(VERSION_LINE):
            self._step = self._age_header
        elif len(self._buffer) < PREFIX:
            return False
        else:
            self._head_bytes = head_length(bytes(self._buffer[:PREFIX]))
            del self._buffer[:PREFIX]
            self._step = self._bundle_head
        return True

    def _bundle_head(self) -> bool:
        if len(self._buffer) < self._head_bytes:
            return False
        self._head = parse_head(self._take(self._head_bytes))
        if len(self._head.blobs) > MAX_BLOBS:
            raise ProblemError("too_large")
        self._step = self._container
        return True

    def _container(self) -> bool:
        head, place = self._head, self._place
        organisation = place.organisation()
        if head is None or len(self._buffer) < head.container:
            return False
        container = self._take(head.container)
        head.verify(organisation.manifest.instance_id, container)
        one = _submission(head, container)
        self.answered = place.submissions.known(one, organisation)
        if self.answered is not None:
            self._step = self._ignore
            return True
        place.submissions.check(one, organisation, place.max_file_bytes)
        self._submission = one
        self._step = self._next_blob
        return True

    def _next_blob(self) -> bool:
        blobs = self._submission.blobs if self._submission else ()
        if len(self._uploads) == len(blobs):
            self._step = self._end
            return True
        if len(self._buffer) < BLOB_HEADER:
            return False
        require_blob_head(bytes(self._buffer[:BLOB_HEADER]))
        self._left = blobs[len(self._uploads)].size
        self._place.disk.require_room()
        self._uploads.append(BlobUpload(self._place.disk, self._place.rng(16).hex()))
        self._step = self._blob
        return True

    def _blob(self) -> bool:
        part = self._take(min(self._left, len(self._buffer)))
        self._left -= len(part)
        self._uploads[-1].add(part)
        if self._left:
            return False
        self._step = self._next_blob
        return True

    def _end(self) -> bool:
        if self._buffer:
            raise MalformedError("something follows the bundle")
        return False

    def _age_header(self) -> bool:
        header = try_parse_header(bytes(self._buffer))
        if header is None:
            return False
        if len(header.stanzas) > MAX_AGE_STANZAS or not all(map(_is_ours, header.stanzas)):
            raise ProblemError("recipients")
        self.age = self._attachments.open()
        self.age.add(self._take(header.length))
        self._step = self._age_payload
        return True

    def _age_payload(self) -> bool:
        part = self._take(len(self._buffer))
        self._age_size += len(part)
        if self._age_size > self._place.max_file_bytes - MAX_HEADER:
            raise ProblemError("too_large")
        if self.age is not None:
            self.age.add(part)
        return False

    def _ignore(self) -> bool:
        self._buffer.clear()
        return False

    def _take(self, count: int) -> bytes:
        part = bytes(self._buffer[:count])
        del self._buffer[:count]
        return part

    def _fail(self, code: str) -> None:
        self.problem, self.age = code, None
        self._step = self._ignore
        self._ignore()

    def _growing(self) -> list[BlobUpload] | list[AttachmentUpload]:
        return [self.age] if self.age is not None else self._uploads[-1:]


async def _remove(uploads: Sequence[BlobUpload]) -> None:
    for upload in uploads:
        await upload.abandon()


def _submission(head: BundleHead, container: bytes) -> Submission:
    return Submission(
        mode="tool",
        lookup_id=head.lookup_id,
        auth_public=head.auth_public,
        mailbox_key=head.mailbox_key,
        dossier=head.dossier,
        recipients=head.recipients,
        container=container,
        blobs=tuple(Blob(blob.id, blob.size) for blob in head.blobs),
        commitment=head.commitment,
    )


def _is_ours(one: Stanza) -> bool:
    if len(one.arguments) != 2 or not stanza.is_ours(one) or len(one.body) != stanza.WRAPPED:
        return False
    return len(unb64_standard(one.arguments[1])) == ENCAPSULATED
