# SPDX-License-Identifier: AGPL-3.0-or-later
"""All that the releases say about the numbers behind them, as linear rows.

A variable is the true count of a cell at a release.  The rows say what the attacker knows: the
totals that follow from the log, that rows and columns add up, what each release says of a cell, and
what its money sums say of the bands.

Two more beliefs can be added: `growing`, that a count does not fall (but by canaries taken out);
and `below`, that what was never shown is hidden because it is below ten.  The second is often
false, for other cells are hidden with the small ones; it is tried because an attacker would.  Of a
table that shows nothing at all nobody can believe it: it looks the same whatever is in it.

Invariant: the true counts always satisfy the rows without beliefs.

Source: docs/spec/figures.md section 9.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from case_mgmt.figures.cards import MONEY_FROM
from case_mgmt.figures.definitions import UNKNOWN, K
from case_mgmt.figures.money import BANDS, step
from case_mgmt.figures.published import (
    EXAMINED,
    NOT_EXAMINED,
    UNITS,
    Cell,
    Key,
    Money,
    Published,
)

MONEY_UNIT: Final = 50_000
"""Sums are counted in the smallest band, so that the numbers of the rows stay small."""
INFINITE: Final = float("inf")


@dataclass(frozen=True)
class Component:
    """Tables that share margins, and so have to be attacked together."""

    margins: tuple[str, ...]
    inner: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Beliefs:
    """What the attacker takes for granted beside the published numbers."""

    growing: bool
    below: bool


@dataclass(frozen=True)
class Row:
    """low <= sum of coefficient x variable <= high."""

    terms: tuple[tuple[int, float], ...]
    low: float
    high: float


MONEY: Final = Component(("service", "asked", "paid"), (("service", "asked"), ("service", "paid")))
"""`service_paid` is not published, but the sums of money paid speak about it."""
COMPONENTS: Final = (
    Component((UNITS,), ()),
    Component(("subject", "how"), (("subject", "how"),)),
    MONEY,
)


class System:
    """The rows and bounds of one component over all releases."""

    def __init__(
        self, releases: Sequence[Published], component: Component, beliefs: Beliefs
    ) -> None:
        self.releases = releases
        self.keys = tuple(_keys(releases, component))
        self.rows: list[Row] = []
        self._component = component
        self._beliefs = beliefs
        self._speaking = [
            {key.table for key, cell in release.cells.items() if cell.count is not None}
            for release in releases
        ]
        self._place = {key: place for place, key in enumerate(self.keys)}
        self.bounds = [self._bound(key, time) for key in self.keys for time in range(len(releases))]
        self.rows += (row for row in self._totals() if row.terms)
        self.rows += self._inner()
        self.rows += self._money()
        if beliefs.growing:
            self.rows += self._growing()

    def variable(self, key: Key, time: int) -> int:
        """The number of a cell's variable at a release."""
        return self._place[key] * len(self.releases) + time

    def cap(self, key: Key, time: int) -> int:
        """The largest count that the log's totals and the margins shown allow."""
        release = self.releases[time]
        if key.table == UNITS:
            rest = release.mature - release.examined
            return release.examined if key.column == EXAMINED else rest
        names = (*key.table.split("_"), "")[:2] if key.column else ()
        lines = zip(names, (key.row, key.column), strict=False)
        shown = (release.cells.get(Key(name, value)) for name, value in lines)
        known = [cell for cell in shown if cell is not None]
        return min([release.received, *(_most(cell, release) for cell in known)])

    def room(self, key: Key, time: int) -> int:
        """How far apart the values of a hidden cell have to reach to keep it hidden."""
        cell = self.releases[time].cells[key]
        return K - 1 if self._beliefs.below or cell.below else 2 * K - 1

    def _bound(self, key: Key, time: int) -> tuple[float, float]:
        release, cap = self.releases[time], self.cap(key, time)
        cell = release.cells.get(key)
        if cell is None or cell.count is None:
            small = self._is_small(key, time, cell)
            return 0, min(cap, K - 1) if small else cap
        if cell.since == release.as_of:
            return cell.count, cell.count
        if key.table == UNITS:
            return 0, cap
        return max(0, cell.count - K + 1), min(cap, cell.count + K - 1)

    def _is_small(self, key: Key, time: int, cell: Cell | None) -> bool:
        if cell is not None and cell.below:
            return cell.since == self.releases[time].as_of
        seen = [release.cells.get(key) for release in self.releases[: time + 1]]
        shown = any(each is not None and each.count is not None for each in seen)
        speaks = cell is not None and key.table in self._speaking[time]
        return self._beliefs.below and speaks and not shown

    def _totals(self) -> Iterator[Row]:
        for time, release in enumerate(self.releases):
            for name in self._component.margins:
                if name != UNITS:
                    yield self._sum_is(time, Key(name, ""), release.received)
                    continue
                yield self._sum_is(time, Key(name, "", EXAMINED), release.examined)
                rest = release.mature - release.examined
                yield self._sum_is(time, Key(name, "", NOT_EXAMINED), rest)

    def _sum_is(self, time: int, like: Key, total: int) -> Row:
        terms = tuple(
            (self.variable(key, time), 1.0)
            for key in self.keys
            if key.table == like.table and key.column == like.column
        )
        return Row(terms, total, total)

    def _inner(self) -> Iterator[Row]:
        for rows, columns in self._component.inner:
            cells = [key for key in self.keys if key.table == f"{rows}_{columns}"]
            for key in self.keys:
                part = [
                    cell
                    for cell in cells
                    if (key.table, key.row) in {(rows, cell.row), (columns, cell.column)}
                ]
                for time in range(len(self.releases)) if part else ():
                    terms = [(self.variable(cell, time), 1.0) for cell in part]
                    yield Row((*terms, (self.variable(key, time), -1.0)), 0, 0)

    def _growing(self) -> Iterator[Row]:
        for earlier, later in pairwise(range(len(self.releases))):
            removed = self.releases[later].removed - self.releases[earlier].removed
            for key in self.keys:
                if UNKNOWN not in key:
                    terms = ((self.variable(key, later), 1.0), (self.variable(key, earlier), -1.0))
                    yield Row(terms, -max(0, removed), INFINITE)

    def _money(self) -> Iterator[Row]:
        if "paid" not in self._component.margins:
            return
        for time, release in enumerate(self.releases):
            for service, row in release.money.items():
                if row.since == release.as_of:
                    yield from self._sum_said(time, "service_asked", service, row.asked)
                    yield from self._sum_said(time, "service_paid", service, row.paid)

    def _sum_said(self, time: int, table: str, service: str, money: Money) -> Iterator[Row]:
        if money.at_least is None or money.median is None:
            return
        cells = {
            key.column: self.variable(key, time)
            for key in self.keys
            if key.table == table and key.row == service and key.column in MONEY_FROM
        }
        yield Row(tuple((variable, 1.0) for variable in cells.values()), K, INFINITE)
        sums = tuple((cells[band], MONEY_FROM[band] / MONEY_UNIT) for band in cells)
        high = money.at_least + step(money.at_least) - 1
        yield Row(sums, money.at_least / MONEY_UNIT, high / MONEY_UNIT)
        yield from _median(cells, BANDS.index(money.median))


def _most(cell: Cell, release: Published) -> int:
    """The largest count that fits what is shown of a cell."""
    if cell.count is None:
        return release.received
    return cell.count if cell.since == release.as_of else cell.count + K - 1


def _median(cells: Mapping[str, int], middle: int) -> Iterator[Row]:
    """Half of the reports are in the middle band or below, fewer than half below it."""
    places = {BANDS.index(band): variable for band, variable in cells.items()}
    upto = tuple((each, 1.0 if place <= middle else -1.0) for place, each in places.items())
    before = tuple((each, -1.0 if place < middle else 1.0) for place, each in places.items())
    yield Row(upto, 0, INFINITE)
    yield Row(before, 1, INFINITE)


def _keys(releases: Sequence[Published], component: Component) -> Iterator[Key]:
    said = {key for release in releases for key in release.cells}
    values = {
        name: sorted({key.row for key in said if key.table == name}) for name in component.margins
    }
    for name in component.margins:
        yield from sorted(key for key in said if key.table == name)
    for rows, columns in component.inner:
        for row in values[rows]:
            for column in values[columns]:
                yield Key(f"{rows}_{columns}", row, column)
