"""Run by Alembic with the journal's own connection; there is no alembic.ini and no offline mode."""

from alembic import context

from freqtrade_fundhedge.schema import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, transaction_per_migration=True
)
with context.begin_transaction():
    context.run_migrations()
