# SPDX-License-Identifier: AGPL-3.0-or-later
"""Turns typed contexts into the bytes of the reporter pages.

Invariants:

* everything given is escaped; no script, no inline style, no address outside this origin;
* pages that are the same for everyone are rendered once: the empty report form per language and
  year (only its token is put in), the landing page per language until the numbers change;
* status answers of all kinds have one length (`whistle.intake.status_page`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Final

from markupsafe import Markup

from whistle.assets import static_dir, templates_dir
from whistle.i18n import LANGUAGES, Catalogue, Language
from whistle.intake import status_page
from whistle.intake.contexts import (
    ErrorContext,
    FormContext,
    LandingContext,
    ReceiptContext,
    Site,
    Statistics,
    StatisticsContext,
    StatusContext,
    StatusEntryContext,
)
from whistle.intake.fields import CODE, MAX_FILES, REPORT_FIELDS
from whistle.intake.questions import Groups, choice_groups, open_parts
from whistle.intake.rendering import Renderer, to_bytes
from whistle.intake.status_page import STATUS_BYTES, STATUS_STEP

__all__ = ["ERROR_PAGES", "FIELD_ERRORS", "STATUS_BYTES", "STATUS_STEP", "Pages"]

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
ENTRY_NOTICES: Final = ("left", "expired")
FIELD_ERRORS: Final = (
    "error.field.required",  # the story, or an empty message or contest
    "error.field.too_long",
    "error.field.choice",  # not one of the offered answers
    "error.file.too_large",
    "error.file.too_many",
    "error.file.name",
    "error.file.again",  # after another mistake: browsers forget chosen files
    "error.unit.nobody",  # unit and exclude_unit together leave nobody to open the report
    "error.confirm.unticked",
    "error.form.token",  # the form is too old: look it over and send again
)

_MARK: Final = Markup("<!--here-->")
_NAVIGATION: Final = (
    ("/report", "site.nav_report"),
    ("/status", "site.nav_status"),
    ("/safety", "site.nav_safety"),
    ("/statistics", "site.nav_statistics"),
    ("/keys", "site.nav_keys"),
)


@dataclass
class _Language:
    """One language's templates and what has been rendered once."""

    render: Renderer
    form: tuple[int, bytes, bytes] | None = None
    landing: tuple[Statistics | None, bytes] | None = None
    fixed: dict[str, bytes] | None = None

    @property
    def texts(self) -> Catalogue:
        return self.render.texts


