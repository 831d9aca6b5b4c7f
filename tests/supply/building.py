# SPDX-License-Identifier: AGPL-3.0-or-later
"""Builds what is released, twice, in surroundings that differ: the bytes may not.

What differs between the two: the folder, the age of the files, who may read them, time zone,
language, the seed of Python's hashes and the moment. What counts is the commit and its date.
"""

import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SURROUNDINGS: Final[tuple[Mapping[str, str], ...]] = (
    {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"},
    {"TZ": "Asia/Jayapura", "LC_ALL": "C", "PYTHONHASHSEED": "2"},
)
MASKS: Final = (0o022, 0o077)
DAY: Final = 86_400  # seconds
AGES: Final = (1_000_000_000, 1_700_000_000)  # seconds since 1970


def build(source: Path, target: Path, epoch: int, turn: int) -> dict[str, bytes]:
    """Source distribution, then the wheel from it; the files by name.

    Raises: subprocess.CalledProcessError.
    """
    target.mkdir(parents=True)
    _disguise(source, turn)
    _hatch("sdist", source, target, epoch, turn)
    (archive,) = target.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(target / "source", filter="data")
    (unpacked,) = (target / "source").iterdir()
    _hatch("wheel", unpacked, target, epoch, turn)
    return {path.name: path.read_bytes() for path in target.iterdir() if path.is_file()}


def differing(first: Mapping[str, bytes], second: Mapping[str, bytes]) -> list[str]:
    """The names of files that are not in both, byte for byte."""
    names = first.keys() | second.keys()
    return sorted(name for name in names if first.get(name) != second.get(name))


def export(root: Path, commit: str, target: Path) -> int:
    """Writes a commit into a folder; the day of its date in seconds since 1970, nothing finer.

    Raises: subprocess.CalledProcessError: no such commit.
    """
    target.mkdir(parents=True)
    packed = subprocess.run(
        ["git", "-C", str(root), "archive", "--format=tar", commit], check=True, capture_output=True
    ).stdout
    subprocess.run(["tar", "-x", "-C", str(target)], input=packed, check=True)
    date = ["git", "-C", str(root), "log", "-1", "--format=%ct", commit]
    moment = int(subprocess.run(date, check=True, capture_output=True, text=True).stdout)
    return moment - moment % DAY


def _hatch(kind: str, source: Path, target: Path, epoch: int, turn: int) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target)],
        cwd=source, check=True, capture_output=True, umask=MASKS[turn],
        env={**os.environ, **SURROUNDINGS[turn], "SOURCE_DATE_EPOCH": str(epoch)},
    )  # fmt: skip


def _disguise(source: Path, turn: int) -> None:
    """Other ages and rights, as another checkout has them."""
    for path in source.rglob("*"):
        if path.is_file() and not path.is_symlink():
            executable = path.stat().st_mode & 0o100
            path.chmod(
                (0o700 if executable else 0o600) if turn else (0o755 if executable else 0o644)
            )
            os.utime(path, (AGES[turn], AGES[turn]))
