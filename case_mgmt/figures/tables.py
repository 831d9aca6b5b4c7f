# SPDX-License-Identifier: AGPL-3.0-or-later
"""The tables of a release: drafted, attacked, and cut until the attack finds nothing.

Invariants
* What is returned has just survived the attack together with all earlier releases.
* Where the attack finds something, other cells are hidden too (complementary suppression): a cell
  of the same row or column, rather one that was never shown before or was small when last shown.
* An office's row is not hidden then but stays as it was last shown.
* Money sums are added last and go first.
* The cutting ends, for each round hides something; if all is hidden and something is still found,
  nothing is released.

Source: docs/spec/figures.md sections 8 and 9.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from case_mgmt.figures.attack import Finding, Known, Report, attack_component, merged
from case_mgmt.figures.cards import CardedCase, complete
from case_mgmt.figures.constraints import COMPONENTS, MONEY
from case_mgmt.figures.draft import Past, draft, hidden, office_keys
from case_mgmt.figures.errors import DisclosureError, InputError
from case_mgmt.figures.money import NOTHING
from case_mgmt.figures.published import UNITS, Cell, Key, MoneyRow, Published, parse, totals
from case_mgmt.figures.report import suppression_report
from case_mgmt.figures.writing import tables_object

Release = tuple[Mapping[str, Any], Mapping[str, Any]]
"""figures.json and tables.json of an earlier release."""


@dataclass(frozen=True)
class Tables:
    """tables.json and suppression.json."""

    tables: dict[str, Any]
    suppression: dict[str, Any]


def attribute_tables(
    cases: Sequence[CardedCase],
    figures: Mapping[str, Any],
    past: Sequence[Release],
    domains: Mapping[str, Sequence[str]],
) -> Tables:
    """The tables of the release whose figures.json is `figures`.

    `cases` are all cases counted there, `past` all earlier releases from old to new, `domains` all
    values of each attribute.  Raises InputError if these do not belong together, PastError,
    DisclosureError.
    """
    city = totals(figures)
    if len(cases) != city.received:
        raise InputError("the cards are not those of the cases in the figures")
    earlier = Past(tuple(parse(*release) for release in past))
    if any(release.as_of >= city.as_of for release in earlier.releases):
        raise InputError("an earlier release is not earlier")
    release, report = cut(draft(cases, city, earlier, complete(domains)), earlier)
    days = {each.as_of: each for each in (*earlier.releases, release)}
    return Tables(tables_object(release, days), suppression_report(release, report))


def cut(release: Published, past: Past) -> tuple[Published, Report]:
    """Hide until the attack finds nothing.  Raises DisclosureError, PastError."""
    reports = []
    money, release = release.money, replace(release, money=_old_money(release))
    for component in COMPONENTS:
        known = Known()
        report = attack_component((*past.releases, release), component, known)
        while report.found:
            release = _hide(release, report.found, past)
            report = attack_component((*past.releases, release), component, known)
        reports.append(report)
    release, known = replace(release, money=money), Known()
    report = attack_component((*past.releases, release), MONEY, known)
    while report.found:
        release = replace(release, money=_less_money(release, report.found))
        report = attack_component((*past.releases, release), MONEY, known)
    return release, merged([*reports[:-1], report])


def _hide(release: Published, found: Sequence[Finding], past: Past) -> Published:
    cells = dict(release.cells)
    chosen = {key for key in (_choose(release, finding.key, past) for finding in found) if key}
    if not chosen:
        raise DisclosureError("hiding everything does not help")
    for key in chosen:
        if key.table == UNITS:
            cells |= _older_office(key.row, release, past)
        else:
            cells[key] = hidden(release.as_of)
    return replace(release, cells=cells)


def _older_office(unit: str, release: Published, past: Past) -> dict[Key, Cell]:
    """The office's row as it was last shown: it leaves as much open as none at all."""
    return {key: past.shown(key) or hidden(release.as_of) for key in office_keys(unit)}


def _old_money(release: Published) -> dict[str, MoneyRow]:
    return {
        service: _nothing(release) if row.since == release.as_of else row
        for service, row in release.money.items()
    }


def _less_money(release: Published, found: Sequence[Finding]) -> dict[str, MoneyRow]:
    """The money rows without those of the services in question, or without any new one."""
    services = {finding.key.row for finding in found} & {
        service for service, row in release.money.items() if row != _nothing(release)
    }
    if not services:
        return _old_money(release)
    return {
        service: _nothing(release) if service in services and row.since == release.as_of else row
        for service, row in release.money.items()
    }


def _nothing(release: Published) -> MoneyRow:
    return MoneyRow(NOTHING, NOTHING, release.as_of)


def _choose(release: Published, found: Key, past: Past) -> Key | None:
    """The cell to hide so that `found` cannot be worked out; None: nothing is left to hide."""
    shown = [
        key
        for key, cell in release.cells.items()
        if _component(key) == _component(found) and _protects(key, cell, release)
    ]
    others = [key for key in shown if key.row != found.row] if found.table == UNITS else shown
    for near in (_same_line, _same_table, _margin):
        candidates = [key for key in others if near(key, found)]
        if candidates:
            return min(candidates, key=lambda key: _cost(key, past))
    return min(shown, key=lambda key: _cost(key, past), default=None)


def _protects(key: Key, cell: Cell, release: Published) -> bool:
    """Whether hiding it can help: it is shown, and for an office the row is new."""
    if key.table == UNITS and cell.since != release.as_of:
        return False
    return cell.count is not None or cell.below


def _cost(key: Key, past: Past) -> tuple[int, Key]:
    """What hiding it costs, by what is public already.

    SECURITY: the counts of this release must not steer the choice; "the smallest of those shown"
    would tell a bound of what is hidden (tests/case_mgmt/figures/test_inversion.py).
    """
    keys = office_keys(key.row) if key.table == UNITS else (key,)
    shown = (past.shown(each) for each in keys)
    return sum(cell.count or 0 for cell in shown if cell is not None), key


def _same_line(key: Key, found: Key) -> bool:
    if key.table != found.table:
        return False
    return not found.column or key.table == UNITS or _meets(key, found)


def _meets(key: Key, found: Key) -> bool:
    return key.row == found.row or key.column == found.column


def _same_table(key: Key, found: Key) -> bool:
    return key.table == found.table


def _margin(key: Key, found: Key) -> bool:
    return bool({key.row, key.column} & ({found.row, found.column} - {""}))


def _component(key: Key) -> str:
    if key.table == UNITS:
        return UNITS
    return "subject" if key.table in {"subject", "how", "subject_how"} else "service"
