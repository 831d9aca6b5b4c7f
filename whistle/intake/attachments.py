# SPDX-License-Identifier: AGPL-3.0-or-later
"""The files of one form: each is sealed while it arrives and belongs to nobody until the form is
stored.

Invariants:

* plaintext of a file exists only in the chunk at hand;
* whatever happens to the form, either all its blobs are published before its row is written, or
  `discard` leaves none of them;
* a row that may or may not come to be written keeps its files;
* the files have one owner: the form until `settle` is called, from then on the storing step alone,
  which no caller that is cancelled interrupts. It deletes them only when it knows that no row names
  them. When the process ends under it, it does not know: they stay, and the next start removes what
  no row names.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date

from crypto.attachment import AttachmentSealer
from crypto.body import AttachmentRef
from crypto.rng import Rng
from whistle.errors import UndecidedError
from whistle.intake.records import Blob
from whistle.intake.uploads import BlobUpload, Disk


class Attachments:
    """Opens uploads and keeps track of their blobs."""

    def __init__(self, disk: Disk, today: date, rng: Rng) -> None:
        self._disk = disk
        self._today = today
        self._rng = rng
        self._uploads: list[BlobUpload] = []
        self._finished: list[tuple[AttachmentRef, Blob]] = []

    def open(self) -> "AttachmentUpload":
        """Begin a file. Raises RefusedError when the disk is nearly full, or a quota is."""
        self._disk.require_room()
        self._disk.require_quota()
        sealer = AttachmentSealer(self._rng)
        upload = BlobUpload(self._disk, sealer.id)
        self._uploads.append(upload)
        return AttachmentUpload(self, sealer, upload, self._today)

    def add(self, reference: AttachmentRef, blob: Blob) -> None:
        """Count a finished file in."""
        self._finished.append((reference, blob))

    @property
    def references(self) -> tuple[AttachmentRef, ...]:
        """What goes into the sealed body."""
        return tuple(reference for reference, _ in self._finished)

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """What goes into the database."""
        return tuple(blob for _, blob in self._finished)

    @property
    def fingerprints(self) -> tuple[tuple[str, str, str], ...]:
        """What makes two presses the same: hash, name and type of every file."""
        return tuple((one.sha256, one.name, one.type) for one in self.references)

    async def settle(self, store: Callable[[], Awaitable[bool]]) -> bool:
        """Name the finished files durably, run `store`, and keep them only if it says True.

        A caller that goes away meanwhile does not interrupt this: a committed row keeps its files.
        """
        uploads, self._uploads = self._uploads, []
        return await self._disk.see_through(self._settle(uploads, store))

    async def discard(self) -> None:
        """Delete everything, unless the files are being stored or are stored."""
        uploads, self._uploads = self._uploads, []
        if uploads:
            await self._disk.see_through(_remove(uploads))

    async def _settle(
        self, uploads: Sequence[BlobUpload], store: Callable[[], Awaitable[bool]]
    ) -> bool:
        """SECURITY: no deleting on cancellation, the row may be written all the same
        (tests/whistle/intake/test_cancelling.py::test_the_end_of_the_process_tears_no_row)."""
        try:
            if self._finished:
                names = [blob.id for blob in self.blobs]
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._disk.executor, self._disk.folder.publish, names)
            kept = await store()
        except UndecidedError:
            raise
        except Exception:
            await _remove(uploads)
            raise
        if not kept:
            await _remove(uploads)
        return kept


async def _remove(uploads: Sequence[BlobUpload]) -> None:
    for upload in uploads:
        await upload.abandon()


class AttachmentUpload:
    """One file on its way from the socket to its blob."""

    def __init__(
        self, owner: Attachments, sealer: AttachmentSealer, upload: BlobUpload, today: date
    ) -> None:
        self._owner = owner
        self._sealer = sealer
        self._upload = upload
        self._today = today

    def add(self, data: bytes) -> None:
        """Seal more of the file."""
        self._upload.add(self._sealer.update(data))

    @property
    def is_behind(self) -> bool:
        """True when the disk should catch up first."""
        return self._upload.is_behind

    async def catch_up(self) -> None:
        """Wait for the disk."""
        await self._upload.catch_up()

    async def finish(self, name: str, media_type: str) -> None:
        """Seal the end, make the blob durable, hand its reference to the form."""
        tail, reference = self._sealer.final(name, media_type)
        self._upload.add(tail)
        await self._upload.finish(self._today)
        self._owner.add(reference, Blob(self._upload.blob, self._upload.size))
