# SPDX-License-Identifier: AGPL-3.0-or-later
"""A release's tables as an attacker reads them: cells with a count, or without.

Invariants
* Made from figures.json and tables.json alone; nothing the publisher knows beside them.
* `parse` accepts what `case_mgmt.figures.tables` writes and names anything else an error.

Source: docs/spec/figures.md sections 3 and 8.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, NamedTuple

from case_mgmt.figures.definitions import RANK_DAYS
from case_mgmt.figures.errors import PastError

EXAMINED: Final = "examined"
NOT_EXAMINED: Final = "not_examined"
UNITS: Final = "unit_examined"
ONE_WAY: Final = ("service", "subject", "how", "asked", "paid")
TWO_WAY: Final = (("subject", "how"), ("service", "asked"))


class Key(NamedTuple):
    """One cell: its table, row and (for two-way tables) column."""

    table: str
    row: str
    column: str = ""


@dataclass(frozen=True)
class Cell:
    """What is said about a cell; `below`: said to be under ten."""

    count: int | None
    since: date
    below: bool = False


@dataclass(frozen=True)
class Money:
    """What is said about the money of a service: at least so much, and the middle band."""

    at_least: int | None
    median: str | None


@dataclass(frozen=True)
class MoneyRow:
    """Money asked and paid for one service."""

    asked: Money
    paid: Money
    since: date


@dataclass(frozen=True)
class Published:
    """One release: the totals anybody counts from the log, and what the tables say."""

    as_of: date
    received: int
    examined: int
    mature: int
    cells: Mapping[Key, Cell]
    money: Mapping[str, MoneyRow]
    removed: int = 0
    """Canaries revealed so far: reports that earlier releases counted and this one does not."""


def parse(figures: Mapping[str, Any], tables: Mapping[str, Any]) -> Published:
    """Read a release.  Raises PastError."""
    try:
        return _parse(figures, tables)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise PastError("the tables are not of the shape of their version") from error


def totals(figures: Mapping[str, Any]) -> Published:
    """The totals of figures.json, with nothing said about any cell yet."""
    within = next(row for row in figures["headline"]["examined"] if row["days"] == RANK_DAYS)
    return Published(
        as_of=date.fromisoformat(figures["as_of"]),
        received=int(figures["received"]),
        examined=int(within["count"]),
        mature=int(within["of"]),
        cells={},
        money={},
        removed=int(figures["canaries"]["sent"]),
    )


def _parse(figures: Mapping[str, Any], tables: Mapping[str, Any]) -> Published:
    if figures["as_of"] != tables["as_of"]:
        raise PastError("figures and tables are not of the same day")
    money = {row["value"]: _money(row) for row in tables["money"]}
    return replace(totals(figures), cells=dict(_cells(tables)), money=money)


def _cells(tables: Mapping[str, Any]) -> Iterator[tuple[Key, Cell]]:
    for table in tables["oneway"]:
        for cell in table["cells"]:
            yield Key(table["by"], cell["value"]), _cell(cell["count"], cell["since"])
    for table in tables["twoway"]:
        name = f"{table['rows']}_{table['columns']}"
        for cell in table["cells"]:
            yield Key(name, cell["row"], cell["column"]), _cell(cell["count"], cell["since"])
    for row in tables["units"]:
        for column in (EXAMINED, NOT_EXAMINED):
            below = row["below"] == column
            yield Key(UNITS, row["unit"], column), _cell(row[column], row["since"], below=below)


def _cell(count: int | None, since: str, *, below: bool = False) -> Cell:
    if count is not None and not isinstance(count, int):
        raise PastError("a count is a whole number or null")
    return Cell(count, date.fromisoformat(since), below)


def _money(row: Mapping[str, Any]) -> MoneyRow:
    return MoneyRow(
        Money(row["asked_at_least"], row["asked_median"]),
        Money(row["paid_at_least"], row["paid_median"]),
        date.fromisoformat(row["since"]),
    )
