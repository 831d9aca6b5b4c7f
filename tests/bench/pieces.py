# SPDX-License-Identifier: AGPL-3.0-or-later
"""A large file that was sealed elsewhere, sent in pieces: speed until a report holds it, and the
server's memory meanwhile.

Every turn sends the same requests to the bare handler, which throws them away, so that both meet
the same weather. A piece counts once it is durable: that, and not the network, is what it costs.
"""

import asyncio
import json
import statistics
import time
from collections.abc import Callable

from crypto.attachment import ciphertext_size
from crypto.padding import padme
from tests.bench.client import Connection, get, post
from tests.bench.report import Report
from tests.bench.servers import Running
from tests.bench.uploads import MEMORY_BUDGET, Watch
from tests.support.org import Org
from tests.support.sealed_client import SealedFile, Sealer, seal_file
from whistle.intake.reporter_keys import Action
from whistle.limits import PIECE

CONTENT = 200_000_000
SIZE = ciphertext_size(padme(CONTENT))
HEADER = 1_700
"""Bytes of a real sealed file that begin the first piece; no server can tell what follows."""

Requests = Callable[[SealedFile], list[bytes]]


def measure_pieces(report_to: Report, org: Org, ours: Running, base: Running, *, runs: int) -> None:
    """Speed as the median of turns beside the bare handler, and the peak of memory."""
    idle = ours.rss()
    watch = Watch(ours.rss)
    turns = [asyncio.run(_turn(org, ours.port, base.port)) for _ in range(runs)]
    above = watch.stop() - idle
    speed = statistics.median(CONTENT / 1e6 / mine for mine, _ in turns)
    ratio = statistics.median(bare / mine for mine, bare in turns)
    report_to.line(
        "200 MB in sealed pieces, durable and reported", f"{speed:.0f} MB/s", None, met=True,
        beside=f"{ratio:.2f} of bare",
    )  # fmt: skip
    report_to.line(
        "  memory above idle", f"{above:.0f} MB", "≤ 67 MB (64 MiB)", above <= MEMORY_BUDGET
    )


async def _turn(org: Org, ours: int, base: int) -> tuple[float, float]:
    """(seconds of ours, seconds of the bare handler)."""
    file = seal_file(b"x")
    return await _send(ours, file, org), await _send(base, file, None)


async def _send(port: int, file: SealedFile, org: Org | None) -> float:
    connection = await Connection.open(port)
    piece = file.data[:HEADER].ljust(PIECE, b"\0")
    started = time.perf_counter()
    for number in range(-(-SIZE // PIECE)):
        body = piece[: SIZE - number * PIECE]
        status, _, answer = await connection.exchange(_put(file, number) % len(body) + body)
        if status != 200:
            raise RuntimeError(f"piece {number} was answered {status}: {answer[:80]!r}")
    if org is not None:
        await _report(connection, file, org)
    elapsed = time.perf_counter() - started
    connection.close()
    return elapsed


def _put(file: SealedFile, number: int) -> bytes:
    """The head of a piece's request; its length is still to be put in."""
    headers = {**file.headers, "Whistle-Size": str(SIZE)}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    path = f"/api/v1/blobs/{file.id}/{number}"
    return f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}Content-Length: %d\r\n\r\n".encode()


async def _report(connection: Connection, file: SealedFile, org: Org) -> None:
    """The report that takes the file."""
    sealer = Sealer(org)
    _, _, nonce = await connection.exchange(get("/api/v1/nonce"))
    value = {**sealer.report("x"), "blobs": [{**file.claim, "size": SIZE}]}
    value |= sealer.signed(json.loads(nonce)["nonce"], Action.APPEND)
    request = post("/api/v1/reports", "application/json", json.dumps(value).encode())
    status, _, answer = await connection.exchange(request)
    if status != 200:
        raise RuntimeError(f"the report was answered {status}: {answer[:80]!r}")
