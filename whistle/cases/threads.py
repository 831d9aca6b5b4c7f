# SPDX-License-Identifier: AGPL-3.0-or-later
"""Runs blocking work beside the event loop: one thread writes, a few read, a few touch files.

Invariant: work that changes the store runs one at a time, in the order it was asked for.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TypeVar

from whistle.cases.limits import DISK_THREADS, READ_THREADS

T = TypeVar("T")


class Threads:
    """The case server's threads."""

    def __init__(self) -> None:
        self._writer = ThreadPoolExecutor(1, "cases-writer")
        self._readers = ThreadPoolExecutor(READ_THREADS, "cases-reader")
        self._disk = ThreadPoolExecutor(DISK_THREADS, "cases-disk")

    async def write(self, work: Callable[[], T]) -> T:
        """Run something that changes the store; it runs to its end even if nobody waits."""
        return await _run(self._writer, work)

    async def read(self, work: Callable[[], T]) -> T:
        """Run something that reads the store."""
        return await _run(self._readers, work)

    async def disk(self, work: Callable[[], T]) -> T:
        """Run something that touches files."""
        return await _run(self._disk, work)

    def close(self) -> None:
        """Finish what is under way."""
        for executor in (self._disk, self._readers, self._writer):
            executor.shutdown(wait=True)


async def _run(executor: Executor, work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(executor, work)
