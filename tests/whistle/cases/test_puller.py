# SPDX-License-Identifier: AGPL-3.0-or-later
"""Collecting from a real intake: nothing lost, nothing twice, and no end to trying."""

import contextlib
import errno
import os
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from case_mgmt.errors import StoreError
from case_mgmt.model import State
from crypto.rng import system_rng
from tests.support.case_office import PEOPLE, TODAY, a_report, feed_item
from tests.support.case_server import CaseServer, all_acts, built_cases, running_cases
from tests.support.feed_records import (
    add_record,
    add_thread,
    mailbox,
    occupy,
    offer,
    report,
    until,
    waiting,
)
from tests.support.intake import Calendar, Intake, running_intake
from tests.support.org import make_org
from whistle.cases import puller
from whistle.cases.blobs import Receiving
from whistle.cases.errors import FeedError, FeedLostError, FeedRefusedError
from whistle.cases.feed import FeedAddress, FeedClient, FeedSigner, Listing, connect
from whistle.intake.records import Blob


@contextlib.asynccontextmanager
async def a_pair(tmp_path: Path) -> AsyncIterator[tuple[Intake, CaseServer]]:
    """An intake and a case server that share an organisation and a calendar."""
    calendar = Calendar()
    async with running_intake(tmp_path, calendar) as intake:
        org = make_org(tmp_path, TODAY, people=PEOPLE)
        async with running_cases(tmp_path, calendar, org, intake.feed_socket) as cases:
            yield intake, cases


async def test_a_report_travels_and_an_answer_comes_back(tmp_path: Path) -> None:
    async with a_pair(tmp_path) as (intake, cases):
        content = os.urandom(700_000)
        name = "0d" * 16
        record = report(1, (Blob(name, len(content)),))
        await offer(intake, record, {name: content})
        await until(lambda: bool(mailbox(intake, record)))
        assert waiting(intake) == 0
        assert intake.blob_files() == []
        (summary,) = (await cases.ask("pengawas", "GET", "/v1/queue")).json["cases"]
        case = summary["case"]
        target = f"/v1/cases/{case}/blobs/{name}"
        assert (await cases.ask("pengawas", "GET", target)).body == content
        assert (await cases.submit(case, "pengawas", "assessing")).status == 200
        await until(lambda: len(mailbox(intake, record)) == 2)
        assert mailbox(intake, record) == [(1, "received"), (3, "assessing")]
        await until(lambda: cases.services.puller.status.pushed == 2)
        status = (await cases.ask("pengawas", "GET", "/v1/status")).json["feed"]
        assert status == {
            "connected": True,
            "collected": 1,
            "pushed": 2,
            "unusable": 0,
            "waiting": 0,
            "failing": 0,
            "refused": 0,
            "problem": None,
        }


async def test_counts_are_handed_over(tmp_path: Path) -> None:
    async with a_pair(tmp_path) as (intake, _):
        await until(lambda: intake.services.statistics is not None)
        for number in range(11):
            await offer(intake, report(number))
        await until(lambda: getattr(intake.services.statistics, "received", None) == 11)


async def test_a_later_message_travels(tmp_path: Path) -> None:
    async with a_pair(tmp_path) as (intake, cases):
        record = report(1)
        await offer(intake, record)
        message = replace(
            record, id=b"m" * 16, kind="follow_up", intent="withdraw", mailbox_key=None
        )
        await offer(intake, message)
        await until(lambda: len(mailbox(intake, record)) == 2)
        assert mailbox(intake, record)[-1][1] == "withdrawn"
        (summary,) = (await cases.ask("pengawas", "GET", "/v1/queue")).json["cases"]
        assert summary["state"] == State.WITHDRAWN


async def test_an_unusable_record_stays_and_does_not_hold_up_others(tmp_path: Path) -> None:
    async with a_pair(tmp_path) as (intake, cases):
        await offer(intake, replace(report(1), container=b"not a container"))
        good = report(2)
        await offer(intake, good)
        await until(lambda: bool(mailbox(intake, good)))
        assert waiting(intake) == 1
        assert cases.services.puller.status.unusable == 1


