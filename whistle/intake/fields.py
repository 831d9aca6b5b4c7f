# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which questions a report and the status page ask, in order, and what an answer may be.

The one table that the form, the validation, the sealed body and the desk share. Invariants:

* only ``story`` is required; every other answer may be left empty;
* a choice is answered by one of its codes or by nothing; the codes never change meaning;
* ``unit``, ``exclude_unit`` and ``service`` take the ids of the catalogue plus the extra codes
  given here, so their full list is known only with a catalogue (`Field.accepts`);
* labels are ``field.<name>.label`` and ``option.<name>.<code>`` in the text catalogues.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

MAX_FILES: Final = 5
FILE_FIELD: Final = "file"
TOKEN_FIELD: Final = "token"  # noqa: S105 - a form name
CODE_FIELD: Final = "code"
CONFIRM_FIELD: Final = "confirm"

YEARS_OFFERED: Final = 12

_YEAR = re.compile(r"(?:19|20)[0-9]{2}")


class Kind(StrEnum):
    """How a question is answered."""

    LINE = "line"  # one line of text
    TEXT = "text"  # several lines of text
    CHOICE = "choice"  # one code of `Field.options`
    CATALOGUE = "catalogue"  # one id of the catalogue, or one of `Field.options`
    YEAR = "year"  # four digits
    SECRET = "secret"  # noqa: S105 - a token or a receipt code: never stored, never echoed by the form


@dataclass(frozen=True)
class Field:
    """One question: its form name, kind, codes and longest answer in characters."""

    name: str
    kind: Kind
    options: tuple[str, ...] = ()
    max_chars: int = 200
    required: bool = False

    def accepts(self, value: str, catalogue_ids: Collection[str] = ()) -> bool:
        """Say whether `value` is an answer to this question; length in characters counts."""
        if not value:
            return not self.required
        if len(value) > self.max_chars:
            return False
        if self.kind is Kind.CHOICE:
            return value in self.options
        if self.kind is Kind.CATALOGUE:
            return value in self.options or value in catalogue_ids
        if self.kind is Kind.YEAR:
            return _YEAR.fullmatch(value) is not None
        return True


_MONEY = (
    "zero",
    "under_50k",
    "50k_100k",
    "100k_250k",
    "250k_500k",
    "500k_1m",
    "1m_5m",
    "5m_10m",
    "10m_50m",
    "50m_1b",
    "over_1b",
)

TOKEN = Field(TOKEN_FIELD, Kind.SECRET, max_chars=200, required=True)

STORY = Field("story", Kind.TEXT, max_chars=50_000, required=True)
HAPPENED = Field(
    "happened",
    Kind.CHOICE,
    (
        "asked_refused",
        "asked_undecided",
        "asked_paid",
        "withheld",
        "third_party",
        "witnessed",
        "insider",
        "honest",
    ),
)
UNIT = Field("unit", Kind.CATALOGUE, ("other", "unknown"))
SERVICE = Field("service", Kind.CATALOGUE, ("other", "unknown"))
PLACE = Field("place", Kind.LINE, max_chars=300)
MONTH = Field("month", Kind.CHOICE, tuple(f"{number:02d}" for number in range(1, 13)))
YEAR = Field("year", Kind.YEAR, max_chars=4)
HOW = Field("how", Kind.CHOICE, ("spoken", "written", "gesture", "broker", "tariff", "transfer"))
REASON = Field(
    "reason",
    Kind.CHOICE,
    ("speed", "thanks", "missing_document", "administration", "customary", "no_reason", "other"),
)
ASKED = Field("asked", Kind.CHOICE, (*_MONEY, "unknown", "not_money"))
PAID = Field("paid", Kind.CHOICE, (*_MONEY, "not_money"))
WHO = Field("who", Kind.LINE, max_chars=500)
WITNESSES = Field("witnesses", Kind.CHOICE, ("yes", "no"))
OTHERS = Field("others", Kind.CHOICE, ("once", "repeatedly", "everyone"))
ELSEWHERE = Field(
    "elsewhere",
    Kind.CHOICE,
    ("no", "same_office", "inspectorate", "lapor", "ombudsman", "police", "kpk", "media", "other"),
)
WISH = Field("wish", Kind.CHOICE, ("stop", "refund", "complete", "sanction", "record"))
DANGER = Field("danger", Kind.TEXT, max_chars=2_000)
EXCLUDE_UNIT = Field("exclude_unit", Kind.CATALOGUE)

REPORT_FIELDS: Final[tuple[Field, ...]] = (
    STORY,
    HAPPENED,
    UNIT,
    SERVICE,
    PLACE,
    MONTH,
    YEAR,
    HOW,
    REASON,
    ASKED,
    PAID,
    WHO,
    WITNESSES,
    OTHERS,
    ELSEWHERE,
    WISH,
    DANGER,
    EXCLUDE_UNIT,
)
"""All answers that are sealed, in the order of the form (token and files apart)."""

CODE = Field(CODE_FIELD, Kind.SECRET, max_chars=500, required=True)
MESSAGE_TEXT = Field("text", Kind.TEXT, max_chars=20_000)
"""A later message; it may be empty when files come with it."""
CONTEST_TEXT = Field("text", Kind.TEXT, max_chars=10_000, required=True)
CONFIRM = Field(CONFIRM_FIELD, Kind.CHOICE, ("yes",), required=True)

STATUS_FIELDS: Final[tuple[Field, ...]] = (CODE,)
MESSAGE_FIELDS: Final[tuple[Field, ...]] = (TOKEN, MESSAGE_TEXT)
CONTEST_FIELDS: Final[tuple[Field, ...]] = (TOKEN, CONTEST_TEXT)
WITHDRAW_FIELDS: Final[tuple[Field, ...]] = (TOKEN, CONFIRM)
LEAVE_FIELDS: Final[tuple[Field, ...]] = (TOKEN,)


def year_options(today: date) -> tuple[str, ...]:
    """List the years the form offers, newest first."""
    return tuple(str(today.year - back) for back in range(YEARS_OFFERED))
