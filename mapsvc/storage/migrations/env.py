"""Alembic's way in: it runs on the connection and in the transaction that `storage.migrate` hands it."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=None,  # the revisions name their tables; what a later model says must not change them
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
