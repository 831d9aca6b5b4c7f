# SPDX-License-Identifier: AGPL-3.0-or-later
"""What was left out, and what the attack tried: suppression.json.

Invariant: it does not say which cells are hidden for being small and which to protect others, not
even how many of each; that alone can give a cell away.

Source: docs/spec/figures.md section 4.
"""

from typing import Any

from case_mgmt.figures.attack import Report
from case_mgmt.figures.definitions import DEFINITIONS, K
from case_mgmt.figures.published import ONE_WAY, TWO_WAY, UNITS, Published


def suppression_report(release: Published, report: Report) -> dict[str, Any]:
    """suppression.json."""
    names = (*ONE_WAY, *(f"{rows}_{columns}" for rows, columns in TWO_WAY), UNITS)
    return {
        "v": 1,
        "definitions": DEFINITIONS,
        "as_of": release.as_of.isoformat(),
        "k": K,
        "tables": [*(_table(release, name) for name in names), _money(release)],
        "attack": {
            "releases": report.releases,
            "cells": report.cells,
            "changes": report.changes,
            "found": len(report.found),
        },
    }


def _table(release: Published, name: str) -> dict[str, Any]:
    cells = [cell for key, cell in release.cells.items() if key.table == name]
    shown = [cell for cell in cells if cell.count is not None]
    return {
        "table": name,
        "cells": len(cells),
        "shown": len(shown),
        "hidden": len(cells) - len(shown),
        "kept": sum(cell.since != release.as_of for cell in shown),
    }


def _money(release: Published) -> dict[str, Any]:
    sums = [(row, part) for row in release.money.values() for part in (row.asked, row.paid)]
    shown = [row for row, part in sums if part.at_least is not None]
    return {
        "table": "money",
        "cells": len(sums),
        "shown": len(shown),
        "hidden": len(sums) - len(shown),
        "kept": sum(row.since != release.as_of for row in shown),
    }
