# SPDX-License-Identifier: AGPL-3.0-or-later
"""Checking answers against the field table."""

import pytest

from whistle.intake.fields import CODE, CONFIRM, PLACE, REPORT_FIELDS, STORY
from whistle.intake.forms import canonical, check, check_report, normalise

UNITS = frozenset({"kel-melati"})
SERVICES = frozenset({"ktp-pindah"})


def test_only_the_story_is_required() -> None:
    assert check_report({"story": "x"}, UNITS, SERVICES).errors == {}
    assert check_report({}, UNITS, SERVICES).errors == {"story": "error.field.required"}
    blank = check_report({"story": " \r\n\t "}, UNITS, SERVICES)
    assert blank.errors == {"story": "error.field.required"}


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("story", "x" * 50_000, None),
        ("story", "x" * 50_001, "error.field.too_long"),
        ("story", "\U0001f600" * 50_000, None),
        ("happened", "asked_refused", None),
        ("happened", "invented", "error.field.choice"),
        ("unit", "kel-melati", None),
        ("unit", "unknown", None),
        ("unit", "kel-lain", "error.field.choice"),
        ("exclude_unit", "kel-melati", None),
        ("exclude_unit", "unknown", "error.field.choice"),
        ("service", "ktp-pindah", None),
        ("service", "kel-melati", "error.field.choice"),
        ("year", "2026", None),
        ("year", "26", "error.field.choice"),
        ("place", "x" * 301, "error.field.too_long"),
    ],
)
def test_answers_at_their_edges(name: str, value: str, error: str | None) -> None:
    checked = check_report({"story": "x", name: value}, UNITS, SERVICES)
    assert checked.errors == ({} if error is None else {name: error})
    assert checked.values[name] == value


def test_one_text_one_form() -> None:
    assert normalise(STORY, " a\r\nb\rc\x07\x1b[0m\x85 ") == "a\nb\nc[0m"
    assert normalise(PLACE, "RT 1\r\nRW\t2\x00") == "RT 1 RW 2"
    assert normalise(CODE, " a\r\n b ") == "a  b"
    for field in REPORT_FIELDS:
        once = normalise(field, " x\r\n\x01y ")
        assert normalise(field, once) == once


def test_a_code_may_be_typed_over_several_lines() -> None:
    assert normalise(CODE, "satu\r\ndua").split() == ["satu", "dua"]


def test_the_box_must_be_ticked() -> None:
    assert check((CONFIRM,), {}, {}).errors == {"confirm": "error.confirm"}
    assert check((CONFIRM,), {"confirm": "yes"}, {}).errors == {}


def test_unanswered_questions_are_not_sealed() -> None:
    assert check_report({"story": "x"}, UNITS, SERVICES).filled == {"story": "x"}


def test_content_is_canonical() -> None:
    one = canonical("report", {"a": "1", "b": "2"}, [("h", "n", "t")])
    assert one == canonical("report", {"b": "2", "a": "1"}, [("h", "n", "t")])
    assert one != canonical("report", {"a": "1", "b": "2"}, [("h", "m", "t")])
    assert one != canonical("message", {"a": "1", "b": "2"}, [("h", "n", "t")])
