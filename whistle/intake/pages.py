# SPDX-License-Identifier: AGPL-3.0-or-later
"""Turns typed contexts into the bytes of the reporter pages.

Invariants:

* everything given is escaped; nothing inline, no address outside this origin; only the report form
  and the page that asks for the code load the script, and both work without it;
* pages that are the same for everyone are rendered once: the empty report form per language and
  year (only its token is put in), the first page per language until the numbers change;
* status answers of all kinds have one length (`whistle.intake.status_page`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Final

from markupsafe import Markup

from whistle.assets import templates_dir
from whistle.i18n import LANGUAGES, Catalogue, Language
from whistle.intake import statics, status_page
from whistle.intake.client_texts import client_texts
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
from whistle.intake.questions import choice_groups, open_parts
from whistle.intake.rendering import Renderer, to_bytes
from whistle.intake.statics import HTML, StaticFile, hashed
from whistle.limits import MIB

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
    "error.file.empty",  # it has a name but no content
    "error.file.busy",  # the disk is nearly full, or another limit of the server is reached
    "error.thread.full",  # a later message beyond the number or size of messages kept
    "error.unit.nobody",  # unit and exclude_unit together leave nobody to open the report
    "error.confirm",  # withdrawing without ticking the box
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
_SUMMARY_LABELS: Final = {
    "file": "form.files",
    "form": "form.itself",
    "text": "case.write_label",
    "contest": "case.contest_label",
    "withdraw": "case.withdraw_heading",
}


@dataclass
class _Language:
    """One language's templates and what has been rendered once."""

    render: Renderer
    texts: Catalogue
    form: tuple[int, bytes, bytes] | None = None
    landing: tuple[Statistics | None, bytes] | None = None
    fixed: dict[str, bytes] = field(default_factory=dict)


