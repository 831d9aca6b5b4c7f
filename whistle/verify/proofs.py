# SPDX-License-Identifier: AGPL-3.0-or-later
"""A proof file beside the log it speaks of.

Invariants
* The proof's checkpoint needs the log's signature and the quorum, like every other.
* A proof that holds for another entry than the expected one is told apart from one that holds for
  none.

Source: C2SP tlog-proof, docs/spec/verify.md section 6.
"""

from crypto.tlog.checkpoint import Checkpoint
from crypto.tlog.errors import LogFormatError, ProofError
from crypto.tlog.policy import Accepted, Policy
from crypto.tlog.proof import LogProof, make_proof, parse_proof
from crypto.tlog.tree import Tree, leaf_hash, verify_inclusion
from whistle.verify.earlier import compare_checkpoint
from whistle.verify.faults import Fault, FaultError
from whistle.verify.publiclog import PublicLog, accept_checkpoint


def proof_of_entry(log: PublicLog, index: int) -> bytes:
    """A proof file for one entry, under the log's own checkpoint with its witnesses."""
    proof = make_proof(Tree(log.hashes), index, log.note, log.checkpoint)
    return proof.encode().encode()


def check_proof(data: bytes, entry: bytes | None, policy: Policy, log: PublicLog) -> Accepted:
    """Verify a proof against the log; `entry` is what it should be for, if that is known.

    Raises FaultError.
    """
    try:
        proof = parse_proof(data)
    except LogFormatError as error:
        raise FaultError(Fault.PROOF_WRONG) from error
    accepted = accept_checkpoint(proof.note.encode(), policy, log.instance_id)
    checkpoint = accepted.checkpoint
    different = compare_checkpoint(checkpoint, log)
    if different:
        raise FaultError(different[0].fault, different[0].where)
    if proof.index >= checkpoint.size:
        raise FaultError(Fault.PROOF_WRONG)
    there = log.entries[proof.index]
    if _leads(there, proof.index, proof, checkpoint):
        if entry is not None and entry != there:
            raise FaultError(Fault.PROOF_OTHER_INDEX, str(proof.index))
        return accepted
    is_other = any(
        each == entry and _leads(each, index, proof, checkpoint)
        for index, each in enumerate(log.entries[: checkpoint.size])
    )
    raise FaultError(Fault.PROOF_OTHER_INDEX if is_other else Fault.PROOF_WRONG, str(proof.index))


def _leads(entry: bytes, index: int, proof: LogProof, checkpoint: Checkpoint) -> bool:
    try:
        verify_inclusion(leaf_hash(entry), index, checkpoint.size, proof.hashes, checkpoint.root)
    except ProofError:
        return False
    return True
