# SPDX-License-Identifier: AGPL-3.0-or-later
"""The changes of log_ports.py as SQLAlchemy Core statements.

Invariants: no statement is built from text; a leaf that has its place is never changed, nor is a
checkpoint's text.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from case_mgmt.errors import StoreError
from case_mgmt.model import CaseId, PersonId
from case_mgmt.store import schema
from case_mgmt.store.log_ports import NewLeaf, StoredRelease
from case_mgmt.store.log_reading import SqlLogReadUnit


class SqlLogWriteUnit(SqlLogReadUnit):
    """A `LogWriteUnit` on the one writing connection."""

    def add_log_case(self, case: CaseId, pseudonym: bytes, day: date) -> None:
        """A case gets its pseudonym."""
        self._add(schema.log_cases, {"case_id": case, "pseudonym": pseudonym, "day": day})

    def add_leaf(self, new: NewLeaf) -> None:
        """A leaf begins to wait."""
        leaf = new.leaf
        self._add(
            schema.log_leaves,
            {
                "kind": int(leaf.kind),
                "code": int(leaf.code),
                "wait": leaf.wait,
                "pseudonym": leaf.case,
                "commitment": leaf.commitment,
                "day": new.day,
                "act": new.act,
                "nonce": new.nonce,
                "period": None,
                "place": None,
            },
        )

    def place_leaves(self, placed: Iterable[tuple[int, date]], first: int) -> None:
        """Leaves, by number, get their places from `first` on, and the period of their batch."""
        table = schema.log_leaves
        for place, (serial, period) in enumerate(placed, start=first):
            free = sa.and_(table.c.serial == serial, table.c.place.is_(None))
            values = {"place": place, "period": period}
            done = self._connection.execute(sa.update(table).where(free).values(values))
            if done.rowcount != 1:
                raise StoreError("a leaf has its place already")

    def add_checkpoint(self, size: int, note: str) -> None:
        """A checkpoint, signed by the log alone."""
        self._add(schema.log_checkpoints, {"size": size, "note": note, "is_public": False})

    def make_public(self, size: int, note: str) -> None:
        """A checkpoint with its witnesses."""
        table = schema.log_checkpoints
        values = {"note": note, "is_public": True}
        self._connection.execute(sa.update(table).where(table.c.size == size).values(values))

    def put_card(self, case: CaseId, person: PersonId, day: date, container: bytes) -> None:
        """The card of a case; a newer one replaces it."""
        table = schema.cards
        self._connection.execute(sa.delete(table).where(table.c.case_id == case))
        values = {"case_id": case, "person": person, "day": day, "container": container}
        self._add(table, values)

    def add_release(self, release: StoredRelease) -> None:
        """A release.  Raises StoreError if its id is taken."""
        values = {"id": release.id, "digest": release.digest, "day": release.day}
        self._add(schema.releases, values)

    def put_public(self, path: str, content: bytes, *, replace: bool = False) -> None:
        """A file to publish.  Raises StoreError if another content is there and stays."""
        table = schema.public_files
        present = self.public_file(path)
        if present == content:
            return
        if present is not None and not replace:
            raise StoreError("a public file does not change")
        self._connection.execute(sa.delete(table).where(table.c.path == path))
        self._add(table, {"path": path, "content": content, "is_pushed": False})

    def pushed(self, serials: Iterable[int]) -> None:
        """The intake has these."""
        table = schema.public_files
        chosen = table.c.serial.in_(list(serials))
        self._connection.execute(sa.update(table).where(chosen).values({"is_pushed": True}))

    def push_again(self) -> None:
        """The intake has lost its files: all must go again."""
        self._connection.execute(sa.update(schema.public_files).values({"is_pushed": False}))

    def _add(self, table: sa.Table, values: Mapping[str, Any]) -> None:
        try:
            self._connection.execute(sa.insert(table).values(dict(values)))
        except IntegrityError as error:
            raise StoreError("this place is taken already") from error