class Pages:
    """All reporter pages in both languages."""

    def __init__(self, site: Site) -> None:
        self.site: Final = site
        self._statics: Final = statics.load()
        self.style: Final = self._statics.style.body
        self.style_path: Final = self._statics.style.path
        self._clients: Final[dict[Language, StaticFile]] = {}
        self._languages: Final = {lang: self._load(lang) for lang in LANGUAGES}
        served = (*self._statics.all(), *self._clients.values())
        self.files: Final[Mapping[str, StaticFile]] = {file.path: file for file in served}

    def _load(self, lang: Language) -> _Language:
        """Make a language ready; the script's templates come first, its address is on pages."""
        client = to_bytes(self._renderer(lang, "").template("client.html").render())
        self._clients[lang] = hashed(f"client-{lang}", "html", client, HTML)
        return _Language(self._renderer(lang, self._clients[lang].path), Catalogue.load(lang))

    def _renderer(self, lang: Language, client: str) -> Renderer:
        texts = Catalogue.load(lang)
        return Renderer(
            templates_dir(),
            texts,
            {"style": self.style_path, "site_name": self.site.name[lang]},
            site=self.site,
            nav=tuple((path, texts.t(key)) for path, key in _NAVIGATION),
            count=lambda value: _count(value, texts),
            f={question.name: question for question in REPORT_FIELDS},
            max_files=MAX_FILES,
            max_size=f"{self.site.max_file_bytes // MIB} MB",
            statics=self._statics,
            client=client,
            client_texts=client_texts(texts),
        )

    def compile_all(self) -> Iterator[None]:
        """Compile the templates that no page has needed yet, one a step."""
        for speaks in self._languages.values():
            yield from speaks.render.compile_all()

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
        return self._page(
            lang,
            "report",
            "/report",
            token=token,
            values=context.values,
            errors=context.errors,
            summary=_summary(context.errors, texts),
            groups=choice_groups(self.site, texts, context.today),
            is_open=open_parts(context),
        )

    def receipt(self, lang: Language, context: ReceiptContext) -> bytes:
        """The page that shows the receipt code, once; it leads nowhere by accident."""
        return to_bytes(self._page(lang, "receipt", None, r=context))

    def status_entry(self, lang: Language, context: StatusEntryContext) -> bytes:
        """The page that asks for the receipt code."""
        key = f"code.{context.notice}" if context.notice else None
        return to_bytes(self._code(lang, notice=key))

    def status(self, lang: Language, context: StatusContext) -> bytes:
        """The answer to a receipt code, padded to a fixed length."""
        if context.kind == "case":
            return status_page.pad(self._case(lang, context))
        if context.kind == "expired":
            unsent = "\n\n".join(text for text in context.values.values() if text)
            page = self._code(lang, notice="code.expired", unsent=unsent)
        else:
            page = self._code(lang, context)
        return status_page.pad(to_bytes(page))

    def _code(
        self,
        lang: Language,
        context: StatusContext | None = None,
        notice: str | None = None,
        unsent: str = "",
    ) -> str:
        texts = self._languages[lang].texts
        return self._page(
            lang,
            "code",
            "/status",
            notice=texts.t(notice) if notice else "",
            problems=status_page.code_problems(context, texts) if context else (),
            typed=context.typed[: CODE.max_chars] if context else "",
            max_chars=CODE.max_chars,
            unsent=unsent,
        )

    def _case(self, lang: Language, context: StatusContext) -> bytes:
        texts = self._languages[lang].texts
        page = to_bytes(
            self._page(
                lang,
                "status",
                "/status/view",
                c=context,
                notice=texts.t(f"case.notice_{context.notice}") if context.notice else "",
                summary=_summary(context.errors, texts),
                steps=status_page.progress(context),
                due_label=status_page.due_label(context, texts),
                next=status_page.next_step(context, texts),
                may_contest=status_page.may_contest(context),
                may_withdraw=status_page.may_withdraw(context),
                timeline=_MARK,
            )
        )
        timeline = self._timeline(lang, context, len(page))
        return page.replace(_MARK.encode(), timeline, 1)

    def _timeline(self, lang: Language, context: StatusContext, taken: int) -> bytes:
        speaks = self._languages[lang]
        rows = [
            (
                item,
                status_page.item_label(item, speaks.texts),
                status_page.item_reason(item, speaks.texts),
            )
            for item in status_page.in_pieces(context.timeline)
        ]
        items = speaks.render.template("timeline_items.html").render(rows=rows, mark=_MARK)
        chosen = status_page.fit(items.split(_MARK)[:-1], taken, context.page)
        html = Markup(chosen.html)  # noqa: S704 - rendered above, escaped there
        return to_bytes(speaks.render.template("timeline.html").render(items=html, chosen=chosen))

    def safety(self, lang: Language) -> bytes:
        """How to stay safe, and what cannot be promised."""
        return self._fixed(lang, "safety")

    def statistics(self, lang: Language, context: StatisticsContext) -> bytes:
        """The public numbers and the published time limits."""
        return to_bytes(
            self._page(lang, "statistics", "/statistics", s=context.statistics, c=context)
        )

    def keys(self, lang: Language) -> bytes:
        """The check phrase of the organisation, how to use it, and who holds keys."""
        texts = self._languages[lang].texts
        units = {unit.id: unit.name[lang] for unit in self.site.units}
        people = [
            (
                person.name,
                ", ".join(_role(role, texts) for role in person.roles),
                units.get(person.unit, person.unit),
            )
            for person in self.site.people
        ]
        return self._fixed(lang, "keys", people=people)

    def error(self, lang: Language, context: ErrorContext) -> bytes:
        """An error page."""
        return to_bytes(self._page(lang, "error", "", key=context.key))

    def page(self, lang: Language, name: str, path: str | None, **context: object) -> bytes:
        """Render a page whose context another module knows (`whistle.intake.upload_pages`)."""
        return to_bytes(self._page(lang, name, path, **context))

    def texts(self, lang: Language) -> Catalogue:
        """The texts of a language."""
        return self._languages[lang].texts

    def _fixed(self, lang: Language, name: str, **context: object) -> bytes:
        fixed = self._languages[lang].fixed
        if name not in fixed:
            fixed[name] = to_bytes(self._page(lang, name, f"/{name}", **context))
        return fixed[name]

    def _page(self, lang: Language, name: str, path: str | None, **context: object) -> str:
        """Render a page; `path` is where the language switch leads, None for no way out."""
        template = self._languages[lang].render.template(f"{name}.html")
        here = "/status" if path and path.startswith("/status/") else path
        return template.render(alt=path, here=here, **context)


def _role(role: str, texts: Catalogue) -> str:
    """Name a role; one that manifests may have and we do not know stands for itself."""
    key = f"role.{role}"
    return texts.t(key) if key in texts.texts else role


def _count(value: int | None, texts: Catalogue) -> str:
    return texts.t("numbers.suppressed") if value is None else texts.number(value)


def _summary(errors: Mapping[str, str], texts: Catalogue) -> list[tuple[str, str, str]]:
    """List what is wrong: where to go, which question, what to do."""
    return [
        (
            "main" if name == "form" else f"f-{name}",
            texts.t(_SUMMARY_LABELS.get(name, f"field.{name}.label")),
            texts.t(key),
        )
        for name, key in errors.items()
    ]
