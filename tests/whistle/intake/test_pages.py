# SPDX-License-Identifier: AGPL-3.0-or-later
"""The reporter pages: valid, accessible, escaped, and for status answers of one length."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from case_mgmt.model import State
from tests.support.sample_pages import (
    TODAY,
    TOKEN,
    WORDS,
    all_pages,
    cases,
    refused_codes,
    sample_case,
    sample_site,
    sample_statistics,
)
from whistle.i18n import LANGUAGES, Language
from whistle.intake.contexts import (
    FormContext,
    LandingContext,
    ReceiptContext,
    ReceiptProblem,
    Site,
    Statistics,
    StatusContext,
    TimelineItem,
)
from whistle.intake.fields import CODE, REPORT_FIELDS, Kind
from whistle.intake.pages import Pages
from whistle.intake.questions import choice_groups
from whistle.intake.status_page import STATUS_BYTES, STATUS_STEP, progress

PAGES = Pages(sample_site())
RENDERED = [
    pytest.param(lang, page, id=f"{lang}-{name}")
    for lang in LANGUAGES
    for name, page in all_pages(PAGES, lang)
]
EVERY_PAGE = pytest.mark.parametrize(("lang", "page"), RENDERED)
ROUTES = re.compile(
    r"/(?:id|en)(?:/(?:report|status|safety|statistics|keys|status/(?:view|message|contest|"
    r"withdraw|leave)))?|/(?:manifest\.json|manifest\.sig|policy\.json|catalogue\.json)"
    r"|/id/status/view\?page=\d+#history|/en/status/view\?page=\d+#history"
)

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


def parse(page: bytes) -> Element:
    """Parse as a browser does, refusing any parse error."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    root: Element = parser.parse(page.decode())
    return root


def lenient(page: bytes) -> Element:
    """Parse as a browser does; odd characters in a text are not our mistake."""
    root: Element = html5lib.parse(page.decode(), namespaceHTMLElements=False)
    return root


def elements(root: Element) -> Iterator[Element]:
    return (element for element in root.iter() if isinstance(element.tag, str))


def text_of(element: Element) -> str:
    return "".join(element.itertext())


@EVERY_PAGE
def test_valid_html(lang: Language, page: bytes) -> None:
    root = parse(page)
    assert root.get("lang") == lang
    assert text_of(root.find("head/title")).strip()  # type: ignore[arg-type]
    assert page.startswith(b"<!doctype html>")


@EVERY_PAGE
def test_nothing_that_safest_blocks_and_nothing_inline(lang: Language, page: bytes) -> None:
    root = parse(page)
    tags = {element.tag for element in elements(root)}
    assert not tags & {
        "script", "style", "svg", "img", "iframe", "object", "embed", "video", "audio", "math",
        "base", "font", "picture", "canvas",
    }  # fmt: skip
    for element in elements(root):
        names = {str(name) for name in element.attrib}
        assert "style" not in names
        assert not any(name.startswith("on") for name in names)
    assert b"://" not in page
    assert b"font-face" not in page


@EVERY_PAGE
def test_requests_stay_on_the_site(lang: Language, page: bytes) -> None:
    root = parse(page)
    links = [(link.get("rel"), link.get("href")) for link in root.iter("link")]
    assert links == [("icon", "data:,"), ("stylesheet", PAGES.style_path)]
    ids = {element.get("id") for element in elements(root)}
    targets = [link.get("href") for link in root.iter("a")]
    targets += [form.get("action") for form in root.iter("form")]
    for target in targets:
        assert target is not None
        if target.startswith("#"):
            assert target[1:] in ids, target
        else:
            assert ROUTES.fullmatch(target), target


@EVERY_PAGE
def test_headings(lang: Language, page: bytes) -> None:
    levels = [int(e.tag[1]) for e in elements(parse(page)) if re.fullmatch("h[1-6]", e.tag)]
    body = [level for level in levels if level == 1]
    assert len(body) == 1
    first = levels.index(1)
    for before, after in zip(levels[first:], levels[first + 1 :], strict=False):
        assert after <= before + 1


