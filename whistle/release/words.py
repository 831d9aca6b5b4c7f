# SPDX-License-Identifier: AGPL-3.0-or-later
"""How a release speaks: its texts, its numbers and the names behind its codes, in one language.

Invariants
* The texts are the site's own and those of templates/i18n/release.<lang>.toml under `release.`.
* A share is never rounded up to all or down to nothing; what is not shown is never written as 0.

Source: docs/spec/release.md section 5.
"""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from case_mgmt.catalogue import Catalogue as Offices
from case_mgmt.figures.definitions import UNKNOWN
from crypto.encoding import parse_day
from whistle.assets import templates_dir
from whistle.i18n import Catalogue, Language, TextError
from whistle.intake.fields import REPORT_FIELDS
from whistle.release.percent import per_cent

_QUESTIONS: Final = {"subject": "happened", "how": "how", "asked": "asked", "paid": "paid"}
"""Attribute of a table to the question whose answers it counts."""
_AMOUNTS: Final = {"asked": "asked", "paid": "paid"}
_FIELDS: Final = {"unit": "unit", "service": "service", **_QUESTIONS}


def _options(question: str) -> tuple[str, ...]:
    return next(tuple(field.options) for field in REPORT_FIELDS if field.name == question)


def load_release_texts(lang: Language) -> Catalogue:
    """The texts of one language.  Raises TextError."""
    path = templates_dir() / "i18n" / f"release.{lang}.toml"
    texts = dict(Catalogue.load(lang).texts)
    for key, text in _flatten(tomllib.loads(path.read_text("utf-8")), "release."):
        if key in texts:
            raise TextError(f"text given twice: {key}")
        texts[key] = text
    return Catalogue(lang, texts)


def _flatten(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        elif isinstance(value, str):
            yield f"{prefix}{name}", value
        else:
            raise TextError(f"not a text: {prefix}{name}")


class Words:
    """Texts, numbers and names of one language."""

    def __init__(self, lang: Language, offices: Offices) -> None:
        self.lang: Final = lang
        self.texts: Final = load_release_texts(lang)
        self._names = {
            "unit": {each.id: each.name[lang] for each in offices.units},
            "service": {each.id: each.name[lang] for each in offices.services},
        }

    def t(self, key: str, **params: object) -> str:
        """A text of the release.  Raises TextError."""
        return self.texts.t(f"release.{key}", **params)

    def number(self, count: int | None) -> str:
        """A count, or the sign for what is not shown."""
        return self.t("tables.hidden_short") if count is None else self.texts.number(count)

    def share(self, value: int | None) -> str:
        """Ten-thousandths as per cent; 100 only if all, 0 only if none."""
        if value is None:
            return self.t("tables.hidden_short")
        return per_cent(value, self.lang)

    def day(self, text: str) -> str:
        """A day of the figures, in full."""
        return self.texts.day(parse_day(text))

    def span(self, first: str, last: str) -> str:
        """A span of days, briefly: 6–12 Jul 2026."""
        start, end = parse_day(first), parse_day(last)
        names = [self.texts.t(f"option.month.{each.month:02d}")[:3] for each in (start, end)]
        left = f"{start.day}"
        if (start.year, start.month) != (end.year, end.month):
            left += f" {names[0]}"
        if start.year != end.year:
            left += f" {start.year}"
        dash = "–" if left == f"{start.day}" else " – "
        return f"{left}{dash}{end.day} {names[1]} {end.year}"

    def status(self, code: str) -> str:
        """The public name of a status code."""
        return self.texts.t(f"status.{code}")

    def attribute(self, attribute: str) -> str:
        """What a table counts by."""
        return self.t(f"attribute.{attribute}")

    def value(self, attribute: str, code: str) -> str:
        """The name of one value of an attribute; an id that no list explains stays as it is."""
        name = self._names.get(attribute, {}).get(code)
        if name is not None:
            return name
        key = f"option.{_FIELDS.get(attribute, attribute)}.{code}"
        if key in self.texts.texts and code != UNKNOWN:
            return self.texts.texts[key]
        return self.t("tables.unknown") if code == UNKNOWN else code

    def ordered(self, attribute: str, counts: Mapping[str, int | None]) -> list[str]:
        """Values as people look for them: money by amount, others from frequent to rare."""
        if attribute in _AMOUNTS:
            places = {code: place for place, code in enumerate(_options(_AMOUNTS[attribute]))}
            return sorted(counts, key=lambda code: (places.get(code, len(places)), code))
        return sorted(counts, key=lambda code: (-(counts[code] or 0), self.value(attribute, code)))

    def age(self, first: int, last: int | None) -> str:
        """The name of an age band in days."""
        if last is None:
            return self.t("ages.over", days=first - 1)
        if first == 0:
            return self.t("ages.up_to", last=last)
        return self.t("ages.between", first=first, last=last)
