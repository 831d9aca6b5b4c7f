# SPDX-License-Identifier: AGPL-3.0-or-later
"""Takes sealed files piece by piece, in any order, again and again, across restarts.

Invariants:

* only ciphertext comes in here; a connection holds at most `_GATHER` bytes of it besides what the
  socket has buffered, and all of them count in `Disk.memory`, so memory does not grow with files,
  pieces or connections;
* a piece is on the disk before it is entered in the table, and entered before it is acknowledged;
* an entered piece is never written again: the same bytes are compared, others are refused;
* of two connections that send the same piece the later one wins, since the earlier is probably the
  broken one; they never mix, because each write asks under a lock whether it is still its turn;
* a file without a row goes as soon as nobody writes to it, or at the next start; one whose row may
  or may not come to be written stays until then;
* a descriptor is closed once, after the last work on it, whoever was cancelled meanwhile.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from whistle.errors import ConflictError, RefusedError, UndecidedError
from whistle.intake.blobs import blur_times
from whistle.intake.database import sync_folder
from whistle.intake.memory import Held
from whistle.intake.problems import ProblemError
from whistle.intake.upload_table import QuotaError, Upload, UploadTable
from whistle.intake.uploads import Disk
from whistle.limits import KIB

_GATHER: Final = 256 * KIB


@dataclass
class _Place:
    """One piece: whose turn it is, and whether it is entered."""

    done: bool
    turn: object = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass
class _Growing:
    """A file somebody is writing to."""

    upload: Upload
    descriptor: int
    is_named: bool
    is_undecided: bool = False  # whether it has a row is not known
    users: int = 0
    places: dict[int, _Place] = field(default_factory=dict)


class Pieces:
    """All uploads that no message has taken yet."""

    def __init__(self, table: UploadTable, disk: Disk) -> None:
        self._table = table
        self._disk = disk
        self._growing: dict[str, _Growing] = {}

    async def receive(
        self, upload: Upload, number: int, chunks: AsyncIterator[bytes], today: date
    ) -> None:
        """Take one piece; returns once it is durable.

        Raises:
            ProblemError: not a piece of this upload, other bytes are here, or no room.
            RefusedError: the disk is nearly full or fails.
        """
        if not 0 <= number < upload.pieces:
            raise ProblemError("piece")
        self._require_room()
        growing = self._join(upload)
        try:
            with self._disk.memory.holder() as held:
                await _Writing(self._run, growing, number).take(chunks, held)
            await self._enter(growing, number, today)
        except ConflictError:
            raise ProblemError("conflict") from None
        except QuotaError:
            raise ProblemError("quota") from None
        except OSError as error:
            if isinstance(error, ConnectionError):
                raise
            raise RefusedError("busy") from None
        finally:
            self._leave(growing)

    def received(self, identifier: str, owner: bytes) -> tuple[int | None, list[int]]:
        """Return size and pieces of an upload; nothing for anybody without its key."""
        upload = self._table.find(identifier)
        if upload is None or upload.owner != owner:
            return None, []
        return upload.size, self._table.received(identifier)

    async def expire(self, today: date) -> int:
        """Delete what nobody has taken in time; return how many uploads went."""
        gone = await self._table.expire(today, self._growing.keys())
        idle = [one for one in gone if one not in self._growing and self._is_stray(one)]
        self._disk.folder.remove(idle)
        return len(gone)

    def _require_room(self) -> None:
        self._disk.require_room()
        self._disk.require_quota()
        if not self._table.has_room():
            raise ProblemError("quota")

    def _join(self, upload: Upload) -> _Growing:
        """Return the file of an upload, opening it if nobody else has."""
        stored = self._table.find(upload.id)
        growing = self._growing.get(upload.id)
        known = stored or (growing.upload if growing else None)
        if (known is not None and known != upload) or self._table.is_taken(upload.id):
            raise ProblemError("conflict")
        if growing is None:
            descriptor = self._disk.folder.open_growing(upload.id)
            if stored is None:
                os.ftruncate(descriptor, 0)
            done = set(self._table.received(upload.id))
            growing = _Growing(upload, descriptor, is_named=bool(done))
            growing.places = {number: _Place(done=True) for number in done}
            self._growing[upload.id] = growing
        growing.users += 1
        return growing

    def _leave(self, growing: _Growing) -> None:
        growing.users -= 1
        if growing.users:
            return
        os.close(growing.descriptor)
        del self._growing[growing.upload.id]
        if not growing.is_undecided and self._is_stray(growing.upload.id):
            self._disk.folder.remove([growing.upload.id])

    def _is_stray(self, identifier: str) -> bool:
        return self._table.find(identifier) is None and not self._table.is_taken(identifier)

    async def _enter(self, growing: _Growing, number: int, today: date) -> None:
        """Make a piece durable and enter it, unless it is entered."""
        place = growing.places[number]
        async with place.lock:
            if place.done:
                return
            await self._run(_sync, growing.descriptor, today)
            if not growing.is_named:
                await self._run(sync_folder, self._disk.folder.folder)
                growing.is_named = True
            try:
                await self._table.add(growing.upload, number, today)
            except (UndecidedError, asyncio.CancelledError):
                growing.is_undecided = True
                raise
            place.done = True

    async def _run(self, work: Callable[..., object], *args: object) -> object:
        """Work on a file, to the end also when the caller is cancelled meanwhile."""
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._disk.executor, work, *args)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            raise


class _Writing:
    """One connection's attempt at one piece."""

    def __init__(
        self, run: Callable[..., Awaitable[object]], growing: _Growing, number: int
    ) -> None:
        self._run = run
        self._descriptor = growing.descriptor
        self._length = growing.upload.length(number)
        self._offset = growing.upload.offset(number)
        self._place = growing.places.setdefault(number, _Place(done=False))
        self._place.turn = self
        self._written = 0

    async def take(self, chunks: AsyncIterator[bytes], held: Held) -> None:
        """Write, or compare, a whole piece."""
        waiting = bytearray()
        async for chunk in chunks:
            held.add(len(chunk))
            waiting += chunk
            if self._written + len(waiting) > self._length:
                raise ProblemError("piece")
            if len(waiting) >= _GATHER:
                await self._put(bytes(waiting))
                waiting.clear()
                held.shrink(0)
        if self._written + len(waiting) != self._length:
            raise ProblemError("piece")
        await self._put(bytes(waiting))

    async def _put(self, data: bytes) -> None:
        async with self._place.lock:
            if self._place.turn is not self:
                raise ConflictError("another connection sends this piece")
            work = _same if self._place.done else _write
            await self._run(work, self._descriptor, data, self._offset + self._written)
        self._written += len(data)


def _write(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def _same(descriptor: int, data: bytes, offset: int) -> None:
    at = 0
    while at < len(data):
        here = os.pread(descriptor, len(data) - at, offset + at)
        if not here or here != data[at : at + len(here)]:
            raise ConflictError("other bytes are here")
        at += len(here)


def _sync(descriptor: int, today: date) -> None:
    blur_times(descriptor, today)
    os.fsync(descriptor)
