# SPDX-License-Identifier: AGPL-3.0-or-later
"""The tools speak both languages, and use every sentence they have."""

import json
import re
import string
from pathlib import Path
from typing import get_args

import pytest

from whistle.i18n import LANGUAGES, Catalogue
from whistle.intake.client_texts import client_texts
from whistle.intake.problems import STATUS
from whistle.texts import choose_language, load_tool_texts, printable
from whistle.tool.errors import WORDED, RefusedBySiteError
from whistle.tool.sitecheck import Finding

ROOT = Path(__file__).resolve().parents[3]
SOURCES = [
    *(ROOT / "whistle/tool").rglob("*.py"), *(ROOT / "whistle/commands").glob("*.py"),
    ROOT / "whistle/intake/offline_page.py", *(ROOT / "templates/tool").glob("*.html"),
]  # fmt: skip
ID, EN = load_tool_texts("id").texts, load_tool_texts("en").texts
OWN = sorted(key for key in EN if key.startswith("tool."))


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_same_keys_and_placeholders() -> None:
    assert set(ID) == set(EN)
    for key in OWN:
        assert placeholders(ID[key]) == placeholders(EN[key]), key
        assert not re.search(r"<[a-z/!]|\{\{|\{%", ID[key] + EN[key]), key


def test_every_text_is_used_and_every_used_text_exists() -> None:
    code = "\n".join(path.read_text("utf-8") for path in SOURCES)
    used = set(re.findall(r'["\'](tool\.[a-z0-9_.]+)["\']', code))
    used |= {f"tool.{name}" for name in re.findall(r'\.say\(\s*"([a-z0-9_]+)"', code)}
    used |= {f"tool.keep_{n}" for n in range(1, 5)} | {"tool.language_id", "tool.language_en"}
    used |= {f"tool.site.{verdict}" for verdict in get_args(Finding)}
    used |= {key for key in OWN if key.startswith("tool.problem.")}
    used |= {f"tool.{name}" for name in ("due", "overdue", "overall", "contest")}
    used |= {"tool.verified", "tool.unverified"}
    said = re.search(r"_SAID: Final = \((.*?)\)", code, re.S)
    assert said is not None
    used |= {f"tool.offline_{name}" for name in re.findall(r'"([a-z]+)"', said[1])}
    assert used - set(EN) == set()
    assert set(OWN) - used == set()


@pytest.mark.parametrize("code", WORDED)
def test_refusals_a_reporter_can_mend_are_sentences(code: str) -> None:
    """The program and the page name them in words; the code stays out of the sentence."""
    assert code in STATUS
    assert RefusedBySiteError(STATUS[code], code).key == f"tool.error.refused_{code}"
    for lang in LANGUAGES:
        texts = Catalogue.load(lang)
        said = json.loads(client_texts(texts))[f"script.refused_{code}"]
        assert code not in said.split()
        assert len(said.split()) > 5


def test_other_refusals_show_their_code() -> None:
    error = RefusedBySiteError(400, "container")
    assert error.key == "tool.error.refused"
    assert error.details == {"status": 400, "code": "container"}


@pytest.mark.parametrize(
    ("wanted", "environment", "lang"),
    [
        ("en", {}, "en"),
        ("id", {"LANG": "en_GB.UTF-8"}, "id"),
        (None, {"LANG": "id_ID.UTF-8"}, "id"),
        (None, {"LANG": "de_DE.UTF-8"}, "en"),
        (None, {"LC_ALL": "en_US", "LANG": "id_ID"}, "en"),
        (None, {}, "id"),
    ],
)
def test_language(wanted: str | None, environment: dict[str, str], lang: str) -> None:
    assert choose_language(wanted, environment) == lang


def test_nothing_rewrites_the_terminal() -> None:
    assert printable("a\x1b[2Jb\u202ec\nd\x00") == "a[2Jbc\nd"
