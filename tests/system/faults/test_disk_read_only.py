# SPDX-License-Identifier: AGPL-3.0-or-later
"""A disk that turns read-only under a running server, and one that is so from the start."""

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from tests.support.faults import failing_disk, kinds, needs_mounts
from tests.support.http_reporter import HttpReporter, UnexpectedAnswerError
from tests.system.test_kill import House, collected, running
from whistle.troubles import DISK_FAILING, DISK_READ_ONLY

pytestmark = [pytest.mark.slow, needs_mounts]


def told(log: Path) -> bool:
    return not {DISK_READ_ONLY, DISK_FAILING}.isdisjoint(kinds(log.read_text()))


async def test_the_intakes_disk_turns_read_only(tmp_path: Path) -> None:
    with failing_disk(tmp_path / "intake") as disk:
        (disk.folder / "lost+found").rmdir()
        async with running(tmp_path) as house:
            async with HttpReporter(house.url) as reporter:
                before = await reporter.send(await reporter.draft({"story": "sebelum " * 30}))
                await collected(house)
                draft = await reporter.draft({"story": "sesudah " * 30})
                os.sync()
                disk.fail()
                with pytest.raises(UnexpectedAnswerError, match="503"):
                    await reporter.send(draft)
                assert told(tmp_path / "intake.log")
                house.intake.kill()
                _mend(disk.mend)
                await house.intake.start()
                after = await reporter.send(draft)
                for words in (before, after):
                    assert 'class="steps"' in await reporter.look(words)
            await collected(house)
        house.check_integrity("intake")
        assert house.count("intake", "SELECT count(*) FROM threads") == 2
        assert house.count("cases", "SELECT count(*) FROM cases") == 2


async def test_the_case_servers_disk_turns_read_only(tmp_path: Path) -> None:
    with failing_disk(tmp_path / "cases") as disk:
        (disk.folder / "lost+found").rmdir()
        async with running(tmp_path) as house:
            os.sync()
            disk.fail()
            async with HttpReporter(house.url) as reporter:
                await reporter.send(await reporter.draft({"story": "laporan " * 30}))
            async with asyncio.timeout(30):
                while not told(tmp_path / "cases.log"):
                    await asyncio.sleep(0.05)
            assert house.count("intake", "SELECT count(*) FROM records") == 1
            house.cases.kill()
            _mend(disk.mend)
            await house.cases.start()
            await collected(house)
        house.check_integrity("cases")
        assert house.count("cases", "SELECT count(*) FROM cases") == 1


async def test_neither_server_starts_on_it(tmp_path: Path) -> None:
    with failing_disk(tmp_path / "intake") as intake, failing_disk(tmp_path / "cases") as cases:
        house = House(tmp_path)
        for disk in (intake, cases):
            disk.unmount()
            disk.mount("ro")
        for server in (house.intake, house.cases):
            with pytest.raises(AssertionError, match="the state directory cannot be written"):
                await server.start()


def _mend(mend: object) -> None:
    """The dead server's files close a moment after it."""
    os.sync()
    for attempt in range(50):
        try:
            mend()  # type: ignore[operator]
            return
        except subprocess.CalledProcessError:
            if attempt == 49:
                raise
