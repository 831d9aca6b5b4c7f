# SPDX-License-Identifier: AGPL-3.0-or-later
"""The sheet every chart is drawn on, and how a drawing becomes a small, plain SVG.

Invariants
* The same drawing gives the same bytes: no date, no chance, fixed ids, the library's own fonts.
* Text stays text; few colours, all of them told apart without seeing colour, and readable on dark
  paper too (the file follows the reader's preference).
* No script, no link, nothing from elsewhere.

Source: docs/spec/release.md section 6; colours after Okabe and Ito (blue-green against orange).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from typing import Final
from xml.sax.saxutils import escape

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from case_mgmt.figures.definitions import WHOLE
from whistle.i18n import Language
from whistle.release.percent import per_cent

INK: Final = "#1c2226"
SOFT: Final = "#4d575d"
LINE: Final = "#d5d3c9"
MAIN: Final = "#0d4f56"
PALE: Final = "#b9d4d1"
STRIKING: Final = "#b3560b"
_DARK: Final = {
    INK: "#e9ebe6",
    SOFT: "#b0b9ba",
    LINE: "#3d4a4f",
    MAIN: "#8fd0cc",
    PALE: "#2c5255",
    STRIKING: "#f0a860",
}
_FONT: Final = "system-ui,'Segoe UI',Roboto,Arial,sans-serif"
_POINTS_PER_INCH: Final = 72
_STYLE: Final = {
    "svg.fonttype": "none",
    "svg.hashsalt": "whistle",
    "font.size": 14,
    "font.family": ["DejaVu Sans"],
    "text.color": INK,
    "text.parse_math": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.labelsize": 13,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": False,
    "grid.color": LINE,
    "grid.linewidth": 1,
    "xtick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.color": SOFT,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 13,
    "ytick.labelsize": 13,
    "ytick.left": False,
    "path.simplify": False,
    "figure.dpi": _POINTS_PER_INCH,
}


@dataclass(frozen=True)
class Sheet:
    """How large a chart is, in CSS pixels."""

    width: int
    is_narrow: bool


WIDE: Final = Sheet(700, is_narrow=False)
NARROW: Final = Sheet(330, is_narrow=True)
SHEETS: Final = {"": WIDE, "-narrow": NARROW}
"""Suffix of the file's name to size: the narrow one is for telephones."""

Draw = Callable[[Axes, Sheet], None]


def render(draw: Draw, sheet: Sheet, height: int, title: str) -> bytes:
    """The SVG file of one chart, `height` pixels high; `title` for whoever opens it alone."""
    with style.context(["default", _STYLE]):
        figure = Figure(figsize=(sheet.width / _POINTS_PER_INCH, height / _POINTS_PER_INCH))
        figure.set_layout_engine("constrained", w_pad=0.06, h_pad=0.06)
        axes = figure.add_subplot()
        draw(axes, sheet)
        out = StringIO()
        metadata = {"Date": None, "Creator": None, "Type": None}
        figure.savefig(out, format="svg", metadata=metadata)
    return _plain(out.getvalue(), sheet.width, height, title).encode()


def share_axis(axes: Axes, lang: Language) -> None:
    """A vertical axis from 0 to 100 %, with a quiet grid."""
    marks = range(0, WHOLE + 1, WHOLE // 4)
    axes.set_ylim(0, WHOLE)
    axes.set_yticks(marks, [per_cent(mark, lang) for mark in marks])
    axes.grid(axis="y")


def _plain(svg: str, width: int, height: int, title: str) -> str:
    """Leave out what no reader needs; let the colours follow the reader's paper."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"\s*<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<!--.*?-->\s*", "", body, flags=re.DOTALL)
    body = re.sub(r"\s*<defs>\s*<style[^>]*>.*?</style>\s*</defs>", "", body, flags=re.DOTALL)
    body = re.sub(
        r'(\b(?:d|x|y|points|transform)=")([^"]*)"',
        lambda found: found[1] + _shorter(found[2]) + '"',
        body,
    )
    body = re.sub(r"font: (\d+) ([\d.]+)px '[^;\"]*", r"font-weight: \1; font-size: \2px", body)
    body = re.sub(r"font: ([\d.]+)px '[^;\"]*", r"font-size: \1px", body)
    body = re.sub(r"; font-family: [^;\"]*", "", body)
    body = re.sub(r' transform="rotate\(-0 [^"]*"', "", body)
    body = re.sub(r'<g id="[^"]*"', "<g", body)
    body = re.sub(r"\s*\n\s*", "\n", body)
    inner = body[body.index(">") + 1 :]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">'
        f"<title>{escape(title)}</title><style>{_sheet_style()}</style>"
    )
    return head + inner


def _shorter(numbers: str) -> str:
    return re.sub(r"(\.\d\d)\d+", r"\1", numbers)


def _sheet_style() -> str:
    dark = "".join(
        f'[style*="fill: {light}"]{{fill:{other}!important}}'
        f'[style*="stroke: {light}"]{{stroke:{other}!important}}'
        for light, other in _DARK.items()
    )
    base = f"*{{stroke-linejoin:round;stroke-linecap:butt}}text{{font-family:{_FONT}}}"
    return f"{base}@media(prefers-color-scheme:dark){{{dark}}}"
