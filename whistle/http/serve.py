# SPDX-License-Identifier: AGPL-3.0-or-later
"""Listens, answers, stops: the one way any of our programs serves HTTP.

Invariants:

* no access log, and nothing a peer sent is ever logged: an unexpected error is one line with its
  class and place;
* a request that the HTTP parser rejects gets a constant body and our headers;
* a connection that does not finish a request head in `HEADER_TIMEOUT` is closed, and connections
  are counted (`whistle.http.connections`);
* a connection whose peer reads nothing for `WRITE_TIMEOUT` while an answer waits is cut off;
* request bodies are never decompressed (no inflation bombs).
"""

import asyncio
import contextlib
import errno
import functools
import os
import signal
import socket
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from whistle.http import prelude  # noqa: F401 - before aiohttp

# isort: split

import uvloop
from aiohttp import web
from aiohttp.web_log import AccessLogger
from aiohttp.web_protocol import RequestHandler

from whistle import limits, logs
from whistle.http import headers
from whistle.http.connections import Connections, most_connections
from whistle.http.reading import ClearedReading, ReceiveBuffer

PUBLIC_SOCKET: Final = 0o660
FEED_SOCKET: Final = 0o600

BODIES: Final = {
    400: b"400 Bad Request\n",
    417: b"417 Expectation Failed\n",
    500: b"500 Internal Server Error\n",
    504: b"504 Gateway Timeout\n",
}


