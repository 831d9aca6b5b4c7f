# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a server may import brings no code that can look for a recipient's stanza."""

import pkgutil
import subprocess
import sys
from pathlib import Path

import crypto

ROOT = Path(__file__).resolve().parent.parent.parent
PUBLIC = [
    module.name
    for module in pkgutil.walk_packages(crypto.__path__, "crypto.")
    if not module.name.startswith("crypto.private")
]


def test_public_modules_load_nothing_private() -> None:
    """Import every public module in a fresh interpreter, then look what is loaded."""
    program = f"import sys, {', '.join(PUBLIC)}\nprint(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = done.stdout.split()
    assert set(PUBLIC) <= set(loaded)
    assert not [name for name in loaded if name.startswith("crypto.private")]


def test_public_sources_name_no_search() -> None:
    """Only the private reader looks at more than one stanza."""
    for path in (ROOT / "crypto").rglob("*.py"):
        if "private" not in path.parts:
            assert "for each in header.stanzas" not in path.read_text(encoding="utf-8")


def test_packages_are_only_docstrings() -> None:
    for path in (ROOT / "crypto").rglob("__init__.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert all(line.startswith(("#", '"""')) for line in lines), path