@EVERY_PAGE
def test_ids_and_labels(lang: Language, page: bytes) -> None:
    root = parse(page)
    ids = [e.get("id") for e in elements(root) if e.get("id")]
    assert len(ids) == len(set(ids))
    labelled = {label.get("for") for label in root.iter("label")}
    assert labelled <= set(ids)
    for tag in ("input", "select", "textarea"):
        for control in root.iter(tag):
            assert control.get("type") == "hidden" or control.get("id") in labelled
    for element in elements(root):
        for name in ("aria-describedby", "aria-labelledby"):
            for reference in (element.get(name) or "").split():
                assert reference in ids, reference
    for button in root.iter("button"):
        assert text_of(button).strip()
    for details in root.iter("details"):
        assert next(iter(details)).tag == "summary"
    for header in root.iter("th"):
        assert header.get("scope") in {"col", "row"}


@EVERY_PAGE
def test_language_switch_leads_to_the_same_page(lang: Language, page: bytes) -> None:
    other = "en" if lang == "id" else "id"
    root = parse(page)
    switches = [link for link in root.iter("a") if link.get("hreflang")]
    if root.find(".//h1[@class='screen']") is not None:  # a receipt: leaving would lose the code
        assert switches == []
        return
    (switch,) = switches
    assert switch.get("lang") == switch.get("hreflang") == other
    current = [link.get("href") for link in root.iter("a") if link.get("aria-current")]
    href = switch.get("href") or ""
    assert href.removesuffix("/view") == (f"/{other}{current[0][3:]}" if current else f"/{other}")


@EVERY_PAGE
def test_forms(lang: Language, page: bytes) -> None:
    for form in parse(page).iter("form"):
        assert form.get("method") == "post"
        names = [str(control.get("name")) for control in form.iter() if control.get("name")]
        is_code = form.get("action") == f"/{lang}/status"
        assert names[0] == ("code" if is_code else "token")
        multipart = form.get("enctype") == "multipart/form-data"
        assert multipart == ("file" in names)
        assert names.count("file") in {0, 5}


# --- the report form ------------------------------------------------------------------------------


def form(lang: Language = "id", **parts: Any) -> Element:
    return parse(PAGES.report_form(lang, FormContext(TOKEN, TODAY, **parts)))


def test_form_asks_exactly_the_table() -> None:
    names = [e.get("name") for e in form().iter() if e.get("name") and e.tag != "meta"]
    assert names[0] == "token"
    asked = [name for name in names if name not in {"token", "file"}]
    assert sorted(asked) == sorted(field.name for field in REPORT_FIELDS)  # type: ignore[type-var]
    assert names.count("file") == 5


def test_form_offers_every_code_once() -> None:
    root = form()
    for field in REPORT_FIELDS:
        if field.kind not in (Kind.CHOICE, Kind.CATALOGUE):
            continue
        select = root.find(f".//select[@name='{field.name}']")
        assert select is not None
        values = [option.get("value") or "" for option in select.iter("option")]
        assert values[0] == ""
        assert len(set(values)) == len(values)
        assert set(field.options) <= set(values)
        assert not any(option.get("selected") is not None for option in select.iter("option"))


