# SPDX-License-Identifier: AGPL-3.0-or-later
"""STREAM: every way of cutting, reordering and truncating a payload."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.age import stream as subject
from crypto.age.stream import CHUNK, SEALED_CHUNK, TAG, StreamOpener, StreamSealer
from crypto.errors import AuthenticationError, CryptoError, MalformedError
from tests.support.vectors import counting_rng, pieces

KEY = bytes(range(32))
EDGES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK - 1, 3 * CHUNK]
DATA = counting_rng("stream")(3 * CHUNK)
SEALED = subject.seal_all(KEY, DATA)


def sealed_in_pieces(data: bytes, size: int) -> bytes:
    sealer = StreamSealer(KEY)
    return b"".join(map(sealer.update, pieces(data, size))) + sealer.final()


@pytest.mark.parametrize("length", EDGES)
def test_edges(length: int) -> None:
    sealed = subject.seal_all(KEY, DATA[:length])
    assert len(sealed) == subject.sealed_length(length)
    assert subject.plain_length(len(sealed)) == length
    assert subject.open_all(KEY, sealed) == DATA[:length]


@pytest.mark.parametrize("length", EDGES)
@pytest.mark.parametrize("size", [1000, 4096, CHUNK - 1, CHUNK, CHUNK + 1, 150_000])
def test_pieces_do_not_matter(length: int, size: int) -> None:
    sealed = subject.seal_all(KEY, DATA[:length])
    assert sealed_in_pieces(DATA[:length], size) == sealed
    opener = StreamOpener(KEY)
    opened = b"".join(map(opener.update, pieces(sealed, size))) + opener.final()
    assert opened == DATA[:length]


@given(st.lists(st.integers(0, 90_000), max_size=6))
def test_any_cuts(lengths: list[int]) -> None:
    data = DATA[: min(sum(lengths), len(DATA))]
    sealer, sealed, at = StreamSealer(KEY), b"", 0
    for length in lengths:
        sealed += sealer.update(data[at : at + length])
        at += length
    assert sealed + sealer.final() == subject.seal_all(KEY, data)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_all_kinds_of_bytes(kind: type) -> None:
    assert subject.seal_all(KEY, kind(DATA)) == SEALED
    sealer = StreamSealer(KEY)
    assert sealer.update(kind(DATA)) + sealer.final() == SEALED
    assert subject.open_all(KEY, kind(SEALED)) == DATA


def test_nothing_but_a_chunk_is_held_back() -> None:
    sealer = StreamSealer(KEY)
    assert sealer.update(DATA[:CHUNK]) == b""
    assert len(sealer.update(b"x")) == SEALED_CHUNK


def chunk(n: int) -> bytes:
    return SEALED[n * SEALED_CHUNK : (n + 1) * SEALED_CHUNK]


def sealed_chunks(*parts: tuple[bytes, bool]) -> bytes:
    chunks = subject._Chunks(KEY)
    sealed = b""
    for data, last in parts:
        chunks._finished = False
        sealed += chunks.seal(data, last=last)
    return sealed


FULL = bytes(CHUNK)
BAD = {
    "empty": b"",
    "less than a tag": SEALED[: TAG - 1],
    "cut before the last chunk": SEALED[: 2 * SEALED_CHUNK],
    "cut after the first chunk": SEALED[:SEALED_CHUNK],
    "one byte short": SEALED[:-1],
    "one byte more": SEALED + b"\x00",
    "a tag more": SEALED + bytes(TAG),
    "a chunk more": SEALED + chunk(2),
    "chunks exchanged": chunk(1) + chunk(0) + chunk(2),
    "a chunk repeated": chunk(0) + chunk(0) + chunk(1) + chunk(2),
    "a chunk missing": chunk(0) + chunk(2),
    "last chunk first": chunk(2) + chunk(1) + chunk(0),
    "no chunk is last": sealed_chunks((b"abc", False)),
    "empty last chunk after a full one": sealed_chunks((FULL, False), (b"", True)),
    "short chunk in the middle": sealed_chunks((b"abc", False), (b"def", True)),
    "two last chunks": sealed_chunks((FULL, True), (b"def", True)),
    "last chunk, then data": sealed_chunks((FULL, True)) + b"x",
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
@pytest.mark.parametrize("size", [10_000_000, 5000])
def test_bad_payload(data: bytes, size: int) -> None:
    opener = StreamOpener(KEY)
    with pytest.raises(CryptoError):
        _ = [*map(opener.update, pieces(data, size)), opener.final()]


@pytest.mark.parametrize("at", [0, 1, CHUNK, SEALED_CHUNK - 1, SEALED_CHUNK, len(SEALED) - 1])
def test_changed_byte(at: int) -> None:
    changed = bytearray(SEALED)
    changed[at] ^= 0x80
    with pytest.raises(AuthenticationError):
        subject.open_all(KEY, changed)


@pytest.mark.parametrize("at", range(0, len(SEALED), SEALED_CHUNK))
@pytest.mark.parametrize("more", [0, 1, TAG - 1, TAG, TAG + 1])
def test_truncation_at_each_chunk(at: int, more: int) -> None:
    with pytest.raises(CryptoError):
        subject.open_all(KEY, SEALED[: at + more])


def test_other_key() -> None:
    with pytest.raises(AuthenticationError):
        subject.open_all(bytes(32), SEALED)


def test_the_end_is_the_end() -> None:
    sealer, opener = StreamSealer(KEY), StreamOpener(KEY)
    opener.update(sealer.final())
    opener.final()
    for action in (
        sealer.final,
        lambda: sealer.update(b"x"),
        opener.final,
        lambda: opener.update(b""),
    ):
        with pytest.raises(MalformedError):
            action()


@pytest.mark.parametrize("length", [0, 15, SEALED_CHUNK + 1, SEALED_CHUNK + TAG, -1])
def test_impossible_lengths(length: int) -> None:
    with pytest.raises(MalformedError):
        subject.plain_length(length)
