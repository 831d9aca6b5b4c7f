# SPDX-License-Identifier: AGPL-3.0-or-later
"""The tables before the attack: small counts left out, small changes not told.

Invariants
* A count below ten is not shown.
* Where a cell was shown before, the new count is shown if it differs by ten or more; else the old
  one stands, with the day it is from.  What was hidden in between is compared with what was last
  shown.
* An office's two counts are always of the same day: both change or neither.

Source: docs/spec/figures.md section 8.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from case_mgmt.figures.cards import CardedCase, Domains
from case_mgmt.figures.definitions import RANK_DAYS, UNKNOWN, K
from case_mgmt.figures.money import NOTHING, money_row
from case_mgmt.figures.published import (
    EXAMINED,
    NOT_EXAMINED,
    ONE_WAY,
    TWO_WAY,
    UNITS,
    Cell,
    Key,
    MoneyRow,
    Published,
)
from case_mgmt.figures.reading import examined_within, exposure


@dataclass(frozen=True)
class Past:
    """What earlier releases have said, from old to new."""

    releases: Sequence[Published] = field(default=())

    def shown(self, key: Key) -> Cell | None:
        """The cell as it was last shown, or said to be below ten; None: never."""
        for release in reversed(self.releases):
            cell = release.cells.get(key)
            if cell is not None and (cell.count is not None or cell.below):
                return cell
        return None

    def money(self, service: str) -> MoneyRow | None:
        """The money of a service as it was last shown; None: never."""
        for release in reversed(self.releases):
            row = release.money.get(service)
            if row is not None and (row.asked, row.paid) != (NOTHING, NOTHING):
                return row
        return None

    def keys(self, table: str) -> frozenset[Key]:
        """All cells that a table ever had."""
        return frozenset(
            key for release in self.releases for key in release.cells if key.table == table
        )


def draft(cases: Sequence[CardedCase], city: Published, past: Past, domains: Domains) -> Published:
    """The release's tables before the attack; `city` brings day and totals."""
    cells: dict[Key, Cell] = {}
    for attribute in ONE_WAY:
        keys = past.keys(attribute) | {Key(attribute, value) for value in domains[attribute]}
        counts = Counter(Key(attribute, case.value(attribute, domains)) for case in cases)
        cells |= _cells(keys, counts, past, city.as_of)
    for rows, columns in TWO_WAY:
        table = f"{rows}_{columns}"
        keys = past.keys(table) | {
            Key(table, row, column) for row in domains[rows] for column in domains[columns]
        }
        counts = Counter(
            Key(table, case.value(rows, domains), case.value(columns, domains)) for case in cases
        )
        cells |= _cells(keys, counts, past, city.as_of)
    cells |= _offices(cases, city.as_of, past, domains)
    return replace(city, cells=cells, money=_money(cases, city.as_of, past, domains))


def hidden(as_of: date) -> Cell:
    """A cell of which nothing is said."""
    return Cell(None, as_of)


def _cells(
    keys: frozenset[Key], counts: Mapping[Key, int], past: Past, as_of: date
) -> dict[Key, Cell]:
    return {key: _cell(counts.get(key, 0), past.shown(key), as_of) for key in sorted(keys)}


def _cell(count: int, old: Cell | None, as_of: date) -> Cell:
    if old is not None and old.count is not None and abs(count - old.count) < K:
        return old
    return Cell(count, as_of) if count >= K else hidden(as_of)


def _offices(
    cases: Sequence[CardedCase], as_of: date, past: Past, domains: Domains
) -> dict[Key, Cell]:
    mature = [case for case in cases if exposure(case.case.window, as_of) >= RANK_DAYS]
    counts = Counter(
        Key(
            UNITS,
            case.value("unit", domains),
            EXAMINED if examined_within(case.case, RANK_DAYS) else NOT_EXAMINED,
        )
        for case in mature
    )
    units = {*domains["unit"], *(key.row for key in past.keys(UNITS))}
    cells: dict[Key, Cell] = {}
    for unit in sorted(units):
        keys = office_keys(unit)
        cells |= zip(keys, _office([counts[key] for key in keys], keys, past, as_of), strict=True)
    return cells


def office_keys(unit: str) -> tuple[Key, Key]:
    """The two cells of an office."""
    return Key(UNITS, unit, EXAMINED), Key(UNITS, unit, NOT_EXAMINED)


def _office(
    counts: Sequence[int], keys: tuple[Key, Key], past: Past, as_of: date
) -> tuple[Cell, Cell]:
    old = [past.shown(key) for key in keys]
    changes = [
        abs(count - cell.count)
        for count, cell in zip(counts, old, strict=True)
        if cell is not None and cell.count is not None
    ]
    if changes and (any(0 < change < K for change in changes) or not any(changes)):
        first, second = (cell if cell is not None else hidden(as_of) for cell in old)
        return first, second
    if max(counts) < K:
        return hidden(as_of), hidden(as_of)
    first, second = (
        Cell(count, as_of) if count >= K else Cell(None, as_of, below=True) for count in counts
    )
    return first, second


def _money(
    cases: Sequence[CardedCase], as_of: date, past: Past, domains: Domains
) -> dict[str, MoneyRow]:
    by_service: Callable[[CardedCase], str] = lambda case: case.value("service", domains)  # noqa: E731
    groups: dict[str, list[CardedCase]] = {}
    for case in cases:
        groups.setdefault(by_service(case), []).append(case)
    return {
        service: money_row(groups.get(service, ()), as_of, past.money(service))
        for service in sorted(domains["service"])
        if service != UNKNOWN
    }
