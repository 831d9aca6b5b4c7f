# SPDX-License-Identifier: AGPL-3.0-or-later
"""Answers to a code have one length, and a case shows its whole story."""

import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from case_mgmt.model import CLOSINGS, State
from tests.support.markup import parse, text_of
from tests.support.sample_pages import (
    HOSTILE,
    TODAY,
    TOKEN,
    WORDS,
    cases,
    refused_codes,
    sample_case,
    sample_site,
)
from whistle.i18n import LANGUAGES, Language
from whistle.intake.contexts import (
    ReceiptProblem,
    StatusContext,
    TimelineItem,
)
from whistle.intake.fields import CODE
from whistle.intake.pages import Pages
from whistle.intake.status_page import STATUS_BYTES, STATUS_STEP, in_pieces, progress

PAGES = Pages(sample_site())

FULL_CASE = replace(
    sample_case(),
    state="insufficient",
    is_by_former=True,
    contest_until=TODAY,
    overdue_since=TODAY,
    paused=True,
    notice="contested",
    errors=dict.fromkeys(("text", "file", "contest", "withdraw"), "error.field.too_long"),
)

TYPED = (
    "",
    " ".join(WORDS["id"]),
    "x" * 10_000,
    "<" * 10_000,
    '"' * CODE.max_chars,
    "\u2026" * 10_000,
    "\U0001f600" * 10_000,
    "\ud800",
    *HOSTILE,
)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("typed", TYPED, ids=range(len(TYPED)))
def test_every_answer_has_one_length(lang: Language, typed: str) -> None:
    answers = [
        PAGES.status(lang, sample_case()),
        PAGES.status(lang, StatusContext("case", token=TOKEN)),
        PAGES.status(lang, StatusContext("unknown", typed)),
        PAGES.status(lang, StatusContext("expired")),
    ]
    answers += [PAGES.status(lang, replace(c, typed=typed)) for _, c in refused_codes()]
    assert {len(answer) for answer in answers} == {STATUS_BYTES}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_usual_cases_have_the_same_length(lang: Language) -> None:
    for name, case in cases():
        assert len(PAGES.status(lang, case)) == STATUS_BYTES, name


def test_padding_is_one_comment_of_dots_at_the_end() -> None:
    page = PAGES.status("id", StatusContext("unknown", "<!-- -->"))
    assert re.search(rb"</html>\n?<!--\.+-->\n\Z", page)


def test_typed_code_is_given_back_when_it_failed() -> None:
    for context in (StatusContext("unknown", "a b"), StatusContext("malformed", "a b")):
        area = parse(PAGES.status("id", context)).find(".//textarea")
        assert area is not None
        assert text_of(area) == "a b"
    for other in (StatusContext("expired", "a b"), replace(sample_case(), typed="rahasia ini")):
        assert b"a b<" not in PAGES.status("id", other)
        assert b"rahasia ini" not in PAGES.status("id", other)


def test_unknown_word_is_named_by_its_place() -> None:
    problem = ReceiptProblem("unknown_word", 3, ("kumis",))
    page = PAGES.status("id", StatusContext("malformed", "x", problem)).decode()
    assert "Kata ke-4" in page
    assert "kumis" in page


def timeline(page: bytes) -> list[str]:
    (listing,) = [e for e in parse(page).iter("ol") if e.get("class") == "timeline"]
    return [text_of(e) for item in listing for e in item.iter("div")]


def test_older_messages_move_to_further_pages_and_none_is_lost() -> None:
    texts = [f"pesan {number} " + "x" * 3000 for number in range(30)]
    items = tuple(TimelineItem(TODAY, "update", text, "office") for text in texts)
    shown: list[str] = []
    for number in range(1, 30):
        page = PAGES.status("id", replace(sample_case(), timeline=items, page=number))
        assert len(page) == STATUS_BYTES
        shown += timeline(page)
        if b"pesan lebih lama" not in page:
            break
    assert shown == texts
    beyond = PAGES.status("id", replace(sample_case(), timeline=items, page=9999))
    assert timeline(beyond) == texts[-len(timeline(beyond)) :]


@given(
    sizes=st.lists(st.integers(0, 30_000), max_size=12),
    number=st.integers(-3, 15),
    letter=st.sampled_from(["x", "<", "é", "\U0001f600"]),
)
@settings(max_examples=60, deadline=None)
def test_no_history_changes_the_length(sizes: list[int], number: int, letter: str) -> None:
    items = tuple(TimelineItem(TODAY, "update", letter * size, "office") for size in sizes)
    page = PAGES.status("id", replace(FULL_CASE, timeline=items, page=number))
    assert len(page) == STATUS_BYTES


