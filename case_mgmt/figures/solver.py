# SPDX-License-Identifier: AGPL-3.0-or-later
"""Smallest and largest value of a sum under linear rows: the only user of HiGHS.

One system is asked many questions.  Only the sum changes between them, so the simplex method starts
each time where it ended (primal: the old corner still fits), which takes a fraction of the time.

Invariants
* A solution is checked against every row and bound here before it counts; so a cell is never
  called safe on the word of the solver alone.
* "No solution" is said after a start from nothing; a solver that gives up is an error.
* Variables are real numbers here: the bounds contain all whole-number solutions.

Source: Huangfu & Hall (2018), HiGHS.
"""

from collections.abc import Sequence
from typing import Final

import highspy
import numpy as np

from case_mgmt.figures.constraints import System
from case_mgmt.figures.errors import DisclosureError

Vector = np.ndarray[tuple[int], np.dtype[np.float64]]
FITS: Final = 1e-5
"""How far a row may be missed: a thousand times less than would move a whole number."""
_OPTIONS: Final = (("output_flag", False), ("threads", 1), ("simplex_strategy", 4))
"""Silent, alone, primal simplex."""


class Solver:
    """One system, made ready for many questions."""

    def __init__(self, system: System) -> None:
        self.size = len(system.bounds)
        self._places = np.arange(self.size, dtype=np.int32)
        self._low, self._high = (_vector(side) for side in zip(*system.bounds, strict=True))
        self._least = _vector([row.low for row in system.rows])
        self._most = _vector([row.high for row in system.rows])
        terms = [term for row in system.rows for term in row.terms]
        self._starts = np.cumsum([0, *(len(row.terms) for row in system.rows)], dtype=np.int32)
        self._columns = np.array([variable for variable, _ in terms], dtype=np.int32)
        self._factors = _vector([factor for _, factor in terms])
        self._highs = highspy.Highs()  # type: ignore[no-untyped-call]
        for name, value in _OPTIONS:
            self._highs.setOptionValue(name, value)
        self._highs.passModel(self._model())

    def fits(self, solution: Vector) -> bool:
        """Whether this is a solution, up to rounding."""
        if np.any(solution < self._low - FITS) or np.any(solution > self._high + FITS):
            return False
        sums = np.add.reduceat(self._factors * solution[self._columns], self._starts[:-1])
        within = (sums >= self._least - FITS) & (sums <= self._most + FITS)
        return bool(np.all(within))

    def highest(self, weights: Vector) -> Vector | None:
        """A solution where the weighted sum is largest; None: there is no solution at all.

        Raises DisclosureError if the question cannot be answered.
        """
        self._highs.changeColsCost(self.size, self._places, -weights)
        solution = self._run()
        if solution is not None and self.fits(solution):
            return solution
        self._highs.clearSolver()
        solution = self._run()
        if solution is None and self._status() == highspy.HighsModelStatus.kInfeasible:
            return None
        if solution is None or not self.fits(solution):
            raise DisclosureError("the attack could not be carried through")
        return solution

    def _run(self) -> Vector | None:
        self._highs.run()
        if self._status() != highspy.HighsModelStatus.kOptimal:
            return None
        return _vector(self._highs.getSolution().col_value)

    def _status(self) -> highspy.HighsModelStatus:
        return self._highs.getModelStatus()

    def _model(self) -> highspy.HighsLp:
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = self.size, len(self._least)
        model.col_cost_ = np.zeros(self.size, dtype=np.float64)
        model.col_lower_, model.col_upper_ = self._low, self._high
        model.row_lower_, model.row_upper_ = self._least, self._most
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        model.a_matrix_.start_ = self._starts
        model.a_matrix_.index_ = self._columns
        model.a_matrix_.value_ = self._factors
        return model


def _vector(values: Sequence[float]) -> Vector:
    return np.array(values, dtype=np.float64)


def weights(size: int, terms: Sequence[tuple[int, float]]) -> Vector:
    """A weighted sum as a vector."""
    vector = np.zeros(size, dtype=np.float64)
    for variable, factor in terms:
        vector[variable] += factor
    return vector
