# SPDX-License-Identifier: AGPL-3.0-or-later
"""The published numbers beside those that follow from the log.

Invariants
* figures.json is counted again, whole, by the definitions it names, and compared member by member.
* Reports revealed as tests must open the commitment of their leaf: no real report can be passed off
  as one.
* Of tables.json, which the log cannot give, the rules are checked: no count below k, and no change
  of 1 to k - 1 since an earlier release.

Source: docs/spec/figures.md, docs/spec/verify.md section 4.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from case_mgmt.figures.city import city_figures
from case_mgmt.figures.definitions import DEFINITIONS, K
from case_mgmt.figures.errors import InputError
from case_mgmt.publication.check import cases_from
from case_mgmt.publication.history import LoggedCase
from case_mgmt.publication.leaves import PSEUDONYM
from crypto import jsonfields as read
from crypto.encoding import canonical_json, parse_json
from crypto.errors import MalformedError
from crypto.promise import commitment_of
from whistle.verify.faults import Fault, FaultError, Found
from whistle.verify.folder import MAX_FILE, Release
from whistle.verify.publiclog import PublicLog

FIGURES: Final = "data/figures.json"
TABLES: Final = "data/tables.json"
SUPPRESSION: Final = "data/suppression.json"
CANARIES: Final = "canaries.json"
MAX_CANARIES: Final = 100_000
MAX_CELLS: Final = 1_000_000
MAX_SHOWN: Final = 20
"""Wrong members that one verdict names."""
_SECRET: Final = 32
_COHORTS: Final = frozenset({"headline", "weekly", "first_follow_up", "outcome", "slowing"})
_COUNTS: Final = ("count", "examined", "not_examined")
_KEYS: Final = ("by", "rows", "columns", "value", "row", "column", "unit")

Members = Mapping[str, Any]


@dataclass(frozen=True)
class Counted:
    """What follows from the log alone."""

    cases: tuple[LoggedCase, ...]
    canaries: frozenset[bytes]
    figures: Members


def read_json(release: Release, path: str) -> Members:
    """One of the release's JSON objects in its canonical form.  Raises FaultError."""
    data = release.read(path)
    try:
        value = parse_json(data, max_bytes=MAX_FILE)
        if canonical_json(value) != data:
            raise MalformedError("not canonical")
        return read.members(value)
    except MalformedError as error:
        raise FaultError(Fault.FIGURES_MALFORMED, path) from error


def require_definitions(figures: Members) -> None:
    """Raise FaultError unless this program counts by the definitions the figures name."""
    if figures.get("v") != 1 or figures.get("definitions") != DEFINITIONS:
        raise FaultError(Fault.DEFINITIONS_UNKNOWN, FIGURES)


def revealed(release: Release, cases: Sequence[LoggedCase]) -> frozenset[bytes]:
    """The cases that were the auditor's tests.  Raises FaultError(CANARY_FALSE)."""
    commitments = {case.pseudonym: case.commitment for case in cases}
    source = read_json(release, CANARIES)
    found = set()
    try:
        for each in read.items(source, "revealed", MAX_CANARIES):
            entry = read.members(each)
            case = read.hexadecimal(entry, "case", PSEUDONYM)
            secret = read.hexadecimal(entry, "secret", _SECRET)
            if commitments.get(case) != commitment_of(secret) or case in found:
                raise FaultError(Fault.CANARY_FALSE, case.hex())
            found.add(case)
    except MalformedError as error:
        raise FaultError(Fault.CANARY_FALSE, CANARIES) from error
    return frozenset(found)


def count_again(release: Release, log: PublicLog) -> Counted:
    """The cases, the tests among them, and the figures they give.  Raises FaultError."""
    cases = cases_from(log.leaves)
    canaries = revealed(release, cases)
    try:
        figures = city_figures(cases, log.as_of, canaries)
    except InputError as error:
        raise FaultError(Fault.DAY_WRONG, log.as_of.isoformat()) from error
    return Counted(cases, canaries, figures)


def wrong_figures(published: Members, counted: Members) -> list[Found]:
    """Every member of the published figures that the log does not give."""
    found = []
    for path in differences(counted, published):
        fault = Fault.COHORT_WRONG if path[0] in _COHORTS else Fault.TOTAL_WRONG
        found.append(Found(fault, _written(path)))
        if len(found) == MAX_SHOWN:
            break
    return found


def differences(wanted: Any, given: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where two JSON values differ, as deep as they have the same shape."""
    if isinstance(wanted, dict) and isinstance(given, dict):
        for key in sorted(set(wanted) | set(given)):
            if key not in wanted or key not in given:
                yield (*path, key)
            else:
                yield from differences(wanted[key], given[key], (*path, key))
    elif isinstance(wanted, list) and isinstance(given, list) and len(wanted) == len(given):
        for at, (one, other) in enumerate(zip(wanted, given, strict=True)):
            yield from differences(one, other, (*path, str(at)))
    elif type(wanted) is not type(given) or wanted != given:
        yield path or ("",)


def small_cells(tables: Members) -> list[Found]:
    """Counts below k, zero included: an empty cell tells as much as a small one.

    Raises MalformedError: these are no tables.
    """
    return [Found(Fault.TABLE_SMALL, _written(key)) for key, count in _cells(tables) if count < K][
        :MAX_SHOWN
    ]


def small_changes(tables: Members, earlier: Members) -> list[Found]:
    """Cells that moved by 1 to k - 1 since an earlier release.  Raises MalformedError."""
    before = dict(_cells(earlier))
    return [
        Found(Fault.TABLE_SMALL, _written(key))
        for key, count in _cells(tables)
        if key in before and 0 < abs(count - before[key]) < K
    ][:MAX_SHOWN]


def _cells(tables: Members) -> Iterator[tuple[tuple[str, ...], int]]:
    """All shown counts of all attribute tables, with what they count.  Raises MalformedError."""
    for name in ("oneway", "twoway"):
        for table in map(read.members, read.items(tables, name, MAX_CELLS)):
            kind = tuple(str(table[key]) for key in _KEYS if key in table)
            for cell in map(read.members, read.items(table, "cells", MAX_CELLS)):
                yield from _counts((name, *kind), cell)
    for unit in map(read.members, read.items(tables, "units", MAX_CELLS)):
        yield from _counts(("units",), unit)


def _counts(place: tuple[str, ...], cell: Members) -> Iterator[tuple[tuple[str, ...], int]]:
    value = tuple(str(cell[key]) for key in _KEYS if key in cell)
    for name in _COUNTS:
        if cell.get(name) is not None:
            yield (*place, *value, name), read.integer(cell, name)


def _written(path: Sequence[str]) -> str:
    return "/".join(path)
