# SPDX-License-Identifier: AGPL-3.0-or-later
"""Both languages say the same things, nothing is missing and nothing is left over."""

import re
import string
from datetime import date
from pathlib import Path

import pytest

from case_mgmt.model import EXTENSION_REASONS, REASONS, State
from tests.support.sample_pages import all_pages, sample_site
from whistle.errors import PUBLIC
from whistle.i18n import LANGUAGES, Catalogue, TextError, parse_language
from whistle.intake.fields import REPORT_FIELDS
from whistle.intake.pages import ERROR_PAGES, Pages

INDONESIAN = Catalogue.load("id")
ENGLISH = Catalogue.load("en")

# Texts that only the desk shows, one of them inside a report.
DESK_ONLY = {"case.due_kind.update", "sealed.story"}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def write(folder: Path, lang: str, text: str) -> None:
    months = "".join(f'{number:02d} = "m"\n' for number in range(1, 13))
    folder.joinpath(f"{lang}.toml").write_text(f"{text}\n[option.month]\n{months}")


def test_same_keys() -> None:
    assert set(INDONESIAN.texts) == set(ENGLISH.texts)


@pytest.mark.parametrize("key", sorted(INDONESIAN.texts))
def test_same_placeholders(key: str) -> None:
    assert placeholders(INDONESIAN.texts[key]) == placeholders(ENGLISH.texts[key])


@pytest.mark.parametrize("catalogue", [INDONESIAN, ENGLISH], ids=LANGUAGES)
def test_texts_are_plain_and_present(catalogue: Catalogue) -> None:
    may_be_empty = {f"field.{field.name}.hint" for field in REPORT_FIELDS}
    for key, text in catalogue.texts.items():
        assert text.strip() == text or key.startswith("desk."), key
        assert text or key in may_be_empty, key
        assert not re.search(r"<[a-z/!]|&[a-z#0-9]+;|\{\{|\{%", text), key


def test_every_text_is_used_and_every_used_text_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    used: set[str] = set()
    original = Catalogue.t

    def recording(self: Catalogue, key: str, **params: object) -> str:
        used.add(key)
        return original(self, key, **params)

    monkeypatch.setattr(Catalogue, "t", recording)
    pages = Pages(sample_site())
    for lang in LANGUAGES:
        for _ in all_pages(pages, lang):
            pass
    own = {key for key in INDONESIAN.texts if not key.startswith("desk.")}
    assert used - own == set()
    assert own - used - DESK_ONLY == set()


def test_codes_have_labels() -> None:
    wanted = {f"status.{state}" for state in State} | {f"meaning.{state}" for state in State}
    wanted |= {f"reason.{code}" for codes in REASONS.values() for code in codes}
    wanted |= {f"reason.{code}" for code in EXTENSION_REASONS}
    for field in REPORT_FIELDS:
        wanted |= {f"field.{field.name}.label", f"field.{field.name}.hint"}
        wanted |= {f"option.{field.name}.{code}" for code in field.options}
    assert wanted - set(INDONESIAN.texts) == set()


def test_no_label_without_a_code() -> None:
    codes = {f"option.{field.name}.{code}" for field in REPORT_FIELDS for code in field.options}
    assert {key for key in INDONESIAN.texts if key.startswith("option.")} == codes


def test_every_refusal_has_a_page() -> None:
    assert {answer.page for answer in PUBLIC.values()} <= set(ERROR_PAGES)


def test_labels_of_a_question_differ() -> None:
    for catalogue in (INDONESIAN, ENGLISH):
        for field in REPORT_FIELDS:
            labels = [catalogue.t(f"option.{field.name}.{code}") for code in field.options]
            assert len(set(labels)) == len(labels), field.name


def test_missing_text_raises() -> None:
    with pytest.raises(TextError):
        INDONESIAN.t("landing.nothing")


@pytest.mark.parametrize("params", [{"dai": 1}, {"0": 1}])
def test_wrong_placeholder_raises(params: dict[str, object]) -> None:
    with pytest.raises(TextError):
        INDONESIAN.t("receipt.day", **params)


def test_text_without_parameters_is_not_formatted() -> None:
    assert "{day}" in INDONESIAN.t("receipt.day")


def test_key_given_twice_raises(tmp_path: Path) -> None:
    write(tmp_path, "id", '[a]\nb = "x"')
    tmp_path.joinpath("desk.id.toml").write_text('a.b = "y"\n')
    with pytest.raises(TextError, match="twice"):
        Catalogue.load("id", tmp_path)


def test_flat_and_nested_keys_are_one(tmp_path: Path) -> None:
    write(tmp_path, "id", '"a.b" = "x"\n[c.d]\ne = "y"')
    catalogue = Catalogue.load("id", tmp_path)
    assert (catalogue.t("a.b"), catalogue.t("c.d.e")) == ("x", "y")


@pytest.mark.parametrize("value", ["1", "true", '["x"]', "2026-01-01"])
def test_only_texts_are_allowed(tmp_path: Path, value: str) -> None:
    write(tmp_path, "id", f"a = {value}")
    with pytest.raises(TextError):
        Catalogue.load("id", tmp_path)


def test_days_numbers_and_money() -> None:
    day = date(2026, 8, 5)
    assert (INDONESIAN.day(day), ENGLISH.day(day)) == ("5 Agustus 2026", "5 August 2026")
    assert (INDONESIAN.number(1234567), ENGLISH.number(1234567)) == ("1.234.567", "1,234,567")
    assert INDONESIAN.rupiah(150_000) == "Rp\u00a0150.000"
    assert INDONESIAN.rupiah(0) == "Rp\u00a00"


@pytest.mark.parametrize("text", ["", "ID", "jv", "id/", "en ", "../id"])
def test_other_languages_are_none(text: str) -> None:
    assert parse_language(text) is None


def test_known_languages() -> None:
    assert [parse_language(lang) for lang in LANGUAGES] == list(LANGUAGES)
