# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle-desk serve` as a process: ready file, one address, clean stop, plain mistakes."""

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.whistle.desk.bureau import Bureau, running_bureau

PROGRAM = Path(sys.executable).with_name("whistle-desk")
pytestmark = pytest.mark.slow


@pytest.fixture
async def bureau(tmp_path: Path) -> AsyncIterator[Bureau]:
    async with running_bureau(tmp_path) as made:
        yield made


async def start(bureau: Bureau, *words: object) -> asyncio.subprocess.Process:
    command = [
        "serve", "--server", bureau.url, "--keystore-dir", bureau.folder / "people",
        "--passphrase-file", bureau.passphrase_file, "--lang", "en", *words,
    ]  # fmt: skip
    return await asyncio.create_subprocess_exec(
        PROGRAM, *map(str, command), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )


async def url_in(ready: Path, process: asyncio.subprocess.Process) -> str:
    """The address, once the desk answers."""
    async with asyncio.timeout(30):
        while not ready.exists():
            assert process.returncode is None
            await asyncio.sleep(0.05)
    return str(json.loads(ready.read_text())["url"])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_ready_file_and_clean_stop(bureau: Bureau, tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    process = await start(bureau, "--port", 0, "--ready-file", ready, "--demo-days-ahead", 3)
    url = await url_in(ready, process)
    assert ready.stat().st_mode & 0o077 == 0
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session,
        session.get(url) as answer,
    ):
        assert answer.status == 200
        assert "<b>pengawas</b>" in await answer.text()
    process.send_signal(signal.SIGTERM)
    out, err = await asyncio.wait_for(process.communicate(), 20)
    assert (process.returncode, out, err) == (0, b"", b"")


async def test_an_open_browser_survives_a_crash(bureau: Bureau, tmp_path: Path) -> None:
    words = ("--port", free_port(), "--token-file", tmp_path / "desk.token", "--ready-file")
    urls = []
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        for name in ("first.json", "second.json"):
            process = await start(bureau, *words, tmp_path / name)
            urls.append(await url_in(tmp_path / name, process))
            path = urls[0] if name == "first.json" else urls[0].partition("?")[0]
            async with session.get(path) as answer:
                assert answer.status == 200
            process.kill()
            await process.communicate()
    assert urls[0] == urls[1]


async def test_a_taken_port(bureau: Bureau) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = await start(bureau, "--port", port)
        out, err = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, out) == (2, b"")
    assert err.decode() == f"whistle-desk: Port {port} is taken. Choose another with --port.\n"


async def test_a_wrong_passphrase_stops_at_once(bureau: Bureau) -> None:
    bureau.passphrase_file.write_text("bukan ini\n")
    process = await start(bureau, "--port", 0)
    _out, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 4
    assert err.decode().startswith("whistle-desk: The key file pengawas.keystore does not open.")
