# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every reporter page in every state worth looking at, by name; for tests and for pictures."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from case_mgmt.catalogue import demo_catalogue
from case_mgmt.model import CLOSINGS, EXTENSION_REASONS, REASONS, State
from whistle.i18n import Language
from whistle.intake.busy import Typed, busy_page
from whistle.intake.contexts import (
    ErrorContext,
    FormContext,
    LandingContext,
    Reader,
    ReceiptContext,
    ReceiptProblem,
    Service,
    Site,
    Statistics,
    StatisticsContext,
    StatusContext,
    StatusEntryContext,
    TimelineItem,
    Unit,
)
from whistle.intake.fields import MAX_FILES, REPORT_FIELDS
from whistle.intake.logged import Logged
from whistle.intake.pages import (
    ENTRY_NOTICES,
    ERROR_PAGES,
    FIELD_ERRORS,
    STATUS_NOTICES,
    Pages,
)
from whistle.intake.questions import LEVELS
from whistle.intake.status_page import DUE_KINDS, EVENTS, NOTES
from whistle.intake.upload_pages import (
    PROBLEMS,
    FileLine,
    FilesContext,
    SealedContext,
    files_page,
    sealed_page,
)

TODAY = date(2026, 9, 7)
WORDS: dict[Language, tuple[str, ...]] = {
    "id": (
        *("padi", "gelas", "cerah", "kumis", "lumbung", "mawar"),
        *("tangga", "ombak", "kertas", "sawah", "jala", "pelita"),
    ),
    "en": (
        *("harbor", "candle", "meadow", "pencil", "orchard", "lantern"),
        *("window", "saddle", "copper", "violin", "fog", "jar"),
    ),
}
TOKEN = "token-0123456789"

HOSTILE = (
    "<script>alert(1)</script>",
    "</textarea><img src=x onerror=alert(1)>",
    '" onfocus="alert(1)" autofocus="',
    "' onmouseover='alert(1)",
    "--><svg onload=alert(1)>",
    "<!--here-->",
    "{{ 7*7 }}{% raw %}",
    "&lt;b&gt;&amp;",
    "\x00\x0b\u202e\ufeff",
    "]]></style><link rel=stylesheet href=//x>",
)
"""What somebody may type to break out of a page."""


def sample_site() -> Site:
    """Return an invented city with every level of office."""
    catalogue = demo_catalogue()
    return Site(
        name={"id": "Inspektorat Kota Contoh", "en": "Inspectorate of Contoh City"},
        fingerprint=WORDS,
        units=(
            *(Unit(unit.id, unit.name, unit.level) for unit in catalogue.units),
            *(Unit(f"x-{level}", {"id": "X", "en": "X"}, level) for level in (*LEVELS, "other")),
        ),
        services=tuple(
            Service(service.id, service.name, service.official_fee)
            for service in catalogue.services
        ),
        staff_units=("inspektorat-1", "inspektorat-2", "inspektorat-pengaduan"),
        people=(
            Reader("penyidik-1", ("investigator",), "inspektorat-1"),
            Reader("pengawas", ("supervisor", "auditor"), "inspektorat-pengaduan"),
        ),
        demo=True,
        instance_id="9f" * 32,
        onion=f"{'a' * 56}.onion",
    )


def sample_statistics() -> Statistics:
    """Return numbers of which some are suppressed."""
    outcomes: dict[str, int | None] = dict.fromkeys(CLOSINGS, 21)
    outcomes["withdrawn"] = None
    return Statistics(
        as_of=date(2026, 8, 31),
        received=1184,
        open=37,
        followed_up_7=152,
        followed_up_30=171,
        closed=141,
        overdue=None,
        outcomes=outcomes,
    )


def sample_case() -> StatusContext:
    """Return a case under examination with messages both ways."""
    return StatusContext(
        kind="case",
        token=TOKEN,
        state="examining",
        received=TODAY,
        due=date(2026, 10, 14),
        due_kind="update",
        overall_due=date(2026, 12, 1),
        timeline=(
            TimelineItem(date(2026, 9, 14), "examining", "Buku kas\n\nsudah diminta.", "office"),
            TimelineItem(date(2026, 9, 9), "message", "Ada kertas kecil.", "reporter", files=2),
            TimelineItem(date(2026, 9, 8), "assessing", "Laporan kami baca.", "office"),
            TimelineItem(TODAY, "received", "", "system"),
        ),
    )


def cases() -> Iterator[tuple[str, StatusContext]]:
    """Yield a status page for each state, event, notice and mistake."""
    case = sample_case()
    for state in State:
        yield f"state-{state}", replace(case, state=state.value)
    for kind in DUE_KINDS:
        yield f"due-{kind}", replace(case, due_kind=kind, overall_due=None)
    for notice in STATUS_NOTICES:
        yield f"notice-{notice}", replace(case, notice=notice)
    yield "begun-in-the-browser", replace(case, mode="browser")
    yield "late", replace(case, overdue_since=date(2026, 10, 15), paused=True)
    yield "no-dates", StatusContext(kind="case")
    yield "former", replace(case, is_by_former=True)
    closed = replace(case, state="insufficient", contest_until=date(2026, 12, 4))
    yield "contest", closed
    yield "contest-error", replace(closed, errors={"contest": "error.field.required"})
    errors = {"text": "error.field.too_long", "file": "error.file.too_large"}
    yield "message-error", replace(case, errors=errors, values={"text": "x"})
    yield "withdraw-error", replace(case, errors={"withdraw": "error.confirm"})
    reasons = sorted({*EXTENSION_REASONS, *(code for codes in REASONS.values() for code in codes)})
    items = [TimelineItem(TODAY, "insufficient", "x", "office", reason=code) for code in reasons]
    items += [TimelineItem(TODAY, code, "x", "system") for code in EVENTS]
    items += [TimelineItem(date.min, "unreadable", "", "system")]
    items += [TimelineItem(TODAY, "update", "x", "office", note=note) for note in NOTES]
    by = date(2026, 10, 5)
    told = (
        Logged(bytes(32), by, place=1234, kind="logged"), Logged(bytes(32), by, kind="waiting"),
        Logged(bytes(32), by, kind="overdue"),
    )  # fmt: skip
    logged = [TimelineItem(TODAY, "update", "x", "office", log=each) for each in told]
    yield "logged", replace(case, timeline=logged)
    yield "everything", replace(case, timeline=items)
    long = [TimelineItem(TODAY, "update", "x" * 9000, "office") for _ in range(9)]
    yield "page-1", replace(case, timeline=long)
    yield "page-2", replace(case, timeline=long, page=2)


