# SPDX-License-Identifier: AGPL-3.0-or-later
"""Writes one sealed attachment to disk while it is still arriving.

Invariants:

* only sealed bytes come in here; at most `UPLOAD_QUEUE` pieces of a file wait for the disk, and
  about `UPLOAD_QUEUE_ALL` pieces of all files together, so that a slow disk costs no memory; the
  more files are open the smaller their pieces, and all bytes count in `Disk.memory`;
* the disk is synced on the way, so that the last sync, for which a reporter waits, is short;
* `finish` returns only when every byte is durable; `abandon` leaves no file;
* a descriptor is closed once, after the last work on it, whoever was cancelled meanwhile.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from whistle import limits, logs, troubles
from whistle.errors import RefusedError
from whistle.intake.blobs import BlobFolder, blur_times, busy_if_exhausted
from whistle.intake.memory import Budget
from whistle.limits import (
    DISK_RESERVE,
    FORM_MEMORY,
    UPLOAD_BUFFERS,
    UPLOAD_PIECE,
    UPLOAD_PIECE_LEAST,
    UPLOAD_QUEUE,
    UPLOAD_QUEUE_ALL,
    UPLOAD_SYNC_EVERY,
)

T = TypeVar("T")


@dataclass
class Backlog:
    """What of all uploads waits for the disk: pieces, and files that still grow."""

    pieces: int = 0
    files: int = 0

    @property
    def piece(self) -> int:
        """Return how many bytes a growing file gathers before it sends them to the disk."""
        share = UPLOAD_BUFFERS // max(1, self.files)
        return max(UPLOAD_PIECE_LEAST, min(UPLOAD_PIECE, share))

    def one_done(self, _future: asyncio.Future[object]) -> None:
        """A piece is written, or its writing failed."""
        self.pieces -= 1


@dataclass(frozen=True)
class Disk:
    """Where sealed bytes go, the threads that write them, and what waits for them."""

    folder: BlobFolder
    executor: Executor
    backlog: Backlog = field(default_factory=Backlog)
    memory: Budget = field(default_factory=lambda: Budget(FORM_MEMORY, limits.TEXT_RESERVE))
    under_way: set[asyncio.Task[object]] = field(default_factory=set)
    waiting: Callable[[], int] = field(default_factory=lambda: lambda: 0)  # bytes not collected

    def require_quota(self) -> None:
        """Refuse a new file when as many as may do so wait to be collected.

        Raises:
            RefusedError: "busy".
        """
        if self.waiting() >= limits.MAX_FILES_WAITING:
            raise RefusedError("busy")

    def require_room(self) -> None:
        """Refuse more of a file when the disk is nearly full, counting what is on its way to it.

        Raises:
            RefusedError: "busy".
        """
        if self.folder.free_bytes() - self.memory.used < DISK_RESERVE:
            logs.get("intake").error("no room for files", kind=troubles.DISK_FULL)
            raise RefusedError("busy")

    async def see_through(self, work: Coroutine[object, object, T]) -> T:
        """Run `work` to its end, also when the caller is cancelled meanwhile."""
        task = asyncio.get_running_loop().create_task(work)
        self.under_way.add(task)  # the loop itself holds tasks weakly
        task.add_done_callback(self.under_way.discard)
        return await asyncio.shield(task)


class BlobUpload:
    """One growing blob file."""

    def __init__(self, disk: Disk, blob: str) -> None:
        self.blob = blob
        self.size = 0
        self._disk = disk
        self._descriptor = disk.folder.create_part(blob)
        disk.backlog.files += 1
        self._grows = True
        self._buffer = bytearray()
        self._synced = 0
        self._pending: deque[asyncio.Future[object]] = deque()

    def add(self, sealed: bytes) -> None:
        """Take sealed bytes; hands full pieces to the disk thread without waiting.

        Raises:
            RefusedError: "busy" - the disk or the memory of the server is nearly full.
        """
        self._disk.memory.take(len(sealed), leaving_spare=True)
        self._buffer += sealed
        if len(self._buffer) >= self._disk.backlog.piece:
            self._disk.require_room()
            self._send()

    @property
    def is_behind(self) -> bool:
        """True when the disk should catch up before more is read."""
        if self._disk.backlog.pieces > UPLOAD_QUEUE_ALL and self._pending:
            return True
        return len(self._pending) > UPLOAD_QUEUE

    async def catch_up(self) -> None:
        """Wait until the disk is no longer behind."""
        while self.is_behind:
            await self._oldest()

    async def finish(self, day: date) -> None:
        """Write what is left and make it durable; the file keeps its growing name."""
        self._stop_growing()
        if self._buffer:
            self._send()
        while self._pending:
            await self._oldest()
        descriptor, self._descriptor = self._descriptor, -1
        self._pending.append(self._submit(_close, descriptor, day))
        await self._oldest()

    async def abandon(self) -> None:
        """Stop and delete the file, whatever has happened to it."""
        self._stop_growing()
        await asyncio.gather(*self._pending, return_exceptions=True)
        self._pending.clear()
        self._disk.memory.give_back(len(self._buffer))
        self._buffer = bytearray()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self._disk.folder.remove([self.blob])

    def _stop_growing(self) -> None:
        self._disk.backlog.files -= self._grows
        self._grows = False

    async def _oldest(self) -> None:
        """Wait for the oldest work. It stays listed until it is done, also when the caller is
        cancelled: `abandon` must not close a file that a thread still writes to."""
        with busy_if_exhausted():
            await asyncio.shield(self._pending[0])
        del self._pending[0]

    def _send(self) -> None:
        piece, self._buffer = self._buffer, bytearray()
        written = self._submit(_write_at, self._descriptor, piece, self.size)
        written.add_done_callback(lambda _: self._disk.memory.give_back(len(piece)))
        self._pending.append(written)
        self.size += len(piece)
        if self.size - self._synced >= UPLOAD_SYNC_EVERY:
            self._synced = self.size
            self._pending.append(self._submit(os.fdatasync, self._descriptor))

    def _submit(self, work: Callable[..., object], *args: object) -> asyncio.Future[object]:
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._disk.executor, work, *args)
        self._disk.backlog.pieces += 1
        future.add_done_callback(self._disk.backlog.one_done)
        return future


def _write_at(descriptor: int, piece: bytearray, offset: int) -> None:
    view = memoryview(piece)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def _close(descriptor: int, day: date) -> None:
    try:
        blur_times(descriptor, day)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
