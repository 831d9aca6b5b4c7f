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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from case_mgmt.figures.constraints import COMPONENTS, Beliefs, Component, System
from case_mgmt.figures.definitions import K
from case_mgmt.figures.errors import DisclosureError, PastError
from case_mgmt.figures.published import Key, Published
from case_mgmt.figures.questions import Questions
from case_mgmt.figures.solver import Solver, Vector, weights

_BELIEFS: Final = (
    Beliefs(growing=True, below=True),
    Beliefs(growing=True, below=False),
    Beliefs(growing=False, below=False),
)
"""From much to little: what the second gives away contains what the third does."""
_MAX_KNOWN: Final = 2_000


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
class Known:
    """Solutions of earlier attacks on the same cells: tried first, each checked anew.

    They only save time.  After hiding a cell nearly all of them still fit.
    """

    solutions: list[Vector] = field(default_factory=list)

    def add(self, solution: Vector) -> None:
        """Keep it for the next attack; the oldest go first."""
        self.solutions.append(solution)
        del self.solutions[:-_MAX_KNOWN]

    def fitting(self, solver: Solver) -> list[Vector]:
        """Those that are solutions of this system too."""
        return [each for each in self.solutions if len(each) == solver.size and solver.fits(each)]


def attack(releases: Sequence[Published]) -> Report:
    """Attack these releases, from old to new.  Raises PastError if they contradict each other."""
    return merged([attack_component(releases, component) for component in COMPONENTS])


def attack_component(
    releases: Sequence[Published], component: Component, known: Known | None = None
) -> Report:
    """Attack the tables of one component; components share no number but the log's totals.

    `known` belongs to this component and these releases, the last of which may be cut more.
    """
    known = known if known is not None else Known()
    found = list(_too_small(releases, component))
    for beliefs in _BELIEFS:
        system = System(releases, component, beliefs)
        if not system.keys:
            return Report(len(releases), 0, 0, ())
        questions = Questions(system)
        if not _search(Solver(system), questions, known):
            continue
        found += [_finding(system, questions, number) for number in questions.found()]
        if not beliefs.below:
            changes = sum(each.before is not None for each in questions.targets)
            unique = tuple(dict.fromkeys(found))
            return Report(len(releases), len(questions.targets) - changes, changes, unique)
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


def _search(solver: Solver, questions: Questions, known: Known) -> bool:
    """See the extremes of every question that is not safe; False: there is no solution."""
    fitting = known.fitting(solver)
    if not fitting and solver.highest(weights(solver.size, ())) is None:
        return False
    for solution in fitting:
        questions.see(solution)
    for direction in questions.spread():
        _see(solver, direction, questions, known)
    for number in questions.open():
        for sign in (1.0, -1.0):
            if number in questions.open():
                _see(solver, questions.direction(number, sign), questions, known)
    return True


def _see(solver: Solver, direction: Vector, questions: Questions, known: Known) -> None:
    solution = solver.highest(direction)
    if solution is None:
        raise DisclosureError("the attack could not be carried through")
    questions.see(solution)
    known.add(solution)


def _finding(system: System, questions: Questions, number: int) -> Finding:
    target, releases = questions.targets[number], system.releases
    before = None if target.before is None else releases[target.before].as_of
    as_of = releases[target.time].as_of
    return Finding(target.key, as_of, before, *questions.bounds(number))
