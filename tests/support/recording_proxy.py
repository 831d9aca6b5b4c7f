# SPDX-License-Identifier: AGPL-3.0-or-later
"""Stands between browser and intake: writes down what passes, and breaks what it is told to.

Either on a port of its own before a server's address, or (`before_socket`) in the place of the
unix socket at which tor's onion service finds the intake: then it reads what the intake reads.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web
from aiohttp.client_proto import ResponseHandler

NEVER = re.compile("(?!)")
_DROPPED = {"transfer-encoding", "content-encoding", "content-length", "connection"}


class _AsTor(aiohttp.UnixConnector):
    """Begins each connection with a line like tor's (`whistle.http.proxyline`)."""

    async def _create_connection(self, *args: Any) -> ResponseHandler:
        made = await super()._create_connection(*args)
        if made.transport is not None:
            made.transport.write(b"PROXY TCP6 fc00:dead:beef:4dad::1:1 ::1 80 80\r\n")
        return made


async def _take_line_off(
    inner: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Hands a connection on without the line that tor begins it with."""
    with suppress(OSError):
        line = await reader.readline()
        answers, requests = await asyncio.open_unix_connection(str(inner))
        if not line.startswith(b"PROXY "):
            requests.write(line)
        await asyncio.gather(_pump(reader, requests), _pump(answers, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
    writer.close()


class RecordingProxy:
    """`async with RecordingProxy(base) as proxy:` gives `proxy.base`.

    Paths that match `broken` are answered with `status` instead; those that match `lost` reach the
    server, and only its answer does not come back.
    """

    def __init__(self, upstream: str | Path, broken: str = "(?!)", status: int = 503) -> None:
        self._socket = upstream if isinstance(upstream, Path) else None
        self.upstream = "http://intake" if self._socket else str(upstream).rstrip("/")
        self.broken = re.compile(broken)
        self.lost = NEVER
        self.status = status
        self.base = ""
        self._front: asyncio.Server | None = None
        self.requests: list[bytes] = []
        self.answers: list[bytes] = []

    async def __aenter__(self) -> Self:
        await self.start(None)
        return self

    async def start(self, socket: Path | None) -> None:
        """Listens on this socket, or on a port of its own."""
        to = _AsTor(str(self._socket)) if self._socket else aiohttp.TCPConnector()
        self._http = aiohttp.ClientSession(connector=to, auto_decompress=True)
        app = web.Application(client_max_size=2**28)
        app.router.add_route("*", "/{path:.*}", self._pass)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        if socket is not None:
            inner = socket.with_suffix(".in")
            await web.UnixSite(self._runner, str(inner)).start()
            self._front = await asyncio.start_unix_server(partial(_take_line_off, inner), socket)
            return
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.base = f"http://{host}:{port}"

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._front is not None:
            self._front.close()
        await self._runner.cleanup()
        await self._http.close()

    def asked(self, start: str) -> list[bytes]:
        """The request lines that begin so."""
        lines = [one.partition(b"\n")[0] for one in self.requests]
        return [line for line in lines if line.startswith(start.encode())]

    async def _pass(self, request: web.Request) -> web.Response:
        body = await request.read()
        head = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
        self.requests.append(f"{request.method} {request.path_qs}\n{head}\n\n".encode() + body)
        if self.broken.search(request.path):
            return web.Response(status=self.status)
        async with self._http.request(
            request.method, self.upstream + request.path_qs, data=body or None,
            headers=request.headers, allow_redirects=False,
        ) as answer:  # fmt: skip
            content = await answer.read()
            self.answers.append(content)
            if self.lost.search(request.path):
                return web.Response(status=self.status)
            response = web.Response(status=answer.status, body=content)
            response.headers.clear()
            for name, value in answer.headers.items():
                if name.lower() not in _DROPPED:
                    response.headers.add(name, value)
            return response


@asynccontextmanager
async def before_socket(path: Path) -> AsyncIterator[RecordingProxy]:
    """A proxy in the place of a server's socket; the server's own is back afterwards."""
    behind = path.with_suffix(".behind")  # no longer than a socket address may be
    path.rename(behind)
    proxy = RecordingProxy(behind)
    await proxy.start(path)
    try:
        yield proxy
    finally:
        await proxy.__aexit__(None, None, None)
        behind.rename(path)
