# SPDX-License-Identifier: AGPL-3.0-or-later
"""Targets: what arrives on a connection, from the first byte of a request to the fields of a form.

All run on one event loop of their own, with the server's real connection handler and no socket.
"""

import asyncio
import functools
import re
from collections.abc import Coroutine, Mapping
from typing import Any

from aiohttp import web
from multidict import CIMultiDict

from crypto.domains import Domain
from crypto.encoding import b64, unhex
from crypto.errors import AuthenticationError
from crypto.requests import (
    REQUEST_HEADERS,
    SIGNATURE_HEADER,
    RequestVerifier,
    _covered,
    _stamp,
    sign_request,
)
from crypto.signing import public_from_seed, sign
from tests.fuzz.target import Target, chosen, counting_rng, fixed, require, ways
from whistle import limits
from whistle.errors import RefusedError
from whistle.http import headers, serve
from whistle.http.circuits import Circuits
from whistle.http.proxyline import MAX_LINE, ProxyLine, ProxyLineError, parse_proxy_line
from whistle.intake import forms
from whistle.intake.fields import REPORT_FIELDS
from whistle.intake.memory import MEMORY, Budget
from whistle.intake.multipart import FormCaps, RawForm, _read

SEED = fixed("cases")
NOW = 1_775_000_000
STATUSES = frozenset({b"200", b"400", b"404", b"405", b"413", b"417"})
ROUNDS = 12
"""Turns of the loop after which a handler that waits for nothing has answered."""