@pytest.mark.parametrize("letter", ["x", '"', "\U0001f600", "kata ", "baris\n"])
def test_a_long_message_is_cut_into_pieces_and_none_is_lost(letter: str) -> None:
    text = letter * (20_000 // len(letter))
    shown = ""
    heads = set()
    for number in range(1, 20):
        item = TimelineItem(TODAY, "update", text, "office")
        page = PAGES.status("id", replace(FULL_CASE, timeline=(item,), page=number))
        assert len(page) == STATUS_BYTES
        shown += "".join(str(e.text) for e in parse(page).iter("div") if e.get("class") == "text")
        heads |= set(re.findall(rb"\((\d)/(\d)\)", page))
        if f"page={number + 1}".encode() not in page:
            break
    assert shown.replace("\r\n", "\n") == text
    assert len(heads) == {'"': 5, "\U0001f600": 4}.get(letter, 0)


def test_pieces_end_between_words() -> None:
    item = TimelineItem(TODAY, "update", "kata kata\n" * 9_000, "office")
    pieces = list(in_pieces((item,)))
    assert "".join(piece.text for piece in pieces) == item.text
    assert all(piece.text[-1] in " \n" for piece in pieces)
    assert [piece.part for piece in pieces] == [(n, len(pieces)) for n in range(1, len(pieces) + 1)]


@given(st.integers(0, 100_000))
@settings(max_examples=30, deadline=None)
def test_a_text_given_back_grows_the_page_in_whole_steps(size: int) -> None:
    case = replace(sample_case(), values={"text": "x" * size}, errors={"text": "error.confirm"})
    length = len(PAGES.status("id", case))
    assert (length - STATUS_BYTES) % STATUS_STEP == 0
    assert length == STATUS_BYTES or length - size < 16_000


def test_the_first_step_keeps_the_budget_of_any_page() -> None:
    assert STATUS_BYTES + STATUS_STEP <= 40_000


@pytest.mark.parametrize(
    ("state", "marks"),
    [
        ("received", "now ahead ahead ahead"),
        ("assessing", "done now ahead ahead"),
        ("needs_info", "done now ahead ahead"),
        ("examining", "done done now ahead"),
        ("referred", "done done now ahead"),
        ("reopened", "done done now ahead"),
        ("upheld_action", "done done done done"),
        ("upheld_fixed", "done done done done"),
        ("insufficient", "done done done done"),
        ("outside_mandate", "done done done done"),
        ("joined", "done done done done"),
        ("set_aside", "done stopped stopped stopped"),
        ("withdrawn", "done stopped stopped stopped"),
    ],
)
def test_progress(state: str, marks: str) -> None:
    context = StatusContext("case", state=state)
    assert [step.mark for step in progress(context)] == marks.split()


def test_progress_of_a_question_during_the_examination() -> None:
    item = TimelineItem(TODAY, "examining", "", "office")
    context = StatusContext("case", state="needs_info", timeline=(item,))
    assert [step.mark for step in progress(context)] == ["done", "done", "now", "ahead"]


@pytest.mark.parametrize("state", list(State))
def test_what_is_offered(state: State) -> None:
    page = PAGES.status("id", StatusContext("case", state=state.value)).decode()
    closed = state in CLOSINGS
    assert ("/id/status/withdraw" in page) == (not closed and state != "withdrawn")
    assert ("/id/status/contest" in page) == (state == "withdrawn")
    assert "/id/status/message" in page
    assert "/id/status/leave" in page


def test_objecting_is_offered_until_its_day() -> None:
    context = StatusContext("case", state="joined", contest_until=date(2026, 12, 4))
    page = PAGES.status("id", context).decode()
    assert "/id/status/contest" in page
    assert page.count("4 Desember 2026") == 2


def test_lateness_is_said_in_words() -> None:
    page = PAGES.status("id", replace(sample_case(), overdue_since=date(2026, 10, 15))).decode()
    assert "Lewat tenggat sejak 15 Oktober 2026" in page


def test_reason_code_newer_than_the_program() -> None:
    item = TimelineItem(TODAY, "insufficient", "", "office", reason="brand_new")
    assert b"brand_new" in PAGES.status("id", replace(sample_case(), timeline=(item,)))
