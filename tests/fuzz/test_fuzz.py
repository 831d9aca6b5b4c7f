# SPDX-License-Identifier: AGPL-3.0-or-later
"""Fuzzing in the suite: what was found before, plain mutations, and a short guided run.

`make fuzz` runs longer; findings mended are listed in docs/fuzzing.md.
"""

import random
import re
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz.__main__ import CORPUS, ROOT
from tests.fuzz.planted import PLANTED
from tests.fuzz.registry import TARGETS
from tests.fuzz.target import FindingError, HangError, Target, require

MUTATIONS = 60
GUIDED_RUNS = 400
PAGE = (ROOT / "docs" / "fuzzing.md").read_text(encoding="utf-8")
NAMES = list(TARGETS)


def mutated(data: bytes, target: Target, chance: random.Random) -> bytes:
    """The data after one to four changes: bytes, repeats, cuts, words of the format."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed) + 1)
        end = min(len(changed), at + chance.randint(1, 16))
        piece = changed[at:end]
        match chance.randrange(5):
            case 0:
                changed[at:end] = chance.randbytes(len(piece))
            case 1:
                del changed[at:end]
            case 2:
                changed[at:at] = piece * chance.randint(1, 8)
            case 3:
                changed[at:at] = chance.choice(target.words or (b"\0",))
            case _:
                changed[at:end] = bytes(byte ^ 1 << chance.randrange(8) for byte in piece)
    return bytes(changed[: target.max_len])


def kept(name: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]


@pytest.mark.parametrize("name", NAMES)
def test_what_was_found_before_stays_mended(name: str) -> None:
    inputs = kept(name)
    assert inputs
    for data in inputs:
        TARGETS[name].run(data)


@pytest.mark.parametrize("name", NAMES)
def test_a_target_gets_past_the_door(name: str) -> None:
    """A harness that refuses everything would find nothing."""
    target = TARGETS[name]
    seeds = target.seeds()
    assert any(target.run(seed) for seed in seeds)
    assert all(len(seed) <= target.max_len for seed in seeds)


@pytest.mark.parametrize("name", NAMES)
def test_mutations(name: str) -> None:
    target, chance = TARGETS[name], random.Random(name)
    inputs = [*target.seeds(), *kept(name)]
    for _ in range(MUTATIONS):
        target.run(mutated(chance.choice(inputs), target, chance))


def test_a_flaw_is_a_finding() -> None:
    with pytest.raises(IndexError):
        PLANTED.run(b"bo!")
    with pytest.raises(FindingError):
        require(condition=False, what="x")
    assert PLANTED.run(b"x") is False


def test_a_hang_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([10.0, 10.9, 20.0, 21.1])
    monkeypatch.setattr(time, "thread_time", lambda: next(seconds))
    target = Target("slow", lambda _: None, (), list)
    assert target.run(b"")
    with pytest.raises(HangError):
        target.run(b"")


def test_every_target_is_described() -> None:
    table = PAGE.split("## Targets", 1)[1].split("\n## ", 1)[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == NAMES


def guided(names: list[str], folder: Path, runs: int) -> subprocess.CompletedProcess[bytes]:
    for name in names:
        (folder / name).mkdir()
        target = PLANTED if name == PLANTED.name else TARGETS[name]
        for number, seed in enumerate(target.seeds()):
            (folder / name / str(number)).write_bytes(seed)
    return subprocess.run(
        [
            sys.executable, "-m", "tests.fuzz.engine", ",".join(names), f"-runs={runs}", "-seed=7",
            f"-artifact_prefix={folder}/found-", "-verbosity=0", "-reload=0", f"{folder}/{{}}",
        ],
        cwd=ROOT, capture_output=True, check=False, timeout=110,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris has no build for this Python")
def test_a_guided_run_finds_nothing(tmp_path: Path) -> None:
    done = guided(NAMES, tmp_path, GUIDED_RUNS)
    assert done.returncode == 0, done.stderr[-3000:].decode(errors="replace")
    assert not list(tmp_path.glob("found-*"))


@pytest.mark.slow
@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris has no build for this Python")
def test_a_guided_run_finds_a_planted_flaw(tmp_path: Path) -> None:
    done = guided([PLANTED.name], tmp_path, 200_000)
    assert done.returncode != 0
    assert [path.read_bytes()[:3] for path in tmp_path.glob("found-*")] == [b"bo!"]
