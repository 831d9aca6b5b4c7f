# SPDX-License-Identifier: AGPL-3.0-or-later
"""A TCP proxy on loopback whose connections can all be torn at once, in the middle of a byte."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

PIECE = 65536


class CuttingProxy:
    """`async with CuttingProxy(port) as proxy:` gives `proxy.base`; `proxy.cut()` tears."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._ends: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.base = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.base = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        while self._tasks:
            self.cut()
            await asyncio.wait(self._tasks, timeout=0.1)
        await self._server.wait_closed()

    def cut(self) -> int:
        """Tear every connection; how many ends there were."""
        ends = list(self._ends)
        for end in ends:
            end.transport.abort()
        return len(ends)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, far_writer}
        self._ends |= ends
        ways = [
            asyncio.ensure_future(_pump(reader, far_writer)),
            asyncio.ensure_future(_pump(far_reader, writer)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        self._ends -= ends
        for end in ends:
            end.close()  # what was taken is still handed over
        for way in ways:
            way.cancel()
        await asyncio.wait(ways)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand over until one end closes or breaks: HTTP closes no direction alone."""
    with contextlib.suppress(OSError):
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
