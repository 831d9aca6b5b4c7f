# SPDX-License-Identifier: AGPL-3.0-or-later
"""Uploads interrupted at random points: servers, connections, programs and tabs, more than 50 in
all, the same in every run as far as timing allows.

Each time the upload resumes or says plainly what happened; nothing half ever lies on a desk; every
receipt that was shown finds its report.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import random
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from crypto.receipt import parse_receipt
from crypto.rng import system_rng
from tests.support.cutting_proxy import CuttingProxy
from tests.support.desk_contents import Opened, open_desk
from tests.support.firefox import Firefox
from tests.support.sealed_client import SealedClient, SealedFile, Sealer, seal_file
from tests.support.sealing_reporter import SealingReporter
from tests.system.test_kill import BROKEN, House, collected
from whistle.limits import MIB, PIECE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SERVER_KILLS = 20
CONNECTION_CUTS = 15
TOOL_KILLS = 10
TAB_CLOSINGS = 6
TAB_RELOADS = 2
BROWSER_KILLS = 3
BROWSER_CUTS = 3
STORY = "Diminta biaya administrasi di loket tiga."


@contextlib.asynccontextmanager
async def interrupted(folder: Path) -> AsyncIterator[tuple[House, CuttingProxy]]:
    """Both servers, and a proxy before the intake."""
    house = House(folder)
    try:
        await house.intake.start()
        await house.cases.start()
        async with CuttingProxy(int(house.url.rpartition(":")[2])) as proxy:
            yield house, proxy
    finally:
        house.intake.stop()
        house.cases.stop()


async def on_the_desk(house: House) -> dict[str, Opened]:
    """Everything the desk holds, once all is collected; fails on anything half."""
    await collected(house)
    house.cases.stop()
    house.check_integrity("intake")
    house.check_integrity("cases")
    connection = house._open("cases")
    try:
        return open_desk(connection, house.cases_state / "blobs", house.org)
    finally:
        connection.close()


async def finds_report(house: House, sealer: Sealer) -> None:
    """The receipt opens its thread at the intake."""
    async with SealedClient(house.url) as client:
        status, answer = await client.read(sealer)
        assert status == 200, answer


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# --- servers and connections --------------------------------------------------------------------


async def deliver(base: str, sealer: Sealer, file: SealedFile) -> None:
    """Upload a file and report it, however often something breaks; only the missing is sent."""
    value = sealer.report(STORY, [file])
    while True:
        try:
            async with SealedClient(base) as client:
                status, answer = await client.report(sealer, value)
                if status == 200:
                    return
                assert answer == {"error": "incomplete"}, answer
                await client.upload(file)
        except BROKEN:
            await asyncio.sleep(0.05)


async def test_servers_killed_and_connections_cut(tmp_path: Path) -> None:
    chance = random.Random(62)
    blows = ["kill"] * SERVER_KILLS + ["cut"] * CONNECTION_CUTS
    chance.shuffle(blows)
    shown: list[tuple[Sealer, str]] = []
    stop = asyncio.Event()

    async def reporter(base: str) -> None:
        while not stop.is_set():
            await asyncio.sleep(chance.uniform(0, 0.4))
            content = system_rng(7 * PIECE + 77)
            sealer, file = Sealer(house.org), seal_file(content)
            await deliver(base, sealer, file)
            shown.append((sealer, digest(content)))

    async with interrupted(tmp_path) as (house, proxy):
        async with asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(reporter(proxy.base))
            for number, blow in enumerate(blows):
                await asyncio.sleep(chance.uniform(0.05, 0.5))
                if blow == "cut":
                    await cut_something(proxy)
                else:
                    server = house.cases if number % 4 == 3 else house.intake
                    server.kill()
                    await server.start()
            stop.set()
        for sealer, _ in shown:
            await finds_report(house, sealer)
        desk = await on_the_desk(house)
    assert len(shown) >= 2
    expected = {sealer.keys.lookup_id.hex(): [file] for sealer, file in shown}
    assert {thread: case.files for thread, case in desk.items()} == expected
    assert house.count("intake", "SELECT count(*) FROM uploads") == 0


async def cut_something(proxy: CuttingProxy) -> None:
    """Tear the connections there are; wait for one if a reporter is between two."""
    while not proxy.cut():
        await asyncio.sleep(0.01)


# --- the program --------------------------------------------------------------------------------


class Tool:
    """`whistle seal … --send` as a process."""

    def __init__(self, house: House, base: str, folder: Path, file: Path) -> None:
        self._house, self._base, self._folder, self._file = house, base, folder, file
        self._count = 0

    async def start(self) -> tuple[asyncio.subprocess.Process, Path]:
        """Begin; returns the process and where its bundle will be."""
        self._count += 1
        out = self._folder / f"bundle-{self._count}.whb"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "whistle", "seal", str(self._file),
            "--manifest", self._base, "--send", self._base, "--answer", f"story={STORY}",
            "--instance", self._house.org.instance_id.hex(), "--out", str(out), "--json",
            env={**os.environ, "LANG": "en"}, cwd=self._folder,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        return process, out


async def said(process: asyncio.subprocess.Process) -> str | None:
    """The words a finished program showed, if it did."""
    out, errors = await process.communicate()
    if process.returncode is not None and process.returncode < 0:
        return None
    assert process.returncode == 0, errors.decode()
    result = json.loads(out)
    assert result["sent"], errors.decode()
    return str(result["receipt"]["en"])


async def upload_bundle(house: House, bundle: Path) -> str:
    """Hand in by hand what a killed program left; returns the page's answer."""
    form = aiohttp.FormData()
    async with aiohttp.ClientSession() as session:
        with bundle.open("rb") as data:
            form.add_field("bundle", data, filename="bundle.whb")
            async with session.post(f"{house.url}/en/sealed", data=form) as answer:
                assert answer.status in {200, 422}
                return await answer.text()


