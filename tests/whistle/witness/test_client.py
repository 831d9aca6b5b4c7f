# SPDX-License-Identifier: AGPL-3.0-or-later
"""Asking witnesses: real servers, and answers that no honest server gives."""

import asyncio
import contextlib
import io
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
import structlog
from aiohttp import web

from crypto.rng import system_rng
from crypto.tlog.cosignature import cosign
from crypto.tlog.errors import LogFormatError
from crypto.tlog.note import SignerKey, split_note
from crypto.tlog.policy import Policy, Witness
from crypto.tlog.witness import AddCheckpoint, parse_add_checkpoint
from tests.support.sample_log import (
    FIRST,
    LOG,
    SECOND,
    THIRD,
    TIME,
    WITNESSES,
    SampleLog,
    policy,
)
from whistle import logs
from whistle.errors import ConfigError
from whistle.http import serve
from whistle.witness import server
from whistle.witness.client import Gathered, Outcome, Route, gather
from whistle.witness.store import create, load

Answering = Callable[[AddCheckpoint], Awaitable[web.Response]]
ROUTE = Route(system_rng, seconds=20.0)


@contextlib.asynccontextmanager
async def real(folder: Path, signer: SignerKey) -> AsyncIterator[str]:
    """A witness; gives its address."""
    create(folder, signer.name, lambda length: signer.seed[:length])
    app = server.create_app(server.Witness(load(folder), [LOG.verifier], lambda: TIME))
    async with serve.listening(app, tcp=("127.0.0.1", 0)) as running:
        yield f"http://127.0.0.1:{running.port}/"


@contextlib.asynccontextmanager
async def odd(answering: Answering) -> AsyncIterator[str]:
    """Something else that answers under an address with a path."""

    async def handle(request: web.Request) -> web.Response:
        return await answering(parse_add_checkpoint(await request.read()))

    app = web.Application()
    app.router.add_post("/some/prefix/add-checkpoint", handle)
    async with serve.listening(app, tcp=("127.0.0.1", 0)) as running:
        yield f"http://127.0.0.1:{running.port}/some/prefix"


async def ask(log: SampleLog, asked: Policy, route: Route = ROUTE, last: int = 0) -> Gathered:
    return await gather(log.note(), log.tree.consistency, asked.witnesses, route, last=last)


async def ask_one(log: SampleLog, url: str | None, route: Route = ROUTE) -> Gathered:
    witness = Witness("first", FIRST.verifier, url)
    return await gather(log.note(), log.tree.consistency, [witness], route)


def outcomes(gathered: Gathered) -> list[Outcome]:
    return [each.outcome for each in gathered.results]


@pytest.fixture
async def three(tmp_path: Path) -> AsyncIterator[Policy]:
    async with contextlib.AsyncExitStack() as stack:
        urls = [
            await stack.enter_async_context(real(tmp_path / str(n), signer))
            for n, signer in enumerate(WITNESSES)
        ]
        yield policy(3, (urls[0], urls[1], urls[2]))


async def test_all_witnesses_cosign_a_growing_log(three: Policy) -> None:
    log = SampleLog.of(5)
    for last in (0, 5, 5):
        gathered = await ask(log, three, last=last)
        assert outcomes(gathered) == [Outcome.COSIGNED] * 3
        assert [each.time for each in gathered.results] == [TIME] * 3
        accepted = three.require(gathered.note)
        assert accepted.checkpoint == log.checkpoint()
        log.grow(300)


async def test_a_wrong_guess_of_the_last_size_costs_only_time(three: Policy) -> None:
    log = SampleLog.of(40)
    assert outcomes(await ask(log, three, last=7)) == [Outcome.COSIGNED] * 3
    log.grow(9)
    assert outcomes(await ask(log, three, last=1_000)) == [Outcome.COSIGNED] * 3