def refused_codes() -> Iterator[tuple[str, StatusContext]]:
    """Yield each way in which a code is not opened."""
    for name, problem in {
        "count": ReceiptProblem("count", count=11),
        "count-unknown": ReceiptProblem("count"),
        "word": ReceiptProblem("unknown_word", 3, ("kumis", "kurma")),
        "word-alone": ReceiptProblem("unknown_word", 0),
        "check": ReceiptProblem("check"),
    }.items():
        yield f"malformed-{name}", StatusContext("malformed", "kata kata", problem)
    yield "malformed", StatusContext("malformed", "kata kata")
    yield "unknown", StatusContext("unknown", " ".join(WORDS["id"]))
    yield "expired", StatusContext("expired", values={"text": "belum terkirim"})


def _forms() -> Iterator[tuple[str, FormContext]]:
    yield "empty", FormContext(TOKEN, TODAY)
    values = {field.name: (field.options or ("2026",))[0] for field in REPORT_FIELDS}
    yield "filled", FormContext(TOKEN, TODAY, values, {"story": "error.field.too_long"})
    everything = {field.name: "error.field.choice" for field in REPORT_FIELDS}
    yield "wrong", FormContext(TOKEN, TODAY, {}, everything | {"file": "error.file.again"})
    for key in FIELD_ERRORS:
        yield key, FormContext(TOKEN, TODAY, {}, {"form": key})


def _upload_pages(pages: Pages, lang: Language) -> Iterator[tuple[str, bytes]]:
    for problem in (None, "damaged", *PROBLEMS):
        yield f"sealed-{problem}", sealed_page(pages, lang, SealedContext(TOKEN, problem))
    stored = SealedContext(TOKEN, None, TODAY, TODAY, "V0hQMQ" * 30)
    yield "sealed-stored", sealed_page(pages, lang, stored)
    yield "sealed-bare", sealed_page(pages, lang, replace(stored, due=None, promise=None))
    lines = (FileLine(TODAY, ("kuitansi.jpg", HOSTILE[0]), 2), FileLine(TODAY, (), 3))
    yield "files", files_page(pages, lang, FilesContext(TOKEN))
    yield "files-added", files_page(pages, lang, FilesContext(TOKEN, lines, added=True))
    wrong = FilesContext(TOKEN, lines, error="error.file.too_large")
    yield "files-wrong", files_page(pages, lang, wrong)


def _typed() -> Iterator[tuple[str, Typed]]:
    """What a busy server gives back."""
    story = {"token": TOKEN, "story": "\n".join(HOSTILE), "danger": "a\nb", "place": 'x" y="'}
    yield "report", Typed(story, MAX_FILES, "file")
    yield "status", Typed({"code": " ".join(WORDS["id"])}, 0, "file")
    yield "sealed", Typed({"token": TOKEN}, 1, "bundle")


def all_pages(pages: Pages, lang: Language) -> Iterator[tuple[str, bytes]]:
    """Render every page of a language."""
    numbers = sample_statistics()
    yield "landing", pages.landing(lang, LandingContext(numbers))
    yield "landing-without", pages.landing(lang, LandingContext())
    for name, form in _forms():
        yield f"report-{name}", pages.report_form(lang, form)
    receipt = ReceiptContext(
        WORDS, "V0hQMQ" * 30, TODAY, date(2027, 4, 3), has_log=True, due=date(2026, 9, 10), files=2
    )
    yield "receipt", pages.receipt(lang, receipt)
    yield "receipt-bare", pages.receipt(lang, replace(receipt, due=None, files=0))
    for notice in (None, *ENTRY_NOTICES):
        yield f"code-{notice}", pages.status_entry(lang, StatusEntryContext(notice))
    for name, context in (*cases(), *refused_codes()):
        yield f"status-{name}", pages.status(lang, context)
    yield "safety", pages.safety(lang)
    yield "statistics", pages.statistics(lang, StatisticsContext(numbers))
    releases = ("2026-q3", "2026-q2")
    yield "statistics-log", pages.statistics(lang, StatisticsContext(numbers, releases, 12345))
    yield "statistics-new-log", pages.statistics(lang, StatisticsContext(numbers, (), 1))
    yield "statistics-without", pages.statistics(lang, StatisticsContext())
    yield "keys", pages.keys(lang)
    yield from _upload_pages(pages, lang)
    for key in ERROR_PAGES:
        yield f"error-{key}", pages.error(lang, ErrorContext(key))
    for name, typed in _typed():
        yield f"busy-{name}", busy_page(pages, lang, f"/{lang}/{name}", typed)
