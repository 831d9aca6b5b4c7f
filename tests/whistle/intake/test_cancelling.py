# SPDX-License-Identifier: AGPL-3.0-or-later
"""A handler or the whole process stops at any moment: no row without its files, no files without
a row (after the next start)."""

import asyncio
import contextlib
import threading
import types
from collections.abc import Coroutine, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crypto.receipt import derive
from tests.support.intake import TODAY, built_intake
from whistle import limits
from whistle.errors import UndecidedError
from whistle.intake import sealing, store
from whistle.intake.attachments import Attachments
from whistle.intake.services import IntakeServices

FILES = (b"one" * 50_000, b"two" * 1000)
MOST_AWAITS = 60


@types.coroutine
def cut(work: Coroutine[Any, Any, None], at: int) -> Generator[Any, Any, bool]:
    """Run `work` and cancel it at its `at`-th await; whether it got that far."""
    count = 0
    value: Any = None
    while True:
        try:
            waits_for = work.send(value)
        except StopIteration:
            return False
        count += 1
        if count == at:
            break
        value = yield waits_for
    if waits_for is not None:
        waits_for._asyncio_future_blocking = False
    throw: BaseException | None = asyncio.CancelledError()
    while True:
        try:
            waits_for = work.throw(throw) if throw is not None else work.send(value)
        except (StopIteration, asyncio.CancelledError):
            return True
        throw = None
        value = yield waits_for


@dataclass
class Desk:
    """Submits reports and later messages as the handlers do."""

    services: IntakeServices
    number: int = 0

    async def _files(self, attachments: Attachments) -> None:
        for content in FILES:
            upload = attachments.open()
            upload.add(content)
            await upload.catch_up()
            await upload.finish("a.jpg", "image/jpeg")

    async def report(self) -> sealing.Accepted:
        """Everything between the form and its answer."""
        self.number += 1
        attachments = self.services.attachments()
        try:
            await self._files(attachments)
            report = sealing.Report("id", "", {"story": str(self.number)}, frozenset(), attachments)
            return await self.services.sealing.submit(report, self.services.organisation, TODAY)
        finally:
            await attachments.discard()

    async def message(self, accepted: sealing.Accepted) -> None:
        """A later message to a report."""
        self.number += 1
        thread = self.services.store.thread(accepted.keys.lookup_id)
        assert thread is not None
        attachments = self.services.attachments()
        try:
            await self._files(attachments)
            follow_up = sealing.FollowUp(
                "id", "", "message", str(self.number), 0, bytes(32), attachments
            )
            await self.services.sealing.add(
                follow_up, accepted.keys, thread, self.services.organisation, TODAY
            )
        finally:
            await attachments.discard()

    def files(self) -> set[str]:
        return {path.name for path in self.services.blobs.folder.iterdir()}

    def rows(self) -> set[str]:
        return self.services.store.blob_ids()


async def calm(services: IntakeServices) -> None:
    """Wait for what goes on behind a handler that has ended."""
    while services.disk.under_way:
        await asyncio.wait(services.disk.under_way)


async def _report(desk: Desk) -> None:
    await desk.report()


@pytest.mark.parametrize("kind", ["report", "message"])
async def test_a_handler_cancelled_at_any_await_leaves_all_or_nothing(
    tmp_path: Path, kind: str
) -> None:
    with built_intake(tmp_path) as services:
        desk = Desk(services)
        accepted = await desk.report()
        outcomes = []
        for at in range(1, MOST_AWAITS):
            before = len(desk.rows())
            work = desk.message(accepted) if kind == "message" else _report(desk)
            reached = await cut(work, at)
            await calm(services)
            assert desk.files() == desk.rows()
            outcomes.append(len(desk.rows()) - before)
            if not reached:
                break
        assert set(outcomes) == {0, len(FILES)}
        assert outcomes == sorted(outcomes)
        assert len(outcomes) > 5
        assert outcomes[-2] == len(FILES)  # cancelled while the row was being written


@pytest.mark.parametrize("kind", ["report", "message"])
async def test_the_end_of_the_process_tears_no_row(tmp_path: Path, kind: str) -> None:
    """Every task is cancelled, as asyncio does at the end, a growing number of turns later."""
    with built_intake(tmp_path) as services:
        desk = Desk(services)
        accepted = await desk.report()
        for turns in range(40):
            work = desk.message(accepted) if kind == "message" else _report(desk)
            task = asyncio.create_task(work)
            for _ in range(turns):
                await asyncio.sleep(0.0005 if turns % 2 else 0)
            everything = {task, *services.disk.under_way}
            for one in everything:
                one.cancel()
            await asyncio.gather(*everything, return_exceptions=True)
            await services.store.put_statistics("{}")  # the writer has come to what was queued
            assert desk.rows() <= desk.files()
    with built_intake(tmp_path) as services:
        assert Desk(services).rows() == Desk(services).files()


async def test_a_row_that_is_written_after_the_end_keeps_its_files(tmp_path: Path) -> None:
    with built_intake(tmp_path) as services:
        desk = Desk(services)
        await desk.report()
        gate = threading.Event()
        held = asyncio.create_task(services.store._writer.do(lambda _connection: gate.wait(10)))
        task = asyncio.create_task(desk.report())
        while len(services.disk.under_way) == 0 or not desk.files() > desk.rows():
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        (settling,) = services.disk.under_way
        settling.cancel()
        await asyncio.wait([settling])
        gate.set()
        await held
        await services.store.put_statistics("{}")
        assert len(desk.rows()) == 2 * len(FILES)
        assert desk.rows() <= desk.files()
    with built_intake(tmp_path) as services:
        assert Desk(services).rows() == Desk(services).files()


async def test_a_report_stored_before_keeps_only_its_first_files(tmp_path: Path) -> None:
    with built_intake(tmp_path) as services:
        desk = Desk(services)
        first = await desk.report()
        assert services.store.thread_day(derive(first.receipt, services.instance_id).lookup_id)
        attachments = services.attachments()
        await desk._files(attachments)
        kept = await attachments.settle(_no)
        assert not kept
        assert desk.files() == desk.rows()


async def test_a_write_that_is_undecided_keeps_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with built_intake(tmp_path) as services:
        desk = Desk(services)
        await desk.report()
        gate, begun = threading.Event(), threading.Event()
        real = store._insert_record

        def slow(*arguments: Any) -> None:
            begun.set()
            gate.wait(10)
            real(*arguments)

        monkeypatch.setattr(store, "_insert_record", slow)
        monkeypatch.setattr(limits, "WRITE_DEADLINE", 0.3)
        with pytest.raises(UndecidedError):
            await desk.report()
        assert begun.is_set()
        monkeypatch.undo()
        gate.set()
        await services.store.put_statistics("{}")
        assert len(desk.rows()) == 2 * len(FILES)
        assert desk.rows() == desk.files()


async def _no() -> bool:
    return False
