# SPDX-License-Identifier: AGPL-3.0-or-later
"""Our log read by implementations of strangers, where they are installed.

None of them is a dependency: one wants a later Python than we require, one drags in half a
signing service, one has another licence.  Install them (`pip install aics-tlog sigstore pymerkle`)
and these tests run; `tests/support/independent_log.py` is the reader that is always there.
"""

import base64
import hashlib
from types import SimpleNamespace

import pytest

from tests.support.sample_log import FIRST, LOG, SECOND, THIRD, TIME, SampleLog

SIZES = [1, 2, 3, 255, 256, 257, 600]


@pytest.mark.parametrize("size", [0, *SIZES])
def test_aics_accepts_checkpoint_cosignatures_and_every_tile(size: int) -> None:
    aics = pytest.importorskip("aics_tlog")
    log = SampleLog.of(size)
    files = log.files(FIRST, SECOND)
    note = aics.parse_note(files["checkpoint"])
    keys = [aics.parse_vkey(each.verifier.encode()) for each in (FIRST, SECOND, THIRD)]
    log_key = aics.parse_vkey(LOG.verifier.encode())
    verdict = aics.verify_checkpoint(note, log_key, keys, quorum=2, now=TIME)
    assert verdict.ok, verdict
    assert not aics.verify_checkpoint(note, log_key, keys, quorum=3, now=TIME).ok
    report = aics.audit_tiles(aics.MemoryTileReader(dict(files)), size, log.tree.root())
    assert report.tiles + report.bundles == len(files) - 1
    assert [aics.format_vkey(each) for each in keys] == [
        each.verifier.encode() for each in (FIRST, SECOND, THIRD)
    ]


def test_aics_refuses_what_we_refuse() -> None:
    aics = pytest.importorskip("aics_tlog")
    log = SampleLog.of(600)
    for path in sorted(set(log.files()) - {"checkpoint"}):
        files = log.files()
        data = bytearray(files[path])
        data[-1] ^= 1
        files[path] = bytes(data)
        with pytest.raises(ValueError):
            aics.audit_tiles(aics.MemoryTileReader(files), 600, log.tree.root())
    stolen = SampleLog.of(600, b"x").note(SECOND).splitlines(keepends=True)[-1]
    note = aics.parse_note((log.note(FIRST) + stolen).encode())
    keys = [aics.parse_vkey(each.verifier.encode()) for each in (FIRST, SECOND)]
    log_key = aics.parse_vkey(LOG.verifier.encode())
    assert not aics.verify_checkpoint(note, log_key, keys, quorum=1, now=TIME).ok


@pytest.mark.parametrize("size", SIZES)
def test_aics_accepts_our_proofs_and_makes_the_same(size: int) -> None:
    aics = pytest.importorskip("aics_tlog")
    log = SampleLog.of(size)
    theirs = aics.MerkleTree(log.entries)
    for index in range(0, size, 7):
        proof = log.tree.inclusion(index)
        assert proof == list(theirs.inclusion_proof(index))
        root = log.tree.root()
        assert aics.verify_leaf_inclusion(log.entries[index], index, size, proof, root)
    for old in range(1, size + 1, 7):
        proof = log.tree.consistency(old)
        assert proof == list(theirs.consistency_proof(old, size))
        roots = log.tree.root(old), log.tree.root()
        assert aics.verify_consistency(old, size, *roots, proof)


def test_sigstore_reads_our_checkpoint_and_our_inclusion_proofs() -> None:
    pytest.importorskip("sigstore")
    from sigstore._internal import merkle  # noqa: PLC0415
    from sigstore._internal.rekor.checkpoint import LogCheckpoint, SignedNote  # noqa: PLC0415
    from sigstore.errors import VerificationError  # noqa: PLC0415

    log = SampleLog.of(300)
    signed = SignedNote.from_text(log.note(FIRST))
    names = [each.name for each in signed.signatures]
    identifiers = [each.sig_hash for each in signed.signatures]
    assert names == [LOG.name, FIRST.name]
    assert identifiers == [LOG.verifier.key_id, FIRST.verifier.key_id]
    head = LogCheckpoint.from_text(signed.note)
    assert (head.origin, head.log_size) == (LOG.name, 300)
    assert head.log_hash == log.tree.root().hex()
    for index in range(0, 300, 13):
        proof = SimpleNamespace(
            log_index=index,
            tree_size=300,
            hashes=log.tree.inclusion(index),
            root_hash=log.tree.root(),
        )
        body = base64.b64encode(log.entries[index])
        entry = SimpleNamespace(
            _inner=SimpleNamespace(inclusion_proof=proof, canonicalized_body=log.entries[index]),
            inclusion_proof=proof,
            canonicalized_body=body,
        )
        merkle.verify_merkle_inclusion(entry)
        proof.log_index = (index + 1) % 300
        with pytest.raises(VerificationError):
            merkle.verify_merkle_inclusion(entry)


@pytest.mark.parametrize("size", SIZES)
def test_pymerkle_has_the_same_roots(size: int) -> None:
    pymerkle = pytest.importorskip("pymerkle")
    log = SampleLog.of(size)
    theirs = pymerkle.InmemoryTree(algorithm="sha256")
    for entry in log.entries:
        theirs.append_entry(entry)
    assert theirs.get_root() == log.tree.root()
    assert theirs.get_root(0) == hashlib.sha256(b"").digest()
    for part in range(1, size, 29):
        assert theirs.get_root(part) == log.tree.root(part)
