# SPDX-License-Identifier: AGPL-3.0-or-later
"""A whole intake inside the test process: real sockets, real store, a calendar that tests move."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from crypto.requests import sign_request
from crypto.rng import system_rng
from tests.support.org import Org, make_org
from whistle.http import serve
from whistle.intake.app import create_feed_app, create_public_app
from whistle.intake.services import IntakeServices, IntakeSettings
from whistle.intake.wiring import build_services
from whistle.verify.offline_page import offline_page

TODAY = date(2026, 4, 7)
BOUNDARY = b"geckoformboundary5a2d"


@dataclass
class Calendar:
    """The clocks of one test."""

    day: date = TODAY
    unix: int = 1_775_000_000
    seconds: float = 1000.0

    def today(self) -> date:
        return self.day

    def now(self) -> int:
        return self.unix

    def monotonic(self) -> float:
        return self.seconds

    def pass_days(self, days: int) -> None:
        self.day += timedelta(days=days)


@dataclass
class Answer:
    """An HTTP answer; `head` is in lower case, `raw_head` as it was sent."""

    status: int
    head: bytes
    body: bytes
    raw_head: bytes = b""

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Intake:
    """One running intake."""

    org: Org
    services: IntakeServices
    port: int
    feed_socket: Path
    calendar: Calendar = field(repr=False)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def state(self) -> Path:
        return self.services.settings.state

    def blob_files(self) -> list[str]:
        """Return the names in the blob folder."""
        return sorted(path.name for path in self.services.blobs.folder.iterdir())

    async def raw(self, data: bytes, *, read_all: bool = False) -> Answer:
        """Send bytes over a connection of its own; return the first answer (or all bytes)."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(data)
            await writer.drain()
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
            lower = head.lower()
            if read_all or b"content-length:" not in lower:
                body = await asyncio.wait_for(reader.read(), 10)
            else:
                length = int(lower.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
                body = await asyncio.wait_for(reader.readexactly(length), 10)
            return Answer(int(head[9:12]), lower, body, head)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def post(
        self, path: str, body: bytes, content_type: bytes | None = None, headers: bytes = b""
    ) -> Answer:
        """Post a raw body."""
        kind = content_type or b"multipart/form-data; boundary=" + BOUNDARY
        head = (
            b"POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: %s\r\nContent-Length: %d\r\n"
            % (path.encode(), self.port, kind, len(body))
        )
        return await self.raw(head + headers + b"\r\n" + body)

    async def feed(self, method: str, target: str, value: Any = None, **changes: Any) -> Answer:
        """Send a signed request to the feed."""
        body = b"" if value is None else json.dumps(value).encode()
        headers = self.feed_headers(method, target, body)
        headers.update(changes)
        connector = aiohttp.UnixConnector(str(self.feed_socket))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.request(
                method, f"http://feed{target}", data=body or None, headers=headers
            ) as answer,
        ):
            return Answer(answer.status, b"", await answer.read())

    def feed_headers(self, method: str, target: str, body: bytes = b"") -> dict[str, str]:
        """Return the headers with which the case server signs."""
        seed = self.org.service_seeds["cases"]
        instance_id = self.org.instance_id
        return sign_request(seed, instance_id, method, target, body, self.calendar.unix, system_rng)


def multipart(*parts: tuple[bytes, bytes], end: bytes = b"--\r\n") -> bytes:
    """Build a multipart body from (part headers after the name, content) pairs."""
    body = b"".join(
        b"--"
        + BOUNDARY
        + b"\r\nContent-Disposition: form-data; "
        + head
        + b"\r\n\r\n"
        + content
        + b"\r\n"
        for head, content in parts
    )
    return body + b"--" + BOUNDARY + end


def text_part(name: str, value: str) -> tuple[bytes, bytes]:
    """Return a text field."""
    return b'name="%s"' % name.encode(), value.encode()


def file_part(name: str, content: bytes, kind: str = "image/jpeg") -> tuple[bytes, bytes]:
    """Return a file field."""
    head = f'name="file"; filename="{name}"\r\nContent-Type: {kind}'
    return head.encode(), content


@contextlib.contextmanager
def built_intake(
    tmp_path: Path, calendar: Calendar | None = None, **settings: Any
) -> Iterator[IntakeServices]:
    """Build the services without serving; closes them afterwards."""
    calendar = calendar or Calendar()
    org = make_org(tmp_path, calendar.day)
    services = build_services(
        IntakeSettings(
            org.dir,
            org.write_state(tmp_path / "intake", "intake"),
            **{"verifier": offline_page, **settings},
        ),
        calendar.today,
        system_rng,
        now=calendar.now,
        monotonic=calendar.monotonic,
    )
    try:
        yield services
    finally:
        services.close()


@contextlib.asynccontextmanager
async def running_intake(
    tmp_path: Path, calendar: Calendar | None = None, **settings: Any
) -> AsyncIterator[Intake]:
    """Serve the public pages on a free port and the feed on a socket file."""
    calendar = calendar or Calendar()
    org = make_org(tmp_path, calendar.day)  # the same that the services are built from
    with built_intake(tmp_path, calendar, **settings) as services:
        socket = tmp_path / "f.sock"
        async with (
            serve.listening(create_feed_app(services), unix=socket, unix_mode=0o600),
            serve.listening(create_public_app(services), tcp=("127.0.0.1", 0)) as public,
        ):
            if public.port is None:
                raise RuntimeError("no port")
            yield Intake(org, services, public.port, socket, calendar)
