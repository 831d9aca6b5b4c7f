# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether two samples of durations can be told apart, and how well.

The Mann–Whitney test compares ranks: it needs no distribution and no outlier spoils it. Its `auc`
is the chance that a duration of the first kind is longer than one of the second (ties count half):
0.5 says nothing, 1 says everything. Its `z` says how sure that is; 4.5 is the threshold of dudect
(Reparaz, Balasch, Verbauwhede 2017), beyond which chance is no explanation.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

CERTAIN = 4.5


@dataclass(frozen=True)
class Comparison:
    """What two samples say about each other."""

    auc: float
    z: float
    apart: float
    """Difference of the medians in seconds, the first minus the second."""

    @property
    def told_apart(self) -> bool:
        """Whether chance is no explanation."""
        return abs(self.z) > CERTAIN

    @property
    def guessed(self) -> float:
        """How often the best guess from one duration is right; a coin has 0.5."""
        return max(self.auc, 1 - self.auc)


def compare(first: Sequence[float], second: Sequence[float]) -> Comparison:
    """Compare durations in seconds. Raises: ValueError: too few."""
    n, m = len(first), len(second)
    if min(n, m) < 20:
        raise ValueError("too few durations")
    ranks, ties = _ranks([*first, *second])
    won = sum(ranks[:n]) - n * (n + 1) / 2
    total = n + m
    variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    z = 0.0 if variance == 0 else (won - n * m / 2) / math.sqrt(variance)
    return Comparison(won / (n * m), z, statistics.median(first) - statistics.median(second))


def _ranks(values: Sequence[float]) -> tuple[list[float], float]:
    """Ranks from 1, ties share theirs; and the sum of t³ - t over all groups of t ties."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    ties, start = 0.0, 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for place in order[start:end]:
            ranks[place] = (start + 1 + end) / 2
        ties += (end - start) ** 3 - (end - start)
        start = end
    return ranks, ties
