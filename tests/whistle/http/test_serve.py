# SPDX-License-Identifier: AGPL-3.0-or-later
"""Raw sockets: what goes over the wire when requests are broken, hostile or slow."""

import asyncio
import contextlib
import io
import logging
import os
import signal
import socket
import stat
from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path

import pytest
from aiohttp import web

from whistle import limits, logs
from whistle.http import connections, headers, protocol, serve

CANARY = b"kanari4711"


async def _hello(_request: web.Request) -> web.Response:
    return headers.html(b"<p>halo")


async def _fail(_request: web.Request) -> web.Response:
    raise RuntimeError("kanari4711 in the text of an error")


async def _echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


def _app() -> web.Application:
    app = web.Application()
    app.router.add_get("/", _hello)
    app.router.add_get("/fail", _fail)
    app.router.add_post("/", _echo)
    return app


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with serve.listening(_app(), tcp=("127.0.0.1", 0)) as running:
        if running.port is None:
            raise RuntimeError("no port")
        yield running.port


async def _talk(port: int, data: bytes) -> bytes:
    """Send bytes; read until the server closes or has nothing more to say."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    answer = b""
    try:
        while piece := await asyncio.wait_for(reader.read(65536), 0.5):
            answer += piece
    except TimeoutError:
        pass
    writer.close()
    return answer


def _require_our_head(answer: bytes) -> None:
    head = answer.partition(b"\r\n\r\n")[0].lower()
    names = [line.partition(b":")[0] for line in head.split(b"\r\n")[1:]]
    assert b"server" not in names
    assert b"date" not in names
    assert len(names) == len(set(names))
    for name in headers.SECURITY_HEADERS:
        assert name.lower().encode() in names
    assert b"cache-control: no-store" in head


POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
MALFORMED = {
    "not http": CANARY + b"\r\n\r\n",
    "bad method": b"G@T / HTTP/1.1\r\nHost: x\r\n\r\n",
    "bad version": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "no target": b"GET\r\n\r\n",
    "tls hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(60),
    "http2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "header without colon": b"GET / HTTP/1.1\r\nHost: x\r\n" + CANARY + b"\r\n\r\n",
    "space before colon": b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    "nul in header": b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
    "bad length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: kanari4711\r\n\r\n",
    "negative length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "two lengths": POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "length and chunked": (
        POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "unknown coding": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: kanari4711\r\n\r\n",
    "long line": b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "long header": b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 9000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\nHost: x\r\n"
    + b"".join(b"X-%d: 1\r\n" % number for number in range(200)) + b"\r\n",
}  # fmt: skip


@pytest.mark.parametrize("request_bytes", MALFORMED.values(), ids=MALFORMED.keys())
async def test_malformed_requests_get_our_headers(
    port: int,
    request_bytes: bytes,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = await _talk(port, request_bytes)
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 ")), answer[:200]
    _require_our_head(answer)
    assert answer.partition(b"\r\n\r\n")[2] == protocol.BODIES[400]
    assert CANARY not in answer
    assert not [one for one in caplog.records if one.name.startswith("aiohttp")]
    assert capfd.readouterr() == ("", "")


async def test_a_malformed_second_request_on_a_connection(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    _require_our_head(await reader.readuntil(b"<p>halo"))
    writer.write(MALFORMED["bad method"])
    second = await asyncio.wait_for(reader.read(), 5)
    assert second.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))
    _require_our_head(second)
    writer.close()


@pytest.mark.parametrize("target", ["/", "/nothing", "*", "http://other.example/"])
async def test_ordinary_answers(port: int, target: str) -> None:
    answer = await _talk(port, f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    _require_our_head(answer)


async def test_wrong_method_and_unknown_expectation(port: int) -> None:
    _require_our_head(await _talk(port, b"DELETE / HTTP/1.1\r\nHost: x\r\n\r\n"))
    request = (
        b"POST /nowhere HTTP/1.1\r\nHost: x\r\nExpect: kanari4711\r\nContent-Length: 0\r\n\r\n"
    )
    answer = await _talk(port, request)
    assert answer.startswith(b"HTTP/1.1 417")
    _require_our_head(answer)
    assert CANARY not in answer


async def test_expect_continue_is_honoured(port: int) -> None:
    request = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi"
    answer = await _talk(port, request)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")
    assert answer.endswith(b"hi")


async def test_an_accident_is_one_plain_line(port: int) -> None:
    stream = io.StringIO()
    logs.configure(lambda: date(2026, 4, 7), stream)
    try:
        answer = await _talk(port, b"GET /fail?kanari4711 HTTP/1.1\r\nHost: x\r\n\r\n")
    finally:
        logging.disable(logging.NOTSET)
    assert answer.startswith(b"HTTP/1.1 500")
    _require_our_head(answer)
    assert CANARY not in answer
    assert "RuntimeError" in stream.getvalue()
    assert "kanari" not in stream.getvalue()
    assert "2026-04-07" in stream.getvalue()


async def test_going_away_is_no_accident() -> None:
    async def lost(_request: web.Request) -> web.Response:
        raise ConnectionResetError("kanari4711")

    app = web.Application()
    app.router.add_get("/", lost)
    stream = io.StringIO()
    logs.configure(lambda: date(2026, 4, 7), stream)
    try:
        async with serve.listening(app, tcp=("127.0.0.1", 0)) as running:
            assert await _talk(running.port or 0, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") == b""
    finally:
        logging.disable(logging.NOTSET)
    assert stream.getvalue() == ""


async def test_a_compressed_body_stays_compressed(port: int) -> None:
    body = b"\x1f\x8b" + bytes(100)
    request = (
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
        % len(body)
    )
    answer = await _talk(port, request + body)
    assert answer.endswith(body)


async def test_keep_alive_and_pipelining(port: int) -> None:
    answer = await _talk(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
    assert answer.count(b"HTTP/1.1 200") == 3


async def test_a_slow_head_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HEADER_TIMEOUT", 0.3)
    async with serve.listening(_app(), tcp=("127.0.0.1", 0)) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow:")
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


async def _closed(reader: asyncio.StreamReader) -> bool:
    try:
        return await asyncio.wait_for(reader.read(), 0.3) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


async def test_silent_connections_lock_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of too many connections the one that has brought nothing for longest goes, not the newest."""
    monkeypatch.setattr(limits, "MAX_CONNECTIONS", 3)
    async with serve.listening(_app(), tcp=("127.0.0.1", 0)) as running:
        pairs = []
        for sent in (b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", POST):
            pairs.append(await asyncio.open_connection("127.0.0.1", running.port))
            pairs[-1][1].write(sent)
        assert await pairs[1][0].readuntil(b"<p>halo")
        await asyncio.sleep(0.05)
        newest = await asyncio.open_connection("127.0.0.1", running.port)
        newest[1].write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await newest[0].readuntil(b"<p>halo")
        assert [await _closed(reader) for reader, _ in pairs] == [True, False, False]
        for _, writer in [*pairs, newest]:
            writer.close()


async def test_a_body_that_moves_outlives_heads_that_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "MAX_CONNECTIONS", 2)
    piece = bytes(limits.PROGRESS_BYTES)
    async with serve.listening(_app(), tcp=("127.0.0.1", 0)) as running:
        upload, uploading = await asyncio.open_connection("127.0.0.1", running.port)
        uploading.write(POST + b"Content-Length: %d\r\n\r\n" % (6 * len(piece)))
        for _ in range(5):
            uploading.write(piece)
            await uploading.drain()
            await asyncio.sleep(0.05)
            _, silent = await asyncio.open_connection("127.0.0.1", running.port)
            await asyncio.sleep(0.05)
            silent.close()
        uploading.write(piece)
        answer = await asyncio.wait_for(upload.readuntil(b"\r\n\r\n"), 5)
        assert answer.startswith(b"HTTP/1.1 200")
        uploading.close()


