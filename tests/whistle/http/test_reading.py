# SPDX-License-Identifier: AGPL-3.0-or-later
"""What arrived is not left where it arrived."""

import asyncio
import ctypes
import subprocess
import sys

import pytest

from whistle.http.reading import RECEIVE, ClearedReading, ReceiveBuffer
from whistle.overwriting import ENVIRONMENT

SCRIPT = """
import asyncio, os, sys
import uvloop
from tests.support.seizure import memory_of
from whistle.http.reading import ClearedReading, ReceiveBuffer

class Taker(asyncio.Protocol):
    def data_received(self, data):
        got.append(len(data))

async def main():
    loop, buffer = asyncio.get_running_loop(), ReceiveBuffer()
    make = Taker if sys.argv[1] == "plain" else lambda: ClearedReading(Taker(), buffer)
    server = await loop.create_server(make, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sender = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import socket, sys; s = socket.create_connection(('127.0.0.1',"
        " int(sys.argv[1]))); s.sendall(b'x' * 9000 + bytes(range(65, 91)) + b'x' * 9000)",
        str(port))
    await sender.wait()
    while sum(got) < 18026:
        await asyncio.sleep(0.01)

got = []
uvloop.run(main())
mark = bytes(reversed(bytes(range(90, 74, -1))))  # never as a whole in this text
print(max(part.content.count(mark) for part in memory_of(os.getpid()) if len(part.content) < 10**6))
"""


class Taker(asyncio.Protocol):
    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.ended = False

    def data_received(self, data: bytes) -> None:
        self.got.append(data)

    def eof_received(self) -> None:
        self.ended = True


def test_the_place_is_clear_before_the_protocol_sees_the_bytes() -> None:
    buffer = ReceiveBuffer()

    class Looking(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            assert data == b"rahasia"
            assert bytes(buffer.view) == bytes(RECEIVE)
            seen.append(data)

    seen: list[bytes] = []
    reading = ClearedReading(Looking(), buffer)
    reading.get_buffer(-1)[:7] = b"rahasia"
    reading.buffer_updated(7)
    assert seen == [b"rahasia"]


@pytest.mark.parametrize("size", [1, 17, RECEIVE])
def test_every_size_arrives_whole(size: int) -> None:
    taker = Taker()
    reading = ClearedReading(taker, ReceiveBuffer())
    reading.get_buffer(size)[:size] = bytes(range(1, 252)) * (size // 251) + bytes(
        range(1, 1 + size % 251)
    )
    reading.buffer_updated(size)
    assert len(taker.got[0]) == size
    assert 0 not in taker.got[0]
    reading.eof_received()
    assert taker.ended


def test_the_place_stays_where_it_is() -> None:
    buffer = ReceiveBuffer()
    where = ctypes.addressof(ctypes.c_char.from_buffer(buffer.view))
    buffer.take(5)
    assert ctypes.addressof(ctypes.c_char.from_buffer(buffer.view)) == where


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "left"), [("plain", True), ("cleared", False)])
def test_uvloop_leaves_it_and_we_do_not(kind: str, *, left: bool) -> None:
    """In processes that overwrite what they free, so that only the receiving place can hold it."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, kind],
        capture_output=True, text=True, check=True, timeout=60,
        env={**ENVIRONMENT, "PYTHONPATH": "."},
    )  # fmt: skip
    assert (int(done.stdout) > 0) is left
