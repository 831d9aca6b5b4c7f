# SPDX-License-Identifier: AGPL-3.0-or-later
"""The questions of ports.py as SQLAlchemy Core statements; none is built from text."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from case_mgmt.acts import SignedAct
from case_mgmt.model import OPEN, ActHash, BlobId, CaseId, PersonId, RecordId, State, ThreadId
from case_mgmt.store import schema
from case_mgmt.store.log_reading import SqlLogReadUnit
from case_mgmt.store.ports import (
    Blob,
    Case,
    LedgerEntry,
    Load,
    Note,
    OutboxEntry,
    Proposal,
    Return,
    StoredRecord,
)
from case_mgmt.store.rows import case_of, proposal_of, signed_of

_OF_A_CASE: Final = tuple(each for each in schema.cases.c if each.name != "mailbox_key")


class SqlReadUnit(SqlLogReadUnit):
    """A `ReadUnit` on one connection inside a transaction."""

    def case(self, case: CaseId) -> Case | None:
        """The case, or None."""
        row = self._first(sa.select(*_OF_A_CASE).where(schema.cases.c.id == case))
        return None if row is None else case_of(row)

    def cases(self) -> Sequence[Case]:
        """All cases."""
        return [case_of(row) for row in self._rows(sa.select(*_OF_A_CASE))]

    def cases_of(self, person: PersonId) -> Sequence[Case]:
        """The cases whose report was sealed to this person."""
        statement = (
            sa.select(*_OF_A_CASE)
            .join(schema.recipients, schema.recipients.c.case_id == schema.cases.c.id)
            .where(schema.recipients.c.person == person)
        )
        return [case_of(row) for row in self._rows(statement)]

    def load(self, today: date) -> Mapping[PersonId, Load]:
        """Open and overdue cases by assigned person."""
        table = schema.cases
        late = sa.func.sum(sa.case((table.c.next_due < today, 1), else_=0))
        statement = (
            sa.select(table.c.assignee, sa.func.count(), late)
            .where(table.c.state.in_(sorted(OPEN)), table.c.assignee.is_not(None))
            .group_by(table.c.assignee)
        )
        return {
            PersonId(person): Load(open=count, late=late)
            for person, count, late in self._connection.execute(statement)
        }

    def case_of_thread(self, thread: ThreadId) -> Case | None:
        """The case of a reporter's thread, or None."""
        row = self._first(sa.select(*_OF_A_CASE).where(schema.cases.c.thread == thread))
        return None if row is None else case_of(row)

    def recipients(self, case: CaseId) -> frozenset[PersonId]:
        """To whom the report was sealed."""
        table = schema.recipients
        found = self._connection.scalars(sa.select(table.c.person).where(table.c.case_id == case))
        return frozenset(PersonId(person) for person in found)

    def mailbox_key(self, case: CaseId) -> bytes:
        """The key that seals notices for the reporter."""
        table = schema.cases
        return bytes(
            self._connection.scalars(sa.select(table.c.mailbox_key).where(table.c.id == case)).one()
        )

    def has_record(self, record: RecordId) -> bool:
        """Whether this record was taken in."""
        table = schema.records
        return self._first(sa.select(table.c.serial).where(table.c.id == record)) is not None

    def records(self, case: CaseId) -> Sequence[StoredRecord]:
        """The reporter's messages, oldest first."""
        table = schema.records
        statement = sa.select(table).where(table.c.case_id == case).order_by(table.c.serial)
        return [
            StoredRecord(
                RecordId(row.id),
                row.kind,
                row.intent,
                row.day,
                bytes(row.container),
                self._blobs(row.id),
            )
            for row in self._rows(statement)
        ]

    def acts(self, case: CaseId) -> Sequence[LedgerEntry]:
        """The acts of a case in order."""
        table = schema.acts
        statement = sa.select(table).where(table.c.case_id == case).order_by(table.c.seq)
        return [
            LedgerEntry(signed_of(row), None if row.container is None else bytes(row.container))
            for row in self._rows(statement)
        ]

    def ledger(self, recipient: PersonId | None = None) -> Iterator[SignedAct]:
        """All acts by case and number, without content; or those of one recipient's cases."""
        table = schema.acts
        columns = [column for column in table.c if column.name != "container"]
        statement = sa.select(*columns).order_by(table.c.case_id, table.c.seq)
        if recipient is not None:
            audience = schema.recipients
            statement = statement.join(audience, audience.c.case_id == table.c.case_id)
            statement = statement.where(audience.c.person == recipient)
        for row in self._connection.execute(statement):
            yield signed_of(row)

    def proposal(self, case: CaseId) -> Proposal | None:
        """The closing that waits, or None."""
        table = schema.proposals
        waiting = sa.and_(table.c.case_id == case, table.c.outcome.is_(None))
        row = self._first(sa.select(table).where(waiting))
        return None if row is None else proposal_of(row)

    def proposals(self) -> Mapping[CaseId, Proposal]:
        """All closings that wait."""
        table = schema.proposals
        statement = sa.select(table).where(table.c.outcome.is_(None))
        return {CaseId(row.case_id): proposal_of(row) for row in self._rows(statement)}

    def returns(self, case: CaseId) -> Sequence[Return]:
        """The closings of a case that did not find a second person, oldest first."""
        table = schema.returns
        statement = sa.select(table).where(table.c.case_id == case).order_by(table.c.serial)
        return [
            Return(
                ActHash(row.hash),
                State(row.target),
                PersonId(row.proposed_by),
                PersonId(row.person),
                row.day,
            )
            for row in self._rows(statement)
        ]

    def notes_kept(self, case: CaseId, person: PersonId) -> tuple[int, int]:
        """How many notes of this person the case has, and their bytes in all."""
        table = schema.notes
        size = sa.func.coalesce(sa.func.sum(sa.func.length(table.c.container)), 0)
        own = sa.and_(table.c.case_id == case, table.c.person == person)
        count, total = self._connection.execute(sa.select(sa.func.count(), size).where(own)).one()
        return int(count), int(total)

    def notes(self, case: CaseId) -> Sequence[Note]:
        """The private notes of a case, oldest first."""
        table = schema.notes
        statement = sa.select(table).where(table.c.case_id == case).order_by(table.c.serial)
        return [
            Note(PersonId(row.person), row.day, bytes(row.container))
            for row in self._rows(statement)
        ]

    def blob_size(self, case: CaseId, blob: BlobId) -> int | None:
        """The size of a blob of this case, or None."""
        statement = (
            sa.select(schema.blobs.c.size)
            .join(schema.records, schema.records.c.id == schema.blobs.c.record_id)
            .where(schema.blobs.c.id == blob, schema.records.c.case_id == case)
        )
        return self._connection.scalar(statement)

    def blob_ids(self) -> frozenset[BlobId]:
        """All known blobs."""
        found = self._connection.scalars(sa.select(schema.blobs.c.id))
        return frozenset(BlobId(blob) for blob in found)

    def outbox(self, limit: int) -> Sequence[OutboxEntry]:
        """Notices that wait to be pushed, oldest first."""
        table = schema.outbox
        statement = (
            sa.select(table).where(table.c.outcome.is_(None)).order_by(table.c.id).limit(limit)
        )
        return [
            OutboxEntry(row.id, ThreadId(row.thread), row.seq, bytes(row.box))
            for row in self._rows(statement)
        ]

    def setting(self, name: str) -> str | None:
        """A remembered value of the service itself."""
        table = schema.settings
        return self._connection.scalar(sa.select(table.c.value).where(table.c.name == name))

    def _blobs(self, record: str) -> tuple[Blob, ...]:
        table = schema.blobs
        statement = sa.select(table).where(table.c.record_id == record).order_by(table.c.place)
        return tuple(Blob(BlobId(row.id), row.size) for row in self._rows(statement))

    def _rows(self, statement: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        return self._connection.execute(statement).all()

    def _first(self, statement: sa.Select[Any]) -> sa.Row[Any] | None:
        return self._connection.execute(statement).first()
