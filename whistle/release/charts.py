# SPDX-License-Identifier: AGPL-3.0-or-later
"""The five charts of a release, drawn from plain numbers.

Invariants
* Every chart says with words what it shows: labels stand at what they name, there is no legend.
* What is not known yet is drawn as unknown, never as zero.
* Nothing is drawn that the table below the chart does not say.

Source: docs/spec/release.md section 6; funnel after Spiegelhalter (2005).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from textwrap import fill
from typing import Final

from matplotlib.axes import Axes

from whistle.i18n import Catalogue
from whistle.release.drawing import (
    INK,
    LINE,
    MAIN,
    PALE,
    SOFT,
    STRIKING,
    Draw,
    Sheet,
    share_axis,
)
from whistle.release.percent import per_cent

MILESTONES: Final = (7, 30, 60, 90)
"""Days at which the waiting curve is labelled."""
MAX_NAMED: Final = 8
"""Offices named in the funnel; all outside the limits are in the table."""
_LATER: Final = (120, 150, 180)
_LAST_DAY: Final = 180
_FEW: Final = 50  # reports, for a funnel without offices
_BAR: Final = 34  # pixels per bar
_NAME_WIDE, _NAME_NARROW = 30, 16  # characters to a line
_MONTHS_SHORT: Final = 3


@dataclass(frozen=True)
class Week:
    """A week of arrivals: ten-thousandths followed up within 30 days, with their interval."""

    end: date
    share: int
    low: int
    high: int
    is_mature: bool


@dataclass(frozen=True)
class Step:
    """The waiting curve at a day: share followed up by then, with its interval."""

    day: int
    share: int
    low: int
    high: int


@dataclass(frozen=True)
class Bar:
    """A horizontal bar; striking ones are the ones to look at."""

    label: str
    count: int
    is_striking: bool = False


@dataclass(frozen=True)
class Dot:
    """An office in the funnel; `side` is -1 below, 1 above the limits, 0 between them.

    `low` and `high` differ where one of its numbers is only known to be below ten.
    """

    name: str
    reports: int
    low: int
    high: int
    side: int

    @property
    def share(self) -> float:
        """Where it stands, or the middle of where it can stand."""
        return (self.low + self.high) / 2


@dataclass(frozen=True)
class Limits:
    """The funnel at a number of reports: 95 % and 99.8 % limits."""

    reports: int
    low: int
    high: int
    low_alarm: int
    high_alarm: int


def weekly(weeks: Sequence[Week], words: Catalogue) -> Draw:
    """Share followed up within 30 days, by week of arrival."""

    def draw(axes: Axes, sheet: Sheet) -> None:
        share_axis(axes, words.lang)
        mature = [week for week in weeks if week.is_mature]
        places = [week.end.toordinal() for week in weeks]
        _date_axis(axes, weeks, words, sheet)
        if mature:
            days = [week.end.toordinal() for week in mature]
            low, high = [week.low for week in mature], [week.high for week in mature]
            axes.fill_between(days, low, high, color=PALE, linewidth=0)
            axes.plot(days, [week.share for week in mature], color=MAIN, linewidth=2.2)
            last = mature[-1]
            axes.plot([days[-1]], [last.share], "o", color=MAIN, markersize=6)
            axes.annotate(
                per_cent(last.share, words.lang),
                (days[-1], last.share),
                (7, 0),
                textcoords="offset points",
                color=MAIN,
                weight="bold",
                va="center",
            )
        if len(mature) < len(weeks):
            start = mature[-1].end.toordinal() if mature else places[0]
            _too_early(axes, start, places[-1], words)

    return draw


def waiting(curve: Sequence[Step], words: Catalogue) -> Draw:
    """Share with a first follow-up, by days since arrival."""

    def draw(axes: Axes, sheet: Sheet) -> None:
        share_axis(axes, words.lang)
        shown = [Step(0, 0, 0, 0), *(step for step in curve if step.day <= _LAST_DAY)]
        days = [step.day for step in shown]
        low, high = [step.low for step in shown], [step.high for step in shown]
        axes.fill_between(days, low, high, step="post", color=PALE, linewidth=0)
        shares = [step.share for step in shown]
        axes.step(days, shares, where="post", color=MAIN, linewidth=2.2)
        axes.set_xlim(0, max(*days, MILESTONES[-1]) * 1.02)
        is_long = days[-1] > MILESTONES[-1]
        first = () if is_long and sheet.is_narrow else (0,)
        axes.set_xticks([*first, *MILESTONES, *(_LATER if is_long else ())])
        axes.set_xlabel(words.t("release.axis.days"))
        for step in shown:
            if step.day in MILESTONES:
                _mark(axes, step, words, sheet)

    return draw


def bars(rows: Sequence[Bar], words: Catalogue) -> Draw:
    """Counts as horizontal bars, each with its number at the end."""

    def draw(axes: Axes, sheet: Sheet) -> None:
        places = range(len(rows), 0, -1)
        colors = [STRIKING if row.is_striking else MAIN for row in rows]
        most = max([row.count for row in rows], default=0)
        axes.barh(places, [row.count for row in rows], height=0.5, color=colors)
        axes.set_xlim(0, max(1, most) * (1.2 if sheet.is_narrow else 1.12))
        axes.set_ylim(0.4, len(rows) + (0.9 if sheet.is_narrow else 0.6))
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)
        for place, row in zip(places, rows, strict=True):
            axes.annotate(
                words.number(row.count),
                (row.count, place),
                (6, 0),
                textcoords="offset points",
                va="center",
                weight="bold",
            )
        _bar_names(axes, rows, list(places), sheet)

    return draw


def funnel(dots: Sequence[Dot], limits: Sequence[Limits], average: int, words: Catalogue) -> Draw:
    """Offices by number of reports and share followed up, between the limits of chance."""

    def draw(axes: Axes, sheet: Sheet) -> None:
        share_axis(axes, words.lang)
        axes.set_xlabel(words.t("release.axis.reports"))
        at = [each.reports for each in limits]
        axes.set_xlim(0, max([dot.reports for dot in dots], default=_FEW) * 1.1)
        outer = ([each.low_alarm for each in limits], [each.high_alarm for each in limits])
        axes.fill_between(at, *outer, color=PALE, alpha=0.45, linewidth=0)
        inner = ([each.low for each in limits], [each.high for each in limits])
        axes.fill_between(at, *inner, color=PALE, linewidth=0)
        axes.axhline(average, color=SOFT, linewidth=1.2, dashes=(5, 4))
        axes.annotate(
            words.t("release.axis.average", share=per_cent(average, words.lang)),
            (1, average),
            (5, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            size=12,
            color=INK,
        )
        for side, color, marker in ((0, SOFT, "o"), (1, MAIN, "^"), (-1, STRIKING, "v")):
            some = [dot for dot in dots if dot.side == side]
            exact = [dot for dot in some if dot.low == dot.high]
            places = [dot.reports for dot in exact], [dot.share for dot in exact]
            axes.plot(*places, marker, color=color, markersize=5 if side == 0 else 8)
            for dot in some:
                if dot.low < dot.high:
                    axes.plot([dot.reports] * 2, [dot.low, dot.high], color=color, linewidth=3)
        _name_dots(axes, dots, sheet)

    return draw


def bars_height(rows: int, sheet: Sheet) -> int:
    """Pixels that so many bars need; on narrow sheets the name stands above its bar."""
    return max(1, rows) * (_BAR + 16 if sheet.is_narrow else _BAR) + 20


def _date_axis(axes: Axes, weeks: Sequence[Week], words: Catalogue, sheet: Sheet) -> None:
    first, last = weeks[0].end, weeks[-1].end
    axes.set_xlim(first.toordinal() - 3, last.toordinal() + 3)
    months = (last.year - first.year) * 12 + last.month - first.month
    stride = max(1, -(-months // (3 if sheet.is_narrow else 8)))
    stride = next((each for each in (1, 2, 3, 6, 12) if each >= stride), 12)
    ticks = [
        date(number // 12, number % 12 + 1, 1)
        for number in range(first.year * 12, last.year * 12 + 12)
        if (number % 12) % stride == 0
    ]
    shown = [day for day in ticks if first <= day <= last]
    names = [words.t(f"option.month.{day.month:02d}")[:_MONTHS_SHORT] for day in shown]
    labels = [
        f"{name}\n{day.year}" if index == 0 or day.month <= stride else name
        for index, (name, day) in enumerate(zip(names, shown, strict=True))
    ]
    axes.set_xticks([day.toordinal() for day in shown], labels)


def _too_early(axes: Axes, start: int, end: int, words: Catalogue) -> None:
    axes.axvspan(start, end + 3, color=LINE, alpha=0.45, linewidth=0)
    axes.annotate(
        words.t("release.too.early"),
        (1, 0),
        (-4, 6),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        size=12,
        color=INK,
    )


def _mark(axes: Axes, step: Step, words: Catalogue, sheet: Sheet) -> None:
    axes.plot([step.day], [step.share], "o", color=MAIN, markersize=6)
    axes.annotate(
        per_cent(step.share, words.lang),
        (step.day, step.share),
        (5, -16),
        textcoords="offset points",
        color=MAIN,
        weight="bold",
        size=12 if sheet.is_narrow else 14,
    )


def _bar_names(axes: Axes, rows: Sequence[Bar], places: Sequence[int], sheet: Sheet) -> None:
    if not sheet.is_narrow:
        axes.set_yticks(places, [row.label for row in rows])
        return
    axes.set_yticks([])
    for place, row in zip(places, rows, strict=True):
        axes.annotate(row.label, (0, place + 0.32), size=13, va="bottom")


def _name_dots(axes: Axes, dots: Sequence[Dot], sheet: Sheet) -> None:
    outside = sorted((dot for dot in dots if dot.side != 0), key=lambda dot: (dot.share, dot.name))
    worst = [dot for dot in outside if dot.side < 0][: MAX_NAMED // 2]
    best = [dot for dot in reversed(outside) if dot.side > 0][: MAX_NAMED // 2]
    right = axes.get_xlim()[1]
    for dot in (*worst, *best):
        is_left = dot.reports > right * 0.55
        axes.annotate(
            fill(dot.name, _NAME_NARROW if sheet.is_narrow else _NAME_WIDE),
            (dot.reports, dot.share),
            (-8 if is_left else 8, 0),
            textcoords="offset points",
            ha="right" if is_left else "left",
            va="center",
            size=12,
        )