async def test_connections_leave_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    for soft, most in ((256, 128), (1024, 896), (10**6, limits.MAX_CONNECTIONS), (64, 1)):
        limit = (soft, soft)
        monkeypatch.setattr(connections.resource, "getrlimit", lambda _kind, both=limit: both)
        assert connections.most_connections() == most


async def test_who_does_not_read_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WRITE_TIMEOUT", 0.3)
    app = web.Application()

    async def much(_request: web.Request) -> web.Response:
        return web.Response(body=bytes(30 * limits.MIB))

    app.router.add_get("/", much)
    async with serve.listening(app, tcp=("127.0.0.1", 0)) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port, limit=1024)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(1)
        read = 0
        with contextlib.suppress(ConnectionError):
            while piece := await asyncio.wait_for(reader.read(2**20), 5):
                read += len(piece)
        assert read < 30 * limits.MIB
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        for _ in range(6):  # slow, but reading
            await reader.readexactly(4 * limits.MIB)
            await asyncio.sleep(0.1)
        assert len(await asyncio.wait_for(reader.read(), 5)) > 6 * limits.MIB
        writer.close()


async def test_unix_socket_has_its_mode_and_goes_away(tmp_path: Path) -> None:
    path = tmp_path / "one.sock"
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    async with serve.listening(_app(), unix=path, unix_mode=serve.FEED_SOCKET):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readuntil(b"<p>halo")).startswith(b"HTTP/1.1 200")
        writer.close()
    assert not path.exists()


async def test_a_live_socket_is_not_stolen(tmp_path: Path) -> None:
    path = tmp_path / "one.sock"
    async with serve.listening(_app(), unix=path):
        with pytest.raises(OSError, match="another server"):
            await serve.listening(_app(), unix=path).__aenter__()
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readuntil(b"<p>halo")).startswith(b"HTTP/1.1 200")
        writer.close()
    assert not path.exists()


async def test_the_socket_of_a_successor_stays(tmp_path: Path) -> None:
    path = tmp_path / "one.sock"
    async with serve.listening(_app(), unix=path):
        path.rename(tmp_path / "old.sock")
        successor = socket.socket(socket.AF_UNIX)
        successor.bind(str(path))
    assert path.exists()
    successor.close()


async def test_a_file_that_is_no_socket_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text("x")
    with pytest.raises(FileExistsError):
        await serve.listening(_app(), unix=path).__aenter__()
    assert path.read_text() == "x"


@pytest.mark.parametrize("stop", ["SIGTERM", "SIGINT"])
def test_serve_stops_on_signals(stop: str) -> None:
    started: list[int | None] = []

    def ready(running: serve.Listening) -> None:
        started.append(running.port)
        os.kill(os.getpid(), getattr(signal, stop))

    run: Callable[..., None] = serve.run
    run(serve.serve(_app(), tcp=("127.0.0.1", 0), ready=ready))
    assert started[0]
