# SPDX-License-Identifier: AGPL-3.0-or-later
"""The tables of the case office, as SQLAlchemy Core.

Invariants
* An act's place (case, number) and its hash are unique: a second act on one number cannot exist.
* At most one proposal of a case waits.
* Every time is a whole day; every content column is ciphertext.
* The columns of `cases` after `next_seq` follow from the acts (projection.py).
* A leaf of the public log has its place once and for ever; without a place it waits for a batch.

A change here needs a migration; tests/case_mgmt/store/test_migrations.py compares the two.
"""

from typing import Final

import sqlalchemy as sa

metadata: Final = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

cases: Final = sa.Table(
    "cases",
    metadata,
    sa.Column("id", sa.String(11), primary_key=True),
    sa.Column("thread", sa.String(32), nullable=False, unique=True),
    sa.Column("mailbox_key", sa.LargeBinary, nullable=False),
    sa.Column("head", sa.String(64), nullable=False),
    sa.Column("next_seq", sa.Integer, nullable=False),
    sa.Column("state", sa.String(32), nullable=False),
    sa.Column("arrival", sa.Date, nullable=False),
    sa.Column("assignee", sa.String(64)),
    sa.Column("next_due", sa.Date),
    sa.Column("next_kind", sa.String(16)),
    sa.Column("overall_due", sa.Date),
    sa.Column("update_due", sa.Date),
    sa.Column("contest_until", sa.Date),
    sa.Column("pause_until", sa.Date),
    sa.Column("first_follow_up", sa.Date),
    sa.Column("new_material", sa.Boolean, nullable=False),
)

recipients: Final = sa.Table(
    "recipients",
    metadata,
    sa.Column("case_id", sa.ForeignKey("cases.id"), primary_key=True),
    sa.Column("person", sa.String(64), primary_key=True, index=True),
    sa.Column("unit", sa.String(64)),
)

records: Final = sa.Table(
    "records",
    metadata,
    sa.Column("serial", _SERIAL, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(32), nullable=False, unique=True),
    sa.Column("case_id", sa.ForeignKey("cases.id"), nullable=False, index=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("intent", sa.String(16), nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("container", sa.LargeBinary, nullable=False),
)

blobs: Final = sa.Table(
    "blobs",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("record_id", sa.ForeignKey("records.id"), nullable=False, index=True),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
)

acts: Final = sa.Table(
    "acts",
    metadata,
    sa.Column("case_id", sa.ForeignKey("cases.id"), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("signature", sa.LargeBinary, nullable=False),
    sa.Column("countersigner", sa.String(64)),
    sa.Column("countersignature", sa.LargeBinary),
    sa.Column("container", sa.LargeBinary),
)

proposals: Final = sa.Table(
    "proposals",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("case_id", sa.ForeignKey("cases.id"), nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("signature", sa.LargeBinary, nullable=False),
    sa.Column("container", sa.LargeBinary, nullable=False),
    sa.Column("person", sa.String(64), nullable=False),
    sa.Column("outcome", sa.String(16)),
    sa.Index(
        "uq_proposals_waiting", "case_id", unique=True, sqlite_where=sa.text("outcome IS NULL")
    ),
)

returns: Final = sa.Table(
    "returns",
    metadata,
    sa.Column("serial", _SERIAL, primary_key=True, autoincrement=True),
    sa.Column("case_id", sa.ForeignKey("cases.id"), nullable=False, index=True),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("target", sa.String(32), nullable=False),
    sa.Column("proposed_by", sa.String(64), nullable=False),
    sa.Column("person", sa.String(64), nullable=False),
    sa.Column("day", sa.Date, nullable=False),
)

notes: Final = sa.Table(
    "notes",
    metadata,
    sa.Column("serial", _SERIAL, primary_key=True, autoincrement=True),
    sa.Column("case_id", sa.ForeignKey("cases.id"), nullable=False, index=True),
    sa.Column("person", sa.String(64), nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("container", sa.LargeBinary, nullable=False),
)

outbox: Final = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", _SERIAL, primary_key=True, autoincrement=True),
    sa.Column("thread", sa.String(32), nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("box", sa.LargeBinary, nullable=False),
    sa.Column("outcome", sa.String(16), index=True),
    sa.UniqueConstraint("thread", "seq"),
)

log_cases: Final = sa.Table(
    "log_cases",
    metadata,
    sa.Column("case_id", sa.ForeignKey("cases.id"), primary_key=True),
    sa.Column("pseudonym", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("day", sa.Date, nullable=False),
)

log_leaves: Final = sa.Table(
    "log_leaves",
    metadata,
    sa.Column("serial", _SERIAL, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.Integer, nullable=False),
    sa.Column("code", sa.Integer, nullable=False),
    sa.Column("wait", sa.Integer, nullable=False),
    sa.Column("pseudonym", sa.LargeBinary, nullable=False, index=True),
    sa.Column("commitment", sa.LargeBinary, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("act", sa.String(64)),
    sa.Column("nonce", sa.LargeBinary),
    sa.Column("period", sa.Date),
    sa.Column("place", sa.Integer, unique=True),
)

log_checkpoints: Final = sa.Table(
    "log_checkpoints",
    metadata,
    sa.Column("size", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("is_public", sa.Boolean, nullable=False),
)

cards: Final = sa.Table(
    "cards",
    metadata,
    sa.Column("case_id", sa.ForeignKey("cases.id"), primary_key=True),
    sa.Column("person", sa.String(64), nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("container", sa.LargeBinary, nullable=False),
)

releases: Final = sa.Table(
    "releases",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
)

public_files: Final = sa.Table(
    "public_files",
    metadata,
    sa.Column("serial", _SERIAL, primary_key=True, autoincrement=True),
    sa.Column("path", sa.String(200), nullable=False, unique=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("is_pushed", sa.Boolean, nullable=False, index=True),
)

settings: Final = sa.Table(
    "settings",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
