# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the use cases ask of storage, and the values that pass through.

Invariants
* A unit of work is one transaction: everything in it is durable when `writing` ends, or nothing.
* Reading inside a unit sees one moment.
* Containers, boxes and blobs are ciphertext; nothing here can be opened by this process.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from case_mgmt.acts import SignedAct
from case_mgmt.model import ActHash, BlobId, CaseId, PersonId, RecordId, State, ThreadId
from case_mgmt.projection import Projection
from case_mgmt.store.log_ports import LogReadUnit, LogWriteUnit


@dataclass(frozen=True)
class Blob:
    """A sealed attachment in the blob folder."""

    id: BlobId
    size: int


@dataclass(frozen=True)
class StoredRecord:
    """A sealed message of the reporter."""

    id: RecordId
    kind: str
    intent: str
    day: date
    container: bytes
    blobs: tuple[Blob, ...]


@dataclass(frozen=True)
class Case:
    """A case as it stands; `present` follows from its acts."""

    id: CaseId
    thread: ThreadId
    head: ActHash
    next_seq: int
    present: Projection


@dataclass(frozen=True)
class LedgerEntry:
    """An act with the sealed message it names, if any."""

    signed: SignedAct
    container: bytes | None


@dataclass(frozen=True)
class Proposal:
    """A closing that waits for a second person."""

    hash: ActHash
    signed: SignedAct
    container: bytes
    by: PersonId


@dataclass(frozen=True)
class Return:
    """A closing that was declined, or taken back by whoever proposed it."""

    hash: ActHash
    target: State
    proposed_by: PersonId
    by: PersonId
    day: date


@dataclass(frozen=True)
class Note:
    """A private note, sealed to the recipients of the case."""

    person: PersonId
    day: date
    container: bytes


@dataclass(frozen=True)
class OutboxEntry:
    """A notice on its way to the reporter's mailbox."""

    id: int
    thread: ThreadId
    seq: int
    box: bytes


@dataclass(frozen=True)
class Load:
    """How many open cases somebody is assigned, and how many of them are overdue."""

    open: int
    late: int


class ReadUnit(LogReadUnit, Protocol):
    """Questions to one moment of the store."""

    def case(self, case: CaseId) -> Case | None:
        """The case, or None."""

    def cases(self) -> Sequence[Case]:
        """All cases."""

    def cases_of(self, person: PersonId) -> Sequence[Case]:
        """The cases whose report was sealed to this person."""

    def load(self, today: date) -> Mapping[PersonId, Load]:
        """Open and overdue cases by assigned person."""

    def case_of_thread(self, thread: ThreadId) -> Case | None:
        """The case of a reporter's thread, or None."""

    def recipients(self, case: CaseId) -> frozenset[PersonId]:
        """To whom the report was sealed."""

    def mailbox_key(self, case: CaseId) -> bytes:
        """The key that seals notices for the reporter."""

    def has_record(self, record: RecordId) -> bool:
        """Whether this record was taken in."""

    def records(self, case: CaseId) -> Sequence[StoredRecord]:
        """The reporter's messages, oldest first."""

    def acts(self, case: CaseId) -> Sequence[LedgerEntry]:
        """The acts of a case in order."""

    def ledger(self, recipient: PersonId | None = None) -> Iterable[SignedAct]:
        """All acts by case and number, without content; or those of one recipient's cases."""

    def proposal(self, case: CaseId) -> Proposal | None:
        """The closing that waits, or None."""

    def proposals(self) -> Mapping[CaseId, Proposal]:
        """All closings that wait."""

    def returns(self, case: CaseId) -> Sequence[Return]:
        """The closings of a case that did not find a second person, oldest first."""

    def notes_kept(self, case: CaseId, person: PersonId) -> tuple[int, int]:
        """How many notes of this person the case has, and their bytes in all."""

    def notes(self, case: CaseId) -> Sequence[Note]:
        """The private notes of a case, oldest first."""

    def blob_size(self, case: CaseId, blob: BlobId) -> int | None:
        """The size of a blob of this case, or None."""

    def blob_ids(self) -> frozenset[BlobId]:
        """All known blobs."""

    def outbox(self, limit: int) -> Sequence[OutboxEntry]:
        """Notices that wait to be pushed, oldest first."""

    def setting(self, name: str) -> str | None:
        """A remembered value of the service itself."""


class WriteUnit(ReadUnit, LogWriteUnit, Protocol):
    """Questions and changes inside one transaction."""

    def add_case(
        self, case: Case, recipients: Mapping[PersonId, str | None], mailbox_key: bytes
    ) -> None:
        """A new case; to whom its report was sealed, and the unit each belonged to then."""

    def add_record(self, case: CaseId, record: StoredRecord) -> None:
        """A reporter's message; its blobs lie in the blob folder already."""

    def add_act(self, entry: LedgerEntry) -> None:
        """An act, next in its case.  Raises StoreError if its place is taken."""

    def save(self, case: Case) -> None:
        """The case as it stands after its newest act."""

    def add_proposal(self, proposal: Proposal) -> None:
        """A closing that waits for a second person."""

    def close_proposal(self, act: ActHash, outcome: str) -> None:
        """Ends the waiting: `confirmed`, `returned`, `lapsed` or `overtaken`."""

    def add_return(self, case: CaseId, returned: Return) -> None:
        """Who did not let a closing happen, and when."""

    def add_note(self, case: CaseId, note: Note) -> None:
        """A private note."""

    def add_outbox(self, thread: ThreadId, seq: int, box: bytes) -> None:
        """A notice to push."""

    def end_outbox(self, ids: Iterable[int], outcome: str) -> None:
        """Ends the waiting of notices: `sent`, or `refused` by the intake for good."""

    def clear_outbox(self, thread: ThreadId) -> None:
        """Forgets a thread's notices, waiting or refused; they are made again."""

    def set_setting(self, name: str, value: str) -> None:
        """Remembers a value of the service itself."""


class CaseStore(Protocol):
    """Storage of the case office."""

    def reading(self) -> AbstractContextManager[ReadUnit]:
        """A unit that only reads."""

    def writing(self) -> AbstractContextManager[WriteUnit]:
        """A unit that commits at its end, or undoes everything when an error leaves it."""
