# SPDX-License-Identifier: AGPL-3.0-or-later
"""Turns typed contexts into the bytes of the reporter pages.

Invariants: everything given is escaped; no script, no inline style, no address outside this
origin; status answers of all kinds have one of a few fixed lengths (`STATUS_BYTES` + n steps).
"""

from __future__ import annotations

import hashlib
from typing import Final

from whistle.assets import static_dir
from whistle.i18n import Language
from whistle.intake.contexts import (
    ErrorContext,
    FormContext,
    LandingContext,
    ReceiptContext,
    Site,
    StatisticsContext,
    StatusContext,
    StatusEntryContext,
)

STATUS_BYTES: Final = 32_768
STATUS_STEP: Final = 8_192

ERROR_PAGES: Final = (
    "bad_request",
    "busy",
    "cross_site",
    "generic",
    "invalid",
    "method",
    "not_found",
    "session_expired",
    "too_large",
)
STATUS_NOTICES: Final = ("message_sent", "contested", "withdrawn")
ENTRY_NOTICES: Final = ("left", "session_expired")
FIELD_ERRORS: Final = (
    "error.field.required",  # the story, or an empty message or contest
    "error.field.too_long",
    "error.field.choice",  # not one of the offered answers
    "error.file.too_large",
    "error.file.too_many",
    "error.file.name",
    "error.file.again",  # after another mistake: browsers forget chosen files
    "error.unit.nobody",  # unit and exclude_unit together leave nobody to open the report
    "error.confirm",  # withdrawing without ticking the box
    "error.form.token",  # the form is too old: look it over and send again
)


class Pages:
    """All reporter pages in both languages."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.style: Final = (static_dir() / "style.css").read_bytes()
        self.style_path: Final = f"/style-{hashlib.sha256(self.style).hexdigest()[:16]}.css"

    def landing(self, lang: Language, context: LandingContext) -> bytes:
        """First page; cached until the statistics change."""
        return self._rough(lang, "landing", context)

    def report_form(self, lang: Language, context: FormContext) -> bytes:
        """Report form; prerendered when empty, only the token is put in."""
        token = context.token
        body = f'<form method="post" enctype="multipart/form-data" action="/{lang}/report">'
        body += f'<input type="hidden" name="token" value="{token}">'
        body += '<textarea name="story"></textarea><button>OK</button></form>'
        return self._rough(lang, "report", body)

    def receipt(self, lang: Language, context: ReceiptContext) -> bytes:
        """The page that shows the receipt code, once."""
        return self._rough(lang, "receipt", " ".join(context.words[lang]))

    def status_entry(self, lang: Language, context: StatusEntryContext) -> bytes:
        """The page that asks for the receipt code."""
        return self._rough(lang, "code", context)

    def status(self, lang: Language, context: StatusContext) -> bytes:
        """The answer to a receipt code, padded to a fixed length."""
        return self._rough(lang, "status", context.kind).ljust(STATUS_BYTES)

    def safety(self, lang: Language) -> bytes:
        """How to stay safe."""
        return self._rough(lang, "safety", "")

    def statistics(self, lang: Language, context: StatisticsContext) -> bytes:
        """The public numbers."""
        return self._rough(lang, "statistics", context)

    def keys(self, lang: Language) -> bytes:
        """The check phrase of the organisation and how to use it."""
        return self._rough(lang, "keys", "")

    def error(self, lang: Language, context: ErrorContext) -> bytes:
        """An error page."""
        return self._rough(lang, "error", context.key)

    def _rough(self, lang: Language, name: str, what: object) -> bytes:
        body = what if isinstance(what, str) else ""
        head = f'<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>{name}</title>'
        return f"{head}<h1>{name}</h1>{body}".encode()
