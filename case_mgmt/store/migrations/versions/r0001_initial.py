# SPDX-License-Identifier: AGPL-3.0-or-later
"""The first tables of the case office; never edited after a release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Creates the tables."""
    _create_cases()
    _create_messages()
    _create_acts()
    _create_service_tables()


def downgrade() -> None:
    """Drops the tables, children first."""
    for table in (
        "settings",
        "outbox",
        "notes",
        "proposals",
        "acts",
        "blobs",
        "records",
        "recipients",
        "cases",
    ):
        op.drop_table(table)


def _create_cases() -> None:
    op.create_table(
        "cases",
        sa.Column("id", sa.String(11), nullable=False),
        sa.Column("thread", sa.String(32), nullable=False),
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
        sa.PrimaryKeyConstraint("id", name="pk_cases"),
        sa.UniqueConstraint("thread", name="uq_cases_thread"),
    )
    op.create_table(
        "recipients",
        sa.Column("case_id", sa.String(11), nullable=False),
        sa.Column("person", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "person", name="pk_recipients"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_recipients_case_id"),
    )
    op.create_index("ix_recipients_person", "recipients", ["person"])


def _create_messages() -> None:
    op.create_table(
        "records",
        sa.Column("serial", _SERIAL, nullable=False, autoincrement=True),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("case_id", sa.String(11), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("intent", sa.String(16), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("container", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("serial", name="pk_records"),
        sa.UniqueConstraint("id", name="uq_records_id"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_records_case_id"),
    )
    op.create_index("ix_records_case_id", "records", ["case_id"])
    op.create_table(
        "blobs",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("record_id", sa.String(32), nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_blobs"),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name="fk_blobs_record_id"),
    )
    op.create_index("ix_blobs_record_id", "blobs", ["record_id"])
    op.create_table(
        "notes",
        sa.Column("serial", _SERIAL, nullable=False, autoincrement=True),
        sa.Column("case_id", sa.String(11), nullable=False),
        sa.Column("person", sa.String(64), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("container", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("serial", name="pk_notes"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_notes_case_id"),
    )
    op.create_index("ix_notes_case_id", "notes", ["case_id"])


def _create_acts() -> None:
    op.create_table(
        "acts",
        sa.Column("case_id", sa.String(11), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.Column("countersigner", sa.String(64)),
        sa.Column("countersignature", sa.LargeBinary),
        sa.Column("container", sa.LargeBinary),
        sa.PrimaryKeyConstraint("case_id", "seq", name="pk_acts"),
        sa.UniqueConstraint("hash", name="uq_acts_hash"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_acts_case_id"),
    )
    op.create_table(
        "proposals",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("case_id", sa.String(11), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.Column("container", sa.LargeBinary, nullable=False),
        sa.Column("person", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(16)),
        sa.PrimaryKeyConstraint("hash", name="pk_proposals"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_proposals_case_id"),
    )
    op.create_index(
        "uq_proposals_waiting",
        "proposals",
        ["case_id"],
        unique=True,
        sqlite_where=sa.text("outcome IS NULL"),
    )


def _create_service_tables() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", _SERIAL, nullable=False, autoincrement=True),
        sa.Column("thread", sa.String(32), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("box", sa.LargeBinary, nullable=False),
        sa.Column("outcome", sa.String(16)),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("thread", "seq", name="uq_outbox_thread_seq"),
    )
    op.create_index("ix_outbox_outcome", "outbox", ["outcome"])
    op.create_table(
        "settings",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_settings"),
    )
