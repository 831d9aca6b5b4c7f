# SPDX-License-Identifier: AGPL-3.0-or-later
"""No answer, request or file of ours tells the clock, the software or the names of its computer.

Every route of every program is asked over its real listening socket; every program that asks is
heard by a bare listener. What is new in a route table is asked without being added here.
"""

import asyncio
import contextlib
import gzip
import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from case_mgmt.desk.evidence import checksum_list
from case_mgmt.desk.jail_answer import read_cleaned
from crypto.manifest import verify_manifest
from crypto.private.keystore import seal_keystore
from crypto.private.root import seal_root
from crypto.rng import system_rng
from onion.address import encode_address
from tests.support import evidence_files, listener
from tests.support.case_server import running_cases
from tests.support.http_reporter import HttpReporter
from tests.support.intake import TODAY, Intake, running_intake
from tests.support.org import make_org, seed
from tests.support.sealed_client import Sealer, seal_file
from tests.support.telling import clocks, telling, words
from tests.whistle.desk.bureau import CHEAP, PASSPHRASE, running_bureau
from tests.whistle.desk.pages import running_desk
from whistle import qr
from whistle.cases.api import OPEN_ROUTES, ROUTES
from whistle.cases.errors import FeedError
from whistle.cases.feed import FeedAddress, FeedSigner
from whistle.cases.feed import connect as connect_feed
from whistle.clock import unix_now
from whistle.desk.client import ServerAddress, Signer
from whistle.desk.client import connect as connect_desk
from whistle.desk.errors import DeskError
from whistle.desk.sandbox import Job, held_in_memory, run_job
from whistle.desk.saving import once
from whistle.desk.web.app import create_app as create_desk
from whistle.intake.routes import CLIENT, FEED, PUBLIC
from whistle.intake.served import served_files
from whistle.tool.errors import NetworkError
from whistle.tool.network import Address
from whistle.tool.network import connected as connect_tool
from whistle.tool.poster import Poster
from whistle.verify.offline_page import offline_page

needs_sandbox = pytest.mark.skipif(
    not evidence_files.sandbox_available(), reason="no bubblewrap or mat2"
)
SPOKEN = {"host", "content-length", "content-type"}
"""Headers a program of ours may send without saying who it is; its signature comes on top."""
MALFORMED = (
    b"\x16\x03\x01\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    b"POST / HTTP/1.1\r\n\r\n",
)
_HOLES = {"lang": "id", "id": "ab" * 16, "n": "0", "case": "ab" * 16, "position": "1"}
_HOLE = re.compile(r"\{(\w+)(?::(?:[^{}]|\{[^{}]*\})*)?\}")


def path_of(pattern: str) -> str:
    """A path that a pattern of a route table fits, or nearly."""
    return _HOLE.sub(lambda hole: _HOLES.get(hole[1], "manifest.json"), pattern)


