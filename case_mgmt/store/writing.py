# SPDX-License-Identifier: AGPL-3.0-or-later
"""The changes of ports.py as SQLAlchemy Core statements.

Invariants: no statement is built from text; an act once written is never updated or deleted.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from case_mgmt.errors import StoreError
from case_mgmt.model import ActHash, CaseId, PersonId, ThreadId
from case_mgmt.store import schema
from case_mgmt.store.log_writing import SqlLogWriteUnit
from case_mgmt.store.ports import Case, LedgerEntry, Note, Proposal, Return, StoredRecord
from case_mgmt.store.reading import SqlReadUnit
from case_mgmt.store.rows import present_to_columns


class SqlWriteUnit(SqlReadUnit, SqlLogWriteUnit):
    """A `WriteUnit` on the one writing connection."""

    def add_case(
        self, case: Case, recipients: Mapping[PersonId, str | None], mailbox_key: bytes
    ) -> None:
        """A new case; to whom its report was sealed, and the unit each belonged to then."""
        self._insert(
            schema.cases,
            {
                "id": case.id,
                "thread": case.thread,
                "mailbox_key": mailbox_key,
                **present_to_columns(case),
            },
        )
        for person, unit in sorted(recipients.items()):
            values = {"case_id": case.id, "person": person, "unit": unit}
            self._insert(schema.recipients, values)

    def add_record(self, case: CaseId, record: StoredRecord) -> None:
        """A reporter's message; its blobs lie in the blob folder already."""
        self._insert(
            schema.records,
            {
                "id": record.id,
                "case_id": case,
                "kind": record.kind,
                "intent": record.intent,
                "day": record.day,
                "container": record.container,
            },
        )
        for place, blob in enumerate(record.blobs):
            self._insert(
                schema.blobs,
                {"id": blob.id, "record_id": record.id, "place": place, "size": blob.size},
            )

    def add_act(self, entry: LedgerEntry) -> None:
        """An act, next in its case.  Raises StoreError if its place is taken."""
        signed = entry.signed
        self._insert(
            schema.acts,
            {
                "case_id": signed.act.case,
                "seq": signed.act.seq,
                "hash": signed.hash,
                "content": signed.act.encode(),
                "signature": signed.signature,
                "countersigner": signed.countersigner,
                "countersignature": signed.countersignature,
                "container": entry.container,
            },
        )

    def save(self, case: Case) -> None:
        """The case as it stands after its newest act."""
        table = schema.cases
        self._connection.execute(
            sa.update(table).where(table.c.id == case.id).values(present_to_columns(case))
        )

    def add_proposal(self, proposal: Proposal) -> None:
        """A closing that waits for a second person; one that was returned may come again."""
        table = schema.proposals
        returned = sa.and_(table.c.hash == proposal.hash, table.c.outcome.is_not(None))
        self._connection.execute(sa.delete(table).where(returned))
        self._insert(
            schema.proposals,
            {
                "hash": proposal.hash,
                "case_id": proposal.signed.act.case,
                "content": proposal.signed.act.encode(),
                "signature": proposal.signed.signature,
                "container": proposal.container,
                "person": proposal.by,
                "outcome": None,
            },
        )

    def close_proposal(self, act: ActHash, outcome: str) -> None:
        """Ends the waiting: `confirmed`, `returned`, `lapsed` or `overtaken`."""
        table = schema.proposals
        self._connection.execute(
            sa.update(table).where(table.c.hash == act).values({"outcome": outcome})
        )

    def add_return(self, case: CaseId, returned: Return) -> None:
        """Who did not let a closing happen, and when."""
        self._insert(
            schema.returns,
            {
                "case_id": case,
                "hash": returned.hash,
                "target": returned.target.value,
                "proposed_by": returned.proposed_by,
                "person": returned.by,
                "day": returned.day,
            },
        )

    def add_note(self, case: CaseId, note: Note) -> None:
        """A private note."""
        self._insert(
            schema.notes,
            {
                "case_id": case,
                "person": note.person,
                "day": note.day,
                "container": note.container,
            },
        )

    def add_outbox(self, thread: ThreadId, seq: int, box: bytes) -> None:
        """A notice to push."""
        self._insert(schema.outbox, {"thread": thread, "seq": seq, "box": box, "outcome": None})

    def end_outbox(self, ids: Iterable[int], outcome: str) -> None:
        """Ends the waiting of notices; what was sent is forgotten, what was refused is kept."""
        table = schema.outbox
        chosen = table.c.id.in_(list(ids))
        if outcome == "sent":
            self._connection.execute(sa.delete(table).where(chosen))
        else:
            self._connection.execute(sa.update(table).where(chosen).values({"outcome": outcome}))

    def clear_outbox(self, thread: ThreadId) -> None:
        """Forgets a thread's notices, waiting or refused; they are made again."""
        table = schema.outbox
        self._connection.execute(sa.delete(table).where(table.c.thread == thread))

    def set_setting(self, name: str, value: str) -> None:
        """Remembers a value of the service itself."""
        table = schema.settings
        self._connection.execute(sa.delete(table).where(table.c.name == name))
        self._insert(table, {"name": name, "value": value})

    def _insert(self, table: sa.Table, values: Mapping[str, Any]) -> None:
        try:
            self._connection.execute(sa.insert(table).values(dict(values)))
        except IntegrityError as error:
            raise StoreError("this place is taken already") from error
