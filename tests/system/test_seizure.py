# SPDX-License-Identifier: AGPL-3.0-or-later
"""Seizure: 200 reports, follow-ups and looks at the status, then everything is taken.

Sixty seconds after the last request the servers are frozen and searched: the intake's disk, its
memory and the logs, and the same of the case server. Nothing a reporter wrote, no code, no key of
a reporter and no cookie may be there, in any encoding, not even a remnant. The same search finds
leaks that are planted in memory, on the disk and in the log, and everything in the memory of a
server whose freed memory is not overwritten.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crypto.receipt import derive, parse_receipt
from tests.support.http_reporter import HttpReporter
from tests.support.seizure import (
    Part,
    canaries_in,
    canary,
    codes_in,
    files_of,
    memory_of,
    references_in,
    secrets_in,
)
from tests.system.test_kill import House, Server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can read a hardened process"),
]

REPORTS = 200
TOGETHER = 8
CANARIES = 2_000
SECONDS_UNTIL_SEIZED = 60.0
WIDE = ("", " “kutipan”", " 🙂")
"""What makes Python hold a text in one, two or four bytes each."""

LEAK = """
import sys
from pathlib import Path
from whistle.intake import forms
from whistle.cli import main

kept, folder = [], Path({folder!r})
original = forms.check

def leaking(fields, texts, ids):
    kept.append([text[:30].encode() for text in texts.values()])
    print(texts.get("story", ""), file=sys.stderr, flush=True)
    if texts.get("place"):
        (folder / "leak.tmp").write_text(texts["place"], encoding="utf-16")
    return original(fields, texts, ids)

forms.check = leaking
main()
"""


@dataclass
class Written:
    """What reporters wrote and were given."""

    canaries: list[str] = field(default_factory=list)
    codes: list[list[str]] = field(default_factory=list)
    secrets: dict[bytes, str] = field(default_factory=dict)

    def canary(self) -> str:
        self.canaries.append(canary())
        return self.canaries[-1]

    def keep_secrets(self, words: list[str], instance_id: bytes) -> None:
        """The receipt, the keys of the reporter alone, and nothing the intake is meant to keep."""
        receipt = parse_receipt(" ".join(words))
        keys = derive(receipt, instance_id)
        self.codes.append(words)
        self.secrets[receipt.raw] = "receipt"
        self.secrets[keys.state_key] = "state key"
        self.secrets[keys.auth_seed] = "key of the client"
        self.secrets[keys.sign_seed] = "signing key"


async def report(house: House, number: int, written: Written) -> None:
    """One reporter: a report, a wrong code, the right code, a later message."""
    wide = WIDE[number % len(WIDE)]
    fields = {name: written.canary() + wide for name in ("story", "place", "who", "danger")}
    fields["story"] = f"{fields['story']} {written.canary() * (1 + number % 40)}"
    name, content, later = written.canary(), written.canary(), written.canary()
    files = [(f"{name}.txt", content.encode() * (1 + 3_000 * (number % 2)))]
    async with HttpReporter(house.url) as reporter:
        words = await reporter.send(await reporter.draft(fields, files))
        await reporter.look([*words[:-1], written.canary().lower()])
        page = await reporter.look(words)
        files = [(f"{written.canary()}.txt", content.encode())]
        assert later in await reporter.write(page, later + wide, files)
        for cookie in reporter.cookies():
            written.secrets[cookie.encode()] = "cookie"
    written.keep_secrets(words, house.org.instance_id)


async def play(house: House, reports: int) -> Written:
    written = Written()
    for first in range(0, reports, TOGETHER):
        numbers = range(first, min(first + TOGETHER, reports))
        await asyncio.gather(*(report(house, number, written) for number in numbers))
    return written


@contextlib.contextmanager
def frozen(server: Server) -> Iterator[int]:
    """A process does not change while its image is taken."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield server.pid
    finally:
        os.kill(server.pid, signal.SIGCONT)


def image_of(server: Server) -> list[Part]:
    with frozen(server) as pid:
        return list(memory_of(pid))


def search(parts: list[Part], written: Written, work: Path) -> list[str]:
    """Everything that was found."""
    found = [hit for part in parts for hit in canaries_in(part)]
    found += [hit for part in parts for hit in codes_in(part, written.codes)]
    found += references_in(parts, written.codes)
    return found + secrets_in(parts, written.secrets, work)


def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The seized disk (with temporary files and logs), and a place for the search's own files."""
    disk, work = tmp_path / "disk", tmp_path / "work"
    (disk / "tmp").mkdir(parents=True)
    work.mkdir()
    monkeypatch.setenv("TMPDIR", str(disk / "tmp"))
    return disk, work


async def test_a_seizure_finds_nothing_of_two_thousand_canaries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, work = folders(tmp_path, monkeypatch)
    house = House(disk)
    try:
        await house.intake.start()
        await house.cases.start()
        written = await play(house, REPORTS)
        assert len(written.canaries) >= CANARIES
        await asyncio.sleep(SECONDS_UNTIL_SEIZED)
        for server in (house.intake, house.cases):
            memory = image_of(server)
            assert sum(len(part.content) for part in memory) > 30_000_000
            assert search(memory, written, work) == []
        assert search(list(files_of(disk)), written, work) == []
        assert house.count("cases", "SELECT count(*) FROM cases") == REPORTS
    finally:
        house.intake.stop()
        house.cases.stop()


async def test_the_same_search_finds_planted_leaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, work = folders(tmp_path, monkeypatch)
    house = House(disk)
    script = disk / "leaking.py"
    script.write_text(LEAK.format(folder=str(disk)), encoding="utf-8")
    house.intake.run_instead([sys.executable, "-P", str(script)])
    try:
        await house.intake.start()
        written = await play(house, 2)
        memory = search(image_of(house.intake), written, work)
        files = search(list(files_of(disk)), written, work)
    finally:
        house.intake.stop()
    assert any("a canary (plain)" in hit for hit in memory)
    assert {hit.split(":")[0] for hit in files} == {"file intake.log", "file leak.tmp"}


async def test_without_overwriting_the_search_finds_words_keys_and_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, work = folders(tmp_path, monkeypatch)
    monkeypatch.setenv("WHISTLE_OVERWRITING", "1")  # as if it had been tried, in vain
    house = House(disk)
    try:
        await house.intake.start()
        written = await play(house, 16)
        found = search(image_of(house.intake), written, work)
    finally:
        house.intake.stop()
    kinds = ("a canary (plain)", "references to words of a code", "(bytes)")
    assert [kind for kind in kinds if not any(kind in hit for hit in found)] == []
    log = (disk / "intake.log").read_text(encoding="utf-8")
    assert "freed memory is not overwritten" in log
