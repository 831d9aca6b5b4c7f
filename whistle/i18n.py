# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which words the pages speak: one catalogue of texts per language.

Invariants:

* texts live in ``templates/i18n/<lang>.toml`` and ``desk.<lang>.toml``; TOML tables are only a
  way to write a common prefix, keys are flat and dotted (``landing.title``);
* no key occurs twice; a missing key or a missing placeholder raises, nothing is shown half;
* texts are plain text, never markup; parameters are put in with ``{name}``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

from whistle.assets import templates_dir

Language = Literal["id", "en"]

LANGUAGES: Final[tuple[Language, ...]] = ("id", "en")
DEFAULT_LANGUAGE: Final[Language] = "id"


class TextError(Exception):
    """A text is missing, doubled or not usable: a mistake of ours, never of a reader."""


class Catalogue:
    """All texts of one language."""

    def __init__(self, lang: Language, texts: Mapping[str, str]) -> None:
        self.lang = lang
        self.texts: Final = dict(texts)
        self._months = tuple(self.t(f"option.month.{number:02d}") for number in range(1, 13))

    @classmethod
    def load(cls, lang: Language, folder: Path | None = None) -> Catalogue:
        """Read the texts of `lang`. Raises `TextError` for doubled keys and non-texts."""
        folder = folder or templates_dir() / "i18n"
        texts: dict[str, str] = {}
        paths = [folder / f"{lang}.toml", folder / f"desk.{lang}.toml"]
        for path in paths:
            if path.name.startswith("desk.") and not path.exists():
                continue
            for key, text in _flatten(tomllib.loads(path.read_text("utf-8"))):
                if key in texts:
                    raise TextError(f"text given twice: {key}")
                texts[key] = text
        return cls(lang, texts)

    def t(self, key: str, **params: object) -> str:
        """Return the text of `key` with its parameters put in. Raises `TextError`."""
        text = self.texts.get(key)
        if text is None:
            raise TextError(f"no text for {key} in {self.lang}")
        if not params:
            return text
        try:
            return text.format_map(params)
        except (KeyError, IndexError, ValueError) as error:
            raise TextError(f"placeholders of {key} do not fit") from error

    def day(self, day: date) -> str:
        """Write a day in full: 5 April 2026."""
        return f"{day.day} {self._months[day.month - 1]} {day.year}"

    def number(self, number: int) -> str:
        """Write a whole number with the thousands mark of the language."""
        marked = f"{number:,}"
        return marked.replace(",", ".") if self.lang == "id" else marked

    def rupiah(self, amount: int) -> str:
        """Write an amount of money: Rp 150.000."""
        return f"Rp\u00a0{self.number(amount)}"


def parse_language(text: str) -> Language | None:
    """Return the language named by `text` (a path segment), or None."""
    return text if text in LANGUAGES else None


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        key = f"{prefix}{name}"
        if isinstance(value, str):
            yield key, value
        elif isinstance(value, dict):
            yield from _flatten(value, f"{key}.")
        else:
            raise TextError(f"not a text: {key}")
