# SPDX-License-Identifier: AGPL-3.0-or-later
"""Large files: speed until they are sealed and durable, and the server's memory meanwhile."""

import asyncio
import os
import threading
import time
from collections.abc import Callable

from tests.bench.client import Connection, get
from tests.bench.forms import END, FILE_HEAD, MULTIPART, SAMPLE_TOKEN, report_fields, token_of
from tests.bench.report import Report
from tests.bench.servers import Running

PIECE = os.urandom(1_000_000)
MEMORY_BUDGET = 67.1
"""MB: 64 MiB above idle."""

SAMPLE_PAUSE = 0.02


def measure_upload(
    report_to: Report,
    ours: Running,
    base: Running,
    megabytes: int,
    *,
    budget: int | None,
    runs: int,
) -> None:
    """The best of some runs, beside the bare handler that throws the bytes away."""
    idle = ours.rss()
    speed, peak = _best(ours, megabytes, runs)
    plain, _ = _best(base, megabytes, runs)
    report_to.line(
        f"{megabytes} MB upload, sealed and durable", f"{speed:.0f} MB/s",
        f"≥ {budget} MB/s" if budget else None, budget is None or speed >= budget,
        f"{speed / plain:.2f} of bare ({plain:.0f} MB/s)",
    )  # fmt: skip
    above = peak - idle
    report_to.line(
        "  memory above idle", f"{above:.0f} MB", "≤ 67 MB (64 MiB)", above <= MEMORY_BUDGET
    )


def _best(server: Running, megabytes: int, runs: int) -> tuple[float, float]:
    """(MB/s, peak RSS in MB)."""
    best, peak = 0.0, 0.0
    for _ in range(runs):
        watch = Watch(server.rss)
        seconds = asyncio.run(_upload(server.port, megabytes))
        best, peak = max(best, megabytes / seconds), max(peak, watch.stop())
    return best, peak


async def _upload(port: int, megabytes: int) -> float:
    """Seconds from the first byte of the request to the head of the answer."""
    connection = await Connection.open(port)
    _, _, page = await connection.exchange(get("/id/report"))
    token = token_of(page) if b'name="token"' in page else SAMPLE_TOKEN
    start = report_fields(token, 1, files=1) + FILE_HEAD
    tail = b"\r\n" + END
    length = len(start) + megabytes * len(PIECE) + len(tail)
    head = (
        f"POST /id/report HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {MULTIPART}\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()
    started = time.perf_counter()
    status = await connection.send_large(head + start, megabytes, PIECE, tail)
    elapsed = time.perf_counter() - started
    connection.close()
    if status != 200:
        raise RuntimeError(f"the upload was answered {status}")
    return elapsed


class Watch:
    """Samples a figure in a thread and keeps its peak."""

    def __init__(self, sample: Callable[[], float]) -> None:
        self._sample = sample
        self._stop = threading.Event()
        self._peak = sample()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(SAMPLE_PAUSE):
            self._peak = max(self._peak, self._sample())

    def stop(self) -> float:
        """The peak."""
        self._stop.set()
        self._thread.join()
        return max(self._peak, self._sample())
