# SPDX-License-Identifier: AGPL-3.0-or-later
"""All charts of a release: read from the figures, drawn for both sheets, with their alternatives.

Invariant: a chart is there exactly when it has something to show; the text that stands in for it
names its shape and its ends, the table below it every number.

Source: docs/spec/release.md section 6, docs/spec/figures.md sections 2 and 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from case_mgmt.figures.definitions import WHOLE, K
from crypto.encoding import parse_day
from whistle.release.charts import (
    MILESTONES,
    Bar,
    Dot,
    Limits,
    Step,
    Week,
    bars,
    bars_height,
    funnel,
    waiting,
    weekly,
)
from whistle.release.drawing import SHEETS, Draw, Sheet, render
from whistle.release.inputs import JsonObject
from whistle.release.words import Words

HEADLINE_DAYS: Final = 30
LONG_OPEN: Final = 91
"""Reports open for so many days are drawn strikingly: beyond the limit for an answer."""
_HEIGHT: Final = 300
_FUNNEL_HEIGHT: Final = 380
_SIDES: Final = {"best": 1, "worst": -1}


@dataclass(frozen=True)
class Chart:
    """A chart's name, what it is called, what it says in words, and how it is drawn."""

    name: str
    title: str
    alt: str
    draw: Draw
    rows: int | None = None
    """Of a bar chart: how many bars."""

    def height(self, sheet: Sheet) -> int:
        """Pixels on this sheet."""
        if self.rows is not None:
            return bars_height(self.rows, sheet)
        return _FUNNEL_HEIGHT if self.name == "offices" else _HEIGHT


def charts(figures: JsonObject, tables: JsonObject, words: Words) -> dict[str, Chart]:
    """The charts that have something to show, by name."""
    made = (
        _weekly(figures["weekly"], words),
        _waiting(figures["first_follow_up"], words),
        _ages(figures["open_ages"], words),
        _outcomes(figures, words),
        _offices(tables, words),
    )
    return {chart.name: chart for chart in made if chart is not None}


def chart_files(lang: str, made: dict[str, Chart]) -> dict[str, bytes]:
    """Path in the release to SVG."""
    return {
        f"charts/{lang}-{name}{suffix}.svg": render(
            chart.draw, sheet, chart.height(sheet), chart.title
        )
        for name, chart in made.items()
        for suffix, sheet in SHEETS.items()
    }


def cohort(row: JsonObject, days: int, measure: str = "followed_up") -> JsonObject:
    """The entry of a week, or of the headline, for so many days."""
    return next(each for each in row[measure] if each["days"] == days)


@dataclass(frozen=True)
class OfficeRange:
    """Between which shares an office stands, and (about) how many of its reports count."""

    reports: int
    low: int
    high: int


def office_range(row: JsonObject) -> OfficeRange | None:
    """What a row of `units` tells; a number said to be below ten is anything from 0 to 9."""
    examined, other, below = row["examined"], row["not_examined"], row["below"]
    if examined is not None and other is not None:
        return OfficeRange(examined + other, row["share"], row["share"])
    most = K - 1
    if below == "not_examined" and examined is not None:
        return OfficeRange(examined + most // 2, WHOLE * examined // (examined + most), WHOLE)
    if below == "examined" and other is not None:
        return OfficeRange(other + most // 2, 0, -(-WHOLE * most // (other + most)))
    return None


def end_bars(figures: JsonObject, words: Words) -> list[tuple[str, int]]:
    """How cases ended: the closings, then withdrawals by the reporter."""
    rows = [(words.status(each["code"]), each["count"]) for each in figures["outcomes"]]
    return [*rows, (words.status("withdrawn"), figures["withdrawn"])]


def _weekly(rows: Sequence[JsonObject], words: Words) -> Chart | None:
    weeks, mature = [], []
    for row in rows:
        entry = cohort(row, HEADLINE_DAYS)
        known = entry["share"] is not None
        share, low, high = (entry[name] if known else 0 for name in ("share", "low", "high"))
        weeks.append(Week(parse_day(row["to"]), share, low, high, is_mature=known))
        if known:
            mature.append(entry["share"])
    if not weeks:
        return None
    alt = words.t("weekly.alt_none")
    if mature:
        alt = words.t(
            "weekly.alt",
            first=words.day(rows[0]["to"]),
            last=words.day(rows[-1]["to"]),
            start=words.share(mature[0]),
            end=words.share(mature[-1]),
            low=words.share(min(mature)),
            high=words.share(max(mature)),
        )
    return Chart("weekly", words.t("weekly.heading"), alt, weekly(weeks, words.texts))


def _waiting(value: JsonObject, words: Words) -> Chart | None:
    if not value["curve"]:
        return None
    steps = [
        Step(row["days"], *(WHOLE - row[name] for name in ("waiting", "high", "low")))
        for row in value["curve"]
    ]
    points = [
        words.t("waiting.point", share=words.share(WHOLE - row["waiting"]), days=row["days"])
        for row in value["curve"]
        if row["days"] in MILESTONES
    ]
    alt = words.t("waiting.alt", points=", ".join(points))
    return Chart("waiting", words.t("waiting.heading"), alt, waiting(steps, words.texts))


def _ages(rows: Sequence[JsonObject], words: Words) -> Chart | None:
    made = [
        Bar(words.age(row["from"], row["to"]), row["count"], row["from"] >= LONG_OPEN)
        for row in rows
    ]
    return _bars("ages", made, words)


def _outcomes(figures: JsonObject, words: Words) -> Chart | None:
    return _bars("outcomes", [Bar(*row) for row in end_bars(figures, words)], words)


def _bars(name: str, rows: Sequence[Bar], words: Words) -> Chart | None:
    if not any(row.count for row in rows):
        return None
    points = [words.t("ages.point", label=row.label, count=words.number(row.count)) for row in rows]
    alt = words.t(f"{name}.alt", points="; ".join(points))
    return Chart(name, words.t(f"{name}.heading"), alt, bars(rows, words.texts), len(rows))


def _offices(tables: JsonObject, words: Words) -> Chart | None:
    shown = [(row, office_range(row)) for row in tables["units"]]
    targets: Sequence[dict[str, Any]] = tables["funnel"]["targets"]
    dots = [
        Dot(
            words.value("unit", row["unit"]),
            found.reports,
            found.low,
            found.high,
            _SIDES.get(row["standing"], 0),
        )
        for row, found in shown
        if found is not None
    ]
    if not dots or not targets:
        return None
    names = ("low95", "high95", "low998", "high998")
    limits = [
        Limits(row["n"], *(row[name] for name in names)) for row in tables["funnel"]["limits"]
    ]
    alt = words.t(
        "offices.alt",
        total=len(dots),
        below=sum(dot.side < 0 for dot in dots),
        above=sum(dot.side > 0 for dot in dots),
    )
    draw = funnel(dots, limits, targets[-1]["share"], words.texts)
    return Chart("offices", words.t("offices.heading"), alt, draw)