async def test_witnesses_that_know_different_sizes(three: Policy) -> None:
    log = SampleLog.of(8)
    await gather(log.note(), log.tree.consistency, three.witnesses[:1], ROUTE)
    log.grow(30)
    await gather(log.note(), log.tree.consistency, three.witnesses[1:2], ROUTE)
    log.grow(1)
    assert outcomes(await ask(log, three)) == [Outcome.COSIGNED] * 3


async def test_a_second_history_is_a_conflict_everywhere(three: Policy) -> None:
    log, fork, same = SampleLog.of(20), SampleLog.of(30, b"fork"), SampleLog.of(20, b"same")
    await ask(log, three)
    for other in (fork, same):
        gathered = await ask(other, three)
        assert outcomes(gathered) == [Outcome.CONFLICT] * 3
        assert gathered.note == other.note()


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """What was logged."""
    stream = io.StringIO()
    logs.configure(lambda: date(2026, 1, 1), stream)
    yield stream
    logging.disable(logging.NOTSET)
    logging.raiseExceptions = True
    structlog.configure(processors=[logs.be_silent])


async def test_a_log_that_lost_its_end_is_told(three: Policy, said: io.StringIO) -> None:
    await ask(SampleLog.of(20), three)
    assert "another history" not in said.getvalue()
    assert outcomes(await ask(SampleLog.of(19), three)) == [Outcome.AHEAD] * 3
    alarm = json.loads(said.getvalue().splitlines()[-1])
    assert (alarm["event"], alarm["count"]) == ("witnesses have seen another history", 3)
    assert alarm["level"] == "error"


async def test_an_unknown_log_is_refused(three: Policy) -> None:
    other = SampleLog(SignerKey("other.example/log", b"\x61" * 32))
    other.grow(2)
    assert outcomes(await ask(other, three)) == [Outcome.REFUSED] * 3


async def test_one_that_hangs_and_one_that_is_gone_do_not_stop_the_third(tmp_path: Path) -> None:
    asked_enough = asyncio.Event()

    async def hang(_request: AddCheckpoint) -> web.Response:
        await asked_enough.wait()
        return web.Response()

    async with odd(hang) as slow, real(tmp_path, SECOND) as good:
        asked = policy(1, (slow, good, "http://127.0.0.1:1"))
        gathered = await ask(SampleLog.of(5), asked, Route(system_rng, seconds=1.5))
        asked_enough.set()
    assert outcomes(gathered) == [Outcome.UNREACHABLE, Outcome.COSIGNED, Outcome.UNREACHABLE]
    assert [each.name for each in asked.require(gathered.note).witnesses] == ["second"]


def text(status: int, body: str) -> Answering:
    async def answer(_request: AddCheckpoint) -> web.Response:
        return web.Response(status=status, text=body)

    return answer


async def other_key(request: AddCheckpoint) -> web.Response:
    note = split_note(request.note)[0]
    return web.Response(text=cosign(THIRD.seed, FIRST.name, note, TIME))


async def other_note(_request: AddCheckpoint) -> web.Response:
    return web.Response(text=cosign(FIRST.seed, FIRST.name, "another\n", TIME))


async def ever_another_size(request: AddCheckpoint) -> web.Response:
    return web.Response(status=409, text=f"{(request.old + 1) % 5}\n")


async def redirecting(_request: AddCheckpoint) -> web.Response:
    return web.Response(status=307, headers={"Location": "http://127.0.0.1:1/"})


async def endless(_request: AddCheckpoint) -> web.Response:
    return web.Response(body=b"x" * 300_000)


