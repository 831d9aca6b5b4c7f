# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a flooder does, in a process of its own: `python -m tests.bench.attacks KIND SOCKET COUNT`.

Connections are spread over `CIRCUITS` circuits, as tor would tell them. At the end one JSON object
says how many of which answer came; `0` is a connection that was cut off, `1` one that the flooder
gave up because no answer came in `PATIENCE` seconds.
"""

import asyncio
import contextlib
import json
import os
import resource
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

from crypto.receipt import generate
from crypto.rng import system_rng
from tests.bench.client import Connection
from tests.bench.forms import END, FILE_HEAD, MULTIPART, SAMPLE_TOKEN, code_request, report_fields
from tests.bench.forms import FILE_INPUTS as INPUTS
from whistle.limits import KIB, MIB

CIRCUITS = 64
CUT_OFF = 0
GAVE_UP = 1
PATIENCE = 0.5
SLOW_SECONDS = 30
SLOW_BYTES_EVERY = 1.0
UPLOAD = 4 * MIB
PIECE = 64 * KIB
PARALLEL = 256
CODES = 1_000

NONSENSE = (
    b"GET / HTTP/9.9\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64 + b"\r\n\r\n",
    b"POST /id/report HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"GET /" + b"a" * 8000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    b"POST /id/report HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    b"\r\n\r\n\r\n\0\0\0\0\r\n\r\n",
)

Answers = Counter[int]


async def connect(path: Path, circuit: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection that tor would say is of this circuit."""
    reader, writer = await asyncio.open_unix_connection(str(path), limit=1 << 20)
    line = f"PROXY TCP6 fc00:dead:beef:4dad::{circuit >> 16:x}:{circuit & 0xFFFF:x} ::1 1 80\r\n"
    writer.write(line.encode())
    return reader, writer


async def slow(path: Path, count: int) -> Answers:
    """Begins requests and never ends them, on many connections at once."""
    answers: Answers = Counter()
    loop = asyncio.get_running_loop()
    end = loop.time() + float(os.environ.get("WHISTLE_SLOW_SECONDS", SLOW_SECONDS))

    async def crawl(number: int) -> None:
        while loop.time() < end:
            with contextlib.suppress(OSError):
                _, writer = await connect(path, number % CIRCUITS)
                writer.write(b"POST /id/report HTTP/1.1\r\nHost: x\r\nX-Slow: ")
                while loop.time() < end and not writer.is_closing():
                    writer.write(b"x")
                    await asyncio.sleep(SLOW_BYTES_EVERY)
                writer.close()
            answers[CUT_OFF] += 1
            await asyncio.sleep(SLOW_BYTES_EVERY)

    await asyncio.gather(*(crawl(number) for number in range(count)))
    return answers


async def malformed(path: Path, count: int) -> Answers:
    """Sends what is not HTTP, each on a connection of its own."""

    async def send(number: int) -> int:
        reader, writer = await connect(path, number % CIRCUITS)
        try:
            writer.write(NONSENSE[number % len(NONSENSE)])
            answer = await reader.read(KIB)
            return int(answer[9:12]) if answer else CUT_OFF
        finally:
            writer.close()

    return await _many(count, send)


async def codes(path: Path, count: int) -> Answers:
    """Types codes that nobody has, as fast as it gets answers."""
    requests = [
        code_request(" ".join(generate(system_rng).words("id"))) for _ in range(min(count, CODES))
    ]
    kept: dict[int, Connection] = {}

    async def send(number: int) -> int:
        place = number % PARALLEL
        connection = kept.pop(place, None)
        if connection is None:
            connection = Connection(*await connect(path, place % CIRCUITS))
        try:
            async with asyncio.timeout(PATIENCE):
                status, _, _ = await connection.exchange(requests[number % len(requests)])
        except TimeoutError:
            connection.close()
            return GAVE_UP
        except BaseException:
            connection.close()
            raise
        kept[place] = connection
        return status

    return await _many(count, send)


async def uploads(path: Path, count: int) -> Answers:
    """Sends so many files at the same time."""
    head = report_fields(SAMPLE_TOKEN, 0, files=INPUTS) + FILE_HEAD
    tail = b"\r\n" + END
    size = len(head) + UPLOAD + len(tail)
    request = (
        f"POST /id/report HTTP/1.1\r\nHost: x\r\nContent-Type: {MULTIPART}\r\n"
        f"Content-Length: {size}\r\n\r\n"
    ).encode() + head
    piece = system_rng(PIECE)

    async def send(number: int) -> int:
        connection = Connection(*await connect(path, number % CIRCUITS))
        try:
            return await connection.send_large(request, UPLOAD // PIECE, piece, tail)
        finally:
            connection.close()

    return await _many(count, send, parallel=count)


async def _many(
    count: int, send: Callable[[int], Awaitable[int]], *, parallel: int = PARALLEL
) -> Answers:
    answers: Answers = Counter()

    async def worker(first: int) -> None:
        for number in range(first, count, parallel):
            try:
                answers[await send(number)] += 1
            except (OSError, EOFError, asyncio.LimitOverrunError):
                answers[CUT_OFF] += 1

    await asyncio.gather(*(worker(first) for first in range(min(parallel, count))))
    return answers


KINDS = {"slow": slow, "malformed": malformed, "uploads": uploads, "codes": codes}


def main() -> None:
    """Floods, then says what came back."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    kind, path, count = sys.argv[1:]
    answers = asyncio.run(KINDS[kind](Path(path), int(count)))
    sys.stdout.write(json.dumps({str(status): number for status, number in answers.items()}))


if __name__ == "__main__":
    main()
