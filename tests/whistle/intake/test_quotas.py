# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bytes that wait for the case server: counted, bounded, free again once collected."""

import pytest

from tests.support.http_reporter import HttpReporter, UnexpectedAnswerError
from tests.support.intake import Intake
from whistle import limits
from whistle.errors import RefusedError
from whistle.intake.memory import Budget

FILE = [("a.bin", b"x" * 1000)]


def _waiting(intake: Intake) -> int:
    return intake.services.store.waiting_bytes()


async def _collect(intake: Intake) -> None:
    store = intake.services.store
    await store.acknowledge([record.id for record in store.records(100, 10**9)])


async def test_files_count_until_they_are_collected(intake: Intake, reporter: HttpReporter) -> None:
    assert _waiting(intake) == 0
    await reporter.send(await reporter.draft({"story": "Satu."}, FILE))
    assert _waiting(intake) > 1000
    await _collect(intake)
    assert _waiting(intake) == 0


async def test_when_all_is_full_texts_still_come_in(
    intake: Intake, reporter: HttpReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    await reporter.send(await reporter.draft({"story": "Satu."}, FILE))
    monkeypatch.setattr(limits, "MAX_FILES_WAITING", _waiting(intake))
    with pytest.raises(UnexpectedAnswerError):
        await reporter.send(await reporter.draft({"story": "Dua."}, FILE))
    await reporter.send(await reporter.draft({"story": "Tiga."}))
    await _collect(intake)
    await reporter.send(await reporter.draft({"story": "Empat."}, FILE))


async def test_the_transaction_decides(
    intake: Intake, reporter: HttpReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_FILES_WAITING", 100)  # nothing waits yet: the file begins
    with pytest.raises(UnexpectedAnswerError):
        await reporter.send(await reporter.draft({"story": "Satu."}, FILE))
    assert _waiting(intake) == 0
    assert intake.blob_files() == []


async def test_one_code_cannot_fill_the_disk(
    intake: Intake, reporter: HttpReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = await reporter.send(await reporter.draft({"story": "Satu."}, FILE))
    monkeypatch.setattr(limits, "MAX_THREAD_WAITING", _waiting(intake))
    page = await reporter.look(words)
    with pytest.raises(UnexpectedAnswerError):
        await reporter.write(page, "Dua.", FILE)
    await reporter.write(page, "Tiga.")
    await reporter.send(await reporter.draft({"story": "Orang lain."}, FILE))
    assert len(intake.blob_files()) == 2


def test_files_leave_memory_for_texts() -> None:
    budget = Budget(100, 40)
    budget.take(60, leaving_spare=True)
    with pytest.raises(RefusedError):
        budget.take(1, leaving_spare=True)
    budget.take(40)
