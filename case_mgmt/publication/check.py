# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reads the cases from a log, and says where a log breaks the rules that anybody can check.

Invariants
* The same leaves give everybody the same cases and the same faults.
* `cases_from` never fails: what the rules refuse is left out of the cases and named by
  `faults_in`, so that no total can be right by silently counting a leaf that must not be there.

Source: docs/spec/log.md section 5, docs/spec/verify.md section 3.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from case_mgmt.publication.batches import MIN_REPORTS
from case_mgmt.publication.history import LoggedCase, LoggedEvent, Window
from case_mgmt.publication.leaves import Kind, Leaf, wait_range
from case_mgmt.publication.weeks import (
    SUNDAY,
    Batch,
    batches_of,
    is_opening,
)
from crypto.errors import MalformedError
from crypto.promise import MAX_MERGE_DAYS


class Rule(StrEnum):
    """What a leaf or a batch breaks."""

    OPENING = "opening"
    """The log does not begin with its opening leaf, or has another one later."""
    REORDERED = "reordered"
    """A batch is older than the one before it, so the order was changed."""
    NOT_WEEKLY = "not_weekly"
    """A batch does not end with a week."""
    FEW_REPORTS = "few_reports"
    """A batch holds so few reports that their days could be guessed."""
    REPEATED_CASE = "repeated_case"
    """One case is counted as two reports."""
    REPEATED_COMMITMENT = "repeated_commitment"
    """Two leaves of one kind carry the same commitment: one was copied."""
    NO_SUCH_CASE = "no_such_case"
    """A follow-up of a case that was never reported, or only later."""
    BACK_DATED = "back_dated"
    """A waiting time that cannot be: shorter or longer than the weeks of the log allow."""


@dataclass(frozen=True)
class RuleFault:
    """One broken rule and the first leaf that breaks it."""

    rule: Rule
    index: int


def leaves_of(entries: Iterable[bytes]) -> tuple[Leaf, ...]:
    """Parse all entries of a log.  Raises MalformedError naming the index."""
    leaves: list[Leaf] = []
    for index, entry in enumerate(entries):
        try:
            leaves.append(Leaf.parse(entry))
        except MalformedError as error:
            raise MalformedError(f"entry {index} is no leaf of this log") from error
    return tuple(leaves)


def cases_from(leaves: Sequence[Leaf]) -> tuple[LoggedCase, ...]:
    """Every case in the order of its report; follow-ups that break the rules are left out."""
    cases: dict[bytes, LoggedCase] = {}
    events: dict[bytes, list[LoggedEvent]] = {}
    for batch in batches_of(leaves):
        for index, leaf in batch.of_kind(Kind.REPORT):
            case = LoggedCase(leaf.case, leaf.commitment, batch.reports, index)
            cases.setdefault(leaf.case, case)
        for index, leaf in batch.of_kind(Kind.FOLLOW_UP):
            if leaf.case in cases:
                event = LoggedEvent(leaf.code, leaf.wait, batch.follow_ups, index)
                if _can_be(cases[leaf.case].window, event):
                    events.setdefault(leaf.case, []).append(event)
    return tuple(
        replace(case, events=tuple(events.get(pseudonym, ()))) for pseudonym, case in cases.items()
    )


def as_of(leaves: Sequence[Leaf]) -> date:
    """The last day the log covers.  Raises MalformedError for an empty log."""
    if not leaves:
        raise MalformedError("the log is empty")
    return leaves[-1].period


def faults_in(leaves: Sequence[Leaf]) -> tuple[RuleFault, ...]:
    """Every broken rule, in the order of the log."""
    batches = batches_of(leaves)
    found = [fault for check in _CHECKS for fault in check(leaves, batches)]
    return tuple(sorted(found, key=lambda fault: (fault.index, fault.rule)))


def _opening(leaves: Sequence[Leaf], _batches: Sequence[Batch]) -> list[RuleFault]:
    later = [index for index, leaf in enumerate(leaves) if index > 0 and is_opening(leaf)]
    wrong = later if leaves and is_opening(leaves[0]) else [0, *later]
    return [RuleFault(Rule.OPENING, index) for index in wrong]


def _periods(_leaves: Sequence[Leaf], batches: Sequence[Batch]) -> list[RuleFault]:
    faults: list[RuleFault] = []
    for batch in batches:
        if batch.follow_ups.first > batch.follow_ups.last:
            faults.append(RuleFault(Rule.REORDERED, batch.start))
        elif batch.period.weekday() != SUNDAY:
            faults.append(RuleFault(Rule.NOT_WEEKLY, batch.start))
    return faults


def _sizes(_leaves: Sequence[Leaf], batches: Sequence[Batch]) -> list[RuleFault]:
    faults: list[RuleFault] = []
    for batch in batches:
        reports = [index for index, _leaf in batch.of_kind(Kind.REPORT)]
        days = (batch.reports.last - batch.reports.first).days + 1
        if 0 < len(reports) < MIN_REPORTS and days < MAX_MERGE_DAYS:
            faults.append(RuleFault(Rule.FEW_REPORTS, reports[0]))
    return faults


def _copies(leaves: Sequence[Leaf], _batches: Sequence[Batch]) -> list[RuleFault]:
    # Within one kind: a reporter chooses a commitment, and might choose that of another leaf.
    cases: set[bytes] = set()
    commitments: set[tuple[Kind, bytes]] = set()
    faults: list[RuleFault] = []
    for index, leaf in enumerate(leaves):
        if leaf.kind is Kind.REPORT and leaf.case in cases:
            faults.append(RuleFault(Rule.REPEATED_CASE, index))
        elif (leaf.kind, leaf.commitment) in commitments:
            faults.append(RuleFault(Rule.REPEATED_COMMITMENT, index))
        commitments.add((leaf.kind, leaf.commitment))
        if leaf.kind is Kind.REPORT:
            cases.add(leaf.case)
    return faults


def _follow_ups(_leaves: Sequence[Leaf], batches: Sequence[Batch]) -> list[RuleFault]:
    arrived: dict[bytes, Window] = {}
    longest: dict[bytes, int] = {}
    faults: list[RuleFault] = []
    for batch in batches:
        for _index, report in batch.of_kind(Kind.REPORT):
            arrived.setdefault(report.case, batch.reports)
        for index, leaf in batch.of_kind(Kind.FOLLOW_UP):
            event = LoggedEvent(leaf.code, leaf.wait, batch.follow_ups, index)
            if leaf.case not in arrived:
                faults.append(RuleFault(Rule.NO_SUCH_CASE, index))
            elif not _can_be(arrived[leaf.case], event) or leaf.wait < longest.get(leaf.case, 0):
                faults.append(RuleFault(Rule.BACK_DATED, index))
            longest[leaf.case] = max(leaf.wait, longest.get(leaf.case, 0))
    return faults


def _can_be(arrival: Window, event: LoggedEvent) -> bool:
    """Whether some day of arrival and some day of the follow-up give this waiting time."""
    first, last = wait_range(event.wait)
    least = (event.window.first - arrival.last).days
    most = (event.window.last - arrival.first).days
    return first <= most and (last is None or last >= least)


_CHECKS: tuple[Callable[[Sequence[Leaf], Sequence[Batch]], list[RuleFault]], ...] = (
    _opening,
    _periods,
    _sizes,
    _copies,
    _follow_ups,
)
