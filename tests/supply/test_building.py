# SPDX-License-Identifier: AGPL-3.0-or-later
"""Two builds in different surroundings give the same bytes, which tell nothing of a computer."""

import io
import os
import re
import shutil
import subprocess
import tarfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.supply.building import DAY, build, differing
from tests.supply.locks import ROOT
from tests.support.telling import telling

pytestmark = pytest.mark.slow

EPOCH = 1_775_001_600  # 1 April 2026
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "node_modules", "__pycache__", ".*_cache", ".hypothesis", "state", "dist",
    "bench-results",
)  # fmt: skip
_BLOCK = re.compile(r"^```sh (sign|verify)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
Built = tuple[dict[str, bytes], dict[str, bytes]]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """The same sources, built in two places."""
    folder = tmp_path_factory.mktemp("twice")
    shutil.copytree(ROOT, folder / "now", ignore=LEFT_OUT, symlinks=True)
    turns = []
    for turn, place in enumerate(("one", "another/and/deeper")):
        source = folder / place / f"checkout{turn}"
        shutil.copytree(folder / "now", source, symlinks=True)
        turns.append(build(source, folder / f"out{turn}", EPOCH, turn))
    yield turns[0], turns[1]
    shutil.rmtree(folder)


def test_two_builds_are_the_same(built: Built) -> None:
    first, second = built
    assert sorted(name.rpartition(".")[2] for name in first) == ["gz", "whl"]
    assert differing(first, second) == []


def test_a_difference_is_seen(built: Built) -> None:
    first, _ = built
    (name,) = (one for one in first if one.endswith(".whl"))
    assert differing(first, first | {name: first[name][:-1] + b"x"}) == [name]
    assert differing(first, {}) == sorted(first)


def test_the_wheel_knows_no_clock_finer_than_a_day_and_no_builder(built: Built) -> None:
    (wheel,) = (data for name, data in built[0].items() if name.endswith(".whl"))
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        entries = archive.infolist()
        assert {entry.date_time for entry in entries} == {time.gmtime(EPOCH)[:6]}
        assert EPOCH % DAY == 0
        for entry in entries:
            if ".dist-info/" in entry.filename and not entry.filename.endswith("METADATA"):
                found = telling(archive.read(entry), times=False)
                # The build back-end names itself; the lock names its version anyway.
                assert not [one for one in found if "hatchling" not in one], entry.filename


def test_the_source_knows_no_clock_and_no_builder(built: Built) -> None:
    (source,) = (data for name, data in built[0].items() if name.endswith(".gz"))
    with tarfile.open(fileobj=io.BytesIO(source)) as archive:
        for entry in archive.getmembers():
            owner = (entry.uid, entry.gid, entry.uname, entry.gname)
            assert owner == (0, 0, "", "") or owner[:2] == (0, 0), entry.name
            assert int(entry.mtime) == EPOCH, entry.name
            assert entry.mode & 0o022 == 0, entry.name


def blocks() -> dict[str, str]:
    """The commands of docs/releasing.md, by what they do."""
    text = (ROOT / "docs" / "releasing.md").read_text(encoding="utf-8")
    return dict(_BLOCK.findall(text))


def shell(commands: str, folder: Path, **variables: str) -> int:
    done = subprocess.run(
        ["/bin/sh", "-eu", "-c", commands], cwd=folder, check=False, capture_output=True,
        stdin=subprocess.DEVNULL, env={"PATH": os.environ["PATH"], **variables},
    )  # fmt: skip
    return done.returncode


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    """A release folder, signed as docs/releasing.md says, with a key of the moment."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed")
    folder, key = tmp_path / "release", tmp_path / "key"
    folder.mkdir()
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "x", "-f", str(key)]
    subprocess.run(make, check=True)
    (folder / "a.whl").write_bytes(b"wheel")
    assert shell("sha256sum a.whl > SHA256SUMS", folder) == 0
    assert shell(blocks()["sign"], folder, KEY=str(key)) == 0
    public = key.with_suffix(".pub").read_text().split()[:2]
    line = f'releases@whistle namespaces="whistle-release" {" ".join(public)}\n'
    (tmp_path / "signers").write_text(line)
    return folder


def verified(folder: Path) -> bool:
    return shell(blocks()["verify"], folder, SIGNERS=str(folder.parent / "signers")) == 0


def test_the_recipe_signs_and_verifies(signed: Path) -> None:
    assert verified(signed)


@pytest.mark.parametrize("changed", ["a.whl", "SHA256SUMS", "SHA256SUMS.sig"])
def test_the_recipe_refuses_what_was_changed(signed: Path, changed: str) -> None:
    path = signed / changed
    path.write_bytes(path.read_bytes().replace(b"e", b"f", 1))
    assert not verified(signed)


def test_the_recipe_refuses_a_stranger(signed: Path) -> None:
    signers = signed.parent / "signers"
    signers.write_text(signers.read_text().replace("releases@", "others@"))
    assert not verified(signed)
