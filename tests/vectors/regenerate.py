# SPDX-License-Identifier: AGPL-3.0-or-later
"""Make the vectors again with the second implementation, and open each other's containers.

`python -m tests.vectors.regenerate`: (1) install the locked npm packages if they are absent,
(2) write vectors.json, (3) demand that it is what the repository holds, (4) run every test that
compares the two implementations. Exit status 0 means that all agree.
"""

import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
COMPARISONS = (
    "tests/crypto/test_vectors.py",
    "tests/crypto/test_cross_open.py",
    "tests/crypto/age/test_cctv.py",
)


def run(*command: str, folder: Path = ROOT) -> None:
    """Run a command; stop everything if it fails."""
    if shutil.which(command[0]) is None:
        sys.exit(f"{command[0]} is needed: see the prerequisites in README.md")
    status = subprocess.run(command, cwd=folder, check=False).returncode
    if status:
        sys.exit(f"failed: {' '.join(command)}")


def main() -> None:
    """Do the four steps."""
    if not (FOLDER / "node_modules" / "age-encryption").is_dir():
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=FOLDER)
    run("node", "generate.mjs", folder=FOLDER)
    run("git", "diff", "--exit-code", "--stat", "--", str(FOLDER / "vectors.json"))
    run(sys.executable, "-m", "pytest", "-q", *COMPARISONS)


if __name__ == "__main__":
    main()
