# SPDX-License-Identifier: AGPL-3.0-or-later
"""The report form asks the whole table, keeps every answer and says what is wrong."""

from dataclasses import replace
from datetime import date
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from tests.support.markup import parse, text_of
from tests.support.sample_pages import (
    TODAY,
    TOKEN,
    sample_site,
)
from whistle.i18n import LANGUAGES, Language
from whistle.intake.contexts import (
    FormContext,
)
from whistle.intake.fields import REPORT_FIELDS, Kind
from whistle.intake.pages import Pages
from whistle.intake.questions import choice_groups

PAGES = Pages(sample_site())


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
    assert hidden is not None
    assert hidden.get("value") == token
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
    assert control is not None
    assert control.get("name") == name
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
    assert story is not None
    assert text_of(story) == "\n\nawal"


def test_all_groups_have_labels() -> None:
    site = sample_site()
    for lang in LANGUAGES:
        groups = choice_groups(site, PAGES._languages[lang].texts, TODAY)
        offered = [code for _, pairs in groups["unit"] for code, _ in pairs]
        assert set(offered) == {unit.id for unit in site.units} | {"other", "unknown"}
        assert len(offered) == len(set(offered))
