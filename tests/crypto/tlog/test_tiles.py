# SPDX-License-Identifier: AGPL-3.0-or-later
"""Static files of a log: paths, widths, growth, the independent reader, every kind of damage."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.tlog.checkpoint import Checkpoint
from crypto.tlog.errors import LogFormatError, TileError
from crypto.tlog.tiles import (
    CHECKPOINT,
    decode_bundle,
    encode_bundle,
    entries_path,
    read_entries,
    tile_path,
    write_tiles,
)
from crypto.tlog.tree import Tree, leaf_hash
from tests.support import independent_log
from tests.support.sample_log import FIRST, LOG, SECOND, SampleLog

Files = dict[str, bytes]


def small(size: int) -> tuple[list[bytes], Tree]:
    entries = [number.to_bytes(4, "big") for number in range(size)]
    return entries, Tree(leaf_hash(each) for each in entries)


def test_paths_are_the_specification_s() -> None:
    assert tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tile_path(63, 0) == "tile/63/000"
    assert tile_path(1, 5, 17) == "tile/1/005.p/17"
    assert tile_path(0, 999, 255) == "tile/0/999.p/255"
    assert tile_path(0, 1000) == "tile/0/x001/000"
    assert entries_path(70) == "tile/entries/070"
    assert entries_path(123456789, 3) == "tile/entries/x123/x456/789.p/3"


def test_a_tree_of_70000_has_the_specification_s_tiles() -> None:
    entries, tree = small(70_000)
    files = write_tiles(entries, tree)
    tiles = [path for path in files if not path.startswith("tile/entries/")]
    full = [path for path in tiles if ".p/" not in path]
    assert sum(path.startswith("tile/0/") for path in full) == 273
    assert sum(path.startswith("tile/1/") for path in full) == 1
    assert [path for path in tiles if ".p/" in path] == [
        "tile/0/273.p/112",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    ]
    assert all(len(files[path]) == 8_192 for path in full)
    assert read_entries(files.get, Checkpoint("x", 70_000, tree.root())) == entries


def test_a_tree_of_256_has_a_full_tile_and_one_of_width_1_above() -> None:
    files = write_tiles(*small(256))
    assert sorted(files) == ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 512, 513, 700])
def test_the_independent_reader_finds_the_same_entries(size: int) -> None:
    log = SampleLog.of(size)
    files = log.files(FIRST, SECOND)
    witnesses = [FIRST.verifier.encode(), SECOND.verifier.encode()]
    assert independent_log.read_log(files, LOG.verifier.encode(), witnesses) == log.entries
    assert read_entries(files.get, log.checkpoint()) == log.entries


@pytest.mark.parametrize("old", [0, 1, 255, 256, 257, 300, 512, 600])
@pytest.mark.parametrize("new", [600, 768, 769])
def test_growth_writes_only_what_changed(old: int, new: int) -> None:
    entries, tree = small(new)
    before = write_tiles(entries[:old], Tree(leaf_hash(each) for each in entries[:old]))
    added = write_tiles(entries, tree, old)
    everything = write_tiles(entries, tree)
    assert not set(before) & set(added)
    assert {**before, **added}.items() >= everything.items()
    assert set(added) == set(everything) - set(before)


def test_a_full_file_may_stand_for_a_partial_one() -> None:
    entries, tree = small(600)
    files = write_tiles(entries[:300], Tree(leaf_hash(each) for each in entries[:300]))
    files |= write_tiles(entries, tree, 300)
    for path in ("tile/entries/001.p/44", "tile/0/001.p/44"):
        del files[path]
    for size in (300, 600):
        checkpoint = Checkpoint("x", size, tree.root(size))
        assert read_entries(files.get, checkpoint) == entries[:size]


def test_what_does_not_belong_together_is_not_written() -> None:
    entries, tree = small(3)
    for wrong in (lambda: write_tiles(entries[:2], tree), lambda: write_tiles(entries, tree, 4)):
        with pytest.raises(LogFormatError):
            wrong()
    with pytest.raises(LogFormatError):
        encode_bundle([bytes(65_536)])
    assert decode_bundle(encode_bundle([bytes(65_535), b""]), 2, "x") == [bytes(65_535), b""]


def drop(path: str) -> Callable[[Files], None]:
    return lambda files: files.pop(path) and None


def cut(path: str, count: int = 1) -> Callable[[Files], None]:
    return lambda files: files.update({path: files[path][:-count]})


def lengthen(path: str) -> Callable[[Files], None]:
    return lambda files: files.update({path: files[path] + bytes(32)})


def flip(path: str, at: int) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        data = bytearray(files[path])
        data[at] ^= 1
        files[path] = bytes(data)

    return change


def both(*changes: Callable[[Files], None]) -> Callable[[Files], None]:
    return lambda files: [change(files) for change in changes] and None


def swap(files: Files) -> None:
    """Two entries change places, in the bundle and in the tile of hashes."""
    for path, width in (("tile/entries/000", 62), ("tile/0/000", 32)):
        data = files[path]
        files[path] = data[width : 2 * width] + data[:width] + data[2 * width :]


@pytest.mark.parametrize(
    ("damage", "fault", "path"),
    [
        (drop("tile/entries/001"), "missing", "tile/entries/001"),
        (drop("tile/entries/002.p/88"), "missing", "tile/entries/002.p/88"),
        (drop("tile/0/000"), "missing", "tile/0/000"),
        (drop("tile/1/000.p/2"), "missing", "tile/1/000.p/2"),
        (cut("tile/entries/000"), "truncated", "tile/entries/000"),
        (cut("tile/entries/000", 61), "truncated", "tile/entries/000"),
        (cut("tile/entries/002.p/88", 62), "truncated", "tile/entries/002.p/88"),
        (cut("tile/0/001"), "truncated", "tile/0/001"),
        (cut("tile/0/002.p/88", 32), "truncated", "tile/0/002.p/88"),
        (cut("tile/1/000.p/2", 32), "truncated", "tile/1/000.p/2"),
        (lengthen("tile/entries/000"), "overlong", "tile/entries/000"),
        (lengthen("tile/0/002.p/88"), "overlong", "tile/0/002.p/88"),
        (lengthen("tile/1/000.p/2"), "overlong", "tile/1/000.p/2"),
        (flip("tile/entries/001", 100), "entry", "tile/entries/001"),
        (flip("tile/0/001", 100), "entry", "tile/entries/001"),
        (flip("tile/1/000.p/2", 40), "tile", "tile/1/000.p/2"),
        (swap, "root", "checkpoint"),
        (both(drop("tile/1/000.p/2"), swap), "root", "checkpoint"),
    ],
)
def test_every_damage_is_named(damage: Callable[[Files], None], fault: str, path: str) -> None:
    log = SampleLog.of(600)
    files = log.files()
    damage(files)
    with pytest.raises(TileError) as error:
        read_entries(files.get, log.checkpoint())
    assert (error.value.fault, error.value.path) == (fault, path)
    assert path in str(error.value)
    with pytest.raises((independent_log.BadLogError, KeyError)):
        independent_log.read_log(files, LOG.verifier.encode(), [])


def test_another_log_of_the_same_size_is_noticed() -> None:
    ours, theirs = SampleLog.of(300), SampleLog.of(300, b"theirs")
    with pytest.raises(TileError) as error:
        read_entries(theirs.files().get, ours.checkpoint())
    assert error.value.fault == "root"


def test_a_claimed_size_costs_nothing() -> None:
    asked: list[str] = []
    with pytest.raises(TileError):
        read_entries(asked.append, Checkpoint("x", 2**62, bytes(32)))
    assert len(asked) == 1


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=600), st.integers(0, 600))
def test_any_entries_go_round(entries: list[bytes], since: int) -> None:
    tree = Tree(leaf_hash(each) for each in entries)
    since = min(since, len(entries))
    files = write_tiles(entries[:since], Tree(leaf_hash(each) for each in entries[:since]))
    files |= write_tiles(entries, tree, since)
    checkpoint = Checkpoint("x", len(entries), tree.root())
    assert read_entries(files.get, checkpoint) == entries


@given(st.binary(max_size=300), st.integers(1, 5))
def test_hostile_bundles_are_refused_or_have_one_spelling(data: bytes, width: int) -> None:
    try:
        entries = decode_bundle(data, width, "x")
    except TileError:
        return
    assert encode_bundle(entries) == data
    assert len(entries) == width


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_hostile_files_never_change_what_is_read(data: st.DataObject) -> None:
    log = SampleLog.of(260)
    files = log.files()
    path = data.draw(st.sampled_from(sorted(set(files) - {CHECKPOINT})))
    files[path] = data.draw(st.binary(max_size=100))
    with pytest.raises(TileError):
        read_entries(files.get, log.checkpoint())
