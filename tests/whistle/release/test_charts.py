# SPDX-License-Identifier: AGPL-3.0-or-later
"""Charts: small plain SVG that says what it shows, in both widths, the same every time."""

import re
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest

from whistle.release.charts import (
    Bar,
    Dot,
    Limits,
    Step,
    Week,
    bars,
    funnel,
    waiting,
    weekly,
)
from whistle.release.chartset import OfficeRange, office_range
from whistle.release.drawing import NARROW, SHEETS, STRIKING, WIDE, Draw, Sheet, render
from whistle.release.words import load_release_texts

WORDS = load_release_texts("en")
FIRST = date(2026, 1, 4)
WEEKS = [
    Week(FIRST + timedelta(days=7 * number), 7000 + 10 * number, 6500, 7900, number < 16)
    for number in range(20)
]
SHARES = {1: 900, 7: 4100, 30: 8000, 60: 8800, 90: 9100, 180: 9300}
STEPS = [Step(days, share, share - 300, share + 300) for days, share in SHARES.items()]
BARS = [Bar("up to 7 days", 31), Bar("more than 90 days", 4, is_striking=True)]
LIMITS = [Limits(n, 5000, 8000, 4000, 9000) for n in (10, 50, 100)]
DOTS = [
    Dot("Alpha", 40, 7000, 7000, 0),
    Dot("Beta", 60, 2000, 2000, -1),
    Dot("C", 30, 8000, 10_000, 0),
]
CHARTS: dict[str, Draw] = {
    "weekly": weekly(WEEKS, WORDS),
    "waiting": waiting(STEPS, WORDS),
    "bars": bars(BARS, WORDS),
    "funnel": funnel(DOTS, LIMITS, 6500, WORDS),
}


def drawn(name: str, sheet: Sheet = WIDE) -> str:
    return render(CHARTS[name], sheet, 300, f"{name} <&>").decode()


@pytest.mark.parametrize("sheet", SHEETS.values(), ids=["wide", "narrow"])
@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_plain_and_the_same_every_time(name: str, sheet: Sheet) -> None:
    svg = drawn(name, sheet)
    assert svg == drawn(name, sheet)
    root = ElementTree.fromstring(svg)
    assert root.get("viewBox") == f"0 0 {sheet.width} 300"
    assert root[0].text == f"{name} <&>"
    assert not re.search(r"<script|<metadata|<!--|DejaVu|href=\"[^#]|20\d\d-\d\d-\d\d", svg)
    ids = re.findall(r' id="([^"]+)"', svg)
    assert len(ids) == len(set(ids))
    assert len(svg) < 20_000


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_follows_dark_paper(name: str) -> None:
    """Every colour that is drawn has its counterpart on dark paper."""
    svg = drawn(name)
    body = svg[svg.index("</style>") :]
    used = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", body))
    assert used
    for color in used:
        assert f'[style*="fill: {color}"]' in svg, color


def texts(svg: str) -> list[str]:
    return [
        each.text or "" for each in ElementTree.fromstring(svg).iter() if each.tag.endswith("text")
    ]


def test_labels_stand_in_the_chart() -> None:
    assert "too early" in texts(drawn("weekly"))
    assert "72%" in texts(drawn("weekly"))
    assert {"41%", "80%", "88%", "91%"} <= set(texts(drawn("waiting")))
    assert {"up to 7 days", "31", "more than 90 days", "4"} <= set(texts(drawn("bars", NARROW)))
    named = texts(drawn("funnel"))
    assert "Beta" in named
    assert "Alpha" not in named


def test_a_week_that_is_too_early_has_no_line() -> None:
    early = [Week(week.end, 0, 0, 0, is_mature=False) for week in WEEKS]
    some = render(weekly(early, WORDS), WIDE, 300, "x").decode()
    assert "too early" in texts(some)
    assert "0%" in texts(some)  # the axis
    assert some.count("stroke-width: 2.2") == 0


def test_what_is_striking_is_drawn_strikingly() -> None:
    assert STRIKING in drawn("bars").split("</style>")[1]
    plain = [Bar(bar.label, bar.count) for bar in BARS]
    assert STRIKING not in render(bars(plain, WORDS), WIDE, 300, "x").decode().split("</style>")[1]


def test_empty_charts_can_be_drawn() -> None:
    for draw in (bars([], WORDS), waiting([], WORDS), funnel([], LIMITS, 0, WORDS)):
        ElementTree.fromstring(render(draw, WIDE, 300, "x"))


@pytest.mark.parametrize(
    ("examined", "other", "below", "share", "expected"),
    [
        (30, 10, None, 7500, OfficeRange(40, 7500, 7500)),
        (41, None, "not_examined", None, OfficeRange(45, 8200, 10_000)),
        (None, 41, "examined", None, OfficeRange(45, 0, 1800)),
        (None, None, None, None, None),
    ],
)
def test_where_an_office_can_stand(
    examined: int | None,
    other: int | None,
    below: str | None,
    share: int | None,
    expected: OfficeRange | None,
) -> None:
    row = {"examined": examined, "not_examined": other, "below": below, "share": share}
    assert office_range(row) == expected
