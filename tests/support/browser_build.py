# SPDX-License-Identifier: AGPL-3.0-or-later
"""The bundler of whistle/browser, as tests call it."""

import subprocess
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "whistle" / "browser"
TIMEOUT = 120.0


def node(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs node in the folder of the sources; they must have been installed (`make setup`)."""
    if not (FOLDER / "node_modules").is_dir():
        raise FileNotFoundError("whistle/browser/node_modules is missing: run `make setup`")
    return subprocess.run(
        ["node", *map(str, words)], cwd=FOLDER, capture_output=True, text=True,
        check=False, timeout=TIMEOUT,
    )  # fmt: skip


def bundle(folder: Path, entry: str) -> str:
    """Bundles one entry of the sources, and returns the script."""
    done = node("build.mjs", "--out", folder, f"src/{entry}.ts")
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return (folder / f"{entry}.js").read_text(encoding="ascii")