def request_of(method: str, path: str, body: bytes = b"x=1", more: str = "") -> bytes:
    """A request as a browser sends it, in short."""
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}"
    if method == "GET":
        return f"{head}\r\n".encode()
    return (
        f"{head}Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


async def told_by(intake: Intake, request: bytes) -> tuple[bytes, list[str]]:
    answer = await intake.raw(request, read_all=True)
    whole = answer.raw_head + answer.body
    return whole, telling(whole)


@contextlib.asynccontextmanager
async def visited(tmp_path: Path) -> Any:
    """An intake and a reporter who has sent a report and looked at it."""
    async with running_intake(tmp_path) as intake, HttpReporter(intake.base) as reporter:
        yield intake, reporter, await reporter.send(await reporter.draft({"story": "x"}))


@pytest.mark.parametrize("lang", ["id", "en"])
async def test_every_route_of_the_intake(tmp_path: Path, lang: str) -> None:
    _HOLES["lang"] = lang
    async with running_intake(tmp_path) as intake:
        for method, pattern, _ in PUBLIC + CLIENT + FEED:
            for verb in (method, "DELETE"):
                answer, found = await told_by(intake, request_of(verb, path_of(pattern)))
                assert answer.startswith(b"HTTP/1.1 "), (verb, pattern)
                assert found == [], (verb, pattern)


async def test_pages_of_a_reporter_and_every_file_they_load(tmp_path: Path) -> None:
    async with visited(tmp_path) as (intake, reporter, receipt):
        pages = [await reporter.get("/"), await reporter.look(receipt)]
        linked = {name for page in pages for name in re.findall(r'(?:href|src)="(/[^"]+)"', page)}
        assert any(name.endswith(".css") for name in linked)
        for name in linked | set(served_files(intake.services.organisation, offline_page())):
            _, found = await told_by(intake, request_of("GET", name))
            assert found == [], name
        assert [telling(page.encode()) for page in pages] == [[], []]


@pytest.mark.parametrize("request_bytes", MALFORMED)
async def test_answers_of_the_http_parser(tmp_path: Path, request_bytes: bytes) -> None:
    async with running_intake(tmp_path) as intake:
        answer, found = await told_by(intake, request_bytes)
        assert answer.startswith(b"HTTP/1.")
        assert found == []


async def test_every_route_of_the_case_server(tmp_path: Path) -> None:
    async with running_cases(tmp_path) as server:
        server.take_in()
        routes = [(route.method, route.path) for route in ROUTES]
        for method, path in [*routes, *(one[:2] for one in OPEN_ROUTES)]:
            for who in ("penyidik-1", None):
                reply = await server.ask(who, method, path_of(path), {})
                head = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items())
                assert telling(head.encode() + reply.body) == [], path


async def test_every_route_of_a_desk(tmp_path: Path) -> None:
    async with running_bureau(tmp_path) as bureau, running_desk(bureau) as desk:
        await desk.enter()
        routes = [
            (route.method, route.resource.canonical)
            for route in create_desk(desk.desk).router.routes()
            if route.resource is not None
        ]
        assert len(routes) > 15
        for method, pattern in routes:
            page = await desk.browser.ask(method, path_of(pattern))
            head = "".join(f"{name}: {value}\r\n" for name, value in page.headers.items())
            assert "Date" not in page.headers
            found = set(telling(head.encode() + page.body, times=False))
            # The desk and its browser are one computer: only what it says of itself is a leak.
            assert not {what for what in found if "version" in what or "python" in what}, pattern


async def test_the_reporters_tool_on_the_wire() -> None:
    async with listener.listening() as heard:
        address = Address.parse(heard.base, None)
        async with connect_tool(address, system_rng) as site:
            for attempt in (
                site.get("/manifest.json"),
                site.json("POST", "/api/v1/reports", {"a": 1}),
                site.request("PUT", "/api/v1/blobs/x/0", b"x", {"Whistle-Size": "1"}),
            ):
                with pytest.raises(NetworkError):
                    await attempt
    assert len(heard.requests) == 3
    assert heard.header_names() <= SPOKEN | {"whistle-size"}
    assert [telling(request) for request in heard.requests] == [[], [], []]


async def test_a_form_of_the_tool_on_the_wire() -> None:
    """Its boundary is random, its parts name no file of this computer and no time."""
    async with (
        listener.listening() as heard,
        connect_tool(Address.parse(heard.base, None), system_rng) as site,
    ):
        for _ in range(2):
            form = aiohttp.FormData(default_to_multipart=True)
            form.add_field("bundle", io.BytesIO(b"x"), filename="bundle.whb")
            with pytest.raises(NetworkError):
                await site.post_form("/id/sealed", form)
    assert heard.header_names() <= SPOKEN
    assert [telling(request) for request in heard.requests] == [[], []]
    boundaries = [re.search(rb"boundary=([0-9a-f]{32})", one) for one in heard.requests]
    assert len({found[1] for found in boundaries if found}) == 2


