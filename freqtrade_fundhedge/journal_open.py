"""Opening the journal's database: place, durability, migrations."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from freqtrade_fundhedge.errors import JournalError, redact

POSTGRES_WAIT_S = 5
POSTGRES_STATEMENT_S = 15
MIGRATION_LOCK = 8_210_047_113


def default_url(freqtrade_db_url: str) -> str:
    """The journal beside Freqtrade's own SQLite file; a file in the working folder for any other database."""
    try:
        url = make_url(freqtrade_db_url)
    except ArgumentError:
        url = make_url("sqlite:///tradesv3.sqlite")
    if url.get_backend_name() != "sqlite":
        return "sqlite:///fundhedge.sqlite"
    if not url.database or url.database == ":memory:":
        return "sqlite://"
    path = Path(url.database)
    return f"sqlite:///{path.with_name(path.stem + '-fundhedge.sqlite')}"


def open_engine(url: str, read_only: bool = False) -> Engine:
    """An engine on the migrated journal.

    Raises
    ------
    JournalError : one line that names the database and the remedy
    """
    try:
        parsed = with_driver(make_url(url))
    except ArgumentError:
        raise JournalError("fundhedge.db_url: not a database URL such as sqlite:///path/journal.sqlite") from None
    shown = parsed.render_as_string(hide_password=True)
    try:
        if parsed.get_backend_name() == "sqlite":
            _prepare_file(parsed, read_only)
        engine = _engine(parsed, read_only)
        try:
            with engine.connect() as connection:
                if not read_only:
                    _migrate(connection)
        except BaseException:
            engine.dispose()
            raise
        return engine
    except (SQLAlchemyError, ImportError, OSError) as error:
        raise JournalError(f"the journal {shown} can't be opened: {first_line(error)}") from None


def _engine(url: URL, read_only: bool) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, connect_args=postgres_options())
    engine = create_engine(url)
    # A reader changes nothing, not even the mode of a file that turns out not to be a journal.
    event.listen(engine, "connect", sqlite_reader if read_only else _sqlite_pragmas)
    if url.database and url.database != ":memory:":
        event.listen(engine, "begin", _StillThere(Path(url.database)))
    return engine


def with_driver(url: URL) -> URL:
    """`postgresql://` means the driver that this package asks for."""
    return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url


def postgres_options() -> dict[str, object]:
    """Nothing on the server may hold a loop up for longer than a request to the exchange would."""
    waits = f"-c lock_timeout={POSTGRES_WAIT_S}s -c statement_timeout={POSTGRES_STATEMENT_S}s"
    return {"connect_timeout": POSTGRES_WAIT_S, "options": waits}


class _StillThere:
    """Refuses a transaction when the file has been moved away: SQLite would go on writing to what nobody can find."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.inode: int | None = None

    def __call__(self, _connection: Connection) -> None:
        try:
            inode = os.stat(self.path).st_ino  # noqa: PTH116 - on every transaction, so without a Path's detours
        except OSError:
            raise JournalError(
                f"the journal's file {self.path} is gone: put it back; no money moves until then"
            ) from None
        if self.inode is None:
            self.inode = inode
        if inode != self.inode:
            raise JournalError(f"the journal's file {self.path} was replaced by another one: restart the bot")


def _prepare_file(url: URL, read_only: bool) -> None:
    if not url.database or url.database == ":memory:":
        return
    path = Path(url.database)
    if read_only and not path.exists():
        raise JournalError(f"there is no journal at {path} yet: start the bot first, or check fundhedge.db_url")
    if not path.parent.is_dir():
        raise JournalError(f"the journal's folder {path.parent} does not exist: create it, or change fundhedge.db_url")


def sqlite_reader(connection: Any, _record: object) -> None:
    """For a connection that must not change anything, and waits a little while somebody else writes."""
    connection.execute("PRAGMA query_only=ON")
    connection.execute("PRAGMA busy_timeout=5000")


def _sqlite_pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    # A row must be on disk before the request it stands for leaves the machine, power cut included.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def version_seen(db: Connection) -> tuple[object, int] | None:
    """Another one once anybody else has written; of one connection, and so with its mark. None: not to be had here."""
    if db.dialect.name != "sqlite":
        return None
    mark = db.info.setdefault("fundhedge", object())
    return mark, int(db.exec_driver_sql("PRAGMA data_version").scalar_one())


def journal_version(engine: Engine) -> tuple[str, tuple[str, ...]]:
    """The version of a journal's tables, "" without one, and those that this release knows, oldest first."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    known = [script.revision for script in ScriptDirectory.from_config(_alembic()).walk_revisions()]
    with journal_errors("be read"), engine.connect() as db:
        version = db.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return str(version or ""), tuple(reversed(known))


def _alembic() -> Any:
    # Alembic talks while it is imported; a trader's log has better uses.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from alembic.config import Config as AlembicConfig  # noqa: PLC0415

    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def _migrate(connection: Connection) -> None:
    config = _alembic()
    from alembic import command  # noqa: PLC0415
    from alembic.util.exc import CommandError  # noqa: PLC0415

    config.attributes["connection"] = connection
    if connection.dialect.name == "sqlite":
        # All tables or none: by itself SQLite commits each, and a bot stopped in between could never start again.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        # Several bots may start at once on the same new database.
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
    try:
        command.upgrade(config, "head")
        # A file that may only be read opens without complaint; better to hear of it now than before the first order.
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = version_num")
    except CommandError as error:
        raise JournalError(
            f"the journal's tables are of a version that this release does not know ({first_line(error)}): "
            "install the release that wrote it, or newer"
        ) from None
    connection.commit()


def first_line(error: BaseException) -> str:
    """What the database said, on one line and without secrets."""
    cause = getattr(error, "orig", None) or error
    return redact((str(cause).strip() or type(cause).__name__).splitlines()[0])


@contextmanager
def journal_errors(doing: str) -> Iterator[None]:
    """Turn any database error into one `JournalError` line."""
    try:
        yield
    except SQLAlchemyError as error:
        raise JournalError(f"the journal can't {doing}: {first_line(error)}; no money moves until it can") from None
