# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who declined a closing, and the unit of each recipient at arrival."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Adds a table and a column; of older cases the unit is not known."""
    op.create_table(
        "returns",
        sa.Column("serial", _SERIAL, nullable=False, autoincrement=True),
        sa.Column("case_id", sa.String(11), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("target", sa.String(32), nullable=False),
        sa.Column("proposed_by", sa.String(64), nullable=False),
        sa.Column("person", sa.String(64), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("serial", name="pk_returns"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_returns_case_id"),
    )
    op.create_index("ix_returns_case_id", "returns", ["case_id"])
    op.add_column("recipients", sa.Column("unit", sa.String(64)))


def downgrade() -> None:
    """Takes them back."""
    op.drop_column("recipients", "unit")
    op.drop_table("returns")
