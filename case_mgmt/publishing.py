# SPDX-License-Identifier: AGPL-3.0-or-later
"""What publishers and auditors are given, and what they hand back: the use cases behind releases.

Invariants
* Publishers see the log and cards sealed to them; auditors see the log and what is behind its
  leaves; nobody here sees a case, a thread or a receipt.
* A card is sealed to every publisher of the manifest and to nobody else, as far as a server can
  tell.
* A release, once accepted, never changes; it names the newest release before it and a state of
  this log.

Source: docs/spec/case-api.md section 6.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from case_mgmt.errors import GateError
from case_mgmt.gate import Rulebook, handles
from case_mgmt.model import AUDITOR, CaseId, PersonId
from case_mgmt.store.log_ports import Card, Opening, StoredRelease
from case_mgmt.store.ports import CaseStore
from crypto.envelope import check_container
from crypto.errors import MalformedError
from crypto.manifest import ManifestContent, Person
from crypto.padding import FRAME_SIZES
from crypto.tlog.tree import Tree, leaf_hash

PUBLISHER: Final = "publisher"
READERS: Final = frozenset({PUBLISHER, AUDITOR})
CARDS_AT_ONCE: Final = 500


@dataclass(frozen=True)
class LogCopy:
    """The newest public checkpoint and the entries it covers."""

    note: str
    entries: tuple[bytes, ...]
    releases: tuple[StoredRelease, ...]


@dataclass(frozen=True)
class Claim:
    """What a release says of itself, once its signatures and files were verified."""

    release: StoredRelease
    size: int
    root: bytes
    previous: bytes | None
    """The digest of the release before it."""


def publishers(manifest: ManifestContent) -> tuple[Person, ...]:
    """To whom cards are sealed."""
    return tuple(person for person in manifest.people if PUBLISHER in person.roles)


class PublicationOffice:
    """The use cases, each one unit of work."""

    def __init__(self, store: CaseStore) -> None:
        self._store = store

    def keep_card(self, case: CaseId, person: Person, container: bytes, rules: Rulebook) -> None:
        """Keep the card of a case.  Raises GateError."""
        wanted = len(publishers(rules.manifest))
        with self._store.writing() as unit:
            if not handles(person) or PersonId(person.id) not in unit.recipients(case):
                raise GateError("conflicted")
            if not wanted or not _is_card(container, wanted) or unit.log_case(case) is None:
                raise GateError("card_malformed")
            unit.put_card(case, PersonId(person.id), rules.today, container)

    def log_copy(self, person: Person) -> LogCopy:
        """The log as it is public.  Raises GateError."""
        _require(person, READERS)
        with self._store.reading() as unit:
            size = unit.public_size()
            note = unit.public_file("log/checkpoint") or b""
            entries = tuple(entry for _, entry in zip(range(size), unit.entries(), strict=False))
            return LogCopy(note.decode(), entries, tuple(unit.releases()))

    def require_publisher(self, person: Person) -> None:
        """Raise GateError unless this person may hand in releases."""
        _require(person, frozenset({PUBLISHER}))

    def cards(self, person: Person, after: bytes) -> Sequence[Card]:
        """Some cards, in the order of pseudonyms, beyond `after`.  Raises GateError."""
        _require(person, frozenset({PUBLISHER}))
        with self._store.reading() as unit:
            beyond = [card for card in unit.cards() if card.pseudonym > after]
        return beyond[:CARDS_AT_ONCE]

    def openings(self, person: Person) -> Sequence[Opening]:
        """What is behind the follow-up leaves, for an auditor.  Raises GateError."""
        _require(person, frozenset({AUDITOR}))
        with self._store.reading() as unit:
            return [each for each in unit.openings() if each.place < unit.public_size()]

    def release_file(self, person: Person, release: str, path: str) -> bytes | None:
        """A file of an earlier release.  Raises GateError."""
        _require(person, READERS)
        with self._store.reading() as unit:
            return unit.public_file(f"releases/{release}/{path}")

    def is_accepted(self, claim: Claim) -> bool:
        """Whether exactly this release is out: its answer was lost, and it is handed in again."""
        with self._store.reading() as unit:
            return any(
                (each.id, each.digest) == (claim.release.id, claim.release.digest)
                for each in unit.releases()
            )

    def check_claim(self, claim: Claim) -> None:
        """Raise GateError unless the release continues the last one and is of this log."""
        with self._store.reading() as unit:
            known = unit.releases()
            entries = list(unit.entries())
            public = unit.public_size()
        last = known[-1].digest if known else None
        if any(each.id == claim.release.id for each in known) or claim.previous != last:
            raise GateError("release_order")
        if not 0 < claim.size <= public:
            raise GateError("release_log")
        tree = Tree(leaf_hash(entry) for entry in entries[: claim.size])
        if tree.root() != claim.root:
            raise GateError("release_log")


def _require(person: Person, roles: frozenset[str]) -> None:
    if roles.isdisjoint(person.roles):
        raise GateError("not_publisher")


def _is_card(container: bytes, wanted: int) -> bool:
    try:
        info = check_container(container)
    except MalformedError:
        return False
    return info.recipients == wanted and info.frame_size == FRAME_SIZES[0]
