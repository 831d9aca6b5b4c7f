# SPDX-License-Identifier: AGPL-3.0-or-later
"""From the texts of a form to checked answers. Pure; knows the field table, not HTTP.

Invariants:

* line ends are LF, other control characters are gone, a one-line answer has one line;
* every answer returned was accepted by its `Field`; every refused one has a message key for its
  place on the page.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from crypto.encoding import canonical_json
from whistle.intake.fields import REPORT_FIELDS, Field, Kind

_CONTROLS = dict.fromkeys((*range(32), 127, *range(128, 160)))
_TEXT_CONTROLS = {number: None for number in _CONTROLS if chr(number) not in "\n\t"}
_LINE_CONTROLS = {**_CONTROLS, ord("\n"): " ", ord("\t"): " "}


@dataclass(frozen=True)
class Answers:
    """Normalised answers, and what is wrong with them (field name -> message key)."""

    values: Mapping[str, str]
    errors: Mapping[str, str]

    @property
    def filled(self) -> dict[str, str]:
        """Only the questions that were answered."""
        return {name: value for name, value in self.values.items() if value}


def normalise(field: Field, text: str) -> str:
    """Return the one form an answer is stored in."""
    text = without_controls(text)
    return (text if field.kind is Kind.TEXT else text.translate(_LINE_CONTROLS)).strip()


def without_controls(text: str) -> str:
    """Return a text with LF for every line end and without other control characters."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_TEXT_CONTROLS)


def check(
    fields: Iterable[Field], texts: Mapping[str, str], catalogue_ids: Mapping[str, Collection[str]]
) -> Answers:
    """Check the texts of a form; `catalogue_ids` gives the ids for the catalogue questions."""
    values: dict[str, str] = {}
    errors: dict[str, str] = {}
    for field in fields:
        value = normalise(field, texts.get(field.name, ""))
        values[field.name] = value
        if not field.accepts(value, catalogue_ids.get(field.name, ())):
            errors[field.name] = _explain(field, value)
    return Answers(values, errors)


def _explain(field: Field, value: str) -> str:
    if field.name == "confirm":
        return "error.confirm"
    if not value:
        return "error.field.required"
    if len(value) > field.max_chars:
        return "error.field.too_long"
    return "error.field.choice"


def check_report(
    texts: Mapping[str, str], units: Collection[str], services: Collection[str]
) -> Answers:
    """Check a report form."""
    ids = {"unit": units, "exclude_unit": units, "service": services}
    return check(REPORT_FIELDS, texts, ids)


def canonical(
    kind: str, answers: Mapping[str, str], files: Iterable[tuple[str, str, str]]
) -> bytes:
    """Return the bytes that say whether two presses sent the same: answers, and sha256, name, type
    of files."""
    return canonical_json(
        {"kind": kind, "answers": dict(answers), "files": [list(one) for one in files]}
    )
