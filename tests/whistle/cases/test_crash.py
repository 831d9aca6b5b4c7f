# SPDX-License-Identifier: AGPL-3.0-or-later
"""Killed anywhere between the first byte of a blob and the acknowledgement: nothing is lost."""

import asyncio
import hashlib
import os
import sys
from pathlib import Path

import pytest

from case_mgmt.acts import verify_chain
from case_mgmt.store.sqlcipher import connect
from tests.support.case_office import PEOPLE, TODAY
from tests.support.case_server import all_acts, built_cases
from tests.support.feed_records import mailbox, offer, report, until, waiting
from tests.support.intake import Calendar, Intake, running_intake
from tests.support.org import Org, make_org
from whistle.intake.records import Blob, Record

KILLS = 12
REPORTS = 40


class PowerCutError(BaseException):
    """Stands for the end of the process."""


async def test_a_cut_between_the_blob_and_the_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calendar = Calendar()
    async with running_intake(tmp_path, calendar) as intake:
        org = make_org(tmp_path, TODAY, people=PEOPLE)
        name, content = "0d" * 16, os.urandom(5000)
        record = report(1, (Blob(name, 5000),))
        await offer(intake, record, {name: content})
        blob = tmp_path / "cases" / "blobs" / name

        with built_cases(tmp_path, calendar, org, intake.feed_socket) as services:

            def cut(*_: object) -> None:
                raise PowerCutError

            monkeypatch.setattr(services.office, "take_in", cut)
            with pytest.raises(PowerCutError):
                await asyncio.create_task(services.puller.run())
            assert blob.read_bytes() == content
        assert waiting(intake) == 1

        with built_cases(tmp_path, calendar, org, intake.feed_socket) as services:
            assert not blob.exists()  # left over: removed at start …
            task = asyncio.create_task(services.puller.run())
            await until(lambda: bool(mailbox(intake, record)))
            task.cancel()
            assert blob.read_bytes() == content  # … and collected again
        assert waiting(intake) == 0


async def test_a_half_written_blob_is_removed_at_start(tmp_path: Path) -> None:
    org = make_org(tmp_path, TODAY, people=PEOPLE)
    with built_cases(tmp_path, Calendar(), org) as services:
        receiving = services.blobs.receive("0d" * 16, 100)  # type: ignore[arg-type]
        receiving.write(b"half")
        assert [path.name for path in (tmp_path / "cases/blobs").iterdir()] == ["0d" * 16 + ".part"]
        os.close(receiving._descriptor)
    with built_cases(tmp_path, Calendar(), org):
        assert list((tmp_path / "cases/blobs").iterdir()) == []


async def collector(intake: Intake, org: Org, state: Path) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.collector",
        str(org.dir),
        str(state),
        str(intake.feed_socket),
        TODAY.isoformat(),
        str(intake.calendar.unix),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=Path(__file__).resolve().parents[3],
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    return process


def a_record(number: int) -> tuple[Record, dict[str, bytes]]:
    name = f"{number:032x}"
    content = hashlib.sha256(name.encode()).digest() * 6000
    return report(number, (Blob(name, len(content)),)), {name: content}


@pytest.mark.slow
async def test_killed_again_and_again_while_collecting(tmp_path: Path) -> None:
    calendar = Calendar()
    async with running_intake(tmp_path, calendar) as intake:
        org = make_org(tmp_path, TODAY, people=PEOPLE)
        state = org.write_state(tmp_path / "cases", "cases")
        records = [a_record(number) for number in range(1, REPORTS + 1)]
        for kill in range(KILLS):
            for record, files in records[kill * 3 : kill * 3 + 3]:
                await offer(intake, record, files)
            process = await collector(intake, org, state)
            await asyncio.sleep(0.004 * kill)
            process.kill()
            await process.wait()
        for record, files in records[KILLS * 3 :]:
            await offer(intake, record, files)
        process = await collector(intake, org, state)
        try:
            await until(lambda: all(mailbox(intake, record) for record, _ in records), 60)
        finally:
            process.kill()
            await process.wait()
        assert waiting(intake) == 0
        for record, _ in records:
            assert mailbox(intake, record) == [(1, "received")]
        with built_cases(tmp_path, calendar, org, intake.feed_socket) as services:
            ledger = all_acts(services)
            assert len(ledger) == 2 * REPORTS
            for case in {signed.act.case for signed in ledger}:
                verify_chain([signed for signed in ledger if signed.act.case == case])
            for _, files in records:
                for name, content in files.items():
                    assert (state / "blobs" / name).read_bytes() == content
    key = (state / "db.key").read_text(encoding="ascii").strip()
    connection = connect(state / "cases.db", key, writable=True)
    assert connection.execute("PRAGMA cipher_integrity_check").fetchall() == []
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
