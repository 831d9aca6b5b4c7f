# SPDX-License-Identifier: AGPL-3.0-or-later
"""The tree against RFC 6962's own definitions, published vectors, and every size up to 300."""

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.tlog.errors import ProofError
from crypto.tlog.tree import (
    EMPTY_ROOT,
    Tree,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from tests.support import independent_log

LARGEST = 300
RFC_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
"""The eight leaves of the Certificate Transparency reference implementation's tests."""
RFC_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def entries(count: int) -> list[bytes]:
    return [number.to_bytes(2, "big") for number in range(count)]


def tree_of(data: list[bytes]) -> Tree:
    return Tree(leaf_hash(each) for each in data)


def test_the_empty_tree() -> None:
    assert EMPTY_ROOT == hashlib.sha256(b"").digest() == Tree().root() == root_of([])


def test_roots_of_the_reference_implementation() -> None:
    tree = Tree()
    for index, (data, root) in enumerate(zip(RFC_LEAVES, RFC_ROOTS, strict=True)):
        assert tree.append(data) == index
        assert tree.root().hex() == root


@pytest.mark.parametrize(
    ("index", "size", "proof"),
    [
        (0, 1, []),
        (
            0,
            8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            5,
            8,
            [
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    ],
)
def test_inclusion_proofs_of_the_reference_implementation(
    index: int, size: int, proof: list[str]
) -> None:
    tree = tree_of(RFC_LEAVES)
    assert [each.hex() for each in tree.inclusion(index, size)] == proof


@pytest.mark.parametrize(
    ("old", "new", "proof"),
    [
        (1, 1, []),
        (
            1,
            8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            6,
            8,
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
    ],
)
def test_consistency_proofs_of_the_reference_implementation(
    old: int, new: int, proof: list[str]
) -> None:
    assert [each.hex() for each in tree_of(RFC_LEAVES).consistency(old, new)] == proof


@pytest.mark.parametrize("first", range(0, LARGEST + 1, 50))
def test_every_root_and_inclusion_proof_up_to_300(first: int) -> None:
    data = entries(LARGEST)
    tree = tree_of(data)
    for size in range(first, min(first + 50, LARGEST + 1)):
        root = independent_log.mth(data[:size])
        assert tree.root(size) == root
        for index in range(size):
            verify_inclusion(leaf_hash(data[index]), index, size, tree.inclusion(index, size), root)


@pytest.mark.parametrize("first", range(0, LARGEST + 1, 50))
def test_every_consistency_proof_up_to_300(first: int) -> None:
    data = entries(LARGEST)
    tree = tree_of(data)
    roots = [independent_log.mth(data[:size]) for size in range(LARGEST + 1)]
    for new in range(first, min(first + 50, LARGEST + 1)):
        for old in range(new + 1):
            verify_consistency(old, roots[old], new, roots[new], tree.consistency(old, new))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 64, 65, 100])
def test_proofs_are_those_of_the_definition(size: int) -> None:
    data = entries(size)
    tree = tree_of(data)
    for index in range(size):
        assert tree.inclusion(index) == independent_log.path(index, data)
    for old in range(1, size + 1):
        assert tree.consistency(old) == independent_log.proof(old, data)


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 8, 13, 32])
def test_no_other_index_leaf_size_or_hash_verifies(size: int) -> None:
    data = entries(size)
    tree = tree_of(data)
    root = tree.root()
    for index in range(size):
        proof = tree.inclusion(index)
        leaf = leaf_hash(data[index])
        wrong = [
            (leaf, other, size, proof, root) for other in range(-1, size + 1) if other != index
        ]
        wrong += [(leaf_hash(b"?"), index, size, proof, root), (leaf, index, size, proof, leaf[:1])]
        wrong += [(leaf, index, size, [*proof, root], root)]
        wrong += [(leaf, index, size, proof[:-1], root)] if proof else []
        wrong += [
            (leaf, index, size, [*proof[:at], b"\x00" * 32, *proof[at + 1 :]], root)
            for at in range(len(proof))
        ]
        for each in wrong:
            with pytest.raises(ProofError):
                verify_inclusion(*each)