async def test_a_message_without_its_report_waits(tmp_path: Path) -> None:
    async with a_pair(tmp_path) as (intake, cases):
        orphan = replace(report(1), id=b"o" * 16, kind="follow_up", mailbox_key=None)
        await add_thread(intake, orphan)
        await add_record(intake, orphan)
        other = report(2)
        await offer(intake, other)
        await until(lambda: bool(mailbox(intake, other)))
        assert waiting(intake) == 1
        assert cases.services.puller.status.connected


async def test_a_missing_blob_does_not_hold_up_others_and_is_tried_again(tmp_path: Path) -> None:
    async with a_pair(tmp_path) as (intake, cases):
        name, content = "0d" * 16, os.urandom(5000)
        await offer(intake, report(1, (Blob(name, 5000),)))  # its file is not there
        good = report(2)
        await offer(intake, good)
        await until(lambda: bool(mailbox(intake, good)))
        assert waiting(intake) == 1
        await until(lambda: cases.services.puller.status.problem is not None)
        intake.services.blobs.path(name).write_bytes(content)
        await until(lambda: waiting(intake) == 0)
        assert len(all_acts(cases.services)) == 4


async def test_an_attachment_lost_at_the_intake_does_not_keep_its_report_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(puller, "GONE_TRIES", 2)
    async with a_pair(tmp_path) as (intake, cases):
        lost, kept, content = "0d" * 16, "0e" * 16, os.urandom(5000)
        record = report(1, (Blob(lost, 7000), Blob(kept, 5000)))
        await offer(intake, record, {kept: content})
        await until(lambda: bool(mailbox(intake, record)))
        await until(lambda: waiting(intake) == 0)
        assert cases.services.office.known_blobs() == {kept}
        assert len((await cases.ask("pengawas", "GET", "/v1/queue")).json["cases"]) == 1


async def test_records_that_cannot_be_taken_do_not_hide_those_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(puller, "FEED_BATCH", 2)
    monkeypatch.setattr(puller, "FEED_MAX_BATCH", 2)
    async with a_pair(tmp_path) as (intake, cases):
        for number in range(5):
            await offer(intake, replace(report(number), container=b"not a container"))
        good = report(9)
        await offer(intake, good)
        await until(lambda: bool(mailbox(intake, good)))
        await until(lambda: waiting(intake) == 5)
        assert cases.services.puller.status.unusable == 5
        assert cases.services.puller.status.connected


async def test_counts_that_are_refused_are_not_pushed_again(tmp_path: Path) -> None:
    org = make_org(tmp_path, TODAY, people=PEOPLE)
    feed = ScriptedFeed(feed_item(), b"")

    async def refuse(_counts: object) -> None:
        feed.published += 1
        raise FeedRefusedError("out of form")

    feed.publish = refuse  # type: ignore[method-assign]
    with built_cases(tmp_path, Calendar(), org) as services:
        for _ in range(3):
            await services.puller._deliveries._publish(feed)  # type: ignore[arg-type]
    assert feed.published == 1


async def test_a_blob_the_disk_has_no_room_for_does_not_stop_the_feed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_pair(tmp_path) as (intake, cases):
        write = Receiving.write
        full = True

        def no_room(self: Receiving, piece: bytes) -> None:
            if full and self._size > 100_000:
                raise OSError(errno.ENOSPC, "No space left on device")
            write(self, piece)

        monkeypatch.setattr(Receiving, "write", no_room)
        name, content = "0d" * 16, os.urandom(200_000)
        big = report(1, (Blob(name, len(content)),))
        await offer(intake, big, {name: content})
        others = [report(number) for number in range(2, 6)]
        for other in others:
            await offer(intake, other)
        await until(lambda: all(mailbox(intake, other) for other in others))
        assert waiting(intake) == 1
        await until(lambda: cases.services.puller.status.failing == 1)
        full = False
        await until(lambda: bool(mailbox(intake, big)))
        await until(lambda: cases.services.puller.status.failing == 0)


