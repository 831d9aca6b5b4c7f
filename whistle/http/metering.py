# SPDX-License-Identifier: AGPL-3.0-or-later
"""Counts the answers of an application, and tells the counters on a local socket of its own.

Invariant: the socket answers one path with `whistle.metrics` and nothing else; it is open to this
server's user alone, and no request to it is counted.
"""

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from aiohttp import web

from whistle import clock
from whistle.http import serve
from whistle.http.headers import harden_response
from whistle.metrics import PATH, Gauge, Meter


def watch(app: web.Application, meter: Meter) -> None:
    """Count every answer of `app`."""

    async def count(_: web.Request, response: web.StreamResponse) -> None:
        meter.count(response.status)

    app.on_response_prepare.append(count)


def create_metrics_app(meter: Meter) -> web.Application:
    """Return the application behind the metrics socket."""

    async def tell(_: web.Request) -> web.Response:
        return web.json_response(dict(sorted(meter.read().items())))

    app = web.Application()
    app.on_response_prepare.append(harden_response)
    app.router.add_get(PATH, tell)
    return app


@contextlib.asynccontextmanager
async def metering(
    app: web.Application, socket: Path | None, gauges: Mapping[str, Gauge]
) -> AsyncIterator[None]:
    """Count the answers of `app` and tell them on `socket` while the block runs, if there is one.

    To be entered before `app` is served.
    """
    if socket is None:
        yield
        return
    meter = Meter(clock.monotonic, gauges)
    watch(app, meter)
    async with serve.listening(create_metrics_app(meter), unix=socket, unix_mode=serve.FEED_SOCKET):
        yield
