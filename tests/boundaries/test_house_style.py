# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rules of the house that no linter knows: module length, licence line, empty package files."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAX_MODULE_LINES = 320
MAX_TEST_LINES = 450
SPDX = "# SPDX-License-Identifier: AGPL-3.0-or-later"
PACKAGES = ("whistle", "crypto", "onion", "case_mgmt")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_module_holds_one_topic(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_MODULE_LINES


@pytest.mark.parametrize("path", TESTS, ids=name)
def test_a_test_file_stays_readable(path: Path) -> None:
    if "node_modules" not in path.parts:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_TEST_LINES


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_every_module_names_its_licence_and_says_what_it_decides(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith(SPDX)
    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_assert_outside_tests(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name == "__init__.py"], ids=name)
def test_package_files_run_nothing(path: Path) -> None:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    allowed = (ast.Expr, ast.Assign) if path.parent.name == "whistle" else (ast.Expr,)
    assert all(isinstance(node, allowed) for node in body)


def test_tests_are_no_packages() -> None:
    assert [path for path in TESTS if path.name == "__init__.py"] == []
