# SPDX-License-Identifier: AGPL-3.0-or-later
"""Requests: where they may go, when they are sent again, what becomes of a lost answer."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from case_mgmt.model import ActKind, State
from crypto.requests import RequestVerifier
from crypto.rng import system_rng
from tests.support.org import Org, make_org
from tests.whistle.desk.bureau import TODAY, Bureau, Reporter, running_bureau
from whistle.clock import unix_now
from whistle.desk.client import ServerAddress, Signer, UnknownOutcomeError, connect
from whistle.desk.connection import Surroundings, workbench
from whistle.desk.errors import (
    DeskError,
    GateRefusedError,
    ServerRefusedError,
    UnreachableError,
    UsageError,
)
from whistle.desk.letters import Letter
from whistle.desk.records import parse_case, parse_queue, read_json
from whistle.desk.workbench import Workbench
from whistle.http import serve

ONION = "a" * 56 + ".onion"
PROXY = "socks5://127.0.0.1:9050"


@pytest.mark.parametrize(
    ("url", "proxy", "expected"),
    [("http://127.0.0.1:8090", None, "http://127.0.0.1:8090"),
     ("http://127.0.0.1:8090/", None, "http://127.0.0.1:8090"),
     ("http://localhost", PROXY, "http://localhost"),
     ("http://[::1]:1", None, "http://[::1]:1"),
     (f"http://{ONION}", PROXY, f"http://{ONION}")],
)  # fmt: skip
def test_good_addresses(url: str, proxy: str | None, expected: str) -> None:
    address = ServerAddress.parse(url, proxy)
    assert address.url == expected
    assert (address.proxy is not None) == url.endswith(".onion")


@pytest.mark.parametrize(
    ("url", "proxy"),
    [("http://cases.example", None), ("https://127.0.0.1", None), ("http://10.0.0.1:80", None),
     (f"http://{ONION}", None), ("127.0.0.1:80", None), ("http://127.0.0.1/v1", None),
     ("http://127.0.0.1/?a=b", None), ("http://u@127.0.0.1", None), ("http://[::1", None),
     ("http://127.0.0.1:99999", None), ("", None), ("http://127.0.0.1.evil.example", None)],
)  # fmt: skip
def test_addresses_where_somebody_could_listen(url: str, proxy: str | None) -> None:
    with pytest.raises(UsageError):
        ServerAddress.parse(url, proxy)


async def test_an_unusable_proxy(tmp_path: Path) -> None:
    address = ServerAddress.parse(f"http://{ONION}", "gopher://x")
    org = make_org(tmp_path, TODAY)
    with pytest.raises(UsageError):
        async with connect(address, signer(org)):
            pass


async def test_a_proxy_that_is_not_there(tmp_path: Path) -> None:
    address = ServerAddress.parse(f"http://{ONION}", "socks5://127.0.0.1:9")
    org = make_org(tmp_path, TODAY)
    async with connect(address, signer(org)) as client:
        with pytest.raises(UnreachableError):
            await client.queue()


def signer(org: Org) -> Signer:
    return Signer(org.identities["pengawas"], system_rng, unix_now)


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def asked(org: Org, handler: Handler, ask: Callable[[Any], Awaitable[Any]]) -> Any:
    """Asks a server that answers every request with `handler`."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with serve.listening(app, tcp=("127.0.0.1", 0)) as listening:
        address = ServerAddress.parse(f"http://127.0.0.1:{listening.port}", None)
        async with connect(address, signer(org)) as client:
            return await ask(client)


