# SPDX-License-Identifier: AGPL-3.0-or-later
"""Proof files: that one entry is in a log that witnesses have seen, to be checked offline.

Invariants: one spelling per proof; nothing in the file is believed before `verify_proof`, and the
extra data not even then.

Source: C2SP tlog-proof (untagged; text of 2026-07); files end in `.tlog-proof`.
"""

from dataclasses import dataclass
from typing import Final

from crypto.tlog.checkpoint import Checkpoint
from crypto.tlog.errors import LogFormatError
from crypto.tlog.lines import MAX_NUMBER, decode_base64, decode_decimal, decode_hash, encode_base64
from crypto.tlog.note import MAX_NOTE, split_note
from crypto.tlog.policy import Accepted, Policy
from crypto.tlog.tree import MAX_PROOF, Tree, leaf_hash, verify_inclusion

HEADER: Final = "c2sp.org/tlog-proof@v1"
SUFFIX: Final = ".tlog-proof"
MAX_EXTRA: Final = 65_536  # bytes
MAX_FILE: Final = MAX_NOTE + 2 * MAX_EXTRA


@dataclass(frozen=True)
class LogProof:
    """Entry `index` is in the tree of the checkpoint `note`; `hashes` lead from it to the root."""

    index: int
    hashes: tuple[bytes, ...]
    note: str
    extra: bytes | None = None

    def encode(self) -> str:
        """The file.  Raises LogFormatError: a value is out of form."""
        if not 0 <= self.index <= MAX_NUMBER:
            raise LogFormatError("not a proof")
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {encode_base64(self.extra)}")
        lines += [f"index {self.index}", *map(encode_base64, self.hashes), ""]
        return "".join(f"{each}\n" for each in lines) + self.note


def make_proof(tree: Tree, index: int, note: str, checkpoint: Checkpoint) -> LogProof:
    """The proof for one entry under a checkpoint of this tree.  Raises ProofError."""
    return LogProof(index, tuple(tree.inclusion(index, checkpoint.size)), note)


def parse_proof(data: str | bytes) -> LogProof:
    """Read a proof file; nothing is verified.  Raises LogFormatError."""
    head, separator, note = _decoded(data).partition("\n\n")
    lines = head.split("\n")
    if not separator or lines.pop(0) != HEADER:
        raise LogFormatError("not a proof file")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = decode_base64(lines.pop(0).removeprefix("extra "))
    if not lines or not lines[0].startswith("index "):
        raise LogFormatError("proof file without its index")
    index = decode_decimal(lines.pop(0).removeprefix("index "))
    if len(lines) > MAX_PROOF or len(extra or b"") > MAX_EXTRA:
        raise LogFormatError("proof file is too long")
    split_note(note)
    return LogProof(index, tuple(map(decode_hash, lines)), note, extra)


def verify_proof(proof: LogProof, entry: bytes, policy: Policy) -> Accepted:
    """Return the accepted checkpoint if `entry` is where the proof says.

    Raises LogFormatError, SignatureError, QuorumError (crypto.tlog.policy), ProofError.
    """
    accepted = policy.require(proof.note)
    checkpoint = accepted.checkpoint
    verify_inclusion(leaf_hash(entry), proof.index, checkpoint.size, proof.hashes, checkpoint.root)
    return accepted


def _decoded(data: str | bytes) -> str:
    if len(data) > MAX_FILE:
        raise LogFormatError("proof file is too large")
    try:
        return data.decode("utf-8") if isinstance(data, bytes) else data
    except UnicodeDecodeError as error:
        raise LogFormatError("proof file is not UTF-8") from error
