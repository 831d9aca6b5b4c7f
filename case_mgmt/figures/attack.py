# SPDX-License-Identifier: AGPL-3.0-or-later
"""The attack that runs before every release: what can be worked out from all releases together?

It solves rows, columns, totals of the log, money sums and the differences of all releases as one
system (linear programming) and asks of every hidden cell and every change for the smallest and the
largest value that fit.

Found means:
* a shown count below ten;
* a hidden cell that fewer than twenty values fit (ten, if the attacker takes what is hidden for
  below ten), unless all of them are ten or more, or totals and margins alone leave no more;
* a change between two releases that is proved to be one to nine, up or down.

Why twenty: hidden cells are small ones and one that protects them.  Whoever knows that rule knows
that one of them is ten or more; ten values are left for the others only if twenty fit at first.

Invariants
* Every release is attacked with every other; an old cell that a new release opens up is found.
* Believing more than the releases say (constraints.Beliefs) is tried too; a belief that does not
  fit the numbers is dropped.
* Nothing found is a proof for these beliefs: each safe cell has two solutions that fit and differ.

Source: docs/spec/figures.md section 9; protection intervals after Fischetti & Salazar (2001).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Final

import numpy as np

from case_mgmt.figures.constraints import COMPONENTS, Beliefs, Component, System
from case_mgmt.figures.definitions import K
from case_mgmt.figures.errors import PastError
from case_mgmt.figures.published import Key, Published
from case_mgmt.figures.solver import Solver, Vector, weights

_NEARLY: Final = 1e-6
_BELIEFS: Final = (Beliefs(growing=True, below=True), Beliefs(growing=True, below=False))
_NONE: Final = Beliefs(growing=False, below=False)


@dataclass(frozen=True)
class Finding:
    """A cell (`before` is None) or a change since `before` that can be worked out."""

    key: Key
    as_of: date
    before: date | None
    low: int
    high: int


@dataclass(frozen=True)
class Report:
    """What was tried and what was found."""

    releases: int
    cells: int
    changes: int
    found: tuple[Finding, ...]


@dataclass
class _Target:
    """A question: a cell, or a change, with the values seen so far."""

    key: Key
    time: int
    before: int | None
    cap: int
    now: int
    then: int | None
    """Variables: the count asked about, and for a change the count before."""
    room: int
    """How far the values that fit have to reach."""
    low: float = math.inf
    high: float = -math.inf

    def see(self, solution: Vector) -> None:
        value = float(solution[self.now])
        if self.then is not None:
            value -= float(solution[self.then])
        self.low, self.high = min(self.low, value), max(self.high, value)

    def direction(self, size: int, sign: float) -> Vector:
        """The weights that make it as large (or as small) as possible."""
        terms = [(self.now, sign)]
        return weights(size, terms if self.then is None else [*terms, (self.then, -sign)])

    @property
    def whole(self) -> tuple[int, int]:
        return math.ceil(self.low - _NEARLY), math.floor(self.high + _NEARLY)

    def is_safe(self) -> bool:
        """Whether the values seen so far already leave enough open."""
        if math.isinf(self.low):
            return False
        low, high = self.whole
        if self.before is None:
            return high - low >= self.room or (low <= 0 and high >= self.cap)
        return low <= 0 <= high or high >= K or low <= -K

    def is_found(self) -> bool:
        """Whether the smallest and largest values give the cell or the change away."""
        low, _ = self.whole
        return not self.is_safe() and (self.before is not None or low < K)


def attack(releases: Sequence[Published]) -> Report:
    """Attack these releases, from old to new.  Raises PastError if they contradict each other."""
    return merged([attack_component(releases, component) for component in COMPONENTS])


def attack_component(releases: Sequence[Published], component: Component) -> Report:
    """Attack the tables of one component; components share no number but the log's totals."""
    found = list(_too_small(releases, component))
    for beliefs in (*_BELIEFS, _NONE):
        system = System(releases, component, beliefs)
        if not system.keys:
            return Report(len(releases), 0, 0, ())
        solver = Solver(system)
        if solver.highest(weights(solver.size, ())) is None:
            continue
        targets = list(_targets(system))
        _search(solver, targets)
        found += [_finding(system, each) for each in targets if each.is_found()]
        if not beliefs.below:
            changes = sum(each.before is not None for each in targets)
            unique = tuple(dict.fromkeys(found))
            return Report(len(releases), len(targets) - changes, changes, unique)
    raise PastError("the tables of the releases contradict each other")


def merged(reports: Sequence[Report]) -> Report:
    """The reports of all components as one."""
    return Report(
        max(report.releases for report in reports),
        sum(report.cells for report in reports),
        sum(report.changes for report in reports),
        tuple(finding for report in reports for finding in report.found),
    )


def _too_small(releases: Sequence[Published], component: Component) -> Iterator[Finding]:
    names = {*component.margins, *(f"{rows}_{columns}" for rows, columns in component.inner)}
    for release in releases:
        for key, cell in release.cells.items():
            if key.table in names and cell.count is not None and cell.count < K:
                yield Finding(key, release.as_of, None, cell.count, cell.count)


def _targets(system: System) -> Iterator[_Target]:
    times = range(len(system.releases))
    for key in system.keys:
        said = [time for time in times if key in system.releases[time].cells]
        for time in said:
            if system.releases[time].cells[key].count is None:
                now, cap, room = (
                    system.variable(key, time),
                    system.cap(key, time),
                    system.room(key, time),
                )
                yield _Target(key, time, None, cap, now, None, room)
        for before, time in combinations(said, 2):
            now, then = system.variable(key, time), system.variable(key, before)
            yield _Target(key, time, before, 0, now, then, 0)


def _search(solver: Solver, targets: Sequence[_Target]) -> None:
    """Find the extremes of every target that is not seen to be safe on the way."""
    for direction in _spread(targets, solver.size):
        _see(solver, direction, targets)
    for target in targets:
        for sign in (1.0, -1.0):
            if not target.is_safe():
                _see(solver, target.direction(solver.size, sign), targets)


def _spread(targets: Sequence[_Target], size: int) -> Iterator[Vector]:
    """Directions that pull many targets up and many down, each pair of targets apart once."""
    for bit in range(max(1, len(targets).bit_length())):
        signs = [1.0 if number >> bit & 1 else -1.0 for number in range(len(targets))]
        total = np.zeros(size, dtype=np.float64)
        for sign, target in zip(signs, targets, strict=True):
            total += target.direction(size, sign)
        yield total
        yield -total


def _see(solver: Solver, direction: Vector, targets: Sequence[_Target]) -> None:
    solution = solver.highest(direction)
    if solution is not None:
        for target in targets:
            if not target.is_safe():
                target.see(solution)


def _finding(system: System, target: _Target) -> Finding:
    releases = system.releases
    before = None if target.before is None else releases[target.before].as_of
    return Finding(target.key, releases[target.time].as_of, before, *target.whole)