async def test_records_that_wait_or_are_unusable_do_not_fill_the_listing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(puller, "FEED_BATCH", 2)
    async with a_pair(tmp_path) as (intake, cases):
        await offer(intake, replace(report(1), container=b"not a container"))
        for number in range(3):
            identifier = (7000 + number).to_bytes(16)
            orphan = replace(report(1), id=identifier, kind="follow_up", mailbox_key=None)
            await add_record(intake, orphan)
        good = report(2)
        await offer(intake, good)
        await until(lambda: bool(mailbox(intake, good)))
        status = cases.services.puller.status
        assert (status.unusable, status.waiting) == (1, 3)
        assert status.connected


@pytest.mark.parametrize("trouble", [FeedError("listing"), StoreError("disk")])
async def test_notices_are_brought_back_though_nothing_can_be_taken_in(
    tmp_path: Path, trouble: Exception
) -> None:
    org = make_org(tmp_path, TODAY, people=PEOPLE)
    feed = ScriptedFeed(feed_item(), b"")

    async def fail(_limit: int, _after: object) -> Listing:
        raise trouble

    feed.records = fail  # type: ignore[method-assign]
    with built_cases(tmp_path, Calendar(), org) as services:
        services.office.take_in(a_report(1), services.rules())
        with pytest.raises(type(trouble)):
            await services.puller.once(feed)  # type: ignore[arg-type]
        assert services.office.outbox(10) == []
        assert feed.published == 1


async def test_a_blob_that_vanishes_before_the_commit_is_no_acknowledgement(tmp_path: Path) -> None:
    org = make_org(tmp_path, TODAY, people=PEOPLE)
    item = {**feed_item(), "blobs": [{"id": "0d" * 16, "size": 50}]}
    feed = ScriptedFeed(item, bytes(50))
    with built_cases(tmp_path, Calendar(), org) as services:
        fetch = services.puller._fetch

        async def fetch_and_lose(*arguments: Any) -> None:
            await fetch(*arguments)
            (tmp_path / "cases" / "blobs" / ("0d" * 16)).unlink()

        services.puller._fetch = fetch_and_lose  # type: ignore[method-assign]
        with pytest.raises(FeedError):
            await services.puller.once(feed)  # type: ignore[arg-type]
        assert all_acts(services) == []
        assert feed.acknowledged == []
        services.puller._fetch = fetch  # type: ignore[method-assign]
        await services.puller.once(feed)  # type: ignore[arg-type]
        assert feed.acknowledged == [item["id"]]


@dataclass
class ScriptedFeed:
    """A feed that hands out one record with a blob of any bytes, or stalls."""

    item: dict[str, Any]
    content: bytes | None
    acknowledged: list[str] = field(default_factory=list)
    published: int = 0

    async def records(self, _limit: int, _after: object) -> Listing:
        return Listing([self.item], more=False)

    async def blob(self, _blob: str) -> AsyncGenerator[bytes, None]:
        if self.content is None:
            raise FeedLostError("stalled")
        for start in range(0, len(self.content), 7):
            yield self.content[start : start + 7]

    async def acknowledge(self, records: list[str]) -> None:
        self.acknowledged += records

    async def push(self, _entries: object) -> None:
        pass

    async def publish(self, _counts: object) -> None:
        self.published += 1