@pytest.mark.parametrize("new", [1, 2, 3, 6, 7, 8, 13, 32])
def test_no_other_history_is_consistent(new: int) -> None:
    data = entries(new)
    tree = tree_of(data)
    root = tree.root()
    for old in range(1, new + 1):
        proof, old_root = tree.consistency(old), tree.root(old)
        wrong = [
            (old, leaf_hash(b"?"), new, root, proof),
            (old, old_root, new, leaf_hash(b"?"), proof),
            (old, old_root, new, root, [*proof, root]),
            (new, root, old - 1, old_root, proof),
            (-1, old_root, new, root, proof),
        ]
        wrong += [(old, old_root, new, root, proof[:-1])] if proof else []
        for at in range(len(proof)):
            changed = [*proof[:at], b"\x00" * 32, *proof[at + 1 :]]
            wrong.append((old, old_root, new, root, changed))
        for each in wrong:
            with pytest.raises(ProofError):
                verify_consistency(*each)


def test_the_empty_tree_has_one_root() -> None:
    root = leaf_hash(b"")
    with pytest.raises(ProofError):
        verify_consistency(0, root, 1, root, [])
    with pytest.raises(ProofError):
        verify_consistency(0, EMPTY_ROOT, 0, root, [])
    with pytest.raises(ProofError):
        verify_consistency(0, EMPTY_ROOT, 1, root, [root])
    verify_consistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, [])
    verify_consistency(0, EMPTY_ROOT, 1, root, [])


def test_what_the_tree_cannot_answer_is_refused() -> None:
    tree = tree_of(entries(5))
    for question in (
        lambda: tree.root(6),
        lambda: tree.root(-1),
        lambda: tree.inclusion(5),
        lambda: tree.inclusion(-1),
        lambda: tree.inclusion(3, 3),
        lambda: tree.inclusion(0, 6),
        lambda: tree.consistency(4, 3),
        lambda: tree.consistency(-1),
        lambda: tree.consistency(1, 6),
        lambda: tree.complete(9, 0, 1),
        lambda: tree.complete(0, 0, 6),
        lambda: tree.append_hash(b"short"),
    ):
        with pytest.raises(ProofError):
            question()


def test_past_sizes_stay_answerable_and_appending_is_cheap() -> None:
    tree = tree_of(entries(1_000))
    kept = sum(len(level) for level in tree._levels)
    assert kept < 2 * tree.size
    assert all(len(after) == len(before) // 2 for before, after in pairwise(tree._levels))
    for size in (1, 255, 256, 257, 999):
        assert tree.root(size) == tree_of(entries(size)).root()


def test_a_leaf_is_never_a_node() -> None:
    assert leaf_hash(b"a" * 64) != node_hash(b"a" * 32, b"a" * 32)


@given(st.lists(st.binary(max_size=70), min_size=1, max_size=80), st.data())
def test_any_leaf_of_any_log(data: list[bytes], draw: st.DataObject) -> None:
    tree = tree_of(data)
    size = draw.draw(st.integers(1, len(data)))
    index = draw.draw(st.integers(0, size - 1))
    proof = tree.inclusion(index, size)
    verify_inclusion(leaf_hash(data[index]), index, size, proof, tree.root(size))
    assert independent_log.root_by_path(index, size, leaf_hash(data[index]), proof) == tree.root(
        size
    )
    verify_consistency(
        size, tree.root(size), len(data), tree.root(), tree.consistency(size, len(data))
    )


@given(st.integers(0, 2**63), st.integers(0, 2**63), st.lists(st.binary(max_size=40), max_size=70))
def test_no_proof_of_a_stranger_is_accepted_or_crashes(
    index: int, size: int, proof: list[bytes]
) -> None:
    for attempt in (
        lambda: verify_inclusion(b"\x01" * 32, index, size, proof, b"\x02" * 32),
        lambda: verify_consistency(index, b"\x01" * 32, size, b"\x02" * 32, proof),
    ):
        with pytest.raises(ProofError):
            attempt()
