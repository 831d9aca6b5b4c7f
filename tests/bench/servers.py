# SPDX-License-Identifier: AGPL-3.0-or-later
"""The servers that are measured: our intake, and a bare aiohttp handler as the baseline."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

BARE = """
import sys
from aiohttp import web
import uvloop

PAGE = b"x" * int(sys.argv[2])


async def page(request):
    return web.Response(body=PAGE, content_type="text/html")


async def take(request):
    async for _ in request.content.iter_any():
        pass
    return web.Response(body=PAGE, content_type="text/html")


async def app():
    application = web.Application()
    application.router.add_get("/{tail:.*}", page)
    application.router.add_post("/{tail:.*}", take)
    application.router.add_put("/{tail:.*}", take)
    return application

web.run_app(app(), host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None,
            loop=uvloop.new_event_loop())
"""


def free_port() -> int:
    """A free loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Running:
    """A measured server process."""

    port: int
    process: psutil.Process
    first_answer: float
    """Seconds from spawning to the first complete answer."""

    def rss(self) -> float:
        """Resident memory in MB (10^6 bytes)."""
        return float(self.process.memory_info().rss) / 1e6


@contextlib.contextmanager
def _spawned(command: list[str], port: int) -> Iterator[Running]:
    started = time.perf_counter()
    process = subprocess.Popen(command, env={**os.environ, "PYTHONSAFEPATH": "1"})
    try:
        _wait(port, process)
        yield Running(port, psutil.Process(process.pid), time.perf_counter() - started)
    finally:
        process.terminate()
        process.wait(20)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                answer.read()
                return
        except OSError:
            time.sleep(0.01)
    raise RuntimeError("the measured server did not answer")


@contextlib.contextmanager
def intake(org: Path, state: Path, port: int, extra: tuple[str, ...] = ()) -> Iterator[Running]:
    """Our intake server, as `whistle intake` starts it; `extra` are more flags."""
    feed = state / "feed.sock"
    command = [
        sys.executable, "-P", "-m", "whistle", "intake", "--org", str(org), "--state", str(state),
        "--listen", f"127.0.0.1:{port}", "--feed-unix", str(feed), *extra,
    ]  # fmt: skip
    with _spawned(command, port) as running:
        yield running


@contextlib.contextmanager
def bare(port: int, page_bytes: int) -> Iterator[Running]:
    """A handler that reads what it gets and answers a constant page."""
    with _spawned([sys.executable, "-P", "-c", BARE, str(port), str(page_bytes)], port) as running:
        yield running
