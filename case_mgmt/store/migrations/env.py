# SPDX-License-Identifier: AGPL-3.0-or-later
"""Runs migrations on the connection that the store hands over; Alembic loads this file by path.

Invariants: each migration is one transaction, and no connection is ever made from an address, so
no key can stand in one.
"""

from alembic import context

from case_mgmt.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
