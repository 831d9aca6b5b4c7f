# SPDX-License-Identifier: AGPL-3.0-or-later
"""Prints measured figures in columns: what, measured, budget, met or not, comparison."""

from typing import TextIO


class Report:
    """Collects the lines and counts the budgets that were met."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._met = 0
        self._budgets = 0

    def title(self, text: str) -> None:
        """A heading."""
        self._out.write(f"\n{text}\n")
        self._out.flush()

    def line(
        self, what: str, measured: str, budget: str | None, met: bool, beside: str = ""
    ) -> None:
        """One figure; `budget` None means that none is set."""
        mark = " "
        if budget:
            self._budgets += 1
            self._met += met
            mark = "✓" if met else "✗"
        self._out.write(f" {mark} {what:<44}{measured:>20}   {budget or '':<18}{beside}\n")
        self._out.flush()

    def finish(self) -> int:
        """The last line; exit code 1 if a budget was missed."""
        self._out.write(f"\nbench: {self._met} of {self._budgets} budgets met\n")
        return 0 if self._met == self._budgets else 1