async def test_a_desk_on_the_wire(tmp_path: Path) -> None:
    org = make_org(tmp_path, TODAY)
    signer = Signer(org.identities["penyidik-1"], system_rng, lambda: 1)
    async with (
        listener.listening() as heard,
        connect_desk(ServerAddress.parse(heard.base, None), signer) as client,
    ):
        for attempt in (client.queue(), client.post_act("x", {"a": 1})):
            with pytest.raises(DeskError):
                await attempt
    assert len(heard.requests) == 2
    assert_silent(heard)


async def test_the_feed_on_the_wire(tmp_path: Path) -> None:
    socket = tmp_path / "feed.sock"
    signer = FeedSigner(seed("cases"), bytes(32), lambda: 1, system_rng)
    async with (
        listener.listening(socket) as heard,
        connect_feed(FeedAddress(socket), signer) as client,
    ):
        for attempt in (client.records(1), client.publish({})):
            with pytest.raises(FeedError):
                await attempt
    assert len(heard.requests) == 2
    assert_silent(heard)


def assert_silent(heard: listener.Heard) -> None:
    """Nothing but what a request needs and its signature."""
    signed = {name for name in heard.header_names() if name.startswith("whistle-")}
    assert signed
    assert heard.header_names() - signed <= SPOKEN
    assert [telling(request) for request in heard.requests] == [[] for _ in heard.requests]


def files(tmp_path: Path) -> Mapping[str, bytes]:
    """Every kind of file a program of ours writes for somebody else."""
    org = make_org(tmp_path, TODAY)
    data, signature = ((org.dir / f"manifest.{kind}").read_bytes() for kind in ("json", "sig"))
    manifest = verify_manifest(data, signature, org.instance_id, org.today)
    onion = encode_address(org.instance_id)
    sealer, file = Sealer(org), seal_file(b"content", "foto.jpg")
    return {
        "keystore": seal_keystore(org.identities["pengawas"], PASSPHRASE, system_rng, **CHEAP),
        "root key": seal_root(org.root_seed, PASSPHRASE, system_rng, **CHEAP),
        "bundle": sealer.bundle("x", [file]),
        "sealed attachment": file.data,
        "qr": qr.png("x"),
        "checksums": checksum_list([("ab" * 32, "foto.jpg")]),
        "manifest": data,
        **Poster.of(manifest, onion).files(),
    }


def test_every_file_for_somebody_else(tmp_path: Path) -> None:
    for name, data in files(tmp_path).items():
        assert telling(data, times=False) == [], name


@needs_sandbox
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pdf", "jpeg", "png", "gif", "docx", "odt"])
async def test_a_clean_copy(kind: str) -> None:
    """What is handed over tells neither when nor where nor with what it was cleaned."""
    content: bytes = getattr(evidence_files, kind)()
    suffix = {"jpeg": ".jpg"}.get(kind, f".{kind}")
    with await held_in_memory(once(content)) as held:
        cleaned = read_cleaned(await run_job(Job("clean", suffix, held.fileno())))
    assert cleaned.content != content
    assert telling(cleaned.content, times=False) == []


def test_leaks_are_seen() -> None:
    assert telling(b"Date: Sat, 21 Nov 2026 10:09:08 GMT") != []
    for word in (*words().values(), *clocks(unix_now()).values()):
        assert telling(b"x " + word + b" y") != []
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.csv", (2026, 4, 7, 1, 2, 4)), b"a;b")
    assert telling(packed.getvalue()) == ["ZIP time of a.csv"]
    assert telling(gzip.compress(b"x", mtime=1)) == ["gzip time"]
    assert telling(gzip.compress(b"x", mtime=0)) == []
    assert telling(b"%PDF-1.7 /Producer (x)") == ["PDF /Producer"]
    chunk = (7).to_bytes(4) + b"tIME" + bytes(11)
    assert telling(qr.png("x")[:33] + chunk) == ["PNG chunk b'tIME'"]


async def test_a_leaking_server_is_seen() -> None:
    """The stock answer of the library, which ours replaces."""
    app = web.Application()
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request_of("GET", "/"))
        found = telling(await reader.read())
        writer.close()
    finally:
        await runner.cleanup()
    assert {"version of aiohttp", "python in a header"} <= set(found)
