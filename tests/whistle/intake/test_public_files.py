# SPDX-License-Identifier: AGPL-3.0-or-later
"""The files of the public log and of releases: which are taken, and what never changes."""

from pathlib import Path

import pytest

from crypto.errors import CryptoError, MalformedError
from crypto.rng import system_rng
from crypto.tlog.checkpoint import Checkpoint, sign_checkpoint
from crypto.tlog.note import SignerKey
from crypto.tlog.tiles import entries_path, write_tiles
from crypto.tlog.tree import Tree, leaf_hash
from tests.support.org import seed
from whistle import limits
from whistle.errors import ConflictError, RefusedError
from whistle.intake import public_files as subject

SIGNER = SignerKey("whistle/test", seed("service log"))
ENTRIES = [bytes(28) + number.to_bytes(32) for number in range(300)]


def checkpoint(size: int, origin: SignerKey = SIGNER, entries: list[bytes] = ENTRIES) -> bytes:
    tree = Tree(leaf_hash(each) for each in entries[:size])
    return sign_checkpoint(Checkpoint(origin.name, size, tree.root()), origin).encode()


@pytest.fixture
def folder(tmp_path: Path) -> subject.PublicFolder:
    return subject.PublicFolder(tmp_path / "public", system_rng)


@pytest.mark.parametrize(
    "path",
    [
        "log/checkpoint",
        "log/tile/0/000",
        "log/tile/entries/x001/x234/067.p/255",
        "log/tile/63/000.p/1",
        "releases/2026-q3/release.json",
        "releases/2026-q3/log/tile/entries/000.p/23",
        "releases/2026-q3/charts/id-weekly.svg",
    ],
)
def test_paths_that_are_served(path: str) -> None:
    assert subject.is_path(path)


@pytest.mark.parametrize(
    "path",
    [
        "", "checkpoint", "log", "log/", "log/../checkpoint", "log/tile/64/000", "log/tile/0/00",
        "log/tile/0/000.p/0", "log/tile/0/000/", "/log/checkpoint", "releases/2026-q3",
        "releases/2026-q3/", "releases/2026-q3/../x", "releases/2026-q3/.hidden",
        "releases/2026-q3/a/..", "releases/Q3/a", "releases/2026-q3/a//b", "releases/2026-q3/a\n",
        "log/checkpoint\n", "releases/2026-q3/" + "a/" * 8 + "a",
    ],
)  # fmt: skip
def test_paths_that_do_not_exist(folder: subject.PublicFolder, path: str) -> None:
    assert not subject.is_path(path)
    assert folder.read(path) is None
    with pytest.raises(MalformedError):
        folder.put(path, b"x")


def test_a_file_never_changes(folder: subject.PublicFolder, tmp_path: Path) -> None:
    folder.put("releases/2026-q3/a.csv", b"1")
    folder.put("releases/2026-q3/a.csv", b"1")
    with pytest.raises(ConflictError):
        folder.put("releases/2026-q3/a.csv", b"2")
    assert (folder.read("releases/2026-q3/a.csv"), folder.count) == (b"1", 1)
    assert subject.PublicFolder(tmp_path / "public", system_rng).count == 1


def test_a_checkpoint_only_grows(folder: subject.PublicFolder) -> None:
    assert folder.checkpoint is None
    folder.put(subject.CHECKPOINT, checkpoint(10))
    folder.put(subject.CHECKPOINT, checkpoint(11))
    other = SignerKey("whistle/other", seed("other"))
    forked = [*ENTRIES[:10], b"x" * 60]
    for bad in (checkpoint(10), checkpoint(12, other), checkpoint(11, SIGNER, forked)):
        with pytest.raises(ConflictError):
            folder.put(subject.CHECKPOINT, bad)
    with pytest.raises(MalformedError):
        folder.put(subject.CHECKPOINT, b"nothing")
    assert folder.checkpoint is not None
    assert folder.checkpoint.size == 11


def test_what_is_too_large_stays_out(
    folder: subject.PublicFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RefusedError, match="too_large"):
        folder.put("releases/2026-q3/a.csv", bytes(limits.MAX_PUBLIC_FILE + 1))
    monkeypatch.setattr(limits, "MAX_PUBLIC_BYTES", 10)
    with pytest.raises(RefusedError, match="busy"):
        folder.put("releases/2026-q3/a.csv", bytes(11))
    assert folder.count == 0


def test_a_broken_write_leaves_nothing(tmp_path: Path) -> None:
    left = tmp_path / "public" / "log" / ".incoming-00"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    folder = subject.PublicFolder(tmp_path / "public", system_rng)
    assert (folder.count, left.exists()) == (0, False)


def test_a_release_is_listed_once_complete(folder: subject.PublicFolder) -> None:
    folder.put("releases/2026-q3/index.html", b"<p>")
    assert folder.releases() == ()
    for release in ("2026-q3", "2026-q4"):
        folder.put(f"releases/{release}/release.json", b"{}")
    assert folder.releases() == ("2026-q4", "2026-q3")


def test_every_entry_is_found_by_what_it_commits_to() -> None:
    tree = Tree(leaf_hash(each) for each in ENTRIES)
    found: dict[bytes, int] = {}
    for path, content in write_tiles(ENTRIES, tree).items():
        found |= subject.commitments(f"log/{path}", content)
    assert found == {entry[-32:]: index for index, entry in enumerate(ENTRIES)}


def test_a_damaged_bundle_is_refused() -> None:
    with pytest.raises(CryptoError):
        subject.commitments("log/" + entries_path(0, 2), b"\x00\x05abc")
