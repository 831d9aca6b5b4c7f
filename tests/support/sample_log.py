# SPDX-License-Identifier: AGPL-3.0-or-later
"""A small log with two witnesses, for tests of everything that reads logs."""

from dataclasses import dataclass, field

from crypto.tlog.checkpoint import Checkpoint, sign_checkpoint
from crypto.tlog.cosignature import cosign
from crypto.tlog.lines import KeyType
from crypto.tlog.note import SignerKey, VerifierKey, split_note
from crypto.tlog.policy import Log, Policy, Witness, simple_policy
from crypto.tlog.tiles import CHECKPOINT, write_tiles
from crypto.tlog.tree import Tree

ORIGIN = "whistle/0123456789abcdef"
LOG = SignerKey(ORIGIN, b"\x11" * 32)
FIRST = SignerKey("witness.example/first", b"\x21" * 32, KeyType.COSIGNATURE)
SECOND = SignerKey("witness.example/second", b"\x22" * 32, KeyType.COSIGNATURE)
THIRD = SignerKey("witness.example/third", b"\x23" * 32, KeyType.COSIGNATURE)
WITNESSES = (FIRST, SECOND, THIRD)
TIME = 1_795_000_000


@dataclass
class SampleLog:
    """A log of entries; `note` is its checkpoint, cosigned by those asked."""

    signer: SignerKey = LOG
    entries: list[bytes] = field(default_factory=list)
    tree: Tree = field(default_factory=Tree)

    @classmethod
    def of(cls, size: int, salt: bytes = b"") -> "SampleLog":
        """A log of `size` entries of 60 bytes, as ours have."""
        log = cls()
        log.grow(size, salt)
        return log

    def grow(self, count: int, salt: bytes = b"") -> None:
        """Append entries."""
        for _ in range(count):
            entry = salt[:52].ljust(52, b".") + len(self.entries).to_bytes(8, "big")
            self.entries.append(entry)
            self.tree.append(entry)

    def checkpoint(self, size: int | None = None) -> Checkpoint:
        """The checkpoint at a size."""
        size = self.tree.size if size is None else size
        return Checkpoint(self.signer.name, size, self.tree.root(size))

    def note(self, *witnesses: SignerKey, size: int | None = None, time: int = TIME) -> str:
        """The signed checkpoint with cosignatures."""
        note = sign_checkpoint(self.checkpoint(size), self.signer)
        text = split_note(note)[0]
        return note + "".join(cosign(each.seed, each.name, text, time) for each in witnesses)

    def files(self, *witnesses: SignerKey) -> dict[str, bytes]:
        """The log's folder."""
        return {
            CHECKPOINT: self.note(*witnesses).encode(),
            **write_tiles(self.entries, self.tree),
        }


def policy(threshold: int = 2, urls: tuple[str | None, ...] = (None, None, None)) -> Policy:
    """Two of three witnesses, unless told otherwise."""
    named = ("first", "second", "third")
    witnesses = [
        Witness(name, key.verifier, url)
        for name, key, url in zip(named, WITNESSES, urls, strict=True)
    ]
    return simple_policy(Log(LOG.verifier), witnesses, threshold)


def other_key(name: str = ORIGIN) -> VerifierKey:
    """A key nobody trusts."""
    return SignerKey(name, b"\x99" * 32).verifier
