# SPDX-License-Identifier: AGPL-3.0-or-later
"""The tables attacked once more, by the reader: can a hidden number be worked out?

The only check that needs more than this program: numpy and highspy.  Without them it is listed as
not made.

Source: docs/spec/figures.md section 9.
"""

from collections.abc import Sequence

from case_mgmt.figures.attack import attack
from case_mgmt.figures.errors import FiguresError
from case_mgmt.figures.published import parse
from whistle.verify import numbers
from whistle.verify.faults import Fault, FaultError, Found
from whistle.verify.folder import Release

MAX_SHOWN = 20


def solved_cells(releases: Sequence[Release]) -> tuple[list[Found], int]:
    """What can be worked out from all these releases together, and how many cells were tried."""
    try:
        published = [
            parse(numbers.read_json(each, numbers.FIGURES), numbers.read_json(each, numbers.TABLES))
            for each in sorted(releases, key=lambda each: each.head.as_of)
        ]
        report = attack(published)
    except FaultError as error:
        return [error.found], 0
    except FiguresError:
        return [Found(Fault.FIGURES_MALFORMED, numbers.TABLES)], 0
    found = [
        Found(Fault.TABLE_SOLVED, "/".join(str(part) for part in each.key if part))
        for each in report.found
    ]
    return list(dict.fromkeys(found))[:MAX_SHOWN], report.cells