class Pages:
    """All reporter pages in both languages."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.style: Final = (static_dir() / "style.css").read_bytes()
        self.style_path: Final = f"/style-{hashlib.sha256(self.style).hexdigest()[:16]}.css"
        self._languages: Final = {lang: self._load(lang) for lang in LANGUAGES}

    def _load(self, lang: Language) -> _Language:
        texts = Catalogue.load(lang)
        render = Renderer(
            templates_dir(),
            texts,
            site=self.site,
            style=self.style_path,
            nav=tuple((path, texts.t(key)) for path, key in _NAVIGATION),
            count=lambda value: _count(value, texts),
            f={field.name: field for field in REPORT_FIELDS},
            max_files=MAX_FILES,
            max_size=f"{self.site.max_file_bytes // 1_000_000} MB",
        )
        return _Language(render, fixed={})

    def landing(self, lang: Language, context: LandingContext) -> bytes:
        """First page; cached until the statistics change."""
        speaks = self._languages[lang]
        if speaks.landing is None or speaks.landing[0] != context.statistics:
            page = self._page(lang, "landing", "", statistics=context.statistics)
            speaks.landing = (context.statistics, to_bytes(page))
        return speaks.landing[1]

    def report_form(self, lang: Language, context: FormContext) -> bytes:
        """Report form; prerendered when empty, only the token is put in."""
        if context.values or context.errors:
            return to_bytes(self._form(lang, context, context.token))
        speaks = self._languages[lang]
        if speaks.form is None or speaks.form[0] != context.today.year:
            page = to_bytes(self._form(lang, context, _MARK))
            before, _, after = page.partition(_MARK.encode())
            speaks.form = (context.today.year, before, after)
        return speaks.form[1] + escape(context.token).encode() + speaks.form[2]

    def _form(self, lang: Language, context: FormContext, token: str) -> str:
        texts = self._languages[lang].texts
        groups: Groups = choice_groups(self.site, texts, context.today)
        return self._page(
            lang,
            "report",
            "/report",
            token=token,
            values=context.values,
            errors=context.errors,
            summary=_summary(context.errors, texts),
            groups=groups,
            is_open=open_parts(context),
        )

    def receipt(self, lang: Language, context: ReceiptContext) -> bytes:
        """The page that shows the receipt code, once."""
        return to_bytes(
            self._page(
                lang,
                "receipt",
                None,
                words=context.words,
                promise=context.promise,
                received=context.day,
                due=context.due,
                files=context.files,
            )
        )

    def status_entry(self, lang: Language, context: StatusEntryContext) -> bytes:
        """The page that asks for the receipt code."""
        notice = self._languages[lang].texts.t(f"code.{context.notice}") if context.notice else ""
        return to_bytes(self._code(lang, notice, (), ""))

    def _code(self, lang: Language, notice: str, problems: object, typed: str) -> str:
        return self._page(
            lang,
            "code",
            "/status",
            notice=notice,
            problems=problems,
            typed=typed[: CODE.max_chars],
            max_chars=CODE.max_chars,
        )

    def status(self, lang: Language, context: StatusContext) -> bytes:
        """The answer to a receipt code, padded to a fixed length."""
        texts = self._languages[lang].texts
        if context.kind == "case":
            return status_page.pad(self._case(lang, context))
        notice = texts.t("code.expired") if context.kind == "expired" else ""
        problems = status_page.code_problems(context, texts)
        typed = "" if context.kind == "expired" else context.typed
        return status_page.pad(to_bytes(self._code(lang, notice, problems, typed)))

    def _case(self, lang: Language, context: StatusContext) -> bytes:
        speaks = self._languages[lang]
        texts = speaks.texts
        notice = texts.t(f"case.notice_{context.notice}") if context.notice else ""
        page = to_bytes(
            self._page(
                lang,
                "status",
                "/status/view",
                c=context,
                notice=notice,
                summary=_summary(context.errors, texts),
                steps=status_page.progress(context),
                due_label=status_page.due_label(context, texts),
                next=status_page.next_step(context, texts),
                may_contest=status_page.may_contest(context),
                may_withdraw=status_page.may_withdraw(context),
                timeline=_MARK,
            )
        )
        item = speaks.render.template("timeline_item.html")
        items = [
            item.render(item=entry, label=status_page.item_label(entry, texts))
            for entry in context.timeline
        ]
        chosen = status_page.fit(items, len(page), context.page)
        timeline = speaks.render.template("timeline.html").render(
            items=Markup(chosen.html),  # noqa: S704 - rendered by timeline_item.html, escaped
            chosen=chosen,
        )
        return page.replace(_MARK.encode(), to_bytes(timeline), 1)

    def safety(self, lang: Language) -> bytes:
        """How to stay safe."""
        return self._fixed(lang, "safety", "/safety")

    def statistics(self, lang: Language, context: StatisticsContext) -> bytes:
        """The public numbers."""
        numbers = context.statistics
        outcomes = sorted(numbers.outcomes.items()) if numbers else ()
        return to_bytes(self._page(lang, "statistics", "/statistics", s=numbers, outcomes=outcomes))

    def keys(self, lang: Language) -> bytes:
        """The check phrase of the organisation, how to use it, and who holds keys."""
        texts = self._languages[lang].texts
        names = {unit.id: unit.name[lang] for unit in self.site.units}
        people = [
            {
                "name": person.name,
                "roles": ", ".join(texts.t(f"role.{role}") for role in person.roles),
                "unit": names.get(person.unit, person.unit),
            }
            for person in self.site.people
        ]
        return self._fixed(lang, "keys", "/keys", people=people)

    def error(self, lang: Language, context: ErrorContext) -> bytes:
        """An error page."""
        return to_bytes(self._page(lang, "error", "", key=context.key))

    def _fixed(self, lang: Language, name: str, path: str, **context: object) -> bytes:
        fixed = self._languages[lang].fixed
        if fixed is None or name not in fixed:
            page = to_bytes(self._page(lang, name, path, **context))
            if fixed is None:
                return page
            fixed[name] = page
        return fixed[name]

    def _page(self, lang: Language, name: str, path: str | None, **context: object) -> str:
        template = self._languages[lang].render.template(f"{name}.html")
        here = "/status" if path == "/status/view" else path
        return template.render(alt=path, here=here, **context)


def _count(value: int | None, texts: Catalogue) -> str:
    return texts.t("numbers.suppressed") if value is None else texts.number(value)


def _summary(errors: Mapping[str, str], texts: Catalogue) -> list[tuple[str, str, str]]:
    """List what is wrong: where to go, which question, what to do."""
    labels = {
        "file": "form.files",
        "form": "form.itself",
        "text": "case.write_label",
        "contest": "case.contest_label",
        "withdraw": "case.withdraw_heading",
    }
    return [
        (
            "main" if name == "form" else f"f-{name}",
            texts.t(labels.get(name, f"field.{name}.label")),
            texts.t(key),
        )
        for name, key in errors.items()
    ]
