# SPDX-License-Identifier: AGPL-3.0-or-later
"""The feed client against an intake that misbehaves: every trouble is a FeedError, none hangs."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp_socks import ProxyConnector

from case_mgmt.model import BlobId, RecordId, ThreadId
from case_mgmt.store.ports import OutboxEntry
from crypto.rng import system_rng
from tests.support.org import seed
from whistle.cases import feed as feed_module
from whistle.cases.errors import FeedError, FeedLostError, FeedRefusedError
from whistle.cases.feed import FeedAddress, FeedClient, FeedSigner, connect
from whistle.http import serve

SIGNER = FeedSigner(seed("service cases"), bytes(32), lambda: 1_775_000_000, system_rng)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ENTRY = OutboxEntry(1, ThreadId("0a" * 16), 1, b"box")


@contextlib.asynccontextmanager
async def speaking_to(handler: Handler, tmp_path: Path) -> AsyncIterator[FeedClient]:
    """A client whose every request is answered by `handler`."""
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", handler)
    socket = tmp_path / "feed.sock"
    async with (
        serve.listening(app, unix=socket),
        connect(FeedAddress(socket=socket), SIGNER) as client,
    ):
        yield client


def always(body: bytes, status: int = 200) -> Handler:
    async def handle(_request: web.Request) -> web.Response:
        return web.Response(body=body, status=status)

    return handle


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff",
        b'{"records":{}}',
        b'{"records":[],"records":[]}',
        b"7",
        b'{"records":[],"more":1}',
    ],
)
async def test_a_listing_out_of_form(tmp_path: Path, body: bytes) -> None:
    async with speaking_to(always(body), tmp_path) as client:
        with pytest.raises(FeedError):
            await client.records(10)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 500, 503])
async def test_reading_is_refused(tmp_path: Path, status: int) -> None:
    async with speaking_to(always(b"{}", status), tmp_path) as client:
        with pytest.raises(FeedError):
            await client.records(10)
        with pytest.raises(FeedError):
            async for _ in client.blob(BlobId("0a" * 16)):
                pass


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, FeedRefusedError),
        (409, FeedRefusedError),
        (413, FeedRefusedError),
        (422, FeedRefusedError),
        (401, FeedError),
        (403, FeedError),
        (500, FeedError),
    ],
)
async def test_bringing_is_refused_for_good_or_for_now(
    tmp_path: Path, status: int, error: type[Exception]
) -> None:
    async with speaking_to(always(b"{}", status), tmp_path) as client:
        with pytest.raises(error):
            await client.push([ENTRY])
        with pytest.raises(error):
            await client.acknowledge([RecordId("0a" * 16)])


async def test_an_endless_answer_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "MAX_FEED_ANSWER", 1000)
    async with speaking_to(always(b" " * 1001), tmp_path) as client:
        with pytest.raises(FeedError, match="too large"):
            await client.records(1)


async def test_a_connection_that_breaks_is_lost(tmp_path: Path) -> None:
    async def break_off(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = 100
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.close()
        return response

    async with speaking_to(break_off, tmp_path) as client:
        with pytest.raises(FeedLostError):
            await client.records(1)


async def test_nobody_there(tmp_path: Path) -> None:
    async with connect(FeedAddress(socket=tmp_path / "none.sock"), SIGNER) as client:
        with pytest.raises(FeedLostError):
            await client.records(1)


async def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    asked: list[str] = []

    async def redirect(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    async with speaking_to(redirect, tmp_path) as client:
        with pytest.raises(FeedError):
            await client.records(1)
    assert asked == ["/feed/v1/records"]


async def test_what_is_signed_is_what_is_sent(tmp_path: Path) -> None:
    seen: list[tuple[str, str, bool]] = []

    async def look(request: web.Request) -> web.Response:
        seen.append((request.method, request.raw_path, "Whistle-Signature" in request.headers))
        return web.Response(body=b'{"records":[]}')

    async with speaking_to(look, tmp_path) as client:
        await client.records(7)
        await client.publish({"v": 1})
    assert seen == [
        ("GET", "/feed/v1/records?limit=7", True),
        ("POST", "/feed/v1/statistics", True),
    ]


async def test_the_three_ways_to_an_intake() -> None:
    ways = [
        (FeedAddress(socket=Path("/s")), aiohttp.UnixConnector, "http://feed/x?a=1"),
        (FeedAddress(url="http://127.0.0.1:1/"), aiohttp.TCPConnector, "http://127.0.0.1:1/x?a=1"),
        (
            FeedAddress(url="http://abc.onion", proxy="socks5://127.0.0.1:9050"),
            ProxyConnector,
            "http://abc.onion/x?a=1",
        ),
    ]
    for address, kind, located in ways:
        connector = address.connector()
        assert isinstance(connector, kind)
        await connector.close()
        assert str(address.locate("/x?a=1")) == located