async def test_the_program_killed(tmp_path: Path) -> None:
    chance = random.Random(63)
    content = system_rng(20_000_000)
    file = tmp_path / "rekaman.bin"
    file.write_bytes(content)
    receipts: list[str] = []
    async with interrupted(tmp_path) as (house, proxy):
        tool = Tool(house, proxy.base, tmp_path, file)
        for number in range(TOOL_KILLS):
            process, bundle = await tool.start()
            await begun(process, bundle)
            await asyncio.sleep(chance.uniform(0, 0.6))
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            words = await said(process)
            receipts += [words] if words else []
            if number % 5 == 0:
                page = await upload_bundle(house, bundle)
                assert 'role="status"' in page or 'role="alert"' in page, page
        process, _ = await tool.start()
        words = await said(process)
        assert words
        receipts.append(words)
        for each in receipts:
            await finds_report(house, Sealer(house.org, parse_receipt(each)))
        desk = await on_the_desk(house)
    assert {tuple(case.files) for case in desk.values()} == {(digest(content),)}
    assert len(desk) >= len(receipts)
    assert len(receipts) <= TOOL_KILLS, "no blow hit the program before it was done"


async def begun(process: asyncio.subprocess.Process, bundle: Path) -> None:
    """Wait until the program has begun to write what it sealed."""
    deadline = time.monotonic() + 30
    while not bundle.exists():
        assert process.returncode is None
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


# --- tabs ---------------------------------------------------------------------------------------


class Visit:
    """One tab that reports with a file, and what happened to it."""

    def __init__(self, reporter: SealingReporter, content: bytes) -> None:
        self.reporter = reporter
        self.content = content
        self.words: list[str] = []
        self.finished = False

    async def begin(self, file: Path) -> None:
        """Fill in and press."""
        file.write_bytes(self.content)
        await self.reporter.open("report")
        await self.reporter.fill({"story": STORY}, [file])
        await self.reporter.press_send()

    async def note_words(self) -> None:
        """Keep the words if they are on the screen."""
        if await self.reporter.page.count("ol.words"):
            self.words = (await self.reporter.page.text("ol.words")).split()

    async def finish(self) -> None:
        """Go on as a person does: press again where the page says so, wait for the files."""
        waiting = "document.querySelector('ol.words, [role=alert] [data-do=again]') !== null"
        await self.reporter.wait_until(waiting)
        while not await self.reporter.page.count("ol.words"):
            text = await self.reporter.page.text("[role=alert]")
            assert "Tidak ada yang hilang" in text
            await self.reporter.page.click("[data-do=again]", navigates=False)
            await asyncio.sleep(1)
            await self.reporter.wait_until(waiting)
        await self.note_words()
        await self.reporter.all_files_arrived()
        self.finished = True


async def strike(blow: str, visit: Visit, house: House, proxy: CuttingProxy) -> None:
    """Interrupt a visit, and let the reporter go on if there still is one."""
    page = visit.reporter.page
    if blow == "kill":
        house.intake.kill()
        await house.intake.start()
    elif blow == "cut":
        proxy.cut()
    else:
        await visit.note_words()
        await (page.close() if blow == "close" else page.goto(f"{proxy.base}/id/report"))
        return
    await visit.finish()
    await page.close()


@pytest.mark.browser
async def test_tabs_closed_and_servers_gone(tmp_path: Path) -> None:
    chance = random.Random(64)
    blows = ["close"] * TAB_CLOSINGS + ["reload"] * TAB_RELOADS
    blows += ["kill"] * BROWSER_KILLS + ["cut"] * BROWSER_CUTS
    chance.shuffle(blows)
    visits: list[Visit] = []
    async with interrupted(tmp_path) as (house, proxy), Firefox(level="standard") as firefox:
        for number, blow in enumerate(blows):
            reporter = SealingReporter(await firefox.new_page(), proxy.base)
            visit = Visit(reporter, system_rng(12 * MIB + number))
            visits.append(visit)
            await visit.begin(tmp_path / f"rekaman-{number}.bin")
            await asyncio.sleep(chance.uniform(0.05, 2.5))
            await strike(blow, visit, house, proxy)
        told = [visit for visit in visits if visit.words]
        for visit in told:
            sealer = Sealer(house.org, parse_receipt(" ".join(visit.words)))
            await finds_report(house, sealer)
        desk = await on_the_desk(house)
    assert sum(visit.finished for visit in visits) == BROWSER_KILLS + BROWSER_CUTS
    assert len(told) > BROWSER_KILLS + BROWSER_CUTS, "no tab was closed behind a receipt"
    for visit in told:
        keys = Sealer(house.org, parse_receipt(" ".join(visit.words))).keys
        case = desk[keys.lookup_id.hex()]
        assert case.story == STORY
        assert case.files == [digest(visit.content)] or (not visit.finished and not case.files)


def test_there_are_fifty() -> None:
    blows = SERVER_KILLS + CONNECTION_CUTS + TOOL_KILLS + TAB_CLOSINGS + TAB_RELOADS
    assert blows + BROWSER_KILLS + BROWSER_CUTS >= 50
