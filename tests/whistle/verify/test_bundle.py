# SPDX-License-Identifier: AGPL-3.0-or-later
"""The script of the offline page: typed, as its sources give it, unable to do what it must not."""

import re
from pathlib import Path

import pytest

from tests.support.browser_build import node
from whistle.assets import static_dir
from whistle.verify.offline_page import offline_page

SCRIPT = static_dir() / "verify.js"


@pytest.mark.slow
def test_sources_are_typed() -> None:
    done = node("node_modules/typescript/bin/tsc", "--noEmit", "-p", "../verify/page")
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_script_follows_from_its_sources(tmp_path: Path) -> None:
    done = node("build.mjs", "--out", tmp_path, "../verify/page/page.ts")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "page.js").read_bytes() == SCRIPT.read_bytes()


@pytest.mark.parametrize("word", [
    r"\beval\(", "new Function", "WebAssembly", r"innerHTML", "outerHTML", r"insertAdjacentHTML",
    r"document\.write", "localStorage", "sessionStorage", "indexedDB", "XMLHttpRequest",
    r"\bfetch\(", "importScripts", r"https?://", "</script",
])  # fmt: skip
def test_script_cannot_reach_store_or_write_markup(word: str) -> None:
    assert not re.search(word, SCRIPT.read_text("ascii"))


def test_page_allows_its_own_script_and_style_alone() -> None:
    page = offline_page().decode("utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src &#39;none&#39;; script-src &#39;sha256-")
    assert page.count("<script") == 2  # one of them holds data
    assert offline_page() == offline_page()
