# SPDX-License-Identifier: AGPL-3.0-or-later
"""Answers from a file, from flags, from questions: all checked as the site checks them."""

import json
from pathlib import Path

import pytest

from case_mgmt.catalogue import demo_catalogue
from tests.whistle.tool.keys_at_hand import ENGLISH
from whistle.intake.fields import REPORT_FIELDS, Kind
from whistle.tool.answers import Interview, check, read_answers_file, read_flags
from whistle.tool.errors import AnswersError

CATALOGUE = demo_catalogue()


def test_file_and_flags(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"story": " Cerita.\r\n", "unit": "kel-melati"}))
    texts = {**read_answers_file(str(path)), **read_flags(["place=Loket 3 = depan"])}
    answers = check(texts, CATALOGUE, ENGLISH)
    assert answers.fields == {"story": "Cerita.", "unit": "kel-melati", "place": "Loket 3 = depan"}
    assert answers.accused == {"kel-melati"}


@pytest.mark.parametrize(
    ("texts", "key"),
    [
        ({}, "tool.answers_wrong"),
        ({"story": "  "}, "tool.answers_wrong"),
        ({"story": "x", "how": "magic"}, "tool.answers_wrong"),
        ({"story": "x", "unit": "kel-nowhere"}, "tool.answers_wrong"),
        ({"story": "x" * 50_001}, "tool.answers_wrong"),
        ({"story": "x", "phone": "0812"}, "tool.answers_name"),
    ],
)
def test_wrong_answers(texts: dict[str, str], key: str) -> None:
    with pytest.raises(AnswersError) as caught:
        check(texts, CATALOGUE, ENGLISH)
    assert caught.value.key == key
    assert "0812" not in ENGLISH.t(caught.value.key, **caught.value.details)


@pytest.mark.parametrize("text", ["", "[]", '{"story":1}', '{"story":"a","story":"b"}', "\xff"])
def test_file_that_is_no_answers(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text, "latin-1")
    with pytest.raises(AnswersError):
        read_answers_file(str(path))


def test_missing_file_and_flag_without_value(tmp_path: Path) -> None:
    with pytest.raises(AnswersError):
        read_answers_file(str(tmp_path / "none"))
    with pytest.raises(AnswersError):
        read_flags(["story"])


def test_interview_asks_every_question_once() -> None:
    script: list[str] = []
    for field in REPORT_FIELDS:
        if field.kind is Kind.TEXT:
            script += [".", "Baris satu", "Baris dua", "."] if field.required else ["."]
        elif field.name == "unit":
            script += ["99", "x", "1"]
        elif field.name == "place":
            script.append("Loket 3")
        else:
            script.append("")
    said: list[str] = []
    replies = iter(script)
    texts = Interview(ENGLISH, CATALOGUE, lambda _p: next(replies), said.append).run()
    assert texts == {
        "story": "Baris satu\nBaris dua", "unit": CATALOGUE.units[0].id, "place": "Loket 3",
    }  # fmt: skip
    assert next(replies, None) is None
    assert sum(ENGLISH.t("field.story.label") == line for line in said) == 1
