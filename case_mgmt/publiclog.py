# SPDX-License-Identifier: AGPL-3.0-or-later
"""The public log as the case server keeps it: batches, signed checkpoints, files to publish.

Invariants
* Leaves, their places and the signed checkpoint are one transaction: durable before anybody can see
  the signature.
* Before a checkpoint is signed, and again before one is shown, the log must contain what was shown
  last (`Head`, kept outside the database): a database put back from a backup cannot make the log
  sign a second history.
* What the intake is given is a checkpoint with its witnesses, after the files that prove it.

Source: docs/spec/log.md sections 2 and 4; C2SP tlog-checkpoint ("never sign two inconsistent
checkpoints"), tlog-tiles.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Protocol

from case_mgmt.errors import LogError
from case_mgmt.publication.batches import last_period, new_release, opening_leaf, plan_batch
from case_mgmt.store.log_ports import NewLeaf, StoredCheckpoint, StoredRelease
from case_mgmt.store.ports import CaseStore, ReadUnit, WriteUnit
from crypto.rng import Rng
from crypto.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from crypto.tlog.note import SignerKey
from crypto.tlog.tiles import CHECKPOINT, write_tiles
from crypto.tlog.tree import Tree, leaf_hash

FOLDER: Final = "log/"


@dataclass(frozen=True)
class Head:
    """Size and root of the newest checkpoint that was shown to anybody."""

    size: int
    root: bytes


class HeadKeeper(Protocol):
    """Remembers the head outside the database."""

    def recall(self) -> Head | None:
        """What was remembered last."""

    def remember(self, head: Head) -> None:
        """Durable when this returns."""


@dataclass(frozen=True)
class Candidate:
    """A signed checkpoint that waits for its witnesses, and the tree it is of."""

    note: str
    checkpoint: Checkpoint
    tree: Tree


class PublicLog:
    """The log's use cases, each one unit of work."""

    def __init__(self, store: CaseStore, signer: SignerKey, head: HeadKeeper, rng: Rng) -> None:
        self._store = store
        self._signer = signer
        self._head = head
        self._rng = rng

    def open(self, today: date) -> None:
        """Write the opening leaf, unless it is there: today is the first day that is covered."""
        with self._store.writing() as unit:
            if unit.covered() is not None:
                return
            opening = today - timedelta(days=1)
            unit.add_leaf(NewLeaf(opening_leaf(opening), opening))
            (waiting,) = [each for each in unit.waiting_leaves() if each.day == opening]
            self._append(unit, [(waiting.id, opening)], 0)

    def append(self, today: date) -> bool:
        """Make the batch of the newest week that is over; whether there was anything to log."""
        with self._store.writing() as unit:
            covered = unit.covered()
            period = last_period(today)
            if covered is None or period <= covered.until:
                return False
            waiting = unit.waiting_leaves()
            batch = plan_batch(covered, waiting, unit.logged_cases(), period, self._rng)
            if batch is None:
                return False
            before = sum(1 for _ in unit.entries())
            self._append(unit, [(each.id, period) for each in batch.placed], before)
            return True

    def candidate(self) -> Candidate | None:
        """The newest checkpoint, if it is not public yet; from here on it may be shown."""
        with self._store.reading() as unit:
            newest = unit.checkpoint()
            if newest is None or newest.is_public:
                return None
            tree = Tree(leaf_hash(each) for each in unit.entries())
            was_public = unit.public_size() > 0
        checkpoint = self._checked(newest, tree)
        self._require_head(tree, was_public=was_public)
        self._head.remember(Head(checkpoint.size, checkpoint.root))
        return Candidate(newest.note, checkpoint, tree)

    def publish(self, candidate: Candidate, note: str) -> None:
        """Hand over a checkpoint with its witnesses (`note`), and the files that prove it."""
        with self._store.writing() as unit:
            entries = list(unit.entries())[: candidate.checkpoint.size]
            since = unit.public_size()
            for path, content in sorted(write_tiles(entries, candidate.tree, since).items()):
                unit.put_public(FOLDER + path, content)
            unit.put_public(FOLDER + CHECKPOINT, note.encode(), replace=True)
            unit.make_public(candidate.checkpoint.size, note)

    def accept_release(
        self, release: StoredRelease, files: Sequence[tuple[str, bytes]], day: date
    ) -> None:
        """Keep a release for good and let its leaf wait.  Raises StoreError if its id is taken."""
        with self._store.writing() as unit:
            unit.add_release(release)
            for path, content in files:
                unit.put_public(f"releases/{release.id}/{path}", content)
            covered = unit.covered()
            if covered is not None:
                counted = max(day, covered.until + timedelta(days=1))
                leaf = new_release(0, release.digest, counted).leaf(counted)
                unit.add_leaf(NewLeaf(leaf, counted))

    def _append(self, unit: WriteUnit, placed: Sequence[tuple[int, date]], first: int) -> None:
        unit.place_leaves(placed, first)
        tree = Tree(leaf_hash(each) for each in unit.entries())
        self._require_head(tree, was_public=unit.public_size() > 0)
        checkpoint = Checkpoint(self._signer.name, tree.size, tree.root())
        unit.add_checkpoint(checkpoint.size, sign_checkpoint(checkpoint, self._signer))

    def _checked(self, stored: StoredCheckpoint, tree: Tree) -> Checkpoint:
        checkpoint = open_checkpoint(stored.note, self._signer.verifier)
        if (checkpoint.size, checkpoint.root) != (tree.size, tree.root()):
            raise LogError("the newest checkpoint is not of the leaves that are stored")
        return checkpoint

    def _require_head(self, tree: Tree, *, was_public: bool) -> None:
        """SECURITY: the log never takes back what it has shown
        (tests/case_mgmt/test_publiclog.py::test_a_restored_backup_signs_nothing)."""
        head = self._head.recall()
        if head is None:
            if was_public:
                raise LogError("the head of the public log is missing; see the runbook")
            return
        if tree.size < head.size or tree.root(head.size) != head.root:
            raise LogError("the stored log lacks what was published; restore a newer copy")


def public_log_state(unit: ReadUnit) -> tuple[int, int]:
    """(leaves with a place, leaves in the newest public checkpoint)."""
    newest = unit.checkpoint()
    return (0 if newest is None else newest.size), unit.public_size()