def test_form_shows_the_official_fee() -> None:
    select = form().find(".//select[@name='service']")
    assert select is not None
    labels = {option.get("value"): text_of(option) for option in select.iter("option")}
    assert "Rp\u00a00" in labels["ktp-pindah"]
    assert "Rp" not in labels["puskesmas"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_mode_and_safety_come_before_the_first_question(lang: Language) -> None:
    page = PAGES.report_form(lang, FormContext(TOKEN, TODAY)).decode()
    texts = PAGES._languages[lang].texts
    for key in ("form.mode", "form.say", "form.nameless"):
        assert 0 < page.index(texts.t(key)[:20]) < page.index('name="story"')


def test_only_the_story_is_required() -> None:
    required = [e.get("name") for e in form().iter() if e.get("required") is not None]
    assert required == ["story"]


@pytest.mark.parametrize("token", [TOKEN, "", "<b>&\"'"])
def test_prerendered_form_is_the_rendered_form(token: str) -> None:
    fresh = Pages(sample_site())
    first = fresh.report_form("id", FormContext("another", TODAY))
    page = fresh.report_form("id", FormContext(token, TODAY))
    hidden = parse(page).find(".//input[@name='token']")
    assert hidden is not None and hidden.get("value") == token
    assert len(first) - len(page) == len("another") - len(_escaped(token))


def _escaped(text: str) -> str:
    table = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"}
    return "".join(table.get(letter, letter) for letter in text)


def test_prerendered_form_follows_the_year() -> None:
    fresh = Pages(sample_site())
    assert b'value="2026"' in fresh.report_form("id", FormContext(TOKEN, date(2026, 12, 31)))
    assert b'value="2027"' in fresh.report_form("id", FormContext(TOKEN, date(2027, 1, 1)))


def test_second_excluded_unit_only_where_there_are_several() -> None:
    one = Pages(replace(sample_site(), staff_units=("inspektorat-1",)))
    root = parse(one.report_form("id", FormContext(TOKEN, TODAY)))
    assert root.find(".//select[@name='exclude_unit']") is None


def test_answers_are_kept() -> None:
    values = {
        field.name: (field.options[-1] if field.options else "jawaban <&> \n\nlagi")
        for field in REPORT_FIELDS
    }
    values |= {"place": 'loket "2"', "who": "x", "year": "2024", "unit": "kel-melati"}
    values["exclude_unit"] = "inspektorat-1"
    root = form(values=values, errors={"file": "error.file.again"})
    for field in REPORT_FIELDS:
        control = root.find(f".//*[@name='{field.name}']")
        assert control is not None
        if control.tag == "textarea":
            assert text_of(control) == values[field.name]
        elif control.tag == "input":
            assert control.get("value") == values[field.name]
        else:
            (chosen,) = [o for o in control.iter("option") if o.get("selected") is not None]
            assert chosen.get("value") == values[field.name]


@pytest.mark.parametrize("name", [field.name for field in REPORT_FIELDS] + ["file"])
def test_each_mistake_is_listed_on_top_and_beside_its_question(name: str) -> None:
    root = form(errors={name: "error.field.choice"})
    summary = root.find(".//div[@role='alert']")
    assert summary is not None
    (link,) = summary.iter("a")
    control = root.find(f".//*[@id='{(link.get('href') or '')[1:]}']")
    assert control is not None and control.get("name") == name
    assert f"e-{name}" in (control.get("aria-describedby") or "")
    assert name == "file" or control.get("aria-invalid") == "true"


@pytest.mark.parametrize("name", ["asked", "who", "danger", "exclude_unit"])
def test_folded_parts_open_for_answers_and_mistakes(name: str) -> None:
    for parts in ({"values": {name: "x"}, "errors": {"form": "error.form.token"}},
                  {"errors": {name: "error.field.choice"}}):  # fmt: skip
        opened = [
            details
            for details in form(**parts).iter("details")
            if details.find(f".//*[@name='{name}']") is not None
        ]
        assert [details.get("open") is not None for details in opened] == [True]


def test_leading_line_break_survives() -> None:
    root = form(values={"story": "\n\nawal"}, errors={"form": "error.form.token"})
    story = root.find(".//textarea[@name='story']")
    assert story is not None and text_of(story) == "\n\nawal"


def test_all_groups_have_labels() -> None:
    site = sample_site()
    for lang in LANGUAGES:
        groups = choice_groups(site, PAGES._languages[lang].texts, TODAY)
        offered = [code for _, pairs in groups["unit"] for code, _ in pairs]
        assert set(offered) == {unit.id for unit in site.units} | {"other", "unknown"}
        assert len(offered) == len(set(offered))


# --- cached pages ---------------------------------------------------------------------------------


def test_landing_is_rendered_once_per_statistics() -> None:
    fresh = Pages(sample_site())
    first = fresh.landing("id", LandingContext(sample_statistics()))
    assert fresh.landing("id", LandingContext(sample_statistics())) is first
    assert fresh.landing("en", LandingContext(sample_statistics())) != first
    changed = replace(sample_statistics(), received=1185)
    assert b"1.185" in fresh.landing("id", LandingContext(changed))


def test_small_numbers_are_not_shown() -> None:
    page = PAGES.landing("id", LandingContext(Statistics(date(2026, 8, 31)))).decode()
    assert page.count("kurang dari 10") == 4
    assert "fewer than 10" in PAGES.landing("en", LandingContext(Statistics(TODAY))).decode()


def test_statistics_read_the_published_shape() -> None:
    data = {
        "v": 1,
        "as_of": "2026-08-31",
        "received": 12,
        "open": None,
        "followed_up_7": 11,
        "followed_up_30": 12,
        "closed": 10,
        "overdue": None,
        "outcomes": {"joined": None, "upheld_action": 10},
    }
    numbers = Statistics.from_json(data)
    assert (numbers.as_of, numbers.received, numbers.open) == (date(2026, 8, 31), 12, None)
    assert numbers.outcomes == {"joined": None, "upheld_action": 10}


# --- the receipt ----------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_receipt_shows_both_languages_in_order(lang: Language) -> None:
    page = PAGES.receipt(lang, ReceiptContext(WORDS, "cHJvbWlzZQ", TODAY))
    lists = [e for e in parse(page).iter("ol") if e.get("class") == "words"]
    shown = [tuple(text_of(item) for item in one.iter("li")) for one in lists]
    other: Language = "en" if lang == "id" else "id"
    assert shown == [WORDS[lang], WORDS[other]]
    assert lists[1].get("lang") == other


def test_receipt_prints_the_code_and_how_to_keep_it_only() -> None:
    root = parse(PAGES.receipt("id", ReceiptContext(WORDS, "cHJvbWlzZQ", TODAY)))
    main = root.find(".//main")
    assert main is not None
    printed = [e for e in main if "screen" not in (e.get("class") or "").split()]
    assert [text_of(e.find("h2")) for e in printed] == ["Kode Anda", "Cara menyimpan kode"]  # type: ignore[arg-type]


# --- status answers of one length -----------------------------------------------------------------

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
        assert area is not None and text_of(area) == "a b"
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
def test_length_is_the_fixed_one_or_whole_steps_above(
    sizes: list[int], number: int, letter: str
) -> None:
    items = tuple(TimelineItem(TODAY, "update", letter * size, "office") for size in sizes)
    length = len(PAGES.status("id", replace(sample_case(), timeline=items, page=number)))
    assert (length - STATUS_BYTES) % STATUS_STEP == 0
    if all(len(letter.encode()) * (5 if letter == "<" else 1) * size < 15_000 for size in sizes):
        assert length == STATUS_BYTES


# --- what a case shows ----------------------------------------------------------------------------


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
    closed = state in {"upheld_action", "upheld_fixed", "insufficient", "outside_mandate", "joined"}
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


# --- escaping -------------------------------------------------------------------------------------


def hostile_pages(text: str) -> Iterator[bytes]:
    site = sample_site()
    hostile = replace(
        site,
        name={"id": text, "en": text},
        fingerprint={"id": (text,) * 12, "en": (text,) * 12},
        units=(replace(site.units[0], id=text, name={"id": text, "en": text}),),
        services=(replace(site.services[0], id=text, name={"id": text, "en": text}),),
        people=(replace(site.people[0], name=text, unit=text),),
        onion=text,
        instance_id=text,
    )
    everything = {field.name: text for field in REPORT_FIELDS}
    item = TimelineItem(TODAY, "insufficient", text, "office", reason=text)
    case = replace(sample_case(), timeline=(item,), token=text, values={"text": text})
    problem = ReceiptProblem("unknown_word", 1, (text,))
    for pages in (PAGES, Pages(hostile)):
        yield pages.landing("id", LandingContext(sample_statistics()))
        yield pages.keys("id")
        yield pages.report_form("id", FormContext(text, TODAY))
        yield pages.report_form(
            "id", FormContext(text, TODAY, everything, {"story": "error.confirm"})
        )
        yield pages.receipt("id", ReceiptContext({"id": (text,), "en": (text,)}, text, TODAY))
        yield pages.status("id", case)
        yield pages.status("id", StatusContext("unknown", text))
        yield pages.status("id", StatusContext("malformed", text, problem))
        yield pages.status("id", StatusContext("expired", values={"text": text}))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_given_becomes_markup(text: str) -> None:
    for page, harmless in zip(hostile_pages(text), hostile_pages("aman"), strict=True):
        assert skeleton(lenient(page)) == skeleton(lenient(harmless))
        assert b"49" not in page or b"49" in harmless


def skeleton(root: Element) -> list[tuple[str, tuple[str, ...]]]:
    """Return tags and attribute names in order: what a text must never change."""
    ignored = {"selected", "open"}
    return [
        (element.tag, tuple(sorted(set(map(str, element.attrib)) - ignored)))
        for element in elements(root)
    ]


@pytest.mark.parametrize("text", [text for text in HOSTILE if "\x00" not in text])
def test_texts_arrive_unchanged(text: str) -> None:
    item = TimelineItem(TODAY, "update", text, "office")
    page = PAGES.status("id", replace(sample_case(), timeline=(item,), values={"text": text}))
    assert timeline(page) == [text]
    area = parse(page).find(".//textarea[@name='text']")
    assert area is not None and text_of(area) == text


def test_organisation_name_is_not_a_template() -> None:
    site: Site = replace(sample_site(), name={"id": "{{ 7*7 }}", "en": "{% if %}"})
    page = Pages(site).landing("id", LandingContext()).decode()
    assert "&#123;&#123; 7*7 }}" in page
