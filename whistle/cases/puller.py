# SPDX-License-Identifier: AGPL-3.0-or-later
"""Collects sealed reports from the intake and brings notices and counts back, for ever.

Invariants
* A record is acknowledged only after it and its blobs are durable here; the intake erases it then.
  That every blob is here is looked at once more where the record is committed.
* A record that cannot be taken in stays with the intake, is counted, and does not hold up others:
  more records are asked for by as many, those behind them if nothing came of these, and whatever
  failed before is tried last.
* An attachment the intake has lost for good does not keep its report from a desk, which says so.
* Notices and counts are brought back even when nothing could be taken in.
* Whatever goes wrong, the loop goes on, with growing pauses; `status` tells how it fares.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Set
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from case_mgmt.errors import CaseError, RecordError, UnknownThreadError
from case_mgmt.model import RecordId
from case_mgmt.records import Record, parse_record, record_id
from case_mgmt.store.ports import Blob
from whistle import logs
from whistle.cases.deliveries import Deliveries, Desk
from whistle.cases.errors import FeedError, FeedGoneError, FeedLostError
from whistle.cases.feed import FeedClient
from whistle.cases.limits import (
    BACKOFF_FIRST,
    BACKOFF_MAX,
    FEED_BATCH,
    FEED_MAX_BATCH,
    GONE_TRIES,
)
from whistle.cases.progress import PullerStatus
from whistle.errors import WhistleError

Connect = Callable[[], AbstractAsyncContextManager[FeedClient]]


@dataclass
class _Pass:
    """What one look at the feed has done."""

    done: list[RecordId] = field(default_factory=list)
    failed: bool = False
    lost: bool = False


class Puller:
    """The loop."""

    def __init__(self, desk: Desk, connect: Connect, poll_seconds: float) -> None:
        self._desk = desk
        self._connect = connect
        self._poll = poll_seconds
        self._wake = asyncio.Event()
        self._unusable: set[RecordId] = set()
        self._waiting: set[RecordId] = set()
        self._failures: Counter[RecordId | None] = Counter()
        self.status = PullerStatus()
        self._deliveries = Deliveries(desk, self.status)

    def wake(self) -> None:
        """Something waits to be pushed: do not sleep."""
        self._wake.set()

    async def run(self) -> None:
        """Collect and bring back until cancelled."""
        pause = BACKOFF_FIRST
        while True:
            try:
                async with self._connect() as feed:
                    self._deliveries.begin()
                    while True:
                        more = await self.once(feed)
                        pause = BACKOFF_FIRST
                        self._well()
                        if not more:
                            await self._sleep(self._poll)
            except Exception as error:
                self._unwell(error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, BACKOFF_MAX)

    async def once(self, feed: FeedClient) -> bool:
        """One look at the feed and one delivery; whether more is waiting.

        Raises the trouble of collecting, if there was any, after the delivery.
        """
        trouble: Exception | None = None
        more = False
        try:
            more = await self._collect(feed)
        except FeedLostError:
            raise
        except (WhistleError, CaseError) as error:
            trouble = error
        self._wake.clear()
        left = await self._deliveries.bring(feed)
        if trouble is not None:
            raise trouble
        return left or more

    async def _collect(self, feed: FeedClient) -> bool:
        """Take in what is listed; whether there is more.  Raises FeedError if some could not be."""
        seen = _Pass()
        more = await self._look(feed, seen)
        self.status.waiting, self.status.failing = len(self._waiting), len(self._failures)
        if seen.done:
            await feed.acknowledge(seen.done)
            self.status.collected += len(seen.done)
        if seen.lost:
            raise FeedLostError("the connection to the feed failed")
        if seen.failed:
            raise FeedError("a record could not be stored")
        return bool(seen.done) and more

    async def _look(self, feed: FeedClient, seen: _Pass) -> bool:
        """Take in a listing, and what is behind it while nothing comes of it; whether more wait."""
        stuck = self._unusable | self._waiting | set(self._failures)
        limit = min(FEED_BATCH + len(stuck), FEED_MAX_BATCH)
        met: set[RecordId | None] = set()
        after: RecordId | None = None
        while True:
            listed, more = await feed.records(limit, after)
            met |= {record_id(item) for item in listed}
            for item in sorted(listed, key=lambda item: self._failures[record_id(item)]):
                if not seen.lost:
                    await self._take(feed, item, seen)
            after = record_id(listed[-1]) if listed else None
            if not more or after is None or seen.done or seen.lost:
                break
        if not more:
            self._forget_all_but(met)
        return more

    def _forget_all_but(self, listed: Set[RecordId | None]) -> None:
        """What the intake holds no more need not be allowed for."""
        self._unusable &= listed
        self._waiting &= listed
        for identifier in set(self._failures) - listed:
            del self._failures[identifier]

    async def _take(self, feed: FeedClient, item: Any, seen: _Pass) -> None:
        """Take in one record; whatever goes wrong with it must not stop the others."""
        identifier = record_id(item)
        try:
            record = await self._complete(feed, parse_record(item))
            await self._desk.threads.write(lambda: self._store(record))
        except UnknownThreadError:
            if identifier is not None:
                self._waiting.add(identifier)
        except RecordError as error:
            self._set_aside(identifier, error)
        except Exception as error:
            logs.get("cases").error("record not stored", **logs.describe(error))
            self._failures[identifier] += 1
            seen.failed = True
            seen.lost = isinstance(error, FeedLostError)
        else:
            self._failures.pop(identifier, None)
            self._waiting.discard(record.id)
            seen.done.append(record.id)

    async def _complete(self, feed: FeedClient, record: Record) -> Record:
        """Bring its attachments; without those that the intake has told often enough are lost.

        The message still names them, so every desk sees that they are missing.
        """
        here = []
        for blob in record.blobs:
            try:
                await self._fetch(feed, blob, record)
            except FeedGoneError:
                if self._failures[record.id] < GONE_TRIES:
                    raise
                logs.get("cases").error("an attachment is lost at the intake")
            else:
                here.append(blob)
        return replace(record, blobs=tuple(here))

    def _store(self, record: Record) -> None:
        """Commit a record.  Raises FeedError if one of its blobs is not here (any more)."""
        desk = self._desk
        if not all(desk.blobs.has(blob.id, blob.size) for blob in record.blobs):
            raise FeedError("a blob of the record is missing")
        desk.office.take_in(record, desk.rules())

    def _set_aside(self, identifier: RecordId | None, error: RecordError) -> None:
        known = identifier is None or identifier in self._unusable
        if identifier is not None:
            self._unusable.add(identifier)
        self.status.unusable = max(len(self._unusable), 1)
        if not known:
            logs.get("cases").error("record unusable", **logs.describe(error))

    async def _fetch(self, feed: FeedClient, blob: Blob, record: Record) -> None:
        """Bring a sealed attachment to the disk unless it is there."""
        disk, folder = self._desk.threads.disk, self._desk.blobs
        if await disk(lambda: folder.has(blob.id, blob.size)):
            return
        receiving = await disk(lambda: folder.receive(blob.id, blob.size))
        try:
            async with aclosing(feed.blob(blob.id)) as pieces:
                async for piece in pieces:
                    await disk(lambda data=piece: receiving.write(data))  # type: ignore[misc]
            await disk(lambda: receiving.finish(record.day))
        finally:
            await disk(receiving.abandon)

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    def _well(self) -> None:
        if not self.status.connected:
            logs.get("cases").info("feed connected")
        self.status.connected, self.status.problem = True, None

    def _unwell(self, error: Exception) -> None:
        name = type(error).__name__
        if self.status.problem != name:
            logs.get("cases").warning("feed interrupted", **logs.describe(error))
        self.status.connected, self.status.problem = False, name
