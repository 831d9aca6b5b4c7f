# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the attack asks: every hidden cell and every change, with the values seen so far.

All questions are kept as arrays, for each solution answers a part of all of them at once.

Invariant: the values seen come from solutions of the system alone, so what is safe once stays safe.

Source: docs/spec/figures.md section 9.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from case_mgmt.figures.constraints import System
from case_mgmt.figures.definitions import K
from case_mgmt.figures.published import Key
from case_mgmt.figures.solver import Vector, weights

_NEARLY: Final = 1e-4
"""Rounding, a little more than a solution may be off in two counts."""


@dataclass(frozen=True)
class Target:
    """A question: a cell (`before` is None) or its change since the release `before`."""

    key: Key
    time: int
    before: int | None


class Questions:
    """All questions about one system."""

    def __init__(self, system: System) -> None:
        self.targets = tuple(_targets(system))
        self._size = len(system.bounds)
        variable = system.variable
        self._now = np.array([variable(each.key, each.time) for each in self.targets], dtype=int)
        self._change = np.array([each.before is not None for each in self.targets], dtype=bool)
        self._then = np.array(
            [variable(each.key, each.before or 0) for each in self.targets], dtype=int
        )
        self._cap = np.array([_of_cell(each, system.cap) for each in self.targets])
        self._room = np.array([_of_cell(each, system.room) for each in self.targets])
        self._low = np.full(len(self.targets), np.inf)
        self._high = np.full(len(self.targets), -np.inf)

    def see(self, solution: Vector) -> None:
        """Take note of the values of one solution."""
        values = solution[self._now] - np.where(self._change, solution[self._then], 0.0)
        np.minimum(self._low, values, out=self._low)
        np.maximum(self._high, values, out=self._high)

    def bounds(self, number: int) -> tuple[int, int]:
        """The smallest and the largest whole number seen."""
        low, high = self._whole()
        return int(low[number]), int(high[number])

    def open(self) -> list[int]:
        """The questions that the values seen so far do not show to be safe."""
        low, high = self._whole()
        change = ((low <= 0) & (high >= 0)) | (high >= K) | (low <= -K)
        cell = (high - low >= self._room) | ((low <= 0) & (high >= self._cap))
        safe = np.isfinite(self._low) & np.where(self._change, change, cell)
        return [int(number) for number in np.flatnonzero(~safe)]

    def found(self) -> list[int]:
        """Those that are given away, once the extremes of all open ones are seen."""
        low, _ = self._whole()
        return [number for number in self.open() if self._change[number] or low[number] < K]

    def direction(self, number: int, sign: float) -> Vector:
        """The weights that make it as large (or as small) as possible."""
        terms = [(int(self._now[number]), sign)]
        if self._change[number]:
            terms.append((int(self._then[number]), -sign))
        return weights(self._size, terms)

    def spread(self) -> Iterator[Vector]:
        """Directions that pull many open ones up and many down, each pair apart once."""
        numbers = self.open()
        for bit in range(len(numbers).bit_length()):
            total = np.zeros(self._size, dtype=np.float64)
            for place, number in enumerate(numbers):
                total += self.direction(number, 1.0 if place >> bit & 1 else -1.0)
            yield total
            yield -total

    def _whole(self) -> tuple[Vector, Vector]:
        return np.ceil(self._low - _NEARLY), np.floor(self._high + _NEARLY)


def _of_cell(target: Target, ask: Callable[[Key, int], int]) -> int:
    """What the system says of a hidden cell; for a change it does not matter."""
    return ask(target.key, target.time) if target.before is None else 0


def _targets(system: System) -> Iterator[Target]:
    times = range(len(system.releases))
    for key in system.keys:
        said = [time for time in times if key in system.releases[time].cells]
        for time in said:
            if system.releases[time].cells[key].count is None:
                yield Target(key, time, None)
        for before, time in combinations(said, 2):
            yield Target(key, time, before)
