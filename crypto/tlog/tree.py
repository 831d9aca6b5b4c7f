# SPDX-License-Identifier: AGPL-3.0-or-later
"""The Merkle tree of a log: its root, and proofs that a leaf is in it and that it only grew.

Invariants
* `Tree` keeps the hash of every complete subtree: appending costs one hash on average, a proof of
  any past size O(log n) of them (O(log^2 n) look-ups at most).
* A leaf's hash and a node's hash can never be equal: they begin with different bytes.
* Verification uses every hash of a proof exactly once; one too many is as wrong as one missing.

Source: RFC 6962 section 2.1; verification as in RFC 9162 sections 2.1.3.2 and 2.1.4.2.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

from crypto.tlog.errors import ProofError
from crypto.tlog.lines import HASH

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
MAX_PROOF: Final = 63  # hashes: a tree of fewer than 2^63 leaves needs no more


def leaf_hash(data: bytes) -> bytes:
    """SHA-256 of 0x00 and the entry; 32 bytes."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of 0x01 and both children; 32 bytes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A growing tree; past sizes stay answerable."""

    def __init__(self, leaf_hashes: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        for each in leaf_hashes:
            self.append_hash(each)

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self._levels[0])

    def append(self, data: bytes) -> int:
        """Add an entry; return its index."""
        return self.append_hash(leaf_hash(data))

    def append_hash(self, hashed: bytes) -> int:
        """Add an entry by its leaf hash (32 bytes); return its index."""
        if len(hashed) != HASH:
            raise ProofError("a leaf hash has 32 bytes")
        index = len(self._levels[0])
        level = 0
        self._levels[0].append(hashed)
        while len(self._levels[level]) % 2 == 0:
            if level + 1 == len(self._levels):
                self._levels.append([])
            left, right = self._levels[level][-2:]
            self._levels[level + 1].append(node_hash(left, right))
            level += 1
        return index

    def complete(self, level: int, start: int, end: int) -> list[bytes]:
        """Roots of the complete subtrees of 2^level leaves, from number `start` to before `end`."""
        if level >= len(self._levels) or not 0 <= start <= end <= len(self._levels[level]):
            raise ProofError("the tree is not that large")
        return self._levels[level][start:end]

    def root(self, size: int | None = None) -> bytes:
        """The root now, or when the tree had `size` leaves.  Raises ProofError."""
        size = self._known(size)
        return EMPTY_ROOT if size == 0 else self._range(0, size)

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """The hashes from leaf `index` to the root of `size` leaves, the leaf's sibling first.

        Raises ProofError: there is no such leaf or size.
        """
        size = self._known(size)
        if not 0 <= index < size:
            raise ProofError("there is no such leaf")
        start, end, proof = 0, size, []
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                proof.append(self._range(middle, end))
                end = middle
            else:
                proof.append(self._range(start, middle))
                start = middle
        return proof[::-1]

    def consistency(self, old: int, new: int | None = None) -> list[bytes]:
        """The hashes that show that the tree of `new` leaves begins with that of `old`.

        Empty if `old` is 0 or equal to `new`.  Raises ProofError: no such sizes.
        """
        new = self._known(new)
        if not 0 <= old <= new:
            raise ProofError("the tree is not that large")
        if old in {0, new}:
            return []
        start, end, proof = 0, new, []
        while end != old:
            middle = start + _split(end - start)
            if old <= middle:
                proof.append(self._range(middle, end))
                end = middle
            else:
                proof.append(self._range(start, middle))
                start = middle
        if start > 0:
            proof.append(self._range(start, end))
        return proof[::-1]

    def _known(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise ProofError("the tree is not that large")
        return size

    def _range(self, start: int, end: int) -> bytes:
        """The hash over leaves [start, end), where `start` is where a subtree of the RFC begins."""
        peaks = []
        while start < end:
            level = (end - start).bit_length() - 1
            peaks.append(self._levels[level][start >> level])
            start += 1 << level
        hashed = peaks.pop()
        while peaks:
            hashed = node_hash(peaks.pop(), hashed)
        return hashed


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root over these leaf hashes."""
    return Tree(leaf_hashes).root()


def verify_inclusion(
    hashed: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Raise ProofError unless leaf hash `hashed` is leaf `index` of the tree with this root."""
    if not 0 <= index < size:
        raise ProofError("the tree has no such leaf")
    sides = _sides(index, size - 1)
    _require_length("inclusion", len(sides), len(proof))
    for is_left, each in zip(sides, proof, strict=True):
        hashed = node_hash(each, hashed) if is_left else node_hash(hashed, each)
    if hashed != root:
        raise ProofError("inclusion proof does not lead to the root")


def verify_consistency(
    old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Raise ProofError unless the tree of `new` leaves begins with the tree of `old` leaves."""
    if not 0 <= old <= new:
        raise ProofError("a log does not shrink")
    if old in {0, new}:
        _verify_trivial(old, old_root, new, new_root, proof)
        return
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    sides = _sides(node, last)
    hashes = list(proof) if node else [old_root, *proof]
    _require_length("consistency", len(sides) + 1, len(hashes))
    first = second = hashes[0]
    for is_left, each in zip(sides, hashes[1:], strict=True):
        first = node_hash(each, first) if is_left else first
        second = node_hash(each, second) if is_left else node_hash(second, each)
    if first != old_root or second != new_root:
        raise ProofError("the earlier tree is not the beginning of the later one")


def _verify_trivial(
    old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    if proof:
        raise ProofError("consistency proof is too long")
    if old == 0 and old_root != EMPTY_ROOT:
        raise ProofError("the empty tree has another root")
    if old == new and old_root != new_root:
        raise ProofError("two roots for one size")


def _sides(node: int, last: int) -> list[bool]:
    """For each hash on the way from `node` to the root: does it stand on the left?

    `last` is the number of the last node on the same level.
    """
    sides = []
    while last:
        is_left = node & 1 == 1 or node == last
        sides.append(is_left)
        while is_left and node and not node & 1:
            node, last = node >> 1, last >> 1
        node, last = node >> 1, last >> 1
    return sides


def _require_length(kind: str, wanted: int, given: int) -> None:
    if wanted != given:
        raise ProofError(f"{kind} proof is too {'short' if given < wanted else 'long'}")


def _split(width: int) -> int:
    """The largest power of two below `width`, which is at least 2."""
    return 1 << ((width - 1).bit_length() - 1)
