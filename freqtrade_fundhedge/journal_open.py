"""Opening the journal's database: place, durability, migrations, and the lock against a second bot."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from freqtrade_fundhedge.errors import JournalError, redact

_locks: dict[str, threading.RLock] = {}
_locks_guard = threading.Lock()


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


def process_lock(url: str) -> threading.RLock:
    """One lock per journal in this process: threads, and the strategy object that a reload puts beside the old one."""
    with _locks_guard:
        return _locks.setdefault(url, threading.RLock())


def open_engine(url: str, read_only: bool = False) -> Engine:
    """An engine on the migrated journal.

    Raises
    ------
    JournalError : one line that names the database and the remedy
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise JournalError("fundhedge.db_url: not a database URL such as sqlite:///path/journal.sqlite") from None
    shown = parsed.render_as_string(hide_password=True)
    if parsed.get_backend_name() == "sqlite":
        _prepare_file(parsed, read_only)
    try:
        engine = create_engine(parsed)
        if parsed.get_backend_name() == "sqlite":
            event.listen(engine, "connect", _sqlite_pragmas)
        with engine.connect() as connection:
            if not read_only:
                _migrate(connection)
        return engine
    except (SQLAlchemyError, ImportError, OSError) as error:
        raise JournalError(f"the journal {shown} can't be opened: {_first_line(error)}") from None


def _prepare_file(url: URL, read_only: bool) -> None:
    if not url.database or url.database == ":memory:":
        return
    path = Path(url.database)
    if read_only and not path.exists():
        raise JournalError(f"there is no journal at {path} yet: start the bot first, or check fundhedge.db_url")
    if not path.parent.is_dir():
        raise JournalError(f"the journal's folder {path.parent} does not exist: create it, or change fundhedge.db_url")


def _sqlite_pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    # A row must be on disk before the request it stands for leaves the machine, power cut included.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _migrate(connection: Connection) -> None:
    # Alembic talks while it is imported; a trader's log has better uses.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config as AlembicConfig  # noqa: PLC0415
    from alembic.util.exc import CommandError  # noqa: PLC0415

    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    if connection.dialect.name == "sqlite":
        # All tables or none: by itself SQLite commits each, and a bot stopped in between could never start again.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise JournalError(
            f"the journal's tables are of a version that this release does not know ({_first_line(error)}): "
            "install the release that wrote it, or newer"
        ) from None
    connection.commit()


def _first_line(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    return redact((str(cause).strip() or type(cause).__name__).splitlines()[0])


@contextmanager
def journal_errors(doing: str) -> Iterator[None]:
    """Turn any database error into one `JournalError` line."""
    try:
        yield
    except SQLAlchemyError as error:
        raise JournalError(f"the journal can't {doing}: {_first_line(error)}; no money moves until it can") from None


class SingleBot:
    """Held for as long as a bot runs on a journal; a second process is refused.

    SQLite: a lock file beside the database. The lock goes with the process, however it ends.
    """

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self._lock: FileLock | None = None
        if parsed.get_backend_name() == "sqlite" and parsed.database and parsed.database != ":memory:":
            self._lock = FileLock(f"{parsed.database}.lock", is_singleton=True)

    def acquire(self) -> None:
        """Raises JournalError when another process holds it."""
        if self._lock is None:
            return
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            raise JournalError(
                f"another bot already works on this journal ({self._lock.lock_file}): stop it, "
                "or give this one its own fundhedge.db_url"
            ) from None
        except OSError as error:
            raise JournalError(f"the journal's lock {self._lock.lock_file} can't be made: {error.strerror}") from None

    def release(self) -> None:
        """Let the next bot in; harmless when nothing is held."""
        if self._lock is not None and self._lock.is_locked:
            self._lock.release()
