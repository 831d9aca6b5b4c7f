# SPDX-License-Identifier: AGPL-3.0-or-later
"""A full disk, a real one: what was shown is there, what was not shown can be sent again, and the
servers go on by themselves once there is room.
"""

import asyncio
from pathlib import Path

import pytest

from tests.support.faults import fill, kinds, listening_to_logs, needs_mounts, small_disk
from tests.support.http_reporter import HttpReporter, UnexpectedAnswerError
from tests.support.intake import running_intake
from tests.system.test_kill import PHOTO, House, collected, running
from whistle.troubles import DISK_FULL

pytestmark = [pytest.mark.slow, needs_mounts]
MOST = 80


async def fill_by_reporting(reporter: HttpReporter) -> tuple[list[list[str]], str]:
    """Reports until the disk is full: the receipts shown, and the page that refuses."""
    shown: list[list[str]] = []
    for number in range(MOST):
        try:
            draft = await reporter.draft({"story": f"laporan {number} " * 400})
            shown.append(await reporter.send(draft))
        except UnexpectedAnswerError as error:
            return shown, str(error)
    raise AssertionError("the disk did not fill up")


async def test_the_intakes_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "intake") as disk:
        async with running(tmp_path) as house:
            house.cases.stop()
            async with HttpReporter(house.url) as reporter:
                filler = fill(disk, leave=300_000)
                shown, refusal = await fill_by_reporting(reporter)
                assert ": 503: " in refusal
                assert DISK_FULL in kinds((tmp_path / "intake.log").read_text())
                filler.unlink()
                draft = await reporter.draft({"story": "sesudah ada tempat " * 20})
                shown.append(await reporter.send(draft))
                for words in shown:
                    assert 'class="steps"' in await reporter.look(words)
            await house.cases.start()
            await collected(house)
        _counted(house, len(shown))


async def test_the_case_servers_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "cases") as disk:
        async with running(tmp_path) as house:
            filler = fill(disk)
            async with HttpReporter(house.url) as reporter:
                for number in range(2):
                    files = [("foto.jpg", PHOTO)]
                    draft = await reporter.draft({"story": f"laporan {number} " * 9}, files)
                    await reporter.send(draft)
            await _logged(tmp_path / "cases.log")
            assert house.count("intake", "SELECT count(*) FROM records") == 2
            filler.unlink()
            await collected(house)
        _counted(house, 2)
        assert len([*(house.cases_state / "blobs").iterdir()]) == 2


async def test_no_room_for_files_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the reserve files are refused and text is taken; the operator is told why."""
    with listening_to_logs() as log:
        async with running_intake(tmp_path) as intake, HttpReporter(intake.base) as reporter:
            monkeypatch.setattr(intake.services.blobs, "free_bytes", lambda: 1000)
            draft = await reporter.draft({"story": "laporan " * 20}, [("foto.jpg", PHOTO)])
            with pytest.raises(UnexpectedAnswerError, match="tidak punya tempat"):
                await reporter.send(draft)
            await reporter.send(await reporter.draft({"story": "tanpa foto " * 20}))
    assert DISK_FULL in kinds(log.getvalue())


async def _logged(log: Path) -> None:
    async with asyncio.timeout(30):
        while DISK_FULL not in kinds(log.read_text()):
            await asyncio.sleep(0.05)


def _counted(house: House, reports: int) -> None:
    for server in ("intake", "cases"):
        house.check_integrity(server)
    assert house.count("intake", "SELECT count(*) FROM threads") == reports
    assert house.count("cases", "SELECT count(*) FROM cases") == reports
