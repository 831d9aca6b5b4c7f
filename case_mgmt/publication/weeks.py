# SPDX-License-Identifier: AGPL-3.0-or-later
"""The batches of a log: which leaves were published together, and which days they cover.

Invariants
* A batch is a run of neighbouring leaves with one period; the opening leaf is no batch.
* A report's window begins the day after the previous batch that held reports, a follow-up's the day
  after the previous batch; both end with the batch's period.

Source: docs/spec/log.md section 5.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Final

from case_mgmt.publication.batches import OPENING_DIGEST
from case_mgmt.publication.history import Window
from case_mgmt.publication.leaves import Kind, Leaf

SUNDAY: Final = 6
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Batch:
    """Leaves `start` to `stop - 1` of the log."""

    start: int
    leaves: tuple[Leaf, ...]
    follow_ups: Window
    """The days its follow-ups may be of."""
    reports: Window
    """The days its reports arrived on; of no meaning where it holds none."""

    @property
    def period(self) -> date:
        """The last day it covers."""
        return self.follow_ups.last

    @property
    def stop(self) -> int:
        """One past its last index."""
        return self.start + len(self.leaves)

    def of_kind(self, kind: Kind) -> Iterator[tuple[int, Leaf]]:
        """Its leaves of one kind, with their index in the log."""
        return (
            (self.start + offset, leaf)
            for offset, leaf in enumerate(self.leaves)
            if leaf.kind is kind
        )


def is_opening(leaf: Leaf) -> bool:
    """Whether this is a leaf that only the start of a log may hold."""
    return leaf.kind is Kind.RELEASE and leaf.commitment == OPENING_DIGEST


def batches_of(leaves: Sequence[Leaf]) -> tuple[Batch, ...]:
    """Split a log after its opening leaf; an empty log has no batches."""
    if not leaves:
        return ()
    previous = with_reports = leaves[0].period
    start = 1
    found: list[Batch] = []
    for period, group in groupby(leaves[1:], key=lambda leaf: leaf.period):
        batch = Batch(
            start,
            tuple(group),
            Window(previous + _DAY, period),
            Window(with_reports + _DAY, period),
        )
        found.append(batch)
        start, previous = batch.stop, period
        if any(leaf.kind is Kind.REPORT for leaf in batch.leaves):
            with_reports = period
    return tuple(found)
