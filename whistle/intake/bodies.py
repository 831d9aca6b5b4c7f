# SPDX-License-Identifier: AGPL-3.0-or-later
"""Request bodies as they arrive: how large, how slow, and how much of them in memory.

Invariants: size and time are capped (`whistle.limits`), whatever Content-Length claims; what is
longer than `BULK_AFTER` is read in turns with everything else that is (`whistle.intake.admission`).
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import web
from aiohttp.web_protocol import RequestPayloadError

from whistle import limits
from whistle.errors import RefusedError
from whistle.intake.admission import wait_turn
from whistle.intake.memory import MEMORY


@dataclass(frozen=True)
class Pace:
    """How slowly a body may arrive: seconds without a byte, seconds in all, and, if `rate` is not
    zero, bytes per second on average from the end of the idle time on."""

    idle: float
    total: float
    rate: float = 0

    @classmethod
    def of_form(cls) -> "Pace":
        """For forms without files."""
        return cls(limits.FORM_IDLE_TIMEOUT, limits.FORM_TOTAL_TIMEOUT)

    @classmethod
    def of_upload(cls) -> "Pace":
        """For forms with files."""
        return cls(limits.BODY_IDLE_TIMEOUT, limits.BODY_TOTAL_TIMEOUT, limits.UPLOAD_MIN_RATE)

    def deadline(self, start: float, now: float, received: int) -> float:
        """Return when the next bytes must have come."""
        times = [start + self.total, now + self.idle]
        if self.rate:
            times.append(start + self.idle + received / self.rate)
        return min(times)


async def read_small(request: web.Request, max_bytes: int = limits.MAX_SMALL_BODY) -> bytes:
    """Read a whole small body. Raises as `read_form`."""
    body = bytearray()
    with request.app[MEMORY].holder() as held:
        async for chunk in body_chunks(request, max_bytes, Pace.of_form()):
            held.add(len(chunk))
            body += chunk
        return bytes(body)


async def body_chunks(request: web.Request, max_bytes: int, pace: Pace) -> AsyncIterator[bytes]:
    """Yield a request's body as it arrives, within a size and at a pace."""
    if (request.content_length or 0) > max_bytes:
        raise RefusedError("too_large")
    loop = asyncio.get_running_loop()
    start = loop.time()
    received = 0
    while True:
        if received > limits.BULK_AFTER:
            await wait_turn(request, request.app)
        chunk = await _chunk(request, pace.deadline(start, loop.time(), received))
        if not chunk:
            return
        received += len(chunk)
        if received > max_bytes:
            raise RefusedError("too_large")
        yield chunk


async def _chunk(request: web.Request, deadline: float) -> bytes:
    """Return what has arrived, at least something before the end."""
    try:
        if request.content.is_eof():
            return await request.content.readany()
        async with asyncio.timeout_at(deadline):
            return await request.content.readany()
    except TimeoutError:
        raise RefusedError("timeout") from None
    except RequestPayloadError:
        raise RefusedError("bad_request") from None
