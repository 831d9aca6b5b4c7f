# SPDX-License-Identifier: AGPL-3.0-or-later
"""The public log: pseudonyms, leaves, checkpoints, cards, releases, files to publish."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TABLES = ("log_cases", "log_leaves", "log_checkpoints", "cards", "releases", "public_files")


def upgrade() -> None:
    """Adds tables; cases from before have no pseudonym and stay out of the log."""
    _log()
    op.create_table(
        "cards",
        sa.Column("case_id", sa.String(11), nullable=False),
        sa.Column("person", sa.String(64), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("container", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("case_id", name="pk_cards"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_cards_case_id"),
    )
    op.create_table(
        "releases",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_releases"),
    )
    op.create_table(
        "public_files",
        sa.Column("serial", _SERIAL, nullable=False, autoincrement=True),
        sa.Column("path", sa.String(200), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("is_pushed", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("serial", name="pk_public_files"),
        sa.UniqueConstraint("path", name="uq_public_files_path"),
    )
    op.create_index("ix_public_files_is_pushed", "public_files", ["is_pushed"])


def downgrade() -> None:
    """Takes them back."""
    for name in reversed(_TABLES):
        op.drop_table(name)


def _log() -> None:
    op.create_table(
        "log_cases",
        sa.Column("case_id", sa.String(11), nullable=False),
        sa.Column("pseudonym", sa.LargeBinary, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("case_id", name="pk_log_cases"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_log_cases_case_id"),
        sa.UniqueConstraint("pseudonym", name="uq_log_cases_pseudonym"),
    )
    op.create_table(
        "log_leaves",
        sa.Column("serial", _SERIAL, nullable=False, autoincrement=True),
        sa.Column("kind", sa.Integer, nullable=False),
        sa.Column("code", sa.Integer, nullable=False),
        sa.Column("wait", sa.Integer, nullable=False),
        sa.Column("pseudonym", sa.LargeBinary, nullable=False),
        sa.Column("commitment", sa.LargeBinary, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("act", sa.String(64)),
        sa.Column("nonce", sa.LargeBinary),
        sa.Column("period", sa.Date),
        sa.Column("place", sa.Integer),
        sa.PrimaryKeyConstraint("serial", name="pk_log_leaves"),
        sa.UniqueConstraint("place", name="uq_log_leaves_place"),
    )
    op.create_index("ix_log_leaves_pseudonym", "log_leaves", ["pseudonym"])
    op.create_table(
        "log_checkpoints",
        sa.Column("size", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("is_public", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_log_checkpoints"),
    )
