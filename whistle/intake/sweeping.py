# SPDX-License-Identifier: AGPL-3.0-or-later
"""Frees what only reference cycles and Python's free lists still hold, every few seconds.

A reader's request may end in a cycle of objects, which Python frees when it happens to; a tuple of
receipt words goes to a free list with its references in place. A full collection ends both, and
freed memory is overwritten (`whistle.overwriting`).

Invariant: nothing of a finished request is in memory longer than SWEEP_EVERY seconds because
nobody collected it (tests/system/test_seizure.py).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from aiohttp import web

from whistle.overwriting import sweep

SWEEP_EVERY: Final = 15.0
"""Seconds between sweeps. One takes less than a millisecond: what stays for good is left out
(`whistle.overwriting.settle`)."""


async def sweeping(_: web.Application) -> AsyncIterator[None]:
    """Sweep while an application runs."""

    async def sweep_on() -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY)
            sweep()

    task = asyncio.create_task(sweep_on())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