class Protocol(RequestHandler):
    """aiohttp's connection handler without its logging, echoing and telling headers."""

    __slots__ = ("_received", "_requests", "_siblings", "_unread", "_wire")

    def __init__(self, siblings: Connections, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self._siblings = siblings
        self._wire: asyncio.Transport | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._requests = 0
        self._received = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept the connection; another one goes if there are too many."""
        self._wire = cast("asyncio.Transport", transport)
        super().connection_made(transport)
        self._siblings.add(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection."""
        self._siblings.remove(self)
        self._stop_waiting()
        super().connection_lost(exc)
        self._wire = None

    def data_received(self, data: bytes) -> None:
        """Parse what arrived; a complete head and a good piece of a body are progress."""
        super().data_received(data)
        self._received += len(data)
        if self._request_count != self._requests or self._received >= limits.PROGRESS_BYTES:
            self._requests, self._received = self._request_count, 0
            self._siblings.progressed(self)

    def pause_writing(self) -> None:
        """The peer reads more slowly than we write: it gets some time."""
        super().pause_writing()
        self._wait_for_reading(self._unsent())

    def resume_writing(self) -> None:
        """The peer has read."""
        self._stop_waiting()
        super().resume_writing()

    def _wait_for_reading(self, unsent: int) -> None:
        self._unread = self._loop.call_later(limits.WRITE_TIMEOUT, self._look_again, unsent)

    def _look_again(self, before: int) -> None:
        """Cut off a peer that has read nothing since."""
        unsent = self._unsent()
        if unsent < before:
            self._wait_for_reading(unsent)
        else:
            self.shed()

    def _unsent(self) -> int:
        return 0 if self._wire is None else self._wire.get_write_buffer_size()

    def _stop_waiting(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Answer; a request that has come to its answer is progress."""
        self._siblings.progressed(self)
        return await super().finish_response(request, resp, start_time)

    def shed(self) -> None:
        """Close at once, without waiting for a peer that may not read."""
        wire = self._wire
        self.force_close()
        if wire is not None:
            wire.abort()

    def log_exception(self, *_args: Any, **keywords: Any) -> None:
        """Log the class and our own place of an error, nothing of the request.

        A peer that goes away is no error.
        """
        error = keywords.get("exc_info")
        if isinstance(error, ConnectionError):
            return
        known = logs.describe(error) if isinstance(error, BaseException) else {}
        logs.get("http").error("unexpected error", **known)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - holds bytes of the peer
    ) -> web.StreamResponse:
        """Answer a rejected request or a failed handler with a constant body, then close.

        SECURITY: aiohttp's own answer echoes the request and logs it with the peer's address
        (tests/whistle/http/test_serve.py::test_malformed_requests_get_our_headers).
        """
        if isinstance(exc, ConnectionError):
            raise exc
        if status >= 500:
            self.log_exception(exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun already")
        body = BODIES.get(status, BODIES[500])
        response = headers.HardResponse(
            body=body, status=status, headers={"Content-Type": headers.TEXT}
        )
        response.force_close()
        return response


Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


async def _guarded(handle: Handler, request: web.BaseRequest) -> web.StreamResponse:
    """Refuse, before any routing, what aiohttp itself would answer with bytes of the request."""
    expect = request.headers.get("Expect")
    if expect is not None and expect.lower() != "100-continue":
        response = headers.HardResponse(body=BODIES[417], status=417)
        response.force_close()
        return response
    return await handle(request)


@dataclass(frozen=True)
class Listening:
    """A running server: its TCP port (None without TCP)."""

    port: int | None


@contextlib.asynccontextmanager
async def listening(
    app: web.Application,
    *,
    tcp: tuple[str, int] | None = None,
    unix: Path | None = None,
    unix_mode: int = PUBLIC_SOCKET,
) -> AsyncIterator[Listening]:
    """Serve `app` while the block runs; on leaving, finish running requests and close."""
    if headers.harden_response not in app.on_response_prepare:
        app.on_response_prepare.append(headers.harden_response)
    runner = web.AppRunner(app, shutdown_timeout=limits.SHUTDOWN_TIMEOUT)
    await runner.setup()
    servers: list[asyncio.Server] = []
    bound: os.stat_result | None = None
    try:
        factory = _protocol_factory(runner)
        loop = asyncio.get_running_loop()
        port = None
        if tcp is not None:
            servers.append(await loop.create_server(factory, *tcp, backlog=512))
            port = servers[-1].sockets[0].getsockname()[1]
        if unix is not None:
            listener = _bind_unix(unix, unix_mode)
            bound = os.lstat(unix)
            servers.append(await loop.create_unix_server(factory, sock=listener, backlog=512))
        yield Listening(port)
    finally:
        for server in servers:
            server.close()
        await runner.cleanup()
        if unix is not None:
            _remove_socket(unix, bound)


def _protocol_factory(runner: web.AppRunner) -> Callable[[], ClearedReading]:
    server = runner.server
    if server is None:
        raise RuntimeError("the runner is not set up")
    server.request_handler = functools.partial(_guarded, server.request_handler)
    make = functools.partial(
        Protocol,
        Connections(most_connections()),
        server,
        loop=asyncio.get_running_loop(),
        keepalive_timeout=limits.HEADER_TIMEOUT,
        access_log=None,
        access_log_class=AccessLogger,
        max_line_size=limits.MAX_REQUEST_LINE,
        max_field_size=limits.MAX_HEADER_FIELD,
        max_headers=limits.MAX_HEADERS,
        lingering_time=limits.LINGER_TIMEOUT,
        read_bufsize=limits.READ_BUFFER,
        auto_decompress=False,
    )
    buffer = ReceiveBuffer()
    return lambda: ClearedReading(make(), buffer)


def _remove_socket(path: Path, bound: os.stat_result | None) -> None:
    """Remove the socket file if it is still the one we made."""
    with contextlib.suppress(FileNotFoundError):
        present = path.lstat()
        if bound is not None and os.path.samestat(present, bound):
            path.unlink()


def _require_dead(path: Path) -> None:
    """Raise OSError if somebody listens on the socket file, or if it is no socket."""
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(kind):
        raise FileExistsError(errno.EEXIST, "not a socket", str(path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)  # noqa: FBT003 - the socket API
        result = probe.connect_ex(str(path))
    if result not in {errno.ECONNREFUSED, errno.ENOENT}:
        raise OSError(errno.EADDRINUSE, "another server listens here", str(path))


def _bind_unix(path: Path, mode: int) -> socket.socket:
    """Bind a socket file; it refuses connections until it has its mode and is listened on.

    Raises:
        OSError: another server listens there.
    """
    _require_dead(path)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.setblocking(False)  # noqa: FBT003 - the socket API
        listener.bind(str(path))
        path.chmod(mode)
    except OSError:
        listener.close()
        raise
    return listener


async def serve(
    app: web.Application,
    *,
    tcp: tuple[str, int] | None = None,
    unix: Path | None = None,
    unix_mode: int = PUBLIC_SOCKET,
    ready: Callable[[Listening], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; `ready` is called once connections are accepted."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with listening(app, tcp=tcp, unix=unix, unix_mode=unix_mode) as running:
            if ready is not None:
                ready(running)
            await stop.wait()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a server's main coroutine on uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)
