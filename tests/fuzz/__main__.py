# SPDX-License-Identifier: AGPL-3.0-or-later
"""`make fuzz`: every target, one after the other, N executions each; what is found stays in a file.

Prints one line per target: executions, seconds, inputs kept, finding or none.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.registry import TARGETS
from tests.fuzz.target import Target

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(__file__).with_name("corpus")
WORK = ROOT / "bench-results" / "fuzz"
MEMORY = 2048  # MiB
WALL_SECONDS = (
    60  # of the clock, for one input: a real endless loop; `target.MAX_SECONDS` is stricter
)
KEPT_FILES, KEPT_BYTES = 24, 1500  # of a target's corpus in the repository: files, bytes of a file

_DONE = re.compile(rb"Done (\d+) runs? in (\d+) second")


@dataclass(frozen=True)
class Outcome:
    """What became of a run."""

    name: str
    executions: int
    seconds: float
    inputs: int
    finding: Path | None


def fuzz(target: Target, runs: int, seconds: int = 0) -> Outcome:
    """Run one target, beginning with its seeds, the kept corpus and what earlier runs found."""
    folder = prepared(target)
    found = folder / "findings"
    arguments = [
        f"-runs={runs}", f"-max_len={target.max_len}", f"-timeout={WALL_SECONDS}",
        f"-rss_limit_mb={MEMORY}", f"-artifact_prefix={found}/", "-print_final_stats=1",
        "-reload=0", "-use_value_profile=0", f"-max_total_time={seconds}",
        f"-dict={folder / 'words'}", str(folder / "corpus"), str(folder / "seeds"),
    ]  # fmt: skip
    kept = CORPUS / target.name
    if kept.is_dir():
        arguments.append(str(kept))
    before, start = set(found.iterdir()), time.monotonic()
    with (folder / "log").open("wb") as log:
        done = subprocess.run(
            [sys.executable, "-m", "tests.fuzz.engine", target.name, *arguments],
            cwd=ROOT, stdout=log, stderr=log, check=False, env={**os.environ, "PYTHONPATH": "."},
        )  # fmt: skip
    match = _DONE.search((folder / "log").read_bytes())
    new = sorted(set(found.iterdir()) - before)
    if done.returncode and not new:
        new = [folder / "log"]
    return Outcome(
        target.name, int(match[1]) if match else 0, time.monotonic() - start,
        sum(1 for _ in (folder / "corpus").iterdir()), new[0] if new else None,
    )  # fmt: skip


def prepared(target: Target) -> Path:
    """The target's working folder, with its seeds and its dictionary."""
    folder = WORK / target.name
    for name in ("corpus", "seeds", "findings"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (folder / "seeds" / f"{number:02}").write_bytes(seed)
    lines = ('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"' for word in target.words)
    (folder / "words").write_text("\n".join(lines) + "\n", encoding="ascii")
    return folder


def keep(target: Target) -> int:
    """Put a part of what was found into the repository, short inputs and long ones alike.

    Each was kept by libFuzzer because it reached something new. Returns how many there are.
    """
    found = (prepared(target) / "corpus").iterdir()
    fitting = sorted(
        (path for path in found if path.stat().st_size <= KEPT_BYTES),
        key=lambda path: (path.stat().st_size, path.name),
    )
    place = CORPUS / target.name
    place.mkdir(parents=True, exist_ok=True)
    chosen = fitting[:: max(1, -(-len(fitting) // KEPT_FILES))]
    for path in chosen:
        (place / path.name[:16]).write_bytes(path.read_bytes())
    return len(chosen)


def show(outcome: Outcome) -> None:
    """One line."""
    said = "nothing found" if outcome.finding is None else f"FOUND {outcome.finding}"
    print(
        f"{outcome.name:16} {outcome.executions:>9,} runs {outcome.seconds:7.0f} s "
        f"{outcome.inputs:6} inputs  {said}",
        flush=True,
    )


def main(arguments: Iterable[str] | None = None) -> int:
    """Run, or keep. Returns 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("names", nargs="*", default=list(TARGETS), metavar="TARGET")
    parser.add_argument("--runs", type=int, default=100_000, help="executions of each target")
    parser.add_argument("--seconds", type=int, default=0, help="at most, of each target")
    parser.add_argument("--keep", action="store_true", help="renew the corpus in the repository")
    chosen = parser.parse_args(None if arguments is None else list(arguments))
    if unknown := set(chosen.names) - set(TARGETS):
        parser.error(
            f"no such target: {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}"
        )
    if chosen.keep:
        for name in chosen.names:
            print(f"{name:16} {keep(TARGETS[name]):4} inputs kept", flush=True)
        return 0
    failed = 0
    for name in chosen.names:
        outcome = fuzz(TARGETS[name], chosen.runs, chosen.seconds)
        show(outcome)
        failed |= outcome.finding is not None
    return failed


if __name__ == "__main__":
    sys.exit(main())
