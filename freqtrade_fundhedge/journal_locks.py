"""Who may work on a journal: one process a bot, and one bot an account at a time.

SQLite: a lock file beside the database. PostgreSQL: advisory locks of one connection that is used for nothing else.
Either goes with the process, however it ends.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, NullPool, create_engine, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from freqtrade_fundhedge.errors import JournalError
from freqtrade_fundhedge.journal_open import POSTGRES_WAIT_S, first_line, postgres_options, with_driver

_locks: dict[str, threading.RLock] = {}
_locks_guard = threading.Lock()


def process_lock(url: str) -> threading.RLock:
    """One lock per journal in this process: threads, and the strategy object that a reload puts beside the old one."""
    with _locks_guard:
        return _locks.setdefault(url, threading.RLock())


class SingleBot:
    """Held for as long as a bot runs on a journal; a second process is refused.

    Parameters
    ----------
    url : of the journal
    bot, account : names that tell bots on one journal, and accounts, apart
    """

    def __init__(self, url: str, bot: str = "", account: str = "") -> None:
        parsed = with_driver(make_url(url))
        self._file: FileLock | None = None
        self._server: _ServerLocks | None = None
        if parsed.get_backend_name() == "postgresql":
            self._server = _ServerLocks(parsed, bot, account)
        elif parsed.database and parsed.database != ":memory:":
            self._file = FileLock(f"{parsed.database}.lock", is_singleton=True)

    def acquire(self) -> None:
        """Raises JournalError when another process holds it."""
        if self._server is not None:
            self._server.ensure()
        if self._file is None:
            return
        try:
            self._file.acquire(blocking=False)
        except Timeout:
            raise JournalError(
                f"another bot already works on this journal ({self._file.lock_file}): stop it, "
                "or give this one its own fundhedge.db_url"
            ) from None
        except OSError as error:
            raise JournalError(f"the journal's lock {self._file.lock_file} can't be made: {error.strerror}") from None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """While it lasts, no other bot on this journal moves money on the account.

        Raises
        ------
        JournalError : another bot has been busy for too long, or the database is gone
        """
        if self._server is None:
            yield
            return
        self._server.take_turn()
        try:
            yield
        finally:
            self._server.end_turn()

    def release(self) -> None:
        """Let the next bot in; harmless when nothing is held."""
        if self._server is not None:
            self._server.drop()
        if self._file is not None and self._file.is_locked:
            self._file.release()


class _ServerLocks:
    """Advisory locks. They go with the connection, so a lost one is made again before anything else is done."""

    def __init__(self, url: URL, bot: str, account: str) -> None:
        self._engine: Engine = create_engine(
            url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=postgres_options()
        )
        self._bot, self._bot_key, self._account_key = bot, _key("bot", bot), _key("account", account)
        self._connection: Connection | None = None

    def ensure(self) -> Connection:
        """A live connection that holds the bot's lock."""
        if self._connection is not None:
            try:
                self._connection.execute(text("SELECT 1"))
                return self._connection
            except DBAPIError:
                self.drop()
        try:
            self._connection = self._engine.connect()
            won = self._connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._bot_key})
        except SQLAlchemyError as error:
            self.drop()
            raise JournalError(f"the journal's database can't be reached: {first_line(error)}") from None
        if not won:
            self.drop()
            raise JournalError(
                f'another bot named "{self._bot}" works on this journal: stop it, or give this one its own bot_name'
            )
        return self._connection

    def take_turn(self) -> None:
        """Wait for other bots on the account, not for ever."""
        connection = self.ensure()
        try:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": self._account_key})
        except SQLAlchemyError:
            raise JournalError(
                f"another bot has been at work on this account for {POSTGRES_WAIT_S} s: its turn first"
            ) from None

    def end_turn(self) -> None:
        """A connection that is lost has given its locks back already."""
        if self._connection is not None:
            with suppress(SQLAlchemyError):
                self._connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": self._account_key})

    def drop(self) -> None:
        """Close the connection, and with it both locks."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):
                connection.close()


def _key(kind: str, name: str) -> int:
    """PostgreSQL's advisory locks are named by 64-bit numbers."""
    digest = hashlib.sha256(f"freqtrade-fundhedge\x1f{kind}\x1f{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def held(url: str, bot: str) -> bool:
    """Whether a bot works on a journal now; leaves no trace and takes nothing for longer than the look.

    Raises
    ------
    JournalError : the database can't be reached
    """
    parsed = with_driver(make_url(url))
    if parsed.get_backend_name() == "postgresql":
        return _held_on_server(parsed, _key("bot", bot))
    if not parsed.database or not Path(f"{parsed.database}.lock").exists():
        return False
    look = FileLock(f"{parsed.database}.lock")
    try:
        look.acquire(blocking=False)
    except Timeout:
        return True
    except OSError as error:
        raise JournalError(f"the journal's lock {look.lock_file} can't be read: {error.strerror}") from None
    look.release()
    return False


def _held_on_server(url: URL, key: int) -> bool:
    """Looked up, not tried: a bot that starts at this moment must not meet us."""
    high, low = divmod(key & 0xFFFFFFFFFFFFFFFF, 1 << 32)
    engine = create_engine(url, poolclass=NullPool, connect_args=postgres_options())
    query = text(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 "
        "AND CAST(CAST(classid AS text) AS bigint) = :high AND CAST(CAST(objid AS text) AS bigint) = :low"
    )
    try:
        with engine.connect() as connection:
            return bool(connection.scalar(query, {"high": high, "low": low}))
    except SQLAlchemyError as error:
        raise JournalError(f"the journal's database can't be reached: {first_line(error)}") from None
