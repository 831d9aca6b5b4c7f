# SPDX-License-Identifier: AGPL-3.0-or-later
"""`make demo`: one report, from the form to the contested closing, through a private Tor network
on loopback.

Real tor, real Firefox at Safest (JavaScript off), the real programs as a person starts them. One
line per step; the last line is `demo: N of N steps held`, and the exit code is 1 if one did not.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.demo.steps import Steps
from tests.demo.story import FOLLOW_UPS, REPORT
from tests.support.browser_reporter import BrowserReporter
from tests.support.canaries import find_in_files
from tests.support.firefox import Firefox
from tests.support.service import DeskCommands, Service, files_below
from tests.support.tornet import TorNetwork

DAYS_UNTIL_LATE = 16
"""Five working days after assessment, whatever holidays lie between (policy: first_step)."""


class Demo:
    """The actors and what they remember between steps."""

    def __init__(self, folder: Path, network: TorNetwork, firefox: Firefox) -> None:
        self.folder = folder
        self.firefox = firefox
        torrc = folder / "torrc-extra"
        torrc.write_text("\n".join(network.torrc_lines) + "\n", encoding="utf-8")
        self.tor_flags = ("--torrc-extra", torrc)
        self.service = Service(folder / "state", *self.tor_flags)
        self.words: list[str] = []
        self.case = ""
        self.assignee = ""

    @property
    def investigator(self) -> DeskCommands:
        return self.service.desk(self.assignee)

    async def reporter(self) -> BrowserReporter:
        """A fresh page: nothing of an earlier visit is left in it."""
        page = await self.firefox.new_page(width=1000)
        return BrowserReporter(page, f"http://{self.service.ready['onion']}")

    async def look(self) -> str:
        """What the reporter reads with the code."""
        reporter = await self.reporter()
        return await reporter.look(self.words)

    async def publish(self) -> str:
        await asyncio.to_thread(self.service.start)
        reporter = await self.reporter()
        text = await reporter.wait_for_landing()
        if "pungli" not in text.lower():
            raise AssertionError("the landing page does not say what it is for")
        return str(self.service.ready["onion"])

    async def report(self) -> str:
        photo, slip = self.folder / "loket.jpg", self.folder / "catatan.txt"
        photo.write_bytes(b"\xff\xd8\xff\xe0" + bytes(range(256)) * 1200)
        slip.write_text("Rp 150.000, tanpa kuitansi, bulan April\n", encoding="utf-8")
        reporter = await self.reporter()
        self.words = await reporter.send(REPORT, [photo, slip])
        if len(self.words) != 12:
            raise AssertionError(f"{len(self.words)} words instead of 12")
        return "12 words, shown once"

    async def arrive(self) -> str:
        cases = await asyncio.to_thread(self.service.desk("pengawas").wait_for, 1)
        self.case, self.assignee = cases[0]["case"], cases[0]["assignee"]
        return f"{self.case}, assigned to {self.assignee}, first answer due {cases[0]['next_due']}"

    async def open(self) -> str:
        shown = await asyncio.to_thread(self.investigator.run, "show", self.case)
        if REPORT["story"] not in str(shown):
            raise AssertionError("the opened report is not what was written")
        target = self.folder / "evidence"
        await asyncio.to_thread(self.investigator.run, "files", self.case, "--to", target)
        photo = (self.folder / "loket.jpg").read_bytes()
        if photo not in [path.read_bytes() for path in target.iterdir()]:
            raise AssertionError("the photo did not arrive as it was sent")
        return "text and both files as they were sent"

    async def act(self, to: str, *more: str, person: str | None = None) -> dict[str, object]:
        desk = self.service.desk(person or self.assignee)
        words = ("act", self.case, "--to", to, "--message", FOLLOW_UPS[to], *more)
        return await asyncio.to_thread(desk.run, *words)

    async def assess(self) -> str:
        await self.act("assessing")
        return await self.expect("Ditelaah", FOLLOW_UPS["assessing"])

    async def late(self) -> str:
        flags = (*self.tor_flags, "--demo-days-ahead", str(DAYS_UNTIL_LATE))
        await asyncio.to_thread(self.service.restart, *flags)
        await (await self.reporter()).wait_for_landing()
        return await self.expect("Lewat tenggat")

    async def examine(self) -> str:
        await self.act("examining")
        return await self.expect("Diperiksa", FOLLOW_UPS["examining"])

    async def propose(self) -> str:
        answer = await self.act("upheld_fixed")
        if answer["status"] != "awaiting_second":
            raise AssertionError("one person alone could close the case")
        if FOLLOW_UPS["upheld_fixed"] in await self.look():
            raise AssertionError("the reporter sees a closing that only one person signed")
        return "waits for a second person; the reporter sees nothing yet"

    async def close(self) -> str:
        second = "pengawas" if self.assignee != "pengawas" else "penyidik-1"
        await self.act("upheld_fixed", person=second)
        return await self.expect("Terbukti", FOLLOW_UPS["upheld_fixed"])

    async def contest(self) -> str:
        reporter = await self.reporter()
        await reporter.look(self.words)
        await reporter.contest("Minggu lalu di loket yang sama masih diminta.")
        for _ in range(40):
            if "Dibuka kembali" in await self.look():
                break
            await asyncio.sleep(0.5)
        return await self.expect("Dibuka kembali")

    async def sealed(self) -> str:
        files = files_below(self.service.state)
        canaries = [
            REPORT["story"][:60],
            REPORT["who"],
            *(text[:60] for text in FOLLOW_UPS.values()),
        ]
        canaries += [" ".join(self.words), "-".join(self.words)]
        found = find_in_files(canaries, files)
        if found:
            raise AssertionError(f"plaintext on the disk: {found[:3]}")
        return f"{len(files)} files searched in every encoding"

    async def expect(self, *texts: str) -> str:
        """Reads the status page until all texts are on it: the mailbox is filled within a second
        or two.
        """
        page = ""
        for _ in range(40):
            page = await self.look()
            if all(text in page for text in texts):
                return f"the reporter reads “{texts[0]}”"
            await asyncio.sleep(0.5)
        raise AssertionError(f"the status page does not show “{texts[0]}”")


async def play(folder: Path) -> int:
    """Plays all steps; returns the exit code."""
    steps = Steps(sys.stdout)
    print("starting a private Tor network and Firefox (about half a minute) …", flush=True)
    network = TorNetwork(folder / "tor-network")
    await asyncio.to_thread(network.start)
    try:
        async with Firefox(level="safest", socks_port=network.client_socks_port) as firefox:
            demo = Demo(folder, network, firefox)
            try:
                await steps.play("the onion service is published", demo.publish)
                await steps.play("a report is sent, JavaScript off", demo.report)
                await steps.play("it arrives as a case with a due date", demo.arrive)
                await steps.play("the investigator opens it", demo.open)
                await steps.play("assessing, with a visible message", demo.assess)
                await steps.play("two weeks of silence are overdue, in public", demo.late)
                await steps.play("examining, with a visible message", demo.examine)
                await steps.play("one person cannot close", demo.propose)
                await steps.play("a second person can", demo.close)
                await steps.play("the reporter contests, the case is reopened", demo.contest)
                await steps.play("nothing of it lies readable on the disk", demo.sealed)
            finally:
                await asyncio.to_thread(demo.service.stop)
    finally:
        await asyncio.to_thread(network.stop)
    return steps.finish()


def main() -> int:
    """A folder of its own, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="whistle-demo-") as name:
        return asyncio.run(play(Path(name)))


if __name__ == "__main__":
    sys.exit(main())
