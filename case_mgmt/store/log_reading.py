# SPDX-License-Identifier: AGPL-3.0-or-later
"""The questions of log_ports.py as SQLAlchemy Core statements; none is built from text."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from case_mgmt.model import ActHash, CaseId
from case_mgmt.publication.batches import Covered, Waiting
from case_mgmt.publication.leaves import Code, Kind, Leaf
from case_mgmt.store import schema
from case_mgmt.store.log_ports import (
    Card,
    LogCase,
    Opening,
    PublicFile,
    StoredCheckpoint,
    StoredRelease,
)

_LEAVES: Final = schema.log_leaves
_IS_PLACED: Final = _LEAVES.c.place.is_not(None)
_IS_REPORT: Final = _LEAVES.c.kind == int(Kind.REPORT)


class SqlLogReadUnit:
    """A `LogReadUnit` on one connection inside a transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def log_case(self, case: CaseId) -> LogCase | None:
        """The case as the log knows it; None for one from before the log."""
        table = schema.log_cases
        row = self._one(sa.select(table).where(table.c.case_id == case))
        if row is None:
            return None
        own = sa.and_(_IS_REPORT, _LEAVES.c.pseudonym == row.pseudonym, _IS_PLACED)
        is_logged = self._one(sa.select(_LEAVES.c.serial).where(own)) is not None
        return LogCase(bytes(row.pseudonym), row.day, is_logged)

    def covered(self) -> Covered | None:
        """What the log covers; None before its opening leaf."""
        opening = self._scalar(sa.select(_LEAVES.c.period).where(_LEAVES.c.place == 0))
        if opening is None:
            return None
        until = self._scalar(sa.select(sa.func.max(_LEAVES.c.period)).where(_IS_PLACED))
        reports = sa.select(sa.func.max(_LEAVES.c.period)).where(_IS_PLACED, _IS_REPORT)
        return Covered(_day(until), _day(self._scalar(reports) or opening))

    def waiting_leaves(self) -> Sequence[Waiting]:
        """The leaves without a place, oldest first."""
        statement = sa.select(_LEAVES).where(_LEAVES.c.place.is_(None)).order_by(_LEAVES.c.serial)
        return [
            Waiting(
                row.serial,
                Kind(row.kind),
                Code(row.code),
                row.wait,
                bytes(row.pseudonym),
                bytes(row.commitment),
                row.day,
            )
            for row in self._connection.execute(statement)
        ]

    def is_committed(self, commitment: bytes) -> bool:
        """Whether a report, waiting or logged, has this commitment."""
        same = sa.and_(_IS_REPORT, _LEAVES.c.commitment == commitment)
        return self._one(sa.select(_LEAVES.c.serial).where(same).limit(1)) is not None

    def logged_cases(self) -> frozenset[bytes]:
        """Pseudonyms of the cases whose report has a place."""
        statement = sa.select(_LEAVES.c.pseudonym).where(_IS_PLACED, _IS_REPORT)
        return frozenset(bytes(each) for each in self._connection.scalars(statement))

    def entries(self) -> Iterator[bytes]:
        """The leaves with a place, in order, as they are logged."""
        statement = sa.select(_LEAVES).where(_IS_PLACED).order_by(_LEAVES.c.place)
        for row in self._connection.execute(statement):
            yield Leaf(
                Kind(row.kind),
                Code(row.code),
                row.wait,
                row.period,
                bytes(row.pseudonym),
                bytes(row.commitment),
            ).encode()

    def openings(self) -> Sequence[Opening]:
        """What is behind the follow-up leaves that have a place."""
        chosen = sa.and_(_IS_PLACED, _LEAVES.c.act.is_not(None), _LEAVES.c.nonce.is_not(None))
        statement = sa.select(_LEAVES).where(chosen).order_by(_LEAVES.c.place)
        return [
            Opening(row.place, ActHash(row.act), bytes(row.nonce))
            for row in self._connection.execute(statement)
        ]

    def checkpoint(self) -> StoredCheckpoint | None:
        """The newest signed checkpoint."""
        table = schema.log_checkpoints
        row = self._one(sa.select(table).order_by(table.c.size.desc()).limit(1))
        return None if row is None else StoredCheckpoint(row.size, row.note, row.is_public)

    def public_size(self) -> int:
        """The size of the newest checkpoint that is public; 0 if there is none."""
        table = schema.log_checkpoints
        return int(self._scalar(sa.select(sa.func.max(table.c.size)).where(table.c.is_public)) or 0)

    def cards(self) -> Sequence[Card]:
        """All cards."""
        cards, cases = schema.cards, schema.log_cases
        statement = (
            sa.select(cards.c.case_id, cases.c.pseudonym, cards.c.container)
            .join(cases, cases.c.case_id == cards.c.case_id)
            .order_by(cases.c.pseudonym)
        )
        return [
            Card(CaseId(row.case_id), bytes(row.pseudonym), bytes(row.container))
            for row in self._connection.execute(statement)
        ]

    def has_card(self, case: CaseId) -> bool:
        """Whether the case has a card."""
        table = schema.cards
        return self._one(sa.select(table.c.day).where(table.c.case_id == case)) is not None

    def releases(self) -> Sequence[StoredRelease]:
        """All releases in the order of their acceptance."""
        table = schema.releases
        return [
            StoredRelease(row.id, bytes(row.digest), row.day)
            for row in self._connection.execute(sa.select(table).order_by(sa.text("rowid")))
        ]

    def public_file(self, path: str) -> bytes | None:
        """The content of a public file."""
        table = schema.public_files
        content = self._scalar(sa.select(table.c.content).where(table.c.path == path))
        return None if content is None else bytes(content)

    def public_paths(self) -> Sequence[str]:
        """All public files."""
        return list(self._connection.scalars(sa.select(schema.public_files.c.path)))

    def pushed_files(self) -> int:
        """How many files the intake has."""
        table = schema.public_files
        return int(self._scalar(sa.select(sa.func.count()).where(table.c.is_pushed)) or 0)

    def unpushed(self, limit: int, max_bytes: int) -> Sequence[PublicFile]:
        """Files the intake does not have yet, in order; at least one if there is any."""
        table = schema.public_files
        waiting = table.c.is_pushed.is_(False)
        statement = sa.select(table).where(waiting).order_by(table.c.serial).limit(limit)
        found: list[PublicFile] = []
        total = 0
        for row in self._connection.execute(statement):
            total += len(row.content)
            if found and total > max_bytes:
                break
            found.append(PublicFile(row.serial, row.path, bytes(row.content)))
        return found

    def _one(self, statement: sa.Select[Any]) -> sa.Row[Any] | None:
        return self._connection.execute(statement).first()

    def _scalar(self, statement: sa.Select[Any]) -> Any:
        return self._connection.scalar(statement)


def _day(value: date) -> date:
    return value
