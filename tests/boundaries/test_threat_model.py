# SPDX-License-Identifier: AGPL-3.0-or-later
"""The threat model claims nothing that no test holds: each row names tests that exist."""

import re
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
COLUMNS = ["Threat", "From", "What holds it", "Tests"]
GAINS = ["Attacker", "Gets", "Does not get", "Held by"]

_REFERENCE = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_FUNCTION = re.compile(r"^ *(?:async )?def (\w+)\(", re.MULTILINE)


def tables(header: list[str]) -> list[list[str]]:
    """Return the rows of all tables with these columns."""
    rows: list[list[str]] = []
    inside = False
    for line in TEXT.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells == header:
            inside = True
        elif inside and set(line) - set("|-: "):
            rows.append(cells)
    return rows


@lru_cache
def functions(path: Path) -> frozenset[str]:
    return frozenset(_FUNCTION.findall(path.read_text(encoding="utf-8")))


ROWS = tables(COLUMNS)
ATTACKERS = [row[0].strip("*") for row in tables(["Attacker", "Who", "Can"])]
REFERENCES = sorted(set(_REFERENCE.findall(TEXT)))


def test_the_model_has_rows_and_attackers() -> None:
    assert len(ROWS) >= 50
    assert len(ATTACKERS) >= 9
    assert "## Not protected" in TEXT


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:60])
def test_every_row_names_its_attacker_and_its_tests(row: list[str]) -> None:
    assert len(row) == len(COLUMNS)
    assert all(row)
    assert set(row[1].split(", ")) <= set(ATTACKERS)
    assert _REFERENCE.sub("", row[3]).strip(" ,") == ""
    assert _REFERENCE.search(row[3])


@pytest.mark.parametrize("attacker", ATTACKERS)
def test_every_attacker_is_met(attacker: str) -> None:
    assert any(attacker in row[1].split(", ") for row in ROWS)


def test_what_each_attacker_gets_is_said_and_held_by_tests() -> None:
    rows = tables(GAINS)
    assert [row[0].strip("*") for row in rows] == [
        "office", "host", "seizure", "watcher", "investigator", "operator", "flooder",
        "page author", "coercion", "supplier",
    ]  # fmt: skip
    assert {row[0].strip("*") for row in rows} == set(ATTACKERS)
    for row in rows:
        assert len(row) == len(GAINS)
        assert all(row)
        assert _REFERENCE.sub("", row[3]).strip(" ,") == ""
        assert _REFERENCE.search(row[3])


def test_what_is_not_protected_is_said_for_each_field() -> None:
    fields = re.findall(r"^\*\*(.+)\*\*$", TEXT.split("## Not protected")[1], re.MULTILINE)
    assert len(fields) >= 8
    assert {"The moment of reporting", "The network", "Seizure and hosting"} <= set(fields)
    assert {"People", "Flooding", "Coercion", "Build and supply"} <= set(fields)


@pytest.mark.parametrize(("path", "name"), REFERENCES)
def test_every_named_test_exists(path: str, name: str) -> None:
    assert name.startswith("test_")
    assert (ROOT / path).is_file()
    assert name in functions(ROOT / path)
