# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the case server brings back to the intake: notices, public files, counts.

Invariants
* What is pushed is kept until the intake has it; the same entry always carries the same bytes.
* What the intake refuses for good is counted and not pushed again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from case_mgmt.gate import Rulebook
from case_mgmt.publication.names import has_log
from case_mgmt.service import CaseOffice
from case_mgmt.store.log_ports import PublicFile
from case_mgmt.store.ports import OutboxEntry
from whistle import logs
from whistle.cases.blobs import BlobFolder
from whistle.cases.errors import FeedRefusedError
from whistle.cases.feed import FeedClient
from whistle.cases.limits import FILES_BATCH, FILES_BYTES, OUTBOX_BATCH, OUTBOX_BYTES
from whistle.cases.progress import PullerStatus
from whistle.cases.threads import Threads

SENT = "sent"
REFUSED = "refused"


@dataclass(frozen=True)
class Desk:
    """Where collected records go."""

    office: CaseOffice
    blobs: BlobFolder
    threads: Threads
    rules: Callable[[], Rulebook]


class Deliveries:
    """Everything that goes the other way, each kind in its order."""

    def __init__(self, desk: Desk, status: PullerStatus) -> None:
        self._desk = desk
        self._status = status
        self._counted: tuple[int, date] | None = None
        self._published: dict[str, Any] | None = None
        self._checked = True
        """Whether the intake was asked how many public files it holds, on this connection."""

    def begin(self) -> None:
        """A new connection: what the intake holds may have changed."""
        self._checked = not has_log(self._desk.rules().manifest)

    async def bring(self, feed: FeedClient) -> bool:
        """Deliver what waits; whether there is more."""
        left = await self._push(feed)
        left = await self._push_files(feed) or left
        await self._publish(feed)
        return left

    async def _push(self, feed: FeedClient) -> bool:
        """Deliver waiting notices; whether there are more."""
        office, threads = self._desk.office, self._desk.threads
        entries = _fitting(await threads.read(lambda: office.outbox(OUTBOX_BATCH)))
        if not entries:
            return False
        try:
            await feed.push(entries)
        except FeedRefusedError:
            await self._push_singly(feed, entries)
            return True
        await self._end(entries, SENT)
        return True

    async def _push_files(self, feed: FeedClient) -> bool:
        """Deliver public files in their order; whether there are more."""
        office, threads = self._desk.office, self._desk.threads
        if not self._checked:
            held = await feed.public_files()
            await threads.write(lambda: office.compare_public(held))
            self._checked = True
        files = await threads.read(lambda: office.unpushed_files(FILES_BATCH, FILES_BYTES))
        if not files:
            return False
        try:
            await feed.push_files(files)
        except FeedRefusedError:
            await self._push_files_singly(feed, files)
        await threads.write(lambda: office.files_pushed([each.serial for each in files]))
        return True

    async def _push_files_singly(self, feed: FeedClient, files: Sequence[PublicFile]) -> None:
        """Deliver all but those the intake refuses for good: they must not hold up the log."""
        for each in files:
            try:
                await feed.push_files([each])
            except FeedRefusedError:
                logs.get("cases").error("public file refused by the intake")
                self._status.refused += 1

    async def _push_singly(self, feed: FeedClient, entries: list[OutboxEntry]) -> None:
        """Find out which of several notices the intake refuses."""
        for entry in entries:
            try:
                await feed.push([entry])
            except FeedRefusedError:
                logs.get("cases").error("notice refused by the intake")
                self._status.refused += 1
                await self._end([entry], REFUSED)
            else:
                await self._end([entry], SENT)

    async def _end(self, entries: list[OutboxEntry], outcome: str) -> None:
        office = self._desk.office
        ids = [entry.id for entry in entries]
        await self._desk.threads.write(lambda: office.end_outbox(ids, outcome))
        self._status.pushed += len(ids) if outcome == SENT else 0

    async def _publish(self, feed: FeedClient) -> None:
        """Hand over the public counts when they differ from the last ones handed over."""
        desk = self._desk
        moment = desk.office.revision, desk.rules().today
        if moment == self._counted:
            return
        counts = await desk.threads.read(lambda: desk.office.statistics(desk.rules()))
        if counts != self._published:
            try:
                await feed.publish(counts)
            except FeedRefusedError as error:
                logs.get("cases").error("statistics refused", **logs.describe(error))
        self._counted, self._published = moment, counts


def _fitting(entries: Any) -> list[OutboxEntry]:
    """As many as one delivery may hold, at least one."""
    chosen: list[OutboxEntry] = []
    total = 0
    for entry in entries:
        total += len(entry.box)
        if chosen and total > OUTBOX_BYTES:
            break
        chosen.append(entry)
    return chosen
