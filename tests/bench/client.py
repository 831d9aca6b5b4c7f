# SPDX-License-Identifier: AGPL-3.0-or-later
"""A lean HTTP/1.1 client for measuring: the client must not be what is measured.

One keep-alive connection per worker; requests are prepared bytes; bodies by Content-Length.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


class Connection:
    """One keep-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        """Connects to loopback."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 20))

    async def exchange(self, request: bytes) -> tuple[int, bytes, bytes]:
        """Sends one prepared request; returns (status, head, body)."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        body = await self._reader.readexactly(length)
        return int(head[9:12]), head, body

    async def send_large(self, head: bytes, pieces: int, piece: bytes, tail: bytes) -> int:
        """Sends a long body piece by piece; returns the status."""
        self._writer.write(head)
        for _ in range(pieces):
            self._writer.write(piece)
            await self._writer.drain()
        self._writer.write(tail)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        return int(answer[9:12])

    def close(self) -> None:
        """Closes the connection."""
        self._writer.close()


def get(path: str) -> bytes:
    """A prepared GET."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def post(path: str, content_type: str, body: bytes) -> bytes:
    """A prepared POST."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@dataclass(frozen=True)
class Load:
    """What a load run gave: operations a second, latency in seconds, failures."""

    rate: float
    p50: float
    p99: float
    failed: int


Operation = Callable[[Connection, int], Awaitable[bool]]


async def load(port: int, parallel: int, total: int, operation: Operation) -> Load:
    """Runs `total` operations over `parallel` connections; an operation returns whether it held."""
    times: list[float] = []
    failed = 0
    numbers = iter(range(total))

    async def worker() -> None:
        nonlocal failed
        connection = await Connection.open(port)
        for number in numbers:
            started = time.perf_counter()
            if not await operation(connection, number):
                failed += 1
            times.append(time.perf_counter() - started)
        connection.close()

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(parallel):
            group.create_task(worker())
    elapsed = time.perf_counter() - started
    times.sort()
    return Load(
        rate=total / elapsed,
        p50=statistics.median(times),
        p99=times[min(len(times) - 1, int(len(times) * 0.99))],
        failed=failed,
    )
