# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pages as a browser parses them: valid, small, without scripts, complete without pictures."""

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from string import Formatter
from typing import Any
from xml.etree import ElementTree

import pytest

from case_mgmt.figures.city import city_figures
from tests.support.markup import elements, parse, text_of
from tests.whistle.release.conftest import Built
from whistle.assets import templates_dir
from whistle.i18n import LANGUAGES, Catalogue, Language
from whistle.release.build import release_files
from whistle.release.drawing import NARROW, render
from whistle.release.inputs import EarlierRelease
from whistle.release.pages import PAGES, language_charts, page_files
from whistle.release.sheets import SHEETS
from whistle.release.words import Words, load_release_texts

BUDGET = 150_000  # bytes of a page with its style sheet and charts
LOCAL = re.compile(r"(?:#[a-z]+|[A-Za-z0-9._/-]+(?:#[a-z]+)?|data:,)")
ARCHIVE = "../../2024-q3.tar"  # beside the folder, where a site serves it
ALL_PAGES = ["index.html", *(f"{lang}/{page}" for lang in LANGUAGES for page in PAGES)]


@pytest.mark.parametrize("path", ALL_PAGES)
def test_a_page_is_valid_and_runs_nothing(built: Built, path: str) -> None:
    root = parse((built.folder / path).read_bytes())
    names = {element.tag for element in elements(root)}
    assert not names & {"script", "iframe", "object", "embed", "form", "style", "link "}
    assert "h1" in names
    for element in elements(root):
        assert not [name for name in element.attrib if name.startswith("on") or name == "style"]
        for name in ("href", "src", "srcset"):
            target = element.get(name)
            if target is not None and target != ARCHIVE:
                assert LOCAL.fullmatch(target), target


@pytest.mark.parametrize("path", ALL_PAGES)
def test_every_link_leads_to_a_file_of_the_folder(built: Built, path: str) -> None:
    base = (built.folder / path).parent
    for element in elements(parse((built.folder / path).read_bytes())):
        for name in ("href", "src", "srcset"):
            target, _, anchor = (element.get(name) or "").partition("#")
            if target and target not in {"data:,", ARCHIVE}:
                assert (base / target).is_file(), target
            if anchor:
                page = parse((base / target if target else built.folder / path).read_bytes())
                assert [each for each in elements(page) if each.get("id") == anchor], anchor


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_numbers_lead_to_the_whole_release_in_one_file(built: Built, lang: Language) -> None:
    page = parse((built.folder / lang / "index.html").read_bytes())
    assert [each for each in elements(page) if each.get("href") == ARCHIVE]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("suffix", ["", "-narrow"])
def test_a_page_with_its_charts_is_within_the_budget(
    built: Built, lang: Language, suffix: str
) -> None:
    charts = [f"charts/{lang}-{name}{suffix}.svg" for name in language_charts(built.inputs)[lang]]
    assert len(charts) == 5
    files = [f"{lang}/index.html", "style.css", *charts]
    assert sum((built.folder / path).stat().st_size for path in files) <= BUDGET


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_picture_has_words_and_a_table(built: Built, lang: Language) -> None:
    root = parse((built.folder / lang / "index.html").read_bytes())
    pictures = [element for element in elements(root) if element.tag == "img"]
    assert len(pictures) == 5
    assert all(len(picture.get("alt", "")) > 30 for picture in pictures)
    sections = [
        section
        for section in elements(root)
        if section.tag == "section" and section.find(".//img") is not None
    ]
    assert len(sections) == 5
    assert all(section.find(".//table/caption") is not None for section in sections)


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_headline_and_the_tables_say_what_the_figures_say(built: Built, lang: Language) -> None:
    words = Words(lang, built.inputs.catalogue)
    text = squeezed(text_of(parse((built.folder / lang / "index.html").read_bytes())))
    figures = built.inputs.figures
    main = figures["headline"]["followed_up"][1]
    assert squeezed(words.t("head.sentence", share=words.share(main["share"]))) in text
    numbers = [figures[name] for name in ("received", "open", "closed", "withdrawn")]
    numbers += [main["count"], main["of"], main["of"] - main["count"]]
    numbers += [row["count"] for row in (*figures["open_ages"], *figures["outcomes"])]
    numbers += [row["received"] for row in figures["weekly"]]
    assert [number for number in numbers if words.number(number) not in text] == []
    for row in figures["weekly"]:
        assert squeezed(words.span(row["from"], row["to"])) in text


def test_nothing_hidden_is_on_a_page(built: Built) -> None:
    """A withheld cell says so, whatever its true count."""
    root = parse((built.folder / "en/index.html").read_bytes())
    rows = {
        text_of(row.find("th")): text_of(row.find("td"))  # type: ignore[arg-type]
        for row in elements(root)
        if row.tag == "tr" and len(row.findall("td")) == 1
    }
    words = Words("en", built.inputs.catalogue)
    subject = next(each for each in built.inputs.tables["oneway"] if each["by"] == "subject")
    hidden = [cell["value"] for cell in subject["cells"] if cell["count"] is None]
    assert hidden
    assert {rows[words.value("subject", value)] for value in hidden} == {"withheld"}


