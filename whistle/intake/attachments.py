# SPDX-License-Identifier: AGPL-3.0-or-later
"""The files of one form: each is sealed while it arrives and belongs to nobody until the form is
stored.

Invariants: plaintext of a file exists only in the chunk at hand; whatever happens to the form,
either all its blobs are published before its row is written, or `discard` leaves none of them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date

from crypto.attachment import AttachmentSealer
from crypto.body import AttachmentRef
from crypto.rng import Rng
from whistle.errors import RefusedError
from whistle.intake.records import Blob
from whistle.intake.uploads import BlobUpload, Disk
from whistle.limits import DISK_RESERVE


class Attachments:
    """Opens uploads and keeps track of their blobs."""

    def __init__(self, disk: Disk, today: date, rng: Rng) -> None:
        self._disk = disk
        self._today = today
        self._rng = rng
        self._uploads: list[BlobUpload] = []
        self._settling = False
        self._finished: list[tuple[AttachmentRef, Blob]] = []

    def require_room(self) -> None:
        """Raise RefusedError when the disk is nearly full."""
        if self._disk.folder.free_bytes() < DISK_RESERVE:
            raise RefusedError("busy")

    def open(self) -> "AttachmentUpload":
        """Begin a file. Raises RefusedError when the disk is nearly full."""
        self.require_room()
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
        self._settling = True
        return await asyncio.shield(self._settle(store))

    async def discard(self) -> None:
        """Delete everything, unless the files are being stored or are stored."""
        if not self._settling:
            await self._remove()

    async def _settle(self, store: Callable[[], Awaitable[bool]]) -> bool:
        kept = False
        try:
            if self._finished:
                names = [blob.id for blob in self.blobs]
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._disk.executor, self._disk.folder.publish, names)
            kept = await store()
        finally:
            if not kept:
                await self._remove()
        return kept

    async def _remove(self) -> None:
        for upload in self._uploads:
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
