# SPDX-License-Identifier: AGPL-3.0-or-later
"""Smallest and largest value of a sum under linear rows: the only user of scipy.

Invariants
* A bound is either proved by HiGHS or an error; a solver that gives up is never taken for "safe".
* Variables are real numbers here: the bounds contain all whole-number solutions.

Source: Huangfu & Hall (2018), HiGHS; scipy.optimize.milp.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from case_mgmt.figures.constraints import System
from case_mgmt.figures.errors import DisclosureError

Vector = np.ndarray[tuple[int], np.dtype[np.float64]]
_OPTIMAL: Final = 0
_INFEASIBLE: Final = 2


class Solver:
    """One system, made ready for many questions."""

    def __init__(self, system: System) -> None:
        self.size = len(system.bounds)
        entries = [
            (number, variable, factor)
            for number, row in enumerate(system.rows)
            for variable, factor in row.terms
        ]
        rows, variables, factors = (np.array(part) for part in zip(*entries, strict=True))
        shape = (len(system.rows), self.size)
        matrix = csr_array((factors.astype(np.float64), (rows, variables)), shape=shape)
        self._rows = LinearConstraint(
            matrix,
            np.array([row.low for row in system.rows]),
            np.array([row.high for row in system.rows]),
        )
        low, high = zip(*system.bounds, strict=True)
        self._bounds = Bounds(np.array(low, dtype=np.float64), np.array(high, dtype=np.float64))

    def highest(self, weights: Vector) -> Vector | None:
        """A solution where the weighted sum is largest; None: there is no solution at all.

        Raises DisclosureError if the question cannot be answered.
        """
        answer = milp(-weights, constraints=self._rows, bounds=self._bounds)
        if answer.status == _INFEASIBLE:
            return None
        if answer.status != _OPTIMAL or answer.x is None:
            raise DisclosureError("the attack could not be carried through")
        return np.asarray(answer.x, dtype=np.float64)


def weights(size: int, terms: Sequence[tuple[int, float]]) -> Vector:
    """A weighted sum as a vector."""
    vector = np.zeros(size, dtype=np.float64)
    for variable, factor in terms:
        vector[variable] += factor
    return vector