def test_names_are_escaped(built: Built) -> None:
    unit = built.inputs.catalogue.units[2]
    evil = dict.fromkeys(LANGUAGES, "<script>alert(1)</script> & <b>")
    units = tuple(
        replace(each, name=evil) if each.id == unit.id else each
        for each in built.inputs.catalogue.units
    )
    inputs = replace(
        built.inputs, catalogue=replace(built.inputs.catalogue, units=units), reason="<i>why</i>"
    )
    files = release_files(inputs)
    for path in ("en/index.html", "id/index.html"):
        parse(files[path])
        assert b"<script" not in files[path]
        assert b"<i>why" not in files[path]
    for path, data in files.items():
        if path.endswith(".svg"):
            root = ElementTree.fromstring(data)
            assert not [each for each in root.iter() if each.tag.endswith("script")]


def test_changes_and_reason_are_told(built: Built) -> None:
    figures = {**built.inputs.figures, "received": 1234}
    earlier = EarlierRelease("2024-q2", "ab" * 32, figures, built.inputs.tables)
    inputs = replace(built.inputs, earlier=(earlier,), reason="A wrong day was counted.")
    files = page_files(inputs, language_charts(inputs), [])
    text = files["en/index.html"].decode()
    assert "1,234" in text
    assert "2024-q2" in text
    assert "A wrong day was counted." in text


def test_an_empty_city_has_pages_too(built: Built) -> None:
    figures = city_figures((), built.inputs.as_of)
    tables = {
        **built.inputs.tables,
        "units": [],
        "ranking": {"best": [], "worst": [], "compared": 0},
    }
    inputs = replace(built.inputs, figures=figures, tables=tables)
    charts = language_charts(inputs)
    files = page_files(inputs, charts, [])
    for path in ALL_PAGES:
        parse(files[path])
    assert "ages" not in charts["id"]
    assert "Belum ada" in files["id/index.html"].decode()


def flat(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def texts(lang: str) -> dict[str, str]:
    path = templates_dir() / "i18n" / f"release.{lang}.toml"
    return dict(flat(tomllib.loads(path.read_text("utf-8"))))


def test_both_languages_have_the_same_keys_and_placeholders() -> None:
    indonesian, english = texts("id"), texts("en")
    assert set(indonesian) == set(english)
    for key, text in indonesian.items():
        found = [{name for _, name, _, _ in Formatter().parse(t) if name} for t in
                 (text, english[key])]  # fmt: skip
        assert found[0] == found[1], key
        assert not re.search(r"<[a-z/!]|&[a-z#0-9]+;|\{\{|\{%", text + english[key]), key


def test_every_text_is_used(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    used: set[str] = set()
    original = Catalogue.t

    def recording(self: Catalogue, key: str, **params: object) -> str:
        used.add(key)
        return original(self, key, **params)

    monkeypatch.setattr(Catalogue, "t", recording)
    earlier = EarlierRelease("2024-q2", "ab" * 32, built.inputs.figures, built.inputs.tables)
    for inputs in variants(built, earlier):
        charts = language_charts(inputs)
        for drawn in charts["id"].values():
            release_chart(drawn)
        page_files(inputs, charts, [Path(sheet.path).name for sheet in SHEETS])
    own = {key for key in load_release_texts("id").texts if key.startswith("release.")}
    standings = {f"release.offices.standing_{each}" for each in ("best", "too_few")}
    rare = {"release.offices.at_most", *standings}
    assert own - used - rare == set()


def release_chart(chart: Any) -> None:
    render(chart.draw, NARROW, 300, chart.title)


def variants(built: Built, earlier: EarlierRelease) -> Iterator[Any]:
    inputs = built.inputs
    yield inputs
    yield replace(inputs, earlier=(earlier,), reason="why")
    few = {**inputs.figures["first_follow_up"], "median": None}
    slow = {"flag": True, "windows": 12, "days": 30, "before": 9000, "after": 6000}
    yield replace(inputs, figures={**inputs.figures, "first_follow_up": few, "slowing": slow})
    open_end = {**few, "median": {"days": None, "low": None, "high": None}}
    alike = {"best": [], "worst": [], "compared": 9}
    yield replace(
        inputs,
        figures={**inputs.figures, "first_follow_up": open_end},
        tables={**inputs.tables, "ranking": alike, "money": [MONEY]},
    )
    empty = city_figures((), inputs.as_of)
    yield replace(inputs, figures=empty, tables={**inputs.tables, "units": []})


MONEY = {
    "by": "service",
    "value": "kk",
    "asked_at_least": 4_350_000,
    "asked_median": "50k_100k",
    "paid_at_least": None,
    "paid_median": None,
    "since": "2024-09-22",
}


def test_shares_are_never_rounded_to_all_or_nothing(built: Built) -> None:
    words = Words("en", built.inputs.catalogue)
    shown = [words.share(value) for value in (0, 1, 4999, 5050, 9999, 10_000, None)]
    assert shown == ["0%", "1%", "50%", "51%", "99%", "100%", "–"]


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2026-07-06", "2026-07-12", "6–12 Jul 2026"),
        ("2026-07-27", "2026-08-02", "27 Jul – 2 Aug 2026"),
        ("2025-12-29", "2026-01-04", "29 Dec 2025 – 4 Jan 2026"),
    ],
)
def test_spans_of_days(built: Built, first: str, last: str, expected: str) -> None:
    assert Words("en", built.inputs.catalogue).span(first, last) == expected


def test_the_sample_has_both_shown_and_withheld_cells(built: Built) -> None:
    """Otherwise half of the tests here could not fail."""
    tables = json.loads((built.folder / "data/tables.json").read_bytes())
    counts = [cell["count"] for table in tables["oneway"] for cell in table["cells"]]
    assert None in counts
    assert any(counts)
