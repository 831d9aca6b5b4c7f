# SPDX-License-Identifier: AGPL-3.0-or-later
"""Scores of circuits, and what a socket does on which tor tells them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from whistle import limits
from whistle.http import serve
from whistle.http.circuits import Circuits
from whistle.http.connections import Connections
from whistle.http.protocol import circuit_of

HELLO = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def line_of(circuit: int) -> bytes:
    return b"PROXY TCP6 fc00:dead:beef:4dad::%x:%x ::1 1 80\r\n" % (circuit >> 16, circuit & 0xFFFF)


def test_a_score_grows_and_is_forgotten() -> None:
    clock = Clock()
    circuits = Circuits(clock)
    assert circuits.charge(7, 100) == 100
    assert circuits.score(8) == 0
    clock.seconds = limits.SCORE_HALF_LIFE
    assert circuits.score(7) == pytest.approx(50)
    assert circuits.charge(7, 150) == pytest.approx(200)
    assert circuits.is_greedy(7)
    assert not circuits.is_spent(7)
    circuits.charge(7, limits.MOST_SCORE)
    assert circuits.is_spent(7)
    clock.seconds += 10 * limits.SCORE_HALF_LIFE
    assert not circuits.is_greedy(7)


def test_without_a_circuit_nothing_is_counted() -> None:
    circuits = Circuits(Clock())
    for _ in range(10):
        assert circuits.charge(None, limits.MOST_SCORE) == 0
    assert not circuits.is_spent(None)
    assert len(circuits) == 0


def test_only_so_many_circuits_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CIRCUITS", 3)
    circuits = Circuits(Clock())
    for circuit in (1, 2, 3, 1, 4):
        circuits.charge(circuit, 1)
    assert len(circuits) == 3
    assert [circuits.score(one) for one in (1, 2, 3, 4)] == [2, 0, 1, 1]


class Wire:
    """A connection that only knows whether it was cut off."""

    def __init__(self) -> None:
        self.is_shed = False

    def shed(self) -> None:
        self.is_shed = True


def test_the_circuit_with_the_most_connections_loses_one_first() -> None:
    connections = Connections(limits.FAIR_CONNECTIONS + 2)
    first, *greedy = (Wire() for _ in range(limits.FAIR_CONNECTIONS + 2))
    connections.add(first)
    assert connections.belongs(first, 1)
    for one in greedy:
        connections.add(one)
        assert connections.belongs(one, 2)
    newcomer = Wire()
    connections.add(newcomer)
    assert [one.is_shed for one in (first, greedy[0], newcomer)] == [False, True, False]
    connections.remove(greedy[1])
    connections.add(Wire())
    connections.add(Wire())
    assert first.is_shed  # nobody has more than a fair number: the oldest goes


def test_a_circuit_has_only_so_many_connections() -> None:
    connections = Connections(1000)
    wires = [Wire() for _ in range(limits.MAX_CIRCUIT_CONNECTIONS + 1)]
    for one in wires:
        connections.add(one)
    assert [connections.belongs(one, 5) for one in wires].count(False) == 1
    connections.remove(wires[0])
    assert connections.belongs(wires[-1], 5)
    assert not connections.belongs(Wire(), 5)  # gone before its line came


async def _circuit(request: web.Request) -> web.Response:
    return web.Response(text=str(circuit_of(request)))


@contextlib.asynccontextmanager
async def _listening(path: Path, circuits: Circuits | None) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_get("/", _circuit)
    async with serve.listening(app, tcp=("127.0.0.1", 0), unix=path, circuits=circuits) as running:
        if running.port is None:
            raise RuntimeError("no port")
        yield running.port


async def _say(path: Path, *pieces: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(str(path))
    with contextlib.suppress(ConnectionError):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)
    data = b""
    with contextlib.suppress(ConnectionError):
        while piece := await asyncio.wait_for(reader.read(4096), 20):
            data += piece
            if b"\r\n\r\n" in data and data.endswith((b"210", b"None", b"\n")):
                break
    writer.close()
    return data


async def test_a_request_knows_its_circuit(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with _listening(path, Circuits(Clock())):
        assert (await _say(path, line_of(210) + HELLO)).endswith(b"210")
        assert (await _say(path, line_of(210)[:20], line_of(210)[20:], HELLO)).endswith(b"210")
        assert await _say(path, HELLO) == b""
        assert await _say(path, b"PROXY " + b"x" * 200) == b""


async def test_loopback_and_other_sockets_take_no_line(tmp_path: Path) -> None:
    async with _listening(tmp_path / "a", Circuits(Clock())) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HELLO)
        assert (await asyncio.wait_for(reader.readuntil(b"None"), 20)).startswith(b"HTTP/1.1 200")
        writer.close()
    async with _listening(tmp_path / "b", None):
        assert (await _say(tmp_path / "b", HELLO)).endswith(b"None")
        answer = await _say(tmp_path / "b", line_of(210) + HELLO)
        assert answer.split(b" ", 2)[1] == b"400"


async def test_nonsense_makes_a_circuit_pay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MALFORMED_PAUSE", 0.01)
    monkeypatch.setattr(limits, "SPENT_PAUSE", 0.01)
    path, circuits = tmp_path / "s", Circuits(Clock())
    async with _listening(path, circuits):
        answer = await _say(path, line_of(9) + b"\x16\x03\x01\r\n\r\n")
        assert answer.split(b" ", 2)[1] == b"400"
        assert circuits.score(9) == limits.COST_MALFORMED
        clean = await _say(path, line_of(210) + HELLO)
        assert clean.endswith(b"210")
        circuits.charge(9, limits.MOST_SCORE)
        assert await _say(path, line_of(9) + HELLO) == b""
        assert (await _say(path, line_of(210) + HELLO)).endswith(b"210")
