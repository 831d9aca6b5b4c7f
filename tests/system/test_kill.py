# SPDX-License-Identifier: AGPL-3.0-or-later
"""SIGKILL at random moments while reports arrive: whatever was shown is there, nothing is half
there.

A reporter whose connection breaks presses the button again, as people do, with the same form. So
at the end there are exactly as many threads at the intake, and cases at the case server, as
receipts were shown.
"""

import asyncio
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
import sqlcipher3.dbapi2 as sqlcipher

from tests.support.http_reporter import Draft, HttpReporter
from tests.support.org import Org, make_org

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

KILLS = 100
LONGEST_THOUGHT = 0.4
"""Seconds between a person's reports; keeps the run at some hundreds of reports."""

REPORTERS = 4
PHOTO = bytes(range(256)) * 800


class Server:
    """One server process that is killed and started again."""

    def __init__(self, command: list[str], ready: Path, log: Path) -> None:
        self._command = [*command, "--ready-file", str(ready)]
        self._ready = ready
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        self._ready.unlink(missing_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while not self._ready.exists():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def run_instead(self, program: list[str]) -> None:
        """Puts another program in the place of `python -P -m whistle`."""
        self._command[: self._command.index("whistle") + 1] = program

    def kill(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class House:
    """Both servers over one organisation."""

    def __init__(self, folder: Path) -> None:
        # The day at the seat (UTC+7), as the servers reckon it.
        self.org: Org = make_org(folder, (datetime.now(UTC) + timedelta(hours=7)).date())
        self.intake_state = self.org.write_state(folder / "intake", "intake")
        self.cases_state = self.org.write_state(folder / "cases", "cases")
        self.url = f"http://127.0.0.1:{free_port()}"
        whistle = [sys.executable, "-P", "-m", "whistle"]
        feed = folder / "feed.sock"
        self.intake = Server(
            [*whistle, "intake", "--org", str(self.org.dir), "--state", str(self.intake_state),
             "--listen", self.url.removeprefix("http://"), "--feed-unix", str(feed)],
            folder / "intake.ready", folder / "intake.log",
        )  # fmt: skip
        self.cases = Server(
            [*whistle, "cases", "--org", str(self.org.dir), "--state", str(self.cases_state),
             "--listen", "127.0.0.1:0", "--feed-unix", str(feed), "--poll", "0.2"],
            folder / "cases.ready", folder / "cases.log",
        )  # fmt: skip

    def count(self, server: str, sql: str) -> int:
        """One number out of a database."""
        connection = self._open(server)
        try:
            return int(connection.execute(sql).fetchone()[0])
        finally:
            connection.close()

    def check_integrity(self, server: str) -> None:
        """SQLCipher's page checks and SQLite's own."""
        connection = self._open(server)
        try:
            assert connection.execute("PRAGMA cipher_integrity_check").fetchall() == []
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        finally:
            connection.close()

    def _open(self, server: str) -> sqlcipher.Connection:
        state = self.intake_state if server == "intake" else self.cases_state
        connection = sqlcipher.connect(str(state / f"{server}.db"))
        key = (state / "db.key").read_text().strip()
        connection.execute("PRAGMA cipher_log_level = NONE")
        connection.execute(f"PRAGMA key = \"x'{key}'\"")
        return connection


@contextlib.asynccontextmanager
async def running(folder: Path) -> AsyncIterator[House]:
    house = House(folder)
    try:
        await house.intake.start()
        await house.cases.start()
        yield house
    finally:
        house.intake.stop()
        house.cases.stop()


BROKEN = (aiohttp.ClientError, ConnectionError, TimeoutError, asyncio.IncompleteReadError)


async def press_until_shown(reporter: HttpReporter, number: int) -> list[str]:
    """Fills in one form and presses its button until a receipt is shown."""
    files = [("foto.jpg", PHOTO)] if number % 3 == 0 else []
    draft: Draft | None = None
    while True:
        try:
            if draft is None:
                draft = await reporter.draft({"story": f"laporan {number} " * 60}, files)
            return await reporter.send(draft)
        except BROKEN:
            await asyncio.sleep(0.05)


async def report_until(
    house: House, stop: asyncio.Event, first: int, shown: list[list[str]]
) -> None:
    chance = random.Random(first)
    async with HttpReporter(house.url) as reporter:
        number = first
        while not stop.is_set():
            shown.append(await press_until_shown(reporter, number))
            number += REPORTERS
            await asyncio.sleep(chance.uniform(0, LONGEST_THOUGHT))


async def test_a_shown_receipt_survives_killed_servers(tmp_path: Path) -> None:
    chance = random.Random(20261121)
    shown: list[list[str]] = []
    stop = asyncio.Event()
    async with running(tmp_path) as house:
        async with asyncio.TaskGroup() as group:
            for first in range(REPORTERS):
                group.create_task(report_until(house, stop, first, shown))
            for kill in range(KILLS):
                await asyncio.sleep(chance.uniform(0.01, 0.4))
                server = house.cases if kill % 3 == 2 else house.intake
                server.kill()
                await server.start()
            stop.set()
        assert len(shown) >= KILLS // 2
        async with HttpReporter(house.url) as reporter:
            for words in shown:
                page = await reporter.look(words)
                assert 'class="steps"' in page, "a shown receipt has no report"
        await collected(house)
    house.check_integrity("intake")
    house.check_integrity("cases")
    assert house.count("intake", "SELECT count(*) FROM threads") == len(shown)
    assert house.count("cases", "SELECT count(*) FROM cases") == len(shown)
    assert [path.name for path in (house.intake_state / "blobs").rglob("*") if path.is_file()] == []
    assert len([p for p in (house.cases_state / "blobs").rglob("*") if p.is_file()]) == house.count(
        "cases", "SELECT count(*) FROM blobs"
    )


async def collected(house: House) -> None:
    """Waits until the case server has taken everything in."""
    for _ in range(300):
        if house.count("intake", "SELECT count(*) FROM records") == 0:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("records were left at the intake")