@functools.cache
def loop() -> asyncio.AbstractEventLoop:
    """The one event loop of all targets."""
    return asyncio.new_event_loop()


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run to the end; whatever is raised is raised here."""
    return loop().run_until_complete(work)


# ---- forms ---------------------------------------------------------------------------------------
CAPS = FormCaps(frozenset(one.name for one in REPORT_FIELDS) | {"token"}, 2, 100)


class Upload:
    """A file that is thrown away; it must be within its cap."""

    is_behind = True

    def __init__(self, sink: "Sink") -> None:
        self._sink = sink
        self._size = 0

    def add(self, data: bytes) -> None:
        self._size += len(data)
        require(self._size <= CAPS.max_file_bytes, "a file goes beyond its cap")

    async def catch_up(self) -> None:
        return

    async def finish(self, name: str, media_type: str) -> None:
        require(isinstance(name, str) and isinstance(media_type, str), "a file without name")
        self._sink.files += 1


class Sink:
    """Counts files."""

    def __init__(self) -> None:
        self.files = 0

    def open(self) -> Upload:
        return Upload(self)


class Body:
    """A request body in pieces."""

    def __init__(self, data: bytes, piece: int) -> None:
        self._pieces = [data[at : at + piece] for at in range(0, len(data), piece)]

    def is_eof(self) -> bool:
        return not self._pieces

    async def readany(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


class Request(dict[Any, Any]):
    """As much of a request as reading a form needs."""

    def __init__(self, kind: str, data: bytes, piece: int) -> None:
        super().__init__()
        self.headers = CIMultiDict({"Content-Type": kind})
        self.content = Body(data, piece)
        self.content_length = None
        self.app = {MEMORY: Budget(limits.FORM_MEMORY)}


def _form(kind: str, data: bytes, piece: int) -> tuple[RawForm, int]:
    sink, request = Sink(), Request(kind, data, piece)
    form = run(_read(request, CAPS, sink))  # type: ignore[arg-type]
    require(request.app[MEMORY].used == 0, "memory is counted in and never out")
    require(set(form.texts) <= set(CAPS.names), "a field nobody asked for")
    require(sink.files <= CAPS.max_files, "more files than allowed")
    return form, sink.files


def multipart(data: bytes) -> None:
    """First byte: size of the pieces; up to the first LF: Content-Type. Pieces change nothing."""
    piece, data = 1 + (data[0] if data else 0), data[1:]
    kind, _, body = data.partition(b"\n")
    header = kind.decode("utf-8", "surrogateescape").strip("\r")
    found = _form(header, body, piece)
    require(_form(header, body, 1 << 20) == found, "whole and in pieces differ")
    _answers(found[0].texts)


def urlencoded(data: bytes) -> None:
    """The other kind of form, and the answers in it."""
    form, files = _form("application/x-www-form-urlencoded", data, 64)
    require(files == 0, "a file out of nowhere")
    _answers(form.texts)


def _answers(texts: Mapping[str, str]) -> None:
    answers = forms.check_report(texts, {"kelurahan-1"}, {"ktp"})
    require(set(answers.errors) <= set(answers.values), "a mistake in no question")
    good = {name: text for name, text in answers.filled.items() if name not in answers.errors}
    for one in REPORT_FIELDS:
        if one.name in good:
            require(
                forms.normalise(one, good[one.name]) == good[one.name], "two forms of an answer"
            )
    forms.canonical("report", good, [])


def some_forms() -> list[bytes]:
    """As browsers send them, in small and in large pieces."""
    body = (
        b'--x\r\nContent-Disposition: form-data; name="story"\r\n\r\nHalo\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n\xff\xd8\r\n--x--\r\n"
    )
    quoted = body.replace(b"--x", b"--a b'c").replace(b'"a.jpg"', b'"%22a\\".jpg"')
    return [
        b"\x00multipart/form-data; boundary=x\n" + body,
        b"\xffmultipart/form-data; boundary=x\n" + body,
        b'\x07multipart/form-data; boundary="a b\'c"\n' + quoted,
        b"\x07multipart/form-data; boundary=x\n--x--",
        b"\x07application/x-www-form-urlencoded\nstory=a%20b",
        b'\x07text/plain; charset="a\n',
    ]


# ---- signed requests -----------------------------------------------------------------------------
def signed_requests(data: bytes) -> None:
    """Lines: method, target, the four headers; then the body. With `way` 1 the signature fits."""
    way, data = chosen(data, 2)
    parts = (data.split(b"\n", 6) + [b""] * 7)[:7]
    lines = [part.decode("utf-8", "surrogateescape") for part in parts[:6]]
    given = dict(zip(REQUEST_HEADERS, lines[2:], strict=True))
    if way:
        given[SIGNATURE_HEADER] = _fitting(lines, parts[6])
    verifier = RequestVerifier(fixed("instance"), known=lambda key: key == public_from_seed(SEED))
    key = verifier.verify(given, lines[0], lines[1], parts[6], NOW)
    require(key == public_from_seed(SEED), "a stranger is let in")
    try:
        verifier.verify(given, lines[0], lines[1], parts[6], NOW)
    except AuthenticationError:
        return
    require(condition=False, what="a request is accepted twice")


def _fitting(lines: list[str], body: bytes) -> str:
    try:
        stamp = _stamp(int(lines[3]), unhex(lines[4], 16))
    except Exception:  # whatever it is, the verifier must say so itself
        return ""
    covered = _covered(fixed("instance"), lines[0], lines[1], body)
    return b64(sign(SEED, Domain.REQUEST, *covered, stamp))


def some_requests() -> list[bytes]:
    """A listing and a push."""
    made = []
    for method, target, body in (("GET", "/v1/queue", b""), ("POST", "/feed/v1/ack?a=%C3", b"{}")):
        given = sign_request(SEED, fixed("instance"), method, target, body, NOW, counting_rng())
        lines = [method, target, *(given[name] for name in REQUEST_HEADERS)]
        made.append("\n".join(lines).encode() + b"\n" + body)
    return ways(made, made)


# ---- connections ---------------------------------------------------------------------------------
class Wire(asyncio.Transport):
    """A connection that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def writelines(self, pieces: Any) -> None:
        for piece in pieces:
            self.write(piece)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        return

    def resume_reading(self) -> None:
        return

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default


async def _hello(request: web.Request) -> web.Response:
    return headers.html(b"<p>halo")


async def _take(request: web.Request) -> web.Response:
    return web.Response(body=b"%d" % len(await request.read()))


@functools.cache
def factory() -> Any:
    """The server's own, around two handlers."""

    async def make() -> Any:
        app = web.Application(client_max_size=1024)
        app.on_response_prepare.append(headers.harden_response)
        app.router.add_get("/", _hello)
        app.router.add_post("/", _take)
        runner = web.AppRunner(app)
        await runner.setup()
        return serve._Factory(runner).connection

    return run(make())


async def _talk(reading: Any, data: bytes, cut: int) -> bytes:
    accidents: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: accidents.append(context))
    wire = Wire()
    reading.connection_made(wire)
    for piece in (data[:cut], data[cut:]):
        if piece and not wire.closed:
            place = reading.get_buffer(len(piece))
            place[: len(piece)] = piece
            reading.buffer_updated(len(piece))
            require(not any(place[: len(piece)]), "what arrived stays where it arrived")
        for _ in range(ROUNDS):
            await asyncio.sleep(0)
    reading.connection_lost(None)
    for _ in range(3):
        await asyncio.sleep(0)
    require(not accidents, f"an accident: {accidents[:1]}")
    return bytes(wire.written)