async def test_every_request_is_signed_afresh(tmp_path: Path) -> None:
    org = make_org(tmp_path, TODAY)
    verifier = RequestVerifier(org.instance_id)
    keys = []

    async def handler(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        keys.append(
            verifier.verify(request.headers, request.method, request.raw_path, body, unix_now())
        )
        return web.json_response({})

    async def ask(client: Any) -> None:
        await client.queue()
        await client.queue()
        await client.post_act("WH-00000000", {"act": None})

    await asked(org, handler, ask)
    assert keys == [org.identities["pengawas"].device_public] * 3


async def test_reading_is_tried_again_and_writing_is_not(tmp_path: Path) -> None:
    org = make_org(tmp_path, TODAY)
    seen: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        await request.read()
        seen.append(request.method)
        if seen.count(request.method) < 3:
            assert request.transport is not None
            request.transport.abort()
            await asyncio.sleep(0)
        return web.json_response({"ok": 1})

    async def ask(client: Any) -> None:
        assert await client.queue() == {"ok": 1}
        with pytest.raises(UnknownOutcomeError):
            await client.post_act("WH-00000000", {})

    await asked(org, handler, ask)
    assert seen == ["GET", "GET", "GET", "POST"]


ANSWERS: dict[str, tuple[int, bytes, type[DeskError]]] = {
    "plain text": (200, b"hello", UnreachableError),
    "duplicate keys": (200, b'{"a":1,"a":2}', UnreachableError),
    "redirect": (302, b"", UnreachableError),
    "bare 404": (404, b"nothing", GateRefusedError),
    "bare 500": (500, b"", UnreachableError),
    "another form of error": (422, b'{"error":"no"}', UnreachableError),
    "half an error": (422, b'{"error":{"code":"x","message":{"id":"a"}}}', UnreachableError),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_strange_answers(tmp_path: Path, name: str) -> None:
    status, body, kind = ANSWERS[name]

    async def handler(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers={"Location": "/elsewhere"})

    with pytest.raises(kind):
        await asked(make_org(tmp_path, TODAY), handler, lambda client: client.case("WH-00000000"))


async def test_a_refusal_keeps_the_servers_words(tmp_path: Path) -> None:
    error = {"code": "stale_head", "message": {"id": "Sudah berubah.", "en": "Moved on."}}

    async def handler(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"error": error}, status=409)

    with pytest.raises(ServerRefusedError) as caught:
        await asked(make_org(tmp_path, TODAY), handler, lambda client: client.queue())
    assert (caught.value.code, caught.value.status) == ("stale_head", 409)
    assert caught.value.sentences["id"] == "Sudah berubah."


@pytest.mark.parametrize(
    "data", [None, [], {}, {"today": "x", "cases": []}, {"today": "2026-01-01", "cases": [{}]}]
)
def test_malformed_queues(data: Any) -> None:
    with pytest.raises(UnreachableError):
        parse_queue(data)


@pytest.mark.parametrize("data", [None, [], {}, {"case": 1}])
def test_malformed_cases(data: Any) -> None:
    with pytest.raises(UnreachableError):
        parse_case(data)


def test_malformed_json() -> None:
    with pytest.raises(UnreachableError):
        read_json(b"{")


@pytest.fixture
async def bureau(tmp_path: Path) -> AsyncIterator[Bureau]:
    async with running_bureau(tmp_path) as made:
        yield made


class LosingClient:
    """Passes everything on, but loses the answer to an act: before or after it arrived."""

    def __init__(self, client: Any, *, arrives: bool) -> None:
        self._client = client
        self._arrives = arrives

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def post_act(self, case: str, act: Any) -> Any:
        if self._arrives:
            await self._client.post_act(case, act)
        raise UnknownOutcomeError("desk.error.outcome_unknown", server="x")


async def lose(bureau: Bureau, case: str, letter: Letter, *, arrives: bool) -> Any:
    identity = bureau.org.identities["pengawas"]
    surroundings = Surroundings(system_rng)
    tools = surroundings.workbench_tools(identity, bureau.keystores["pengawas"])
    address = ServerAddress.parse(bureau.url, None)
    async with connect(address, Signer(identity, system_rng, unix_now)) as client:
        losing: Any = LosingClient(client, arrives=arrives)
        return await Workbench(losing, tools).act(case, letter)


ASSESS = Letter(ActKind.TRANSITION, "Laporan Anda sudah kami baca.", State.ASSESSING)
CLOSE = Letter(ActKind.TRANSITION, "Ini bukan wewenang kami.", State.INSUFFICIENT, "no_contact")


async def test_a_lost_answer_is_looked_for(bureau: Bureau) -> None:
    case = Reporter(bureau).report()
    assert (await lose(bureau, case, ASSESS, arrives=True)).status == "committed"
    assert (await lose(bureau, case, CLOSE, arrives=True)).status == "awaiting_second"


async def test_an_act_that_did_not_arrive_is_said_so(bureau: Bureau) -> None:
    case = Reporter(bureau).report()
    with pytest.raises(UnknownOutcomeError, match="not_arrived"):
        await lose(bureau, case, ASSESS, arrives=False)
    assert len(bureau.history(case)) == 2


async def test_two_desks_at_once(bureau: Bureau) -> None:
    case = Reporter(bureau).report()

    async def act(person: str) -> str:
        tools = Surroundings(system_rng).workbench_tools(
            bureau.org.identities[person], bureau.keystores[person]
        )
        address = ServerAddress.parse(bureau.url, None)
        try:
            async with workbench(address, tools, unix_now) as bench:
                return (await bench.act(case, ASSESS)).status
        except ServerRefusedError as error:
            return error.code

    outcomes = await asyncio.gather(act(bureau.assignee(case)), act("pengawas"))
    assert sorted(outcomes) in (["committed", "stale_head"], ["committed", "not_allowed"])
    assert len(bureau.history(case)) == 3


async def test_the_desk_refuses_to_sign_on_a_broken_history(bureau: Bureau) -> None:
    case = Reporter(bureau).report()
    identity = bureau.org.identities["pengawas"]
    tools = Surroundings(system_rng).workbench_tools(identity, bureau.keystores["pengawas"])
    address = ServerAddress.parse(bureau.url, None)
    async with connect(address, Signer(identity, system_rng, unix_now)) as client:

        class Forging(LosingClient):
            async def case(self, number: str) -> Any:
                told = json.loads(json.dumps(await self._client.case(number)))
                told["history"][1]["act"]["day"] = "2026-04-06"
                return told

        forging: Any = Forging(client, arrives=True)
        bench = Workbench(forging, tools)
        opened = await bench.open(case)
        codes = {remark.code for remark in opened.remarks}
        assert {"history_broken", "head_differs"} <= codes
        with pytest.raises(GateRefusedError, match="history_broken"):
            await bench.act(case, ASSESS)