@pytest.mark.parametrize("content", [bytes(49), bytes(51), b"", None])
async def test_a_blob_of_the_wrong_size_is_not_taken(tmp_path: Path, content: bytes | None) -> None:
    org = make_org(tmp_path, TODAY, people=PEOPLE)
    item = {**feed_item(), "blobs": [{"id": "0d" * 16, "size": 50}]}
    feed = ScriptedFeed(item, content)
    with built_cases(tmp_path, Calendar(), org) as services:
        with pytest.raises(FeedError):
            await services.puller.once(feed)  # type: ignore[arg-type]
        assert all_acts(services) == []
        assert feed.acknowledged == []
        assert list((tmp_path / "cases" / "blobs").iterdir()) == []
        feed.content = bytes(50)
        await services.puller.once(feed)  # type: ignore[arg-type]
        assert feed.acknowledged == [item["id"]]
        blob = tmp_path / "cases" / "blobs" / ("0d" * 16)
        assert blob.read_bytes() == bytes(50)
        assert blob.stat().st_mode & 0o777 == 0o600


async def test_the_feed_may_come_later_and_go_away(tmp_path: Path) -> None:
    calendar = Calendar()
    org = make_org(tmp_path, TODAY, people=PEOPLE)
    async with running_cases(tmp_path, calendar, org, tmp_path / "f.sock") as cases:
        status = cases.services.puller.status
        await until(lambda: status.problem is not None)
        assert not status.connected
        for _ in range(2):
            async with running_intake(tmp_path, calendar):
                await until(lambda: status.connected)
            await until(lambda: not status.connected)


async def test_collecting_again_after_a_crash_before_the_acknowledgement(tmp_path: Path) -> None:
    calendar = Calendar()
    async with running_intake(tmp_path, calendar) as intake:
        org = make_org(tmp_path, TODAY, people=PEOPLE)
        record = report(1)
        await offer(intake, record)
        for _ in range(3):
            with built_cases(tmp_path, calendar, org, intake.feed_socket) as services:
                async with feed_of(intake) as feed:
                    feed.acknowledge = never  # type: ignore[method-assign,assignment]
                    with pytest.raises(ConnectionError):
                        await services.puller.once(feed)
                assert len(all_acts(services)) == 2
        assert waiting(intake) == 1


async def test_a_store_that_refuses_is_no_acknowledgement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_pair(tmp_path) as (intake, cases):
        broken = True
        take_in = cases.services.office.take_in

        def fail(*arguments: Any) -> Any:
            if broken:
                raise StoreError("disk full")
            return take_in(*arguments)

        monkeypatch.setattr(cases.services.office, "take_in", fail)
        await offer(intake, report(1))
        await until(lambda: cases.services.puller.status.problem == "FeedError")
        assert waiting(intake) == 1
        broken = False
        await until(lambda: waiting(intake) == 0)


async def test_a_notice_the_intake_refuses_does_not_hold_up_others(tmp_path: Path) -> None:
    async with a_pair(tmp_path) as (intake, cases):
        first, second = report(1), report(2)
        await add_thread(intake, first)
        await occupy(intake, first.thread, 1)
        await add_record(intake, first)
        await offer(intake, second)
        await until(lambda: bool(mailbox(intake, second)))
        await until(lambda: cases.services.puller.status.refused == 1)
        await until(lambda: cases.services.office.outbox(10) == [])


async def test_any_error_is_outlived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_pair(tmp_path) as (intake, cases):
        failures = 0
        once = cases.services.puller.once

        async def fail(feed: FeedClient) -> bool:
            nonlocal failures
            failures += 1
            if failures < 3:
                raise RuntimeError("unheard of")
            return await once(feed)

        monkeypatch.setattr(cases.services.puller, "once", fail)
        record = report(1)
        await offer(intake, record)
        await until(lambda: bool(mailbox(intake, record)))
        assert failures >= 3


def feed_of(intake: Intake, seed: bytes | None = None) -> Any:
    signer = FeedSigner(
        seed or intake.org.service_seeds["cases"],
        intake.org.instance_id,
        intake.calendar.now,
        system_rng,
    )
    return connect(FeedAddress(socket=intake.feed_socket), signer)


async def never(*_: object) -> None:
    raise ConnectionError
