"""Runs migrations on the connection that `qumulus.storage.database.schema.upgrade` gives."""

from alembic import context

from qumulus.storage.database.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
