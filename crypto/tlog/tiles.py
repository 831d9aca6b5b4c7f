# SPDX-License-Identifier: AGPL-3.0-or-later
"""A log as a folder of static files: tiles of hashes, bundles of entries.

Invariants
* A file's bytes follow from its path and the entries alone; a full tile or bundle never changes.
* `read_entries` returns entries only if every entry, every tile and the root agree.
* Paths come from numbers, never from a file; nothing is allocated by a size that is only claimed.

Paths are relative to the log's folder: `checkpoint`, `tile/0/000`, `tile/entries/x001/067.p/5`.
Source: C2SP tlog-tiles v0.1.0.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from crypto.tlog.checkpoint import Checkpoint
from crypto.tlog.errors import LogFormatError, TileError
from crypto.tlog.lines import HASH
from crypto.tlog.tree import Tree, leaf_hash

WIDTH: Final = 256  # hashes of a full tile, entries of a full bundle
HEIGHT: Final = 8  # levels of the tree that a tile spans
MAX_ENTRY: Final = 65_535  # bytes
CHECKPOINT: Final = "checkpoint"
_LENGTH: Final = struct.Struct(">H")

Read = Callable[[str], bytes | None]
"""From a path to a file's bytes, or None if there is no such file."""


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """Path of tile number `index` of tile level `level`."""
    return _path(str(level), index, width)


def entries_path(index: int, width: int = WIDTH) -> str:
    """Path of entry bundle number `index`."""
    return _path("entries", index, width)


def write_tiles(entries: Sequence[bytes], tree: Tree, since: int = 0) -> dict[str, bytes]:
    """Every tile and bundle of the log, by path.

    With `since`, only those that a log of `since` entries did not have.  Old partial files may be
    deleted once the full one exists.  Raises LogFormatError: entries and tree do not fit, or an
    entry is too long.
    """
    if len(entries) != tree.size or not 0 <= since <= tree.size:
        raise LogFormatError("entries and tree have different sizes")
    files = {}
    for index, width in _changed(since, tree.size):
        start = index * WIDTH
        files[entries_path(index, width)] = encode_bundle(entries[start : start + width])
    level = 0
    while tree.size >> (HEIGHT * level):
        scale = HEIGHT * level
        for index, width in _changed(since >> scale, tree.size >> scale):
            start = index * WIDTH
            hashes = tree.complete(scale, start, start + width)
            files[tile_path(level, index, width)] = b"".join(hashes)
        level += 1
    return files


def tile_paths(size: int) -> Iterator[str]:
    """The paths of every tile and bundle that a log of this size has, as `write_tiles` does."""
    for index, width in _changed(0, size):
        yield entries_path(index, width)
    level = 0
    while size >> (HEIGHT * level):
        for index, width in _changed(0, size >> (HEIGHT * level)):
            yield tile_path(level, index, width)
        level += 1


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries, each behind its length.  Raises LogFormatError: one is too long."""
    if any(len(each) > MAX_ENTRY for each in entries):
        raise LogFormatError("entry is too long")
    return b"".join(_LENGTH.pack(len(each)) + each for each in entries)


def decode_bundle(data: bytes, width: int, path: str) -> list[bytes]:
    """The `width` entries of a bundle.  Raises TileError: cut short, or longer than that."""
    entries, offset = [], 0
    for _ in range(width):
        start = offset + _LENGTH.size
        if start > len(data):
            raise TileError("truncated", path)
        (length,) = _LENGTH.unpack_from(data, offset)
        offset = start + length
        if offset > len(data):
            raise TileError("truncated", path)
        entries.append(data[start:offset])
    if offset != len(data):
        raise TileError("overlong", path)
    return entries


def read_entries(read: Read, checkpoint: Checkpoint) -> list[bytes]:
    """All entries of the log, checked against its tiles and the checkpoint's root.

    Raises TileError, whose `fault` and `path` tell what is wrong and where.
    """
    entries: list[bytes] = []
    hashes: list[bytes] = []
    for index, width in _changed(0, checkpoint.size):
        bundle, path, stored = _read(read, "entries", index, width)
        found = decode_bundle(bundle, stored, path)[:width]
        found_hashes = [leaf_hash(each) for each in found]
        if b"".join(found_hashes) != _read_tile(read, 0, index, width):
            raise TileError("entry", path)
        entries += found
        hashes += found_hashes
    tree = Tree(hashes)
    if tree.root() != checkpoint.root:
        raise TileError("root", CHECKPOINT)
    _check_upper(read, tree)
    return entries


def _check_upper(read: Read, tree: Tree) -> None:
    """Level 0 was compared with the entries; the others must follow from it."""
    level = 1
    while tree.size >> (HEIGHT * level):
        scale = HEIGHT * level
        for index, width in _changed(0, tree.size >> scale):
            start = index * WIDTH
            wanted = b"".join(tree.complete(scale, start, start + width))
            if _read_tile(read, level, index, width) != wanted:
                raise TileError("tile", tile_path(level, index, width))
        level += 1


def _read_tile(read: Read, level: int, index: int, width: int) -> bytes:
    """The first `width` hashes of a tile."""
    data, path, stored = _read(read, str(level), index, width)
    if len(data) != HASH * stored:
        raise TileError("truncated" if len(data) < HASH * stored else "overlong", path)
    return data[: HASH * width]


def _read(read: Read, kind: str, index: int, width: int) -> tuple[bytes, str, int]:
    """The file, or the full one that has replaced a partial one; its path, and how wide it is."""
    for stored in dict.fromkeys((width, WIDTH)):
        path = _path(kind, index, stored)
        data = read(path)
        if data is not None:
            return data, path, stored
    raise TileError("missing", _path(kind, index, width))


def _changed(old: int, new: int) -> Iterator[tuple[int, int]]:
    """(index, width) of the tiles over `new` hashes that differ from those over `old` hashes."""
    if old == new:
        return
    for index in range(old // WIDTH, -(-new // WIDTH)):
        yield index, min(WIDTH, new - index * WIDTH)


def _path(kind: str, index: int, width: int) -> str:
    text = f"{index:03}"
    text = text.zfill(-(-len(text) // 3) * 3)
    groups = [text[start : start + 3] for start in range(0, len(text), 3)]
    number = "/".join([*(f"x{each}" for each in groups[:-1]), groups[-1]])
    return f"tile/{kind}/{number}" + ("" if width == WIDTH else f".p/{width}")
