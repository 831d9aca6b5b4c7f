# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the public log asks of storage, and the values that pass through.

Invariants
* A leaf gets its place once; places are 0, 1, 2 … without a gap.
* A public file is written once; only what `put_public` is told to replace is replaced.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from case_mgmt.model import ActHash, CaseId, PersonId
from case_mgmt.publication.batches import Covered, Waiting
from case_mgmt.publication.leaves import Leaf


@dataclass(frozen=True)
class LogCase:
    """A case as the log knows it; `day` is the day of arrival that counts."""

    pseudonym: bytes
    day: date
    is_logged: bool


@dataclass(frozen=True)
class NewLeaf:
    """A leaf that begins to wait; its period is set when it gets its place."""

    leaf: Leaf
    day: date
    act: ActHash | None = None
    nonce: bytes | None = None


@dataclass(frozen=True)
class Opening:
    """What is behind a follow-up leaf: for the auditor."""

    place: int
    act: ActHash
    nonce: bytes


@dataclass(frozen=True)
class StoredCheckpoint:
    """A signed checkpoint; with its witnesses once it is public."""

    size: int
    note: str
    is_public: bool


@dataclass(frozen=True)
class Card:
    """The countable fields of a case, sealed to the publishers."""

    case: CaseId
    pseudonym: bytes
    container: bytes


@dataclass(frozen=True)
class StoredRelease:
    """A release that was accepted; `digest` is the SHA-256 of its release.json."""

    id: str
    digest: bytes
    day: date


@dataclass(frozen=True)
class PublicFile:
    """A file for the public site; `serial` grows with time."""

    serial: int
    path: str
    content: bytes


class LogReadUnit(Protocol):
    """Questions about the log."""

    def log_case(self, case: CaseId) -> LogCase | None:
        """The case as the log knows it; None for one from before the log."""

    def covered(self) -> Covered | None:
        """What the log covers; None before its opening leaf."""

    def waiting_leaves(self) -> Sequence[Waiting]:
        """The leaves without a place, oldest first."""

    def is_committed(self, commitment: bytes) -> bool:
        """Whether a report, waiting or logged, has this commitment."""

    def logged_cases(self) -> frozenset[bytes]:
        """Pseudonyms of the cases whose report has a place."""

    def entries(self) -> Iterator[bytes]:
        """The leaves with a place, in order, as they are logged."""

    def openings(self) -> Sequence[Opening]:
        """What is behind the follow-up leaves that have a place."""

    def checkpoint(self) -> StoredCheckpoint | None:
        """The newest signed checkpoint."""

    def public_size(self) -> int:
        """The size of the newest checkpoint that is public; 0 if there is none."""

    def cards(self) -> Sequence[Card]:
        """All cards."""

    def has_card(self, case: CaseId) -> bool:
        """Whether the case has a card."""

    def releases(self) -> Sequence[StoredRelease]:
        """All releases, oldest first."""

    def public_file(self, path: str) -> bytes | None:
        """The content of a public file."""

    def public_paths(self) -> Sequence[str]:
        """All public files."""

    def pushed_files(self) -> int:
        """How many files the intake has."""

    def unpushed(self, limit: int, max_bytes: int) -> Sequence[PublicFile]:
        """Files the intake does not have yet, in order; at least one if there is any."""


class LogWriteUnit(LogReadUnit, Protocol):
    """Changes to the log."""

    def add_log_case(self, case: CaseId, pseudonym: bytes, day: date) -> None:
        """A case gets its pseudonym."""

    def add_leaf(self, new: NewLeaf) -> None:
        """A leaf begins to wait."""

    def place_leaves(self, placed: Iterable[tuple[int, date]], first: int) -> None:
        """Leaves, by number, get their places from `first` on, and the period of their batch."""

    def add_checkpoint(self, size: int, note: str) -> None:
        """A checkpoint, signed by the log alone."""

    def make_public(self, size: int, note: str) -> None:
        """A checkpoint with its witnesses."""

    def put_card(self, case: CaseId, person: PersonId, day: date, container: bytes) -> None:
        """The card of a case; a newer one replaces it."""

    def add_release(self, release: StoredRelease) -> None:
        """A release.  Raises StoreError if its id is taken."""

    def put_public(self, path: str, content: bytes, *, replace: bool = False) -> None:
        """A file to publish.  Raises StoreError if another content is there and stays."""

    def pushed(self, serials: Iterable[int]) -> None:
        """The intake has these."""

    def push_again(self) -> None:
        """The intake has lost its files: all must go again."""