async def _connect(make: Any, data: bytes) -> bytes:
    circuits = Circuits(lambda: 0.0) if data[0] & 1 else None
    return await _talk(make(circuits), data[2:], data[1])


def connection(data: bytes) -> None:
    """First byte: whether tor tells circuits; second: where the packet ends.

    Every answer is one of ours, with our headers.
    """
    if len(data) < 2:
        return
    pause, limits.MALFORMED_PAUSE = limits.MALFORMED_PAUSE, 0.0  # so that refusals are seen
    try:
        written = run(_connect(factory(), data))
    finally:
        limits.MALFORMED_PAUSE = pause
    for answer in re.split(rb"HTTP/[0-9]\.", written)[1:]:
        head = answer.partition(b"\r\n\r\n")[0].lower()
        if head[2:5] == b"100":
            continue
        require(head[2:5] in STATUSES, f"status {head[2:5]!r}")
        require(b"content-security-policy: default-src 'none'" in head, "not our headers")
        require(b"\r\nserver:" not in head and b"\r\ndate:" not in head, "telling headers")


def some_connections() -> list[bytes]:
    """One request, two, a body in chunks, and what is no HTTP."""
    get = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    post = b"POST / HTTP/1.1\r\nHost: x\r\n"
    return [
        b"\0\0" + get,
        b"\0\5" + get + get,
        b"\0\x60" + post + b"Content-Length: 3\r\n\r\nabc" + get,
        b"\0\0" + post + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"\0\0" + post + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
        b"\0\0" + post + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"\0\0\x16\x03\x01\x02\0\x01\0",
        b"\1\x09" + _TOR + get,
    ]


_TOR = b"PROXY TCP6 fc00:dead:beef:4dad::ab:12 ::1 65535 80\r\n"


def proxy_line(data: bytes) -> None:
    """Tor's line, in two pieces: what follows is handed on, no more is kept than the longest."""
    cut, data = (data[0] if data else 0), data[1:]
    line = ProxyLine()
    found = line.feed(data[:cut])
    if found is None:
        require(len(line._gathered) < MAX_LINE, "more is kept than a line")
        found = line.feed(data[cut:])
    elif data[cut:]:
        found = found[0], found[1] + data[cut:]
    if found is None:
        raise ProxyLineError("not whole")
    circuit, rest = found
    require(0 <= circuit < 1 << 32, "no circuit")
    require(parse_proxy_line(data[: len(data) - len(rest)]) == circuit, "two circuits")


_HTTP_WORDS = (
    b"\r\n\r\n", b"Content-Length: ", b"Transfer-Encoding: chunked\r\n", b"HTTP/1.0",
    b"Connection: close\r\n", b"Upgrade: websocket\r\n", b"Expect: 100-continue\r\n",
    b"Host: ", b"GET ", b"POST ", b"HEAD ", b"CONNECT ", b"Content-Encoding: gzip\r\n",
)  # fmt: skip
_FORM_WORDS = (
    b"--x\r\n", b"--x--\r\n", b'Content-Disposition: form-data; name="', b'"; filename="',
    b"\r\n\r\n", b"boundary=", b"filename*=utf-8''",
)  # fmt: skip
TARGETS = (
    Target("multipart", multipart, (RefusedError,), some_forms, _FORM_WORDS, 2048),
    Target(
        "urlencoded", urlencoded, (RefusedError,),
        lambda: [b"story=Halo+%C3%A9&month=04&year=2026", b"story=%00", b"a;b=c&&="],
        (b"story=", b"year=", b"unit=", b"%C3%A9", b"%ED%A0%80"), 1024,
    ),
    Target("signed_requests", signed_requests, (AuthenticationError,), some_requests, max_len=1024),
    Target(
        "proxy_line", proxy_line, (ProxyLineError,),
        lambda: [b"\x09" + _TOR + b"GET /", b"\xff" + _TOR], (b"::", b"\r\n", b"TCP6"), 160,
    ),
    Target("connection", connection, (), some_connections, _HTTP_WORDS, 1024),
)  # fmt: skip
