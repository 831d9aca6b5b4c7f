# SPDX-License-Identifier: AGPL-3.0-or-later
"""Coarse in size, coarse in time."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from whistle.cli import main
from whistle.commands import metrics as command
from whistle.commands.errors import CommandError
from whistle.http import metering, serve
from whistle.metrics import KINDS, SNAPSHOT_EVERY, Meter, coarse, kind_of


@pytest.mark.parametrize(
    ("count", "told"),
    [(-1, "0"), (0, "0"), (1, "<10"), (9, "<10"), (10, "10+"), (99, "10+"), (100, "100+"),
     (123_456, "100000+")],
)  # fmt: skip
def test_a_count_is_told_as_its_order(count: int, told: str) -> None:
    assert coarse(count) == told


@pytest.mark.parametrize(
    ("status", "kind"),
    [(200, "answered"), (303, "answered"), (404, "refused"), (422, "refused"), (503, "busy"),
     (500, "failed"), (504, "failed")],
)  # fmt: skip
def test_kinds(status: int, kind: str) -> None:
    assert kind_of(status) == kind
    assert kind in KINDS


def test_values_stand_still_between_snapshots() -> None:
    now = [0.0]
    meter = Meter(lambda: now[0], {"free": lambda: 12_345})
    first = meter.read()
    assert first["answers_answered"] == "0"
    assert first["free"] == "10000+"
    for _ in range(50):
        meter.count(200)
    now[0] = SNAPSHOT_EVERY - 1
    assert meter.read() == first
    now[0] = SNAPSHOT_EVERY
    assert meter.read()["answers_answered"] == "10+"


@pytest.fixture
async def socket(tmp_path: Path) -> AsyncIterator[Path]:
    """A server with a metrics socket that has answered 12 requests and refused one."""
    app = web.Application()

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="x")

    app.router.add_get("/", page)
    path = tmp_path / "metrics.sock"
    async with (
        metering.metering(app, path, {"free": lambda: 5}),
        serve.listening(app, tcp=("127.0.0.1", 0)) as running,
        aiohttp.ClientSession(f"http://127.0.0.1:{running.port}") as session,
    ):
        for _ in range(12):
            async with session.get("/") as answer:
                await answer.read()
        yield path


async def test_the_socket_is_private_and_tells_only_orders(
    socket: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert socket.stat().st_mode & 0o777 == 0o600
    values = await asyncio.to_thread(command.read, socket)
    assert values == {
        "answers_answered": "10+",
        "answers_refused": "0",
        "answers_busy": "0",
        "answers_failed": "0",
        "free": "<10",
    }
    code = await asyncio.to_thread(main, ["metrics", "--socket", str(socket)])
    assert code == 0
    assert "answers_answered  10+" in capsys.readouterr().out


def test_no_server_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no server answers"):
        command.read(tmp_path / "absent.sock")


async def test_without_a_socket_nothing_is_counted() -> None:
    app = web.Application()
    async with metering.metering(app, None, {}):
        assert list(app.on_response_prepare) == []
