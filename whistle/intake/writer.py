# SPDX-License-Identifier: AGPL-3.0-or-later
"""One thread writes; writes that wait together share one commit.

Invariants:

* a caller's result is delivered after the commit that made it durable;
* a failing job is undone alone (SAVEPOINT) and does not harm the others of its batch;
* if the commit itself fails, every job of the batch fails; a full or failing disk is `busy`;
* nobody waits longer than `WRITE_DEADLINE`: a job that has not begun by then never will, and one
  that has begun is reported as undecided.
"""

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, TypeVar, cast

from sqlcipher3 import dbapi2

from whistle import limits, logs, troubles
from whistle.errors import RefusedError, StoreError, UndecidedError
from whistle.intake.database import Connection
from whistle.limits import MAX_BATCH

T = TypeVar("T")


@dataclass
class _Job:
    work: Callable[[Connection], Any]
    future: asyncio.Future[Any] | concurrent.futures.Future[Any]
    loop: asyncio.AbstractEventLoop | None = None
    result: Any = None
    error: BaseException | None = field(default=None)
    claim: threading.Lock = field(default_factory=threading.Lock)

    def is_ours(self) -> bool:
        """Say True to the first who asks: the writer that begins, or the caller that gives up."""
        return self.claim.acquire(blocking=False)


class Writer:
    """Runs jobs on the one writing connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="intake-writer", daemon=True)
        self._closed = False
        self._thread.start()

    async def do(self, work: Callable[[Connection], T]) -> T:
        """Run `work(connection)` inside a transaction and return its result once that is
        durable.

        Raises:
            RefusedError: "busy" - the disk is full or did not answer in time; nothing is stored.
            UndecidedError: the disk did not answer in time; it may still be stored.
        """
        if self._closed:
            raise StoreError("the store is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        job = _Job(work, future, loop)
        self._queue.put(job)
        try:
            async with asyncio.timeout(limits.WRITE_DEADLINE):
                return cast(T, await future)
        except TimeoutError:
            raise (RefusedError("busy") if job.is_ours() else UndecidedError()) from None

    def do_now(self, work: Callable[[Connection], T]) -> T:
        """Do the same, holding up the calling thread: for start-up and rare small writes."""
        if self._closed:
            raise StoreError("the store is closed")
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        self._queue.put(_Job(work, future))
        return cast(T, future.result())

    def close(self) -> None:
        """Finish what is queued, then close the connection."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()
            self._connection.close()

    def _run(self) -> None:
        while True:
            batch, more = self._collect()
            if batch:
                self._write(batch)
                _deliver(batch)
            if not more:
                return

    def _collect(self) -> tuple[list[_Job], bool]:
        first = self._queue.get()
        if first is None:
            return [], False
        batch = [first]
        while len(batch) < MAX_BATCH:
            try:
                job = self._queue.get_nowait()
            except Empty:
                break
            if job is None:
                return batch, False
            batch.append(job)
        return batch, True

    def _write(self, batch: list[_Job]) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for job in batch:
                if job.is_ours():
                    self._attempt(job)
            self._connection.execute("COMMIT")
        except Exception as error:
            self._undo()
            public = _public(error)
            for job in batch:
                job.result, job.error = None, public

    def _attempt(self, job: _Job) -> None:
        execute = self._connection.execute
        execute("SAVEPOINT job")
        try:
            job.result = job.work(self._connection)
        except Exception as error:
            job.error = _public(error)
            execute("ROLLBACK TO job")
        execute("RELEASE job")

    def _undo(self) -> None:
        with contextlib.suppress(Exception):  # the transaction may be gone already
            self._connection.execute("ROLLBACK")


def _public(error: Exception) -> Exception:
    """Full disk, failing disk, locked database, no memory: the reporter should come back later."""
    if not isinstance(error, dbapi2.OperationalError) and troubles.kind_of(error) is None:
        return error
    logs.get("intake").error("not written", **logs.describe(error))
    return RefusedError("busy")


def _deliver(batch: list[_Job]) -> None:
    """Hand the results over: those of an event loop in one call."""
    for loop in {job.loop for job in batch}:
        jobs = [job for job in batch if job.loop is loop]
        if loop is None:
            _resolve(jobs)
            continue
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_resolve, jobs)


def _resolve(batch: list[_Job]) -> None:
    for job in batch:
        if job.future.done():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)
