# SPDX-License-Identifier: AGPL-3.0-or-later
"""A server that gets no more memory: it says `busy` or is ended, and nothing is lost."""

import resource
from pathlib import Path

import pytest

from tests.support.faults import kinds, listening_to_logs
from tests.support.feed_records import waiting
from tests.support.http_reporter import Draft, HttpReporter, UnexpectedAnswerError
from tests.support.intake import running_intake
from tests.system.test_kill import BROKEN, collected, running
from whistle.intake import store
from whistle.troubles import NO_MEMORY

LARGE = {"story": "x" * 49_000}
REPORTS = 6


@pytest.mark.slow
async def test_a_limit_on_the_running_intake(tmp_path: Path) -> None:
    async with running(tmp_path) as house, HttpReporter(house.url) as reporter:
        await reporter.send(await reporter.draft({"story": "pemanasan " * 20}))
        drafts = [await reporter.draft(LARGE | {"place": str(n)}) for n in range(REPORTS)]
        pid = house.intake.pid
        _soft, hard = resource.prlimit(pid, resource.RLIMIT_AS)
        resource.prlimit(pid, resource.RLIMIT_AS, (size_of(pid), hard))
        refused = 0
        for draft in drafts:
            refused += await press(reporter, draft) is None
        assert refused
        assert NO_MEMORY in kinds((tmp_path / "intake.log").read_text())
        house.intake.kill()
        await house.intake.start()
        for draft in drafts:
            words = await reporter.send(draft)
            assert 'class="steps"' in await reporter.look(words)
        await collected(house)
        assert house.count("cases", "SELECT count(*) FROM cases") == REPORTS + 1


async def press(reporter: HttpReporter, draft: Draft) -> list[str] | None:
    try:
        return await reporter.send(draft)
    except (*BROKEN, UnexpectedAnswerError):
        return None


def size_of(pid: int) -> int:
    """Bytes of address space in use."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()


async def test_whoever_meets_it_gets_the_text_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object) -> None:
        raise MemoryError

    with listening_to_logs() as log:
        async with running_intake(tmp_path) as intake, HttpReporter(intake.base) as reporter:
            draft = await reporter.draft({"story": "laporan " * 20})
            with monkeypatch.context() as patch:
                patch.setattr(store, "_insert_record", exhausted)
                with pytest.raises(UnexpectedAnswerError, match="503"):
                    await reporter.send(draft)
            assert NO_MEMORY in kinds(log.getvalue())
            words = await reporter.send(draft)
            assert 'class="steps"' in await reporter.look(words)
            assert waiting(intake) == 1
