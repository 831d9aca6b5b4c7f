# SPDX-License-Identifier: AGPL-3.0-or-later
"""Stands between browser and intake: writes down what passes, and breaks what it is told to.

Either on a port of its own before a server's address, or (`before_socket`) in the place of the
unix socket at which tor's onion service finds the intake: then it reads what the intake reads.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

NEVER = re.compile("(?!)")
_DROPPED = {"transfer-encoding", "content-encoding", "content-length", "connection"}


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
        self.requests: list[bytes] = []
        self.answers: list[bytes] = []

    async def __aenter__(self) -> Self:
        await self.start(None)
        return self

    async def start(self, socket: Path | None) -> None:
        """Listens on this socket, or on a port of its own."""
        to = aiohttp.UnixConnector(str(self._socket)) if self._socket else aiohttp.TCPConnector()
        self._http = aiohttp.ClientSession(connector=to, auto_decompress=True)
        app = web.Application(client_max_size=2**28)
        app.router.add_route("*", "/{path:.*}", self._pass)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        if socket is not None:
            await web.UnixSite(self._runner, str(socket)).start()
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
