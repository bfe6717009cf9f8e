"""Alembic's migrations of the journal; `Journal.open` runs them."""
