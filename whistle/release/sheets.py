# SPDX-License-Identifier: AGPL-3.0-or-later
"""The figures as plain tables (CSV), with the schema that describes each column.

Invariants
* A row says the same as figures.json or tables.json, nothing more; what is not shown is empty.
* Every column is described once, here; datapackage.json repeats it.

Source: docs/spec/release.md section 3; RFC 4180; Frictionless Table Schema.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any, Final

from whistle.release.inputs import JsonObject

Row = Sequence[Any]
_TEXT, _COUNT, _DAY, _YES_NO = "string", "integer", "date", "boolean"
_SHARES: Final = ("share", "low", "high")


@dataclass(frozen=True)
class Sheet:
    """One CSV file: what it is about, its columns (name to type), and where its rows are."""

    name: str
    title: str
    columns: dict[str, str]
    rows: Callable[[JsonObject, JsonObject], Iterable[Row]]

    @property
    def path(self) -> str:
        """Its place in the release."""
        return f"data/{self.name}.csv"

    def file(self, figures: JsonObject, tables: JsonObject) -> bytes:
        """The CSV file."""
        out = StringIO(newline="")
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(self.columns)
        for row in self.rows(figures, tables):
            writer.writerow([_cell(value) for value in row])
        return out.getvalue().encode()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else value


def _take(names: Sequence[str], *path: str) -> Callable[[JsonObject, JsonObject], Iterable[Row]]:
    """Rows of a list of figures.json, as they are."""

    def rows(figures: JsonObject, _tables: JsonObject) -> Iterable[Row]:
        found: Any = figures
        for step in path:
            found = found[step]
        return [[each[name] for name in names] for each in found]

    return rows


def _headline(figures: JsonObject, _tables: JsonObject) -> Iterable[Row]:
    for measure in ("followed_up", "examined"):
        for each in figures["headline"][measure]:
            yield measure, *(each[name] for name in ("days", "count", "of", *_SHARES))


def _weekly(figures: JsonObject, _tables: JsonObject) -> Iterable[Row]:
    for week in figures["weekly"]:
        start = (week["from"], week["to"], week["received"])
        for measure in ("followed_up", "examined"):
            for each in week[measure]:
                yield *start, measure, *(each[n] for n in ("days", "count", "mature", *_SHARES))


def _ends(figures: JsonObject, _tables: JsonObject) -> Iterable[Row]:
    for curve in figures["outcome"]["curves"]:
        for each in curve["points"]:
            yield curve["cause"], *(each[name] for name in ("days", "at_risk", "events", *_SHARES))


def _counts(_figures: JsonObject, tables: JsonObject) -> Iterable[Row]:
    for table in tables["oneway"]:
        for cell in table["cells"]:
            yield table["by"], cell["value"], cell["count"], cell["since"]


def _crossed(_figures: JsonObject, tables: JsonObject) -> Iterable[Row]:
    for table in tables["twoway"]:
        for cell in table["cells"]:
            names = (table["rows"], table["columns"])
            yield *names, *(cell[name] for name in ("row", "column", "count", "since"))


def _listed(columns: dict[str, str], key: str) -> Callable[[JsonObject, JsonObject], Iterable[Row]]:
    def rows(_figures: JsonObject, tables: JsonObject) -> Iterable[Row]:
        return [[each[name] for name in columns] for each in tables[key]]

    return rows


_SHARE_COLUMNS: Final = dict.fromkeys(_SHARES, _COUNT)
_UNITS: Final = {
    "unit": _TEXT,
    "examined": _COUNT,
    "not_examined": _COUNT,
    "below": _TEXT,
    "share": _COUNT,
    "standing": _TEXT,
    "since": _DAY,
}
_MONEY: Final = {
    "by": _TEXT,
    "value": _TEXT,
    "asked_at_least": _COUNT,
    "asked_median": _TEXT,
    "paid_at_least": _COUNT,
    "paid_median": _TEXT,
    "since": _DAY,
}
_CURVE: Final = ("days", "at_risk", "events", "waiting", "low", "high")
_AGES: Final = ("from", "to", "count")
_OUTCOMES: Final = ("code", "count", "settled", "not_settled", "silent")
SHEETS: Final = (
    Sheet(
        "headline",
        "Share of reports followed up within 7, 30, 60 and 90 days",
        {"measure": _TEXT, "days": _COUNT, "count": _COUNT, "of": _COUNT, **_SHARE_COLUMNS},
        _headline,
    ),
    Sheet(
        "weekly",
        "Reports by week of arrival, and how many were followed up",
        {
            "from": _DAY,
            "to": _DAY,
            "received": _COUNT,
            "measure": _TEXT,
            "days": _COUNT,
            "count": _COUNT,
            "mature": _YES_NO,
            **_SHARE_COLUMNS,
        },
        _weekly,
    ),
    Sheet(
        "first_follow_up",
        "Waiting for the first follow-up (Kaplan-Meier)",
        dict.fromkeys(_CURVE, _COUNT),
        _take(_CURVE, "first_follow_up", "curve"),
    ),
    Sheet(
        "outcome_curves",
        "How and when cases end (Aalen-Johansen)",
        {"cause": _TEXT, "days": _COUNT, "at_risk": _COUNT, "events": _COUNT, **_SHARE_COLUMNS},
        _ends,
    ),
    Sheet(
        "open_ages",
        "Open cases by age in days",
        dict.fromkeys(_AGES, _COUNT),
        _take(_AGES, "open_ages"),
    ),
    Sheet(
        "outcomes",
        "Outcomes as the office states them, beside the reporters' answers",
        {"code": _TEXT, **dict.fromkeys(_OUTCOMES[1:], _COUNT)},
        _take(_OUTCOMES, "outcomes"),
    ),
    Sheet(
        "counts",
        "Reports by one attribute; empty: withheld",
        {"by": _TEXT, "value": _TEXT, "count": _COUNT, "since": _DAY},
        _counts,
    ),
    Sheet(
        "cross_counts",
        "Reports by two attributes; empty: withheld",
        {
            "rows": _TEXT,
            "columns": _TEXT,
            "row": _TEXT,
            "column": _TEXT,
            "count": _COUNT,
            "since": _DAY,
        },
        _crossed,
    ),
    Sheet(
        "units",
        "Offices: reports examined within 30 days; empty: withheld",
        _UNITS,
        _listed(_UNITS, "units"),
    ),
    Sheet(
        "money",
        "Money asked and paid, in whole rupiah, at least; empty: withheld",
        _MONEY,
        _listed(_MONEY, "money"),
    ),
)


def sheet_files(figures: JsonObject, tables: JsonObject) -> dict[str, bytes]:
    """Path in the release to CSV file."""
    return {sheet.path: sheet.file(figures, tables) for sheet in SHEETS}
