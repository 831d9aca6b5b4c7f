# SPDX-License-Identifier: AGPL-3.0-or-later
"""The attack as its definition reads: two questions for each target, each from nothing, by scipy.

No solution is kept, nothing is left out, and scipy brings a HiGHS of its own.  Slow; for comparing
with `case_mgmt.figures.attack` on small cities.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import combinations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import lil_array

from case_mgmt.figures.constraints import COMPONENTS, Beliefs, Component, System
from case_mgmt.figures.definitions import K
from case_mgmt.figures.published import Key, Published

Found = tuple[Key, date, date | None, int, int]
BELIEFS = (Beliefs(growing=True, below=True), Beliefs(growing=True, below=False))
NONE = Beliefs(growing=False, below=False)
ROUNDING = 1e-4


class Plain(System):
    """The same rows, as scipy takes them."""

    def __init__(
        self, releases: Sequence[Published], component: Component, beliefs: Beliefs
    ) -> None:
        super().__init__(releases, component, beliefs)
        matrix = lil_array((len(self.rows), len(self.bounds)))
        for number, row in enumerate(self.rows):
            for place, factor in row.terms:
                matrix[number, place] += factor
        least, most = [row.low for row in self.rows], [row.high for row in self.rows]
        self.constraints = LinearConstraint(matrix.tocsr(), least, most)
        low, high = zip(*self.bounds, strict=True)
        self.limits = Bounds(np.array(low), np.array(high))


def plain_attack(releases: Sequence[Published]) -> set[Found]:
    """Everything that can be worked out from these releases."""
    return {each for component in COMPONENTS for each in _attack(releases, component)}


def _attack(releases: Sequence[Published], component: Component) -> Iterator[Found]:
    tables = {*component.margins, *("_".join(pair) for pair in component.inner)}
    for release in releases:
        for key, cell in release.cells.items():
            if key.table in tables and cell.count is not None and cell.count < K:
                yield key, release.as_of, None, cell.count, cell.count
    for beliefs in (*BELIEFS, NONE):
        system = Plain(releases, component, beliefs)
        if _extreme(system, []) is not None:
            yield from _cells(system)
            yield from _changes(system)
            if not beliefs.below:
                return


def _cells(system: Plain) -> Iterator[Found]:
    for time, release in enumerate(system.releases):
        for key in system.keys:
            if key in release.cells and release.cells[key].count is None:
                low, high = _range(system, [(system.variable(key, time), 1.0)])
                open_enough = high - low >= system.room(key, time)
                nothing_told = low <= 0 and high >= system.cap(key, time)
                if low < K and not open_enough and not nothing_told:
                    yield key, release.as_of, None, low, high


def _changes(system: Plain) -> Iterator[Found]:
    for before, time in combinations(range(len(system.releases)), 2):
        old, new = system.releases[before], system.releases[time]
        for key in system.keys:
            if key in old.cells and key in new.cells:
                terms = [(system.variable(key, time), 1.0), (system.variable(key, before), -1.0)]
                low, high = _range(system, terms)
                if 0 < low <= high < K or -K < low <= high < 0:
                    yield key, new.as_of, old.as_of, low, high


def _range(system: Plain, terms: list[tuple[int, float]]) -> tuple[int, int]:
    low = _extreme(system, [(place, -factor) for place, factor in terms])
    high = _extreme(system, terms)
    if low is None or high is None:
        raise ValueError("a system with a solution has lost it")
    return math.ceil(-low - ROUNDING), math.floor(high + ROUNDING)


def _extreme(system: Plain, terms: list[tuple[int, float]]) -> float | None:
    """The largest value of a sum; None: there is no solution."""
    cost = np.zeros(len(system.bounds))
    for place, factor in terms:
        cost[place] -= factor
    answer = milp(cost, constraints=system.constraints, bounds=system.limits)
    if answer.status == 2:
        return None
    if answer.fun is None or answer.status != 0:
        raise ValueError("scipy gave up")
    return -float(answer.fun)
