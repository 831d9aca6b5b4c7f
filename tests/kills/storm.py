# SPDX-License-Identifier: AGPL-3.0-or-later
"""A house whose processes are killed all the time while people work, and what is true afterwards.

Intake, case server and a desk at work are each killed at random moments of their own, also while
they start. Reporters send reports with and without files, look, and write again; whoever meets a
broken connection does what people do: presses again, or looks and then writes again.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

from case_mgmt.acts import verify_chain
from case_mgmt.store.sqlcipher import open_store
from tests.kills.desk_worker import Journal, device_key
from tests.support.http_reporter import HttpReporter, UnexpectedAnswerError
from tests.support.org import DEMO_PEOPLE
from tests.system.test_kill import BROKEN, PHOTO, House, collected, free_port
from whistle.overwriting import ENVIRONMENT

TROUBLE = (*BROKEN, UnexpectedAnswerError)
EARLY = 0.25
"""Share of the kills that do not wait until the process is ready."""

LONGEST_LIFE = {"intake": 0.9, "cases": 0.9, "desk": 3.0}
"""Seconds; an act of the office is several requests, each through a case server that lives."""

START = 60.0


class Nursery:
    """The process from which all victims are started."""

    def __init__(self, log: Path) -> None:
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.kills.nursery"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                env={**os.environ, **ENVIRONMENT}, text=True,
            )  # fmt: skip

    def start(self, program: str, words: list[str], log: Path) -> int:
        """Starts a program; returns its process number."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"program": program, "words": words, "log": str(log)}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


class Victim:
    """One process: killed, and started again at once."""

    def __init__(self, name: str, words: list[str], folder: Path, nursery: Nursery) -> None:
        self.name = name
        self._words, self._nursery = words, nursery
        self._ready, self._log = folder / f"{name}.ready", folder / f"{name}.log"
        self._pid = 0

    def start(self) -> None:
        self._ready.unlink(missing_ok=True)
        program = "desk" if self.name == "desk" else "whistle"
        self._pid = self._nursery.start(program, self._words, self._log)

    async def ready(self) -> None:
        """Waits until it answers."""
        deadline = time.monotonic() + START
        while not self._ready.exists():
            assert _lives(self._pid), f"{self.name}: {self._log.read_text()[-2000:]}"
            assert time.monotonic() < deadline, f"{self.name} does not get ready"
            await asyncio.sleep(0.01)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        if self._pid and _lives(self._pid):
            self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        os.kill(self._pid, how)
        deadline = time.monotonic() + START
        while _lives(self._pid):
            assert time.monotonic() < deadline, f"{self.name} does not end"
            time.sleep(0.002)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@dataclass
class Thread:
    """What a reporter was shown, and wrote later."""

    words: list[str]
    wrote: list[str] = field(default_factory=list)


@dataclass
class Told:
    """What the storm did; every number is counted, none is guessed."""

    kills: Counter[str] = field(default_factory=Counter)
    threads: list[Thread] = field(default_factory=list)
    looks: int = 0
    troubles: int = 0
    acts: int = 0
    seconds: float = 0.0

    def lines(self) -> list[str]:
        killed = ", ".join(f"{name} {count}" for name, count in sorted(self.kills.items()))
        later = sum(len(thread.wrote) for thread in self.threads)
        return [
            f"{self.kills.total()} SIGKILLs in {self.seconds:.0f} s: {killed}",
            (
                f"{len(self.threads)} reports shown a receipt, {later} later messages, "
                f"{self.looks} looks, {self.acts} acts of the office"
            ),
            f"{self.troubles} times somebody met a broken connection or a busy page",
            (
                "each receipt has its report, each message and act is there once, chains and "
                "databases are sound"
            ),
        ]


