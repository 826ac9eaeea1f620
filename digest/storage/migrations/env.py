"""Alembic's entry: runs the revisions over the connection `storage.schema` hands it."""

from alembic import context

from digest.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite cannot alter most columns in place: batch mode copies the table.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
