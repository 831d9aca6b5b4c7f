# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk's own socket under malformed and odd requests, as any program on that computer, or any
page in another tab, could send them.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.malformed import CANARY, ODD, REFUSED
from tests.whistle.desk.bureau import running_bureau
from tests.whistle.desk.pages import RunningDesk, running_desk
from whistle.http import headers
from whistle.http.protocol import BODIES

WAIT = 15.0
OURS = {200, 303, 400, 403, 404, 405, 413, 417}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[RunningDesk]:
    async with running_bureau(tmp_path) as bureau, running_desk(bureau) as made:
        yield made


async def talk(desk: RunningDesk, data: bytes) -> bytes:
    """The first answer; nothing if the server hangs up or waits for more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(desk.browser.base).port)
    writer.write(data)
    try:
        async with asyncio.timeout(WAIT):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            return head + await reader.readexactly(length)
    except asyncio.IncompleteReadError:
        return b""
    finally:
        writer.close()


def require_ours(answer: bytes) -> None:
    head = answer.partition(b"\r\n\r\n")[0].lower()
    names = {line.partition(b":")[0] for line in head.split(b"\r\n")[1:]}
    assert {name.lower().encode() for name in headers.SECURITY_HEADERS} <= names
    assert not {b"server", b"date", b"set-cookie"} & names
    assert CANARY not in answer


async def test_malformed_requests(desk: RunningDesk) -> None:
    answers = await asyncio.gather(*(talk(desk, data) for data in REFUSED.values()))
    for title, answer in zip(REFUSED, answers, strict=True):
        assert answer[9:12] == b"400", title
        assert answer.endswith(BODIES[400]), title
        require_ours(answer)


async def test_odd_requests_open_nothing(desk: RunningDesk) -> None:
    answers = await asyncio.gather(*(talk(desk, data) for data in ODD.values()))
    for title, answer in zip(ODD, answers, strict=True):
        if answer:
            assert int(answer[9:12]) in OURS - {200}, (title, answer[:200])
            require_ours(answer)
        else:
            assert "chunk" in title, title


async def test_a_foreign_host_is_refused_before_anything_else(desk: RunningDesk) -> None:
    """Another site's name that points to this computer (DNS rebinding)."""
    for host in (b"evil.example", b"127.0.0.1", b"localhost:1", b""):
        token = urlsplit(desk.entry).query.encode()
        answer = await talk(desk, b"GET /?" + token + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
        assert answer[9:12] in {b"400", b"403"}, host
        require_ours(answer)
