# SPDX-License-Identifier: AGPL-3.0-or-later
"""Stands between browser and intake: writes down what passes, and breaks what it is told to."""

import re
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

_DROPPED = {"transfer-encoding", "content-encoding", "content-length", "connection"}


class RecordingProxy:
    """`async with RecordingProxy(base) as proxy:` gives `proxy.base`.

    Paths that match `broken` are answered with `status` instead.
    """

    def __init__(self, upstream: str, broken: str = "(?!)", status: int = 503) -> None:
        self.upstream = upstream.rstrip("/")
        self.broken = re.compile(broken)
        self.status = status
        self.base = ""
        self.requests: list[bytes] = []

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(auto_decompress=True)
        app = web.Application(client_max_size=2**28)
        app.router.add_route("*", "/{path:.*}", self._pass)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.base = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()
        await self._http.close()

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
            response = web.Response(status=answer.status, body=content)
            response.headers.clear()
            for name, value in answer.headers.items():
                if name.lower() not in _DROPPED:
                    response.headers.add(name, value)
            return response
