# SPDX-License-Identifier: AGPL-3.0-or-later
"""From a file of answers, flags or questions on the screen to checked answers.

Invariants: the questions, codes and limits are those of the site's own form
(`whistle.intake.fields`), checked by the same function; nothing is written anywhere.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from case_mgmt.catalogue import Catalogue
from crypto.encoding import parse_json
from crypto.errors import CryptoError
from whistle import i18n
from whistle.intake.fields import REPORT_FIELDS, Field, Kind
from whistle.intake.forms import check_report
from whistle.tool.errors import AnswersError

MAX_ANSWERS: Final = 1024 * 1024
_NAMES: Final = frozenset(field.name for field in REPORT_FIELDS)
_END: Final = "."

Ask = Callable[[str], str]
Say = Callable[[str], None]


@dataclass(frozen=True, repr=False)
class Answers:
    """What goes into the report, and the offices whose staff must not read it."""

    fields: Mapping[str, str]
    accused: frozenset[str]


def read_answers_file(name: str) -> dict[str, str]:
    """Return the answers of a JSON file; “-” is standard input. Raises: AnswersError."""
    try:
        data = sys.stdin.buffer.read(MAX_ANSWERS + 1) if name == "-" else Path(name).read_bytes()
        answers = parse_json(data, max_bytes=MAX_ANSWERS)
    except OSError as error:
        raise AnswersError("tool.file_missing", file=name) from error
    except CryptoError as error:
        raise AnswersError("tool.answers_json") from error
    if not isinstance(answers, dict) or not all(isinstance(v, str) for v in answers.values()):
        raise AnswersError("tool.answers_json")
    return answers


def read_flags(pairs: Iterable[str]) -> dict[str, str]:
    """Return answers given as NAME=VALUE. Raises: AnswersError."""
    answers = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise AnswersError("tool.answers_flag")
        answers[name] = value
    return answers


def check(texts: Mapping[str, str], catalogue: Catalogue, lang: i18n.Catalogue) -> Answers:
    """Check answers as the site would. Raises: AnswersError, naming the question."""
    for name in texts:
        if name not in _NAMES:
            raise AnswersError("tool.answers_name", name=name[:64])
    units = frozenset(unit.id for unit in catalogue.units)
    services = frozenset(service.id for service in catalogue.services)
    checked = check_report(texts, units, services)
    for name, problem in checked.errors.items():
        label = lang.t(f"field.{name}.label")
        raise AnswersError("tool.answers_wrong", question=label, name=name, problem=lang.t(problem))
    filled = checked.filled
    named = {filled.get("unit", ""), filled.get("exclude_unit", "")}
    return Answers(filled, frozenset(named & units))


class Interview:
    """Asks the questions of the form one after the other; an empty line skips."""

    def __init__(self, lang: i18n.Catalogue, catalogue: Catalogue, ask: Ask, say: Say) -> None:
        self._lang = lang
        self._catalogue = catalogue
        self._ask = ask
        self._say = say

    def run(self) -> dict[str, str]:
        """Return what was typed, unchecked."""
        answers: dict[str, str] = {}
        for field in REPORT_FIELDS:
            value = self._question(field)
            if value:
                answers[field.name] = value
        return answers

    def _question(self, field: Field) -> str:
        self._say("")
        self._say(self._lang.t(f"field.{field.name}.label"))
        hint = self._lang.t(f"field.{field.name}.hint")
        if hint:
            self._say(f"  {hint}")
        if field.kind is Kind.TEXT:
            return self._text(required=field.required)
        options = self._options(field)
        return self._choice(options) if options else self._ask("> ").strip()

    def _text(self, *, required: bool) -> str:
        self._say(f"  {self._lang.t('tool.ask_text')}")
        while True:
            lines = []
            while (line := self._ask("> ")) != _END:
                lines.append(line)
            text = "\n".join(lines).strip()
            if text or not required:
                return text
            self._say(self._lang.t("error.field.required"))

    def _options(self, field: Field) -> list[tuple[str, str]]:
        lang = self._lang.lang
        options = [(code, self._label(field, code)) for code in field.options]
        if field.name in {"unit", "exclude_unit"}:
            return [(unit.id, unit.name[lang]) for unit in self._catalogue.units] + options
        if field.name == "service":
            return [(each.id, each.name[lang]) for each in self._catalogue.services] + options
        return options

    def _label(self, field: Field, code: str) -> str:
        return self._lang.t(f"option.{field.name}.{code}")

    def _choice(self, options: list[tuple[str, str]]) -> str:
        for number, (_code, label) in enumerate(options, 1):
            self._say(f"  {number:>3}  {label}")
        while True:
            typed = self._ask(self._lang.t("tool.ask_number") + " ").strip()
            if not typed:
                return ""
            if typed.isdecimal() and 0 < int(typed) <= len(options):
                return options[int(typed) - 1][0]
            self._say(self._lang.t("error.field.choice"))
