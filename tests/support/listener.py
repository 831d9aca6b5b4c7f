# SPDX-License-Identifier: AGPL-3.0-or-later
"""A listener that keeps what clients send and refuses them: what a program tells on the wire."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

REFUSAL = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


@dataclass
class Heard:
    """Requests as they arrived: head and body, each connection for itself."""

    requests: list[bytes] = field(default_factory=list)
    port: int = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def header_names(self) -> set[str]:
        """The names of all headers of all requests, in lower case."""
        heads = [request.partition(b"\r\n\r\n")[0] for request in self.requests]
        lines = [line for head in heads for line in head.split(b"\r\n")[1:]]
        return {line.partition(b":")[0].decode().lower() for line in lines}

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request, refuse it."""
        head = await reader.readuntil(b"\r\n\r\n")
        body = b""
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                body = await reader.readexactly(int(line.partition(b":")[2]))
            if line.startswith(b"transfer-encoding:"):
                body = await reader.readuntil(b"0\r\n\r\n")
        self.requests.append(head + body)
        writer.write(REFUSAL)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def listening(socket: Path | None = None) -> AsyncIterator[Heard]:
    """Listen on a free port of loopback, or on a socket file."""
    heard = Heard()
    if socket is None:
        server = await asyncio.start_server(heard.take, "127.0.0.1", 0)
        heard.port = server.sockets[0].getsockname()[1]
    else:
        server = await asyncio.start_unix_server(heard.take, str(socket))
    async with server:
        yield heard
