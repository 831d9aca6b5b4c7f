# SPDX-License-Identifier: AGPL-3.0-or-later
"""Makes the packaged holiday table of Indonesia; the only importer of the `holidays` library.

Servers read the table as data (policy.py) and never load the library.  Besides the public
holidays the table holds the joint leave days (cuti bersama) of the years for which the library
knows the ministers' decree; decrees come out a year at a time, so later years have none until the
table is made again and the organisation signs a renewed policy.
"""

import json
from importlib.metadata import version
from typing import Final

import holidays

INDONESIA: Final = "ID"
FIRST_YEAR: Final = 2020
LAST_YEAR: Final = 2040


def holiday_table() -> str:
    """The text of holidays_id.json."""
    table = holidays.country_holidays(
        INDONESIA,
        years=range(FIRST_YEAR, LAST_YEAR + 1),
        language="id",
        categories=("public", "government"),
    )
    content = {
        "source": f"PyPI holidays {version('holidays')}, public and government, language id",
        "years": [FIRST_YEAR, LAST_YEAR],
        "days": {day.isoformat(): str(name) for day, name in sorted(table.items())},
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"
