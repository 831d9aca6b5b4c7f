# SPDX-License-Identifier: AGPL-3.0-or-later
"""The committed script of the offline page is what its sources give, byte for byte."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
BROWSER = ROOT / "whistle" / "browser"
SCRIPT = ROOT / "static" / "offline.js"


@pytest.mark.slow
def test_script_follows_from_its_sources(tmp_path: Path) -> None:
    if not (BROWSER / "node_modules" / "esbuild").is_dir():
        pytest.skip("the JavaScript packages of whistle/browser are not installed")
    command = ["node", "build.mjs", "--out", str(tmp_path), "../tool/offline/offline.ts"]
    subprocess.run(command, cwd=BROWSER, check=True)
    assert (tmp_path / "offline.js").read_bytes() == SCRIPT.read_bytes()


def test_script_can_stand_inside_a_page() -> None:
    script = SCRIPT.read_text("utf-8")
    assert "</script" not in script.lower()
    for word in ("eval(", "WebAssembly", "crypto.subtle", "importScripts", "XMLHttpRequest"):
        assert word not in script, word
