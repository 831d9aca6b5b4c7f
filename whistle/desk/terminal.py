# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the commands write: results to standard output, problems to standard error.

- `--json`: exactly one JSON object on standard output, keys sorted, UTF-8, nothing else there.
- People: plain aligned lines; colour only when the output is a terminal and NO_COLOR is unset.
- Text that comes from a report never reaches a terminal with control characters in it (an escape
  sequence in a report could otherwise rewrite the screen).
"""

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TextIO

from whistle.desk.errors import DeskError, ServerRefusedError
from whistle.i18n import Catalogue

Tone = Literal["plain", "late", "soon", "quiet", "strong"]
_YES = frozenset({"y", "ya", "yes"})
_CODES: Mapping[Tone, str] = {
    "plain": "",
    "late": "1;31",
    "soon": "33",
    "quiet": "2",
    "strong": "1",
}


@dataclass(frozen=True)
class Cell:
    """A piece of a table with its tone."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class Terminal:
    """Where and how a command speaks."""

    texts: Catalogue
    out: TextIO
    err: TextIO
    as_json: bool = False
    colour: bool = False
    answers: TextIO | None = None
    """Where a person types; None when nobody does."""

    @property
    def may_ask(self) -> bool:
        """Whether a person sits there who reads what is shown."""
        return self.answers is not None and not self.as_json

    def agrees(self, key: str) -> bool:
        """Asks a yes-or-no question; anything but yes is no."""
        if self.answers is None:
            return False
        self.out.write(self.texts.t(key) + " ")
        self.out.flush()
        return self.answers.readline().strip().lower() in _YES

    def result(self, data: Mapping[str, Any]) -> None:
        """One JSON object, when `--json` was asked for."""
        json.dump(data, self.out, ensure_ascii=False, sort_keys=True, indent=2)
        self.out.write("\n")

    def line(self, text: str = "", tone: Tone = "plain") -> None:
        """One line for people."""
        self.out.write(self._paint(text, tone) + "\n")

    def table(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Rows with aligned columns, two spaces apart, the last column ragged."""
        if not rows:
            return
        widths = [max(len(row[column].text) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            cells = [
                self._paint(cell.text.ljust(width), cell.tone)
                for cell, width in zip(row, widths, strict=True)
            ]
            self.out.write("  ".join(cells).rstrip() + "\n")

    def say(self, key: str, **details: object) -> None:
        """One translated line for people."""
        self.line(self.texts.t(key, **details))

    def warn(self, text: str) -> None:
        """One line on standard error."""
        self.err.write(f"whistle-desk: {printable(text)}\n")

    def fail(self, error: DeskError) -> None:
        """An error as one or two plain sentences on standard error."""
        self.warn(error_text(error, self.texts))

    def _paint(self, text: str, tone: Tone) -> str:
        if not self.colour or not _CODES[tone]:
            return text
        return f"\x1b[{_CODES[tone]}m{text}\x1b[0m"


def error_text(error: DeskError, texts: Catalogue) -> str:
    """The sentence for an error; a refusal by the server keeps the server's own words."""
    if isinstance(error, ServerRefusedError) and texts.lang in error.sentences:
        return error.sentences[texts.lang]
    return texts.t(error.key, **error.details)


def printable(text: str) -> str:
    """The text without control and formatting characters; line breaks stay."""
    return "".join(c for c in text if c == "\n" or unicodedata.category(c) not in _UNPRINTABLE)


def indented(text: str, width: int = 2) -> Iterable[str]:
    """The lines of a reporter's or investigator's text, made printable and indented."""
    for line in printable(text).splitlines():
        yield " " * width + line


_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
