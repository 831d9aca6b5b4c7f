# SPDX-License-Identifier: AGPL-3.0-or-later
"""docs/operations.md: each fault has its line, and each line its test."""

import ast
import re
from pathlib import Path

import pytest

from whistle.troubles import KINDS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| What you see")
]
SEEN = [row[0] for row in ROWS]
NAMED = re.compile(r"`(tests/[\w/]+\.py)`")
QUOTED = re.compile(r"“([^”…]+)”")
FAULTS = (
    "test_disk_full", "test_disk_read_only", "test_damage", "test_clock", "test_feed_lost",
    "test_database_locked", "test_no_memory", "test_tor_restart", "test_kills", "test_crash",
)  # fmt: skip
"""Disk full, read-only disk, corrupted page and half-written blob, clock jumps, lost feed, locked
database, memory limits, tor restart, killed processes, half-collected blob."""


def test_each_line_has_four_cells() -> None:
    assert len(ROWS) == 14
    assert all(len(row) == 4 and all(row) for row in ROWS)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_its_line(kind: str) -> None:
    assert len([seen for seen in SEEN if f"`{kind}`" in seen]) == 1


@pytest.mark.parametrize("row", ROWS, ids=SEEN)
def test_each_line_names_tests_that_exist(row: list[str]) -> None:
    named = NAMED.findall(row[3])
    assert named
    for path in named:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        names = [node.name for node in ast.walk(tree)
                 if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]  # fmt: skip
        assert any(name.startswith("test_") for name in names)


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_test_in_a_line(fault: str) -> None:
    assert any(f"/{fault}.py" in row[3] for row in ROWS)


def test_every_test_of_a_fault_is_named() -> None:
    there = {path.stem for path in (ROOT / "tests" / "system" / "faults").glob("test_*.py")}
    assert there <= {Path(path).stem for row in ROWS for path in NAMED.findall(row[3])}


def test_quoted_words_are_said_by_a_program() -> None:
    sources = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("whistle", "onion", "case_mgmt")
        for path in (ROOT / folder).rglob("*.py")
    )
    quoted = [text for seen in SEEN for text in QUOTED.findall(seen)]
    assert len(quoted) >= 4
    assert [text for text in quoted if text not in sources] == []
