# SPDX-License-Identifier: AGPL-3.0-or-later
"""The reporter pages: valid, accessible, small of surface, and escaped."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from xml.etree.ElementTree import Element

import pytest

from tests.support.markup import elements, lenient, parse, text_of
from tests.support.sample_pages import (
    HOSTILE,
    TODAY,
    WORDS,
    all_pages,
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
from whistle.intake.fields import REPORT_FIELDS
from whistle.intake.pages import Pages

PAGES = Pages(sample_site())
RENDERED = [
    pytest.param(lang, page, id=f"{lang}-{name}")
    for lang in LANGUAGES
    for name, page in all_pages(PAGES, lang)
]
EVERY_PAGE = pytest.mark.parametrize(("lang", "page"), RENDERED)
PROMISE = re.compile(r"/promise/[\w-]+\.txt")
ROUTES = re.compile(
    r"/(?:id|en)(?:/(?:report|status|safety|statistics|keys|sealed|offline\.html|status/(?:view|message|contest|files|"
    r"withdraw|leave|files)|sealed))?|/(?:manifest\.json|manifest\.sig|policy\.json|catalogue\.json)"
    r"|/(?:id|en)/statistics#check|/(?:id|en)/status/evidence|/verify\.html|/log\.tar|/log/checkpoint"
    r"|/log-policy\.txt|/releases/2026-q[1-4](?:\.tar|/(?:id|en)/)"
    r"|/id/status/view\?page=\d+#history|/en/status/view\?page=\d+#history"
)


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
    for script in root.iter("script"):  # adds to what works without it
        assert script.get("src") in PAGES.files
        assert not script.text
        assert root.find(".//form") is not None
    assert not tags & {
        "style", "svg", "iframe", "object", "embed", "video", "audio", "math",
        "base", "font", "picture", "canvas",
    }  # fmt: skip
    for image in root.iter("img"):  # PNG: Safest blocks SVG
        source = image.get("src") or ""
        assert source == "/keys.png" or re.fullmatch(r"/promise/[\w-]+\.png", source)
        assert image.get("alt")
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
    for script in root.iter("script"):
        for name in ("src", "data-worker", "data-client", "data-words-id", "data-words-en"):
            assert script.get(name) in PAGES.files
    ids = {element.get("id") for element in elements(root)}
    targets = [link.get("href") for link in root.iter("a")]
    targets += [form.get("action") for form in root.iter("form")]
    for target in targets:
        assert target is not None
        if target.startswith("#"):
            assert target[1:] in ids, target
        else:
            assert ROUTES.fullmatch(target) or PROMISE.fullmatch(target), target


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
    controls = [c for tag in ("input", "select", "textarea") for c in root.iter(tag)]
    assert all(c.get("type") == "hidden" or c.get("id") in labelled for c in controls)
    for name in ("aria-describedby", "aria-labelledby"):
        for element in elements(root):
            assert set((element.get(name) or "").split()) <= set(ids)


@EVERY_PAGE
def test_buttons_folds_and_tables_have_names(lang: Language, page: bytes) -> None:
    root = parse(page)
    assert all(text_of(button).strip() for button in root.iter("button"))
    assert all(next(iter(details)).tag == "summary" for details in root.iter("details"))
    assert all(header.get("scope") in {"col", "row"} for header in root.iter("th"))
    for table in root.iter("table"):
        assert table.get("aria-labelledby") or table.find("caption") is not None


@EVERY_PAGE
def test_language_switch_leads_to_the_same_page(lang: Language, page: bytes) -> None:
    other = "en" if lang == "id" else "id"
    root = parse(page)
    switches = [link for link in root.iter("a") if link.get("hreflang")]
    receipt, typed = root.find(".//h1[@class='screen']"), root.find(".//form[@id='typed']")
    if receipt is not None or typed is not None:  # leaving would lose the code, or what was typed
        assert switches == []
        return
    (switch,) = switches
    assert switch.get("lang") == switch.get("hreflang") == other
    current = [link.get("href") for link in root.iter("a") if link.get("aria-current")]
    href = (switch.get("href") or "").removesuffix("/view").removesuffix("/files")
    if href == f"/{other}/sealed":  # not in the menu
        assert not current
        return
    assert href == (f"/{other}{current[0][3:]}" if current else f"/{other}")


@EVERY_PAGE
def test_forms(lang: Language, page: bytes) -> None:
    for form in parse(page).iter("form"):
        assert form.get("method") == "post"
        names = [str(control.get("name")) for control in form.iter() if control.get("name")]
        is_code = form.get("action") == f"/{lang}/status"
        assert names[0] == ("code" if is_code else "token")
        multipart = form.get("enctype") == "multipart/form-data"
        assert multipart == bool({"file", "bundle"} & set(names))
        assert names.count("file") in {0, 1, 5}


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


@pytest.mark.parametrize("lang", LANGUAGES)
def test_receipt_shows_both_languages_in_order(lang: Language) -> None:
    page = PAGES.receipt(lang, ReceiptContext(WORDS, "cHJvbWlzZQ", TODAY, TODAY))
    lists = [e for e in parse(page).iter("ol") if e.get("class") == "words"]
    shown = [tuple(text_of(item) for item in one.iter("li")) for one in lists]
    other: Language = "en" if lang == "id" else "id"
    assert shown == [WORDS[lang], WORDS[other]]
    assert lists[1].get("lang") == other


def test_receipt_prints_the_code_how_to_keep_it_and_the_proof_only() -> None:
    root = parse(PAGES.receipt("id", ReceiptContext(WORDS, "cHJvbWlzZQ", TODAY, TODAY)))
    main = root.find(".//main")
    assert main is not None
    printed = [e for e in main if "screen" not in (e.get("class") or "").split()]
    assert [text_of(e.find("h2")) for e in printed] == [  # type: ignore[arg-type]
        "Kode Anda",
        "Cara menyimpan kode",
        "Bukti penerimaan bertanda tangan",
    ]


def timeline(page: bytes) -> list[str]:
    (listing,) = [e for e in parse(page).iter("ol") if e.get("class") == "timeline"]
    return [text_of(e) for item in listing for e in item.iter("div")]


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
        yield pages.receipt(
            "id", ReceiptContext({"id": (text,), "en": (text,)}, text, TODAY, TODAY)
        )
        yield pages.status("id", case)
        yield pages.status("id", StatusContext("unknown", text))
        yield pages.status("id", StatusContext("malformed", text, problem))
        yield pages.status("id", StatusContext("expired", values={"text": text}))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_given_becomes_markup(text: str) -> None:
    for page, harmless in zip(hostile_pages(text), hostile_pages("aman"), strict=True):
        assert skeleton(lenient(page)) == skeleton(lenient(harmless))
        assert b">49" not in page or b">49" in harmless


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
    assert area is not None
    assert text_of(area) == text


def test_organisation_name_is_not_a_template() -> None:
    site: Site = replace(sample_site(), name={"id": "{{ 7*7 }}", "en": "{% if %}"})
    page = Pages(site).landing("id", LandingContext()).decode()
    assert "&#123;&#123; 7*7 }}" in page