class StormHouse(House):
    """The two servers and an office at work, as victims."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.journal = Journal(folder / "desk.journal")
        cases_url = f"http://127.0.0.1:{free_port()}"
        feed = str(folder / "feed.sock")
        self._nursery = Nursery(folder / "nursery.log")

        def server(name: str, state: Path, url: str, *more: str) -> list[str]:
            return [name, "--org", str(self.org.dir), "--state", str(state), "--listen",
                    url.removeprefix("http://"), "--feed-unix", feed, "--ready-file",
                    str(folder / f"{name}.ready"), *more]  # fmt: skip

        words = {
            "intake": server("intake", self.intake_state, self.url),
            "cases": server("cases", self.cases_state, cases_url, "--poll", "0.2"),
            "desk": [str(self.org.dir), cases_url, str(folder / "desk.journal")],
        }
        self.victims = {
            name: Victim(name, each, folder, self._nursery) for name, each in words.items()
        }

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        try:
            for victim in self.victims.values():
                victim.start()
                await victim.ready()
            yield
        finally:
            for victim in reversed(self.victims.values()):
                victim.stop()
            self._nursery.close()


@dataclass(frozen=True)
class Plan:
    """How much: SIGKILLs, and seconds after which no more are begun (None: as long as it takes)."""

    kills: int
    seconds: float | None = None
    reporters: int = 4
    seed: int = 20261121


class Storm:
    """Reporters and killers over one house."""

    def __init__(self, house: StormHouse, plan: Plan, tell: Callable[[str], None]) -> None:
        self._house, self._plan, self._tell = house, plan, tell
        self._stop = asyncio.Event()
        self.told = Told()

    async def run(self) -> Told:
        """Kills, then waits until all is quiet and looks at everything."""
        started = time.monotonic()
        async with self._house.at_work():
            async with asyncio.TaskGroup() as group:
                for number in range(self._plan.reporters):
                    group.create_task(self._report(number))
                killers = [self._kill(victim) for victim in self._house.victims.values()]
                await asyncio.gather(*killers)
                self._stop.set()
            for victim in self._house.victims.values():
                await victim.ready()
            self._house.victims["desk"].kill()
            await self._settle()
            self.told.seconds = time.monotonic() - started
            await self._look_at_pages()
        self._look_at_disks()
        return self.told

    def _is_over(self, started: float) -> bool:
        limit = self._plan.seconds
        late = limit is not None and time.monotonic() - started > limit
        return late or self.told.kills.total() >= self._plan.kills

    async def _kill(self, victim: Victim) -> None:
        chance = random.Random(f"{self._plan.seed} {victim.name}")
        started = time.monotonic()
        while not self._is_over(started):
            if chance.random() >= EARLY:
                await victim.ready()
            await asyncio.sleep(chance.uniform(0.0, LONGEST_LIFE[victim.name]))
            if self._is_over(started):
                return
            victim.kill()
            victim.start()
            self.told.kills[victim.name] += 1
            if self.told.kills.total() % 50 == 0:
                self._tell(f"{self.told.kills.total()} kills, {len(self.told.threads)} reports")

    async def _report(self, first: int) -> None:
        chance = random.Random(f"{self._plan.seed} reporter {first}")
        number = first
        async with HttpReporter(self._house.url) as reporter:
            while not self._stop.is_set():
                files = [("foto.jpg", PHOTO)] if number % 3 == 0 else []
                words = await self._until_shown(reporter, f"laporan {number} " * 40, files)
                thread = Thread(words)
                self.told.threads.append(thread)
                number += self._plan.reporters
                if chance.random() < 0.5:
                    thread.wrote.append(await self._write_once(reporter, words, number))
                await asyncio.sleep(chance.uniform(0, 0.6))

    async def _until_shown(
        self, reporter: HttpReporter, story: str, files: list[tuple[str, bytes]]
    ) -> list[str]:
        """One form; its button is pressed until a receipt is shown."""
        draft = None
        while True:
            try:
                draft = draft or await reporter.draft({"story": story}, files)
                return await reporter.send(draft)
            except TROUBLE:
                await self._pause()

    async def _write_once(self, reporter: HttpReporter, words: list[str], number: int) -> str:
        """A later message; after a broken connection the page is looked at before writing again."""
        text = f"tambahan {number} dari pelapor ini saja"
        while True:
            try:
                page = await reporter.look(words)
                self.told.looks += 1
                if text in page:
                    return text
                await reporter.write(page, text)
            except TROUBLE:
                await self._pause()

    async def _pause(self) -> None:
        self.told.troubles += 1
        await asyncio.sleep(0.1)

    async def _settle(self) -> None:
        """The desk's open questions are answered, everything collected, every notice delivered."""
        desk = self._house.victims["desk"]
        for _ in range(20):
            if not self._house.journal.unfinished():
                break
            desk.start()
            await desk.ready()
            await asyncio.sleep(0.5)
            desk.kill()
        assert self._house.journal.unfinished() == []
        await collected(self._house)
        for _ in range(600):
            if self._house.count("cases", "SELECT count(*) FROM outbox") == 0:
                return
            await asyncio.sleep(0.1)
        raise AssertionError("notices were left at the case server")

    async def _look_at_pages(self) -> None:
        """Every receipt opens its report; every message of both sides stands there once."""
        pages: list[str] = []
        async with HttpReporter(self._house.url) as reporter:
            for thread in self.told.threads:
                page = await reporter.look(thread.words)
                assert 'class="steps"' in page, "a shown receipt has no report"
                for text in thread.wrote:
                    assert page.count(text) == 1, "a reporter's message is missing or doubled"
                pages.append(page)
        whole = "\n".join(pages)
        for texts in self._house.journal.done().values():
            for text in texts:
                assert whole.count(text) == 1, "an office's message is missing or doubled"

    def _look_at_disks(self) -> None:
        house, shown = self._house, len(self.told.threads)
        later = sum(len(thread.wrote) for thread in self.told.threads)
        for server in ("intake", "cases"):
            house.check_integrity(server)
        assert house.count("intake", "SELECT count(*) FROM threads") == shown
        assert house.count("cases", "SELECT count(*) FROM cases") == shown
        assert house.count("cases", "SELECT count(*) FROM records") == shown + later
        assert list((house.intake_state / "blobs").iterdir()) == []
        assert len([*(house.cases_state / "blobs").iterdir()]) == house.count(
            "cases", "SELECT count(*) FROM blobs"
        )
        self.told.acts = _count_acts(house)


def _count_acts(house: StormHouse) -> int:
    """Verifies every chain; the office's acts are exactly those it knows to have arrived."""
    key = (house.cases_state / "db.key").read_text(encoding="ascii").strip()
    store = open_store(house.cases_state / "cases.db", key)
    try:
        with store.reading() as unit:
            acts = list(unit.ledger())
    finally:
        store.close()
    keys = {device_key(person) for person, _, _ in DEMO_PEOPLE}
    chains: dict[str, list[object]] = {}
    for signed in acts:
        chains.setdefault(signed.act.case, []).append(signed)
    for chain in chains.values():
        verify_chain(chain)  # type: ignore[arg-type]
    assert len({signed.hash for signed in acts}) == len(acts)
    by_office = Counter(str(signed.act.case) for signed in acts if signed.act.signer in keys)
    assert by_office == Counter({c: len(texts) for c, texts in house.journal.done().items()})
    return by_office.total()


async def storm(folder: Path, plan: Plan, tell: Callable[[str], None]) -> Told:
    """A storm over a fresh house in `folder`; every broken promise is an AssertionError."""
    return await Storm(StormHouse(folder), plan, tell).run()
