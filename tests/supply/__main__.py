# SPDX-License-Identifier: AGPL-3.0-or-later
"""`python -m tests.supply sbom | licences | release`: what a release consists of.

`release` builds a commit twice and writes the files, the bill of materials, the licence report and
SHA256SUMS into a new folder, ready to be signed (docs/releasing.md); nothing if the two differ.
"""

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path

import whistle
from tests.supply import licences, sbom
from tests.supply.building import build, differing, export
from tests.supply.locks import ROOT, installed, scripts

SUMS = "SHA256SUMS"


def release(commit: str, out: Path) -> int:
    """Builds and writes a release; exit code 1 if two builds differ."""
    with tempfile.TemporaryDirectory(prefix="whistle-release-") as name:
        turns = []
        for turn in (0, 1):
            folder = Path(name) / f"turn-{turn}"
            epoch = export(ROOT, commit, folder / f"checkout{turn}")
            turns.append(build(folder / f"checkout{turn}", folder / "out", epoch, turn))
    if wrong := differing(*turns):
        sys.stderr.write(f"two builds differ: {', '.join(wrong)}\n")
        return 1
    _write(out, turns[0])
    sys.stdout.write(f"{out}: built twice, the same. Next: sign {SUMS} (docs/releasing.md)\n")
    return 0


def _write(out: Path, built: dict[str, bytes]) -> None:
    files = dict(built)
    files[f"{sbom.NAME}-{whistle.__version__}.cdx.json"] = sbom.build(whistle.__version__)
    files["LICENCES.txt"] = licences.report(installed().values(), scripts()).encode()
    out.mkdir(parents=True)
    for name, data in files.items():
        (out / name).write_bytes(data)
    sums = (f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items()))
    (out / SUMS).write_text("".join(sums), encoding="ascii")


def main() -> int:
    """Runs one of the three."""
    parser = argparse.ArgumentParser(prog="python -m tests.supply", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("sbom", help="print the bill of materials (CycloneDX JSON)")
    commands.add_parser("licences", help="print the licence of every dependency")
    making = commands.add_parser("release", help="build a commit twice and write a release")
    making.add_argument("--commit", default="HEAD", help="what to build, default HEAD")
    making.add_argument("--out", type=Path, required=True, help="a folder that is not there yet")
    args = parser.parse_args()
    if args.command == "release":
        return release(args.commit, args.out)
    if args.command == "sbom":
        sys.stdout.buffer.write(sbom.build(whistle.__version__))
    else:
        sys.stdout.write(licences.report(installed().values(), scripts()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
