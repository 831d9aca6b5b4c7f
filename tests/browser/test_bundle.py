# SPDX-License-Identifier: AGPL-3.0-or-later
"""The committed scripts are what the sources give, small, and free of what we do not use."""

import gzip
import json
import re

import pytest

from tests.support.browser_build import FOLDER, node
from whistle.assets import static_dir

pytestmark = pytest.mark.slow
SCRIPTS = ("browser.js", "browser-worker.js")
BUDGET = 45_000


def test_sources_give_the_committed_bytes() -> None:
    done = node("build.mjs", "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_sources_are_typed() -> None:
    done = node("node_modules/typescript/bin/tsc", "--noEmit")
    assert done.returncode == 0, done.stdout


def test_size() -> None:
    packed = [len(gzip.compress((static_dir() / name).read_bytes(), 9)) for name in SCRIPTS]
    assert sum(packed) <= BUDGET


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_evaluation_no_markup_no_other_cryptography(name: str) -> None:
    script = (static_dir() / name).read_text(encoding="ascii")
    for word in (
        r"\beval\(", r"new Function", r"WebAssembly", r"\.subtle\b", r"innerHTML", r"outerHTML",
        r"insertAdjacentHTML", r"document\.write", r"Math\.random", r"localStorage",
        r"sessionStorage", r"indexedDB", r"document\.cookie", r"https?://", r"importScripts",
    ):  # fmt: skip
        assert not re.search(word, script), word


def test_lock_file_names_contents_not_addresses() -> None:
    lock = json.loads((FOLDER / "package-lock.json").read_text(encoding="utf-8"))
    packages = [value for name, value in lock["packages"].items() if name]
    assert all("integrity" in package and "resolved" not in package for package in packages)
