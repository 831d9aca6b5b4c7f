# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which leaves go into the log at the end of a week, in which order.

Invariants
* A batch ends on a Sunday; its leaves share that period, and periods grow from batch to batch.
* Reports wait until ten of them can hide each other, or the oldest has waited `MAX_MERGE_DAYS`.
* A follow-up is logged in its week, but never before the report it follows.
* Within a batch the order says nothing of the order of arrival: leaves are shuffled, except that a
  case's own leaves keep their order, which the reader needs.
* The day that counts for the log is never inside a batch that has been made: what is collected late
  counts from the first day that is still open.

Source: docs/spec/log.md section 3; reference 4.5 "batching" (merging, shuffling), RFC 6962
section 3 (a signed promise and a maximum delay).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from case_mgmt.publication.leaves import Code, Kind, Leaf, release_leaf, report_leaf
from crypto.promise import MAX_LOG_DAYS, MAX_MERGE_DAYS, PUBLISH_DAYS
from crypto.rng import Rng

MIN_REPORTS: Final = 10
"""Reports in a batch that has any, unless its window is `MAX_MERGE_DAYS` long."""
_WEEK: Final = 7
_KEY: Final = 16
OPENING_DIGEST: Final = bytes(32)
"""What the opening leaf carries in place of a release's digest."""


@dataclass(frozen=True)
class Waiting:
    """A leaf that has no place in the log yet."""

    id: int
    """Whoever keeps it knows it by this number; it grows with time."""
    kind: Kind
    code: Code
    wait: int
    case: bytes
    commitment: bytes
    day: date
    """The day that counts for the log."""

    def leaf(self, period: date) -> Leaf:
        """The leaf in the batch of this period."""
        return Leaf(self.kind, self.code, self.wait, period, self.case, self.commitment)


@dataclass(frozen=True)
class Covered:
    """What the log covers so far: the last day of the newest batch, and of the newest with reports.

    Both are the opening day in a log that holds its opening leaf only.
    """

    until: date
    reports_until: date


@dataclass(frozen=True)
class Placed:
    """A leaf in its place, and whose it was."""

    id: int
    leaf: Leaf


@dataclass(frozen=True)
class Batch:
    """What is appended to the log at one week's end, in this order."""

    period: date
    placed: tuple[Placed, ...]
    covered: Covered
    """What the log covers with this batch."""


def opening_leaf(opening: date) -> Leaf:
    """Entry 0 of every log: the day after `opening` is the first that the log covers."""
    return release_leaf(opening, OPENING_DIGEST)


def opened(opening: date) -> Covered:
    """What a log covers that holds its opening leaf only."""
    return Covered(opening, opening)


def week_end(day: date) -> date:
    """The Sunday on or after this day: the period of the batch that covers it."""
    return day + timedelta(days=6 - day.weekday())


def last_period(today: date) -> date:
    """The newest week that is over: the last Sunday before today."""
    return week_end(today) - timedelta(days=_WEEK)


def log_day(day: date, covered_until: date) -> date:
    """The day that counts for the log: never one that a batch has covered."""
    return max(day, covered_until + timedelta(days=1))


def event_due(counted: date, is_logged: bool, arrival: date) -> date:  # noqa: FBT001
    """The day by which a follow-up must be in the log; of an unlogged case, with its report."""
    soon = week_end(counted) + timedelta(days=PUBLISH_DAYS)
    return soon if is_logged else max(soon, arrival + timedelta(days=MAX_LOG_DAYS))


def plan_batch(
    covered: Covered,
    waiting: Sequence[Waiting],
    logged: Collection[bytes],
    period: date,
    rng: Rng,
) -> Batch | None:
    """The batch of the week that ends on `period`, or None when nothing is ripe.

    `logged` holds the pseudonyms of the cases whose report is in the log.  Raises ValueError for a
    period that is no week's end or is covered already.
    """
    if period != week_end(period) or period <= covered.until:
        raise ValueError("not the end of a week that is still open")
    ready = sorted((each for each in waiting if each.day <= period), key=lambda each: each.id)
    reports = _ripe([each for each in ready if each.kind is Kind.REPORT], period)
    new = {each.case for each in reports}
    rest = [
        each
        for each in ready
        if each.kind is Kind.RELEASE
        or (each.kind is Kind.FOLLOW_UP and (each.case in new or each.case in logged))
    ]
    chosen = [*reports, *rest]
    if not chosen:
        return None
    placed = tuple(Placed(each.id, each.leaf(period)) for each in shuffled(chosen, rng))
    after = replace(covered, until=period)
    return Batch(period, placed, replace(after, reports_until=period) if reports else after)


def shuffled(chosen: Sequence[Waiting], rng: Rng) -> list[Waiting]:
    """The leaves in an order drawn at random, each case's own leaves as they were given."""
    keys = [rng(_KEY) for _ in chosen]
    order = [chosen[place] for place in sorted(range(len(chosen)), key=keys.__getitem__)]
    own: Mapping[bytes, list[Waiting]] = _by_case(chosen)
    return [own[each.case].pop(0) if each.kind is not Kind.RELEASE else each for each in order]


def _ripe(reports: list[Waiting], period: date) -> list[Waiting]:
    """All reports or none: enough to hide each other, or too old to wait any longer."""
    if len(reports) >= MIN_REPORTS:
        return reports
    oldest = min((each.day for each in reports), default=period)
    return reports if (period - oldest).days >= MAX_MERGE_DAYS else []


def _by_case(chosen: Sequence[Waiting]) -> dict[bytes, list[Waiting]]:
    found: dict[bytes, list[Waiting]] = {}
    for each in chosen:
        if each.kind is Kind.REPORT:
            found.setdefault(each.case, []).insert(0, each)
        elif each.kind is Kind.FOLLOW_UP:
            found.setdefault(each.case, []).append(each)
    return found


def new_report(identifier: int, case: bytes, commitment: bytes, day: date) -> Waiting:
    """A report that waits."""
    leaf = report_leaf(day, case, commitment)
    return Waiting(identifier, leaf.kind, leaf.code, leaf.wait, case, commitment, day)


def new_release(identifier: int, digest: bytes, day: date) -> Waiting:
    """A release that waits."""
    leaf = release_leaf(day, digest)
    return Waiting(identifier, leaf.kind, leaf.code, leaf.wait, leaf.case, digest, day)