@pytest.mark.parametrize(
    ("answering", "outcome"),
    [
        (text(200, ""), Outcome.UNUSABLE),
        (text(200, "nonsense\n"), Outcome.UNUSABLE),
        (other_key, Outcome.UNUSABLE),
        (other_note, Outcome.UNUSABLE),
        (ever_another_size, Outcome.UNUSABLE),
        (redirecting, Outcome.REFUSED),
        (endless, Outcome.UNREACHABLE),
        (text(403, "no\n"), Outcome.REFUSED),
        (text(404, "no\n"), Outcome.REFUSED),
        (text(503, "busy\n"), Outcome.REFUSED),
        (text(400, "no\n"), Outcome.REFUSED),
        (text(409, "another root\n"), Outcome.CONFLICT),
        (text(409, ""), Outcome.CONFLICT),
        (text(409, "0\n"), Outcome.CONFLICT),
        (text(409, "6\n"), Outcome.AHEAD),
        (text(409, f"{2**70}\n"), Outcome.CONFLICT),
        (text(422, "no\n"), Outcome.CONFLICT),
    ],
)
async def test_answers_and_what_they_mean(answering: Answering, outcome: Outcome) -> None:
    log = SampleLog.of(5)
    async with odd(answering) as url:
        gathered = await ask_one(log, url)
    assert outcomes(gathered) == [outcome]
    assert gathered.note == log.note()
    assert gathered.results[0].time is None


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "witness.example",
        "ftp://witness.example/",
        "http://",
        "http://[",
        "http://127.0.0.1:99999/",
        "http://user@127.0.0.1/",
        "http://127.0.0.1/?a=b",
        f"http://{'a' * 56}.onion/",
    ],
)
async def test_addresses_that_are_not_gone_to(url: str | None) -> None:
    assert outcomes(await ask_one(SampleLog.of(1), url)) == [Outcome.NO_ADDRESS]


async def test_what_is_asked_must_be_a_checkpoint() -> None:
    with pytest.raises(LogFormatError):
        await gather("no note", list, [], ROUTE)


@pytest.mark.parametrize(
    "proxy", ["", "127.0.0.1:9050", "http://127.0.0.1:1", "socks5://[", "socks5://x"]
)
async def test_what_is_no_proxy(proxy: str) -> None:
    with pytest.raises(ConfigError):
        await ask_one(SampleLog.of(1), None, Route(system_rng, proxy))


class Socks:
    """A SOCKS 5 server that connects everybody to one port and writes down names and users."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.asked: list[tuple[str, str]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, count = await reader.readexactly(2)
        await reader.readexactly(count)
        writer.write(b"\x05\x02")
        _, length = await reader.readexactly(2)
        user = (await reader.readexactly(length)).decode()
        await reader.readexactly((await reader.readexactly(1))[0])
        writer.write(b"\x01\x00")
        head = await reader.readexactly(5)
        assert head[3] == 3, "names are resolved by the proxy, never here"
        name = (await reader.readexactly(head[4])).decode()
        await reader.readexactly(2)
        self.asked.append((name, user))
        writer.write(b"\x05\x00\x00\x01" + bytes(6))
        there, out = await asyncio.open_connection("127.0.0.1", self._port)
        await asyncio.gather(self._pump(reader, out), self._pump(there, writer))

    @staticmethod
    async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(4096):
            target.write(data)
        target.close()


async def test_onion_addresses_go_through_the_proxy_each_with_its_own_circuit(
    tmp_path: Path,
) -> None:
    onion = "a" * 56 + ".onion"
    log = SampleLog.of(5)
    async with real(tmp_path, FIRST) as url:
        socks = Socks(int(url.rstrip("/").rpartition(":")[2]))
        proxy = await asyncio.start_server(socks.serve, "127.0.0.1", 0)
        port = proxy.sockets[0].getsockname()[1]
        route = Route(system_rng, f"socks5://127.0.0.1:{port}", seconds=20.0)
        gathered = await ask_one(log, f"http://{onion}/", route)
        again = await ask_one(log, f"http://{onion}/", route)
        direct = await ask_one(log, url, route)
        proxy.close()
    for each in (gathered, again, direct):
        assert outcomes(each) == [Outcome.COSIGNED]
    names, users = zip(*socks.asked, strict=True)
    assert set(names) == {onion}
    assert len(set(users)) == len(users) == 2
