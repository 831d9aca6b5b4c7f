# SPDX-License-Identifier: AGPL-3.0-or-later
"""Listens, answers, stops: the one way any of our programs serves HTTP.

Invariants:

* no access log;
* a connection that does not finish a request head in `HEADER_TIMEOUT` is closed, and connections
  are counted (`whistle.http.connections`);
* the more connections there are, the less each may hold unread: `CROWD` of them have large buffers,
  all others small ones;
* request bodies are never decompressed (no inflation bombs);
* what is true of one connection stands in `whistle.http.protocol`.
"""

import asyncio
import contextlib
import errno
import functools
import os
import signal
import socket
import stat
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from whistle.http import prelude  # noqa: F401 - before aiohttp

# isort: split

import uvloop
from aiohttp import web
from aiohttp.web_log import AccessLogger

from whistle import limits
from whistle.http import headers
from whistle.http.circuits import Circuits
from whistle.http.connections import Connections, most_connections
from whistle.http.protocol import Protocol, guarded
from whistle.http.reading import RECEIVE, ClearedReading, ReceiveBuffer

PUBLIC_SOCKET: Final = 0o660
FEED_SOCKET: Final = 0o600


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
    circuits: Circuits | None = None,
) -> AsyncIterator[Listening]:
    """Serve `app` while the block runs; on leaving, finish running requests and close.

    `circuits`: tor says on the Unix socket which circuit a connection is of; here are the scores.
    """
    if headers.harden_response not in app.on_response_prepare:
        app.on_response_prepare.append(headers.harden_response)
    runner = web.AppRunner(app, shutdown_timeout=limits.SHUTDOWN_TIMEOUT)
    await runner.setup()
    servers: list[asyncio.Server] = []
    bound: os.stat_result | None = None
    try:
        make = _Factory(runner)
        loop = asyncio.get_running_loop()
        port = None
        if tcp is not None:
            servers.append(await loop.create_server(make.plain, *tcp, backlog=limits.BACKLOG))
            port = servers[-1].sockets[0].getsockname()[1]
        if unix is not None:
            listener = _bind_unix(unix, unix_mode)
            bound = os.lstat(unix)
            factory = functools.partial(make.connection, circuits)
            servers.append(
                await loop.create_unix_server(factory, sock=listener, backlog=limits.BACKLOG)
            )
        yield Listening(port)
    finally:
        for server in servers:
            server.close()
        await runner.cleanup()
        if unix is not None:
            _remove_socket(unix, bound)


class _Factory:
    """Makes the handlers of the connections of one server."""

    def __init__(self, runner: web.AppRunner) -> None:
        server = runner.server
        if server is None:
            raise RuntimeError("the runner is not set up")
        server.request_handler = functools.partial(guarded, server.request_handler)
        self._server = server
        self._siblings = Connections(most_connections())
        self._buffer = ReceiveBuffer()

    def plain(self) -> ClearedReading:
        """A connection that tells no circuit."""
        return self.connection(None)

    def connection(self, circuits: Circuits | None) -> ClearedReading:
        """A connection, on a socket where tor tells circuits or on another."""
        is_crowded = len(self._siblings) >= limits.CROWD
        protocol = Protocol(
            self._siblings,
            circuits,
            self._server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=limits.HEADER_TIMEOUT,
            access_log=None,
            access_log_class=AccessLogger,
            max_line_size=limits.MAX_REQUEST_LINE,
            max_field_size=limits.MAX_HEADER_FIELD,
            max_headers=limits.MAX_HEADERS,
            lingering_time=limits.LINGER_TIMEOUT,
            read_bufsize=limits.READ_BUFFER_LEAST if is_crowded else limits.READ_BUFFER,
            auto_decompress=False,
        )
        at_once = limits.RECEIVE_LEAST if is_crowded else RECEIVE
        return ClearedReading(protocol, self._buffer, at_once)


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
