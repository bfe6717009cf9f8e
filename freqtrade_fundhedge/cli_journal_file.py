"""The bot's own journal, found as the bot finds it and opened beside it for reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import inspect, make_url

from freqtrade_fundhedge.cli_common import Loaded
from freqtrade_fundhedge.config import bot_name
from freqtrade_fundhedge.errors import JournalError
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_locks import SingleBot, process_lock
from freqtrade_fundhedge.journal_open import default_url, journal_errors
from freqtrade_fundhedge.journal_trail import other_bots
from freqtrade_fundhedge.schema import hedges, metadata


@dataclass(frozen=True)
class Place:
    """Where a bot keeps its journal, and the name that it signs with."""

    url: str
    bot: str

    @property
    def shown(self) -> str:
        """The database for people to read, without a password."""
        url = make_url(self.url)
        return str(url.database) if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)


def place(loaded: Loaded) -> Place:
    """The bot's rules: its own URL, else beside Freqtrade's database; a dry-run signs as one."""
    url = loaded.section.db_url or default_url(str(loaded.config["db_url"]))
    return Place(url, bot_name(loaded.config, bool(loaded.config["dry_run"])))


@contextmanager
def opened(where: Place, check: bool = True) -> Iterator[Journal]:
    """The journal for reading, and only if it is one; `check`: of this release, too.

    Raises
    ------
    JournalError : one line with the remedy
    """
    if where.url in {"sqlite://", "sqlite:///:memory:"}:
        raise JournalError("the journal is kept in memory only (db_url): nobody but the bot can read it")
    journal = Journal(where.url, where.bot, read_only=True)
    try:
        _check_tables(journal, where.shown, check)
        yield journal
    finally:
        journal.close()


@contextmanager
def alone(where: Place, exchange: object) -> Iterator[tuple[Journal, SingleBot]]:
    """The journal for writing, as the one bot of its name on an account.

    Raises
    ------
    JournalError : the bot runs, or the journal can't be written
    """
    single = SingleBot(where.url, where.bot, str(exchange))
    single.acquire()
    try:
        journal = Journal(where.url, where.bot)
        try:
            with process_lock(where.url):
                yield journal, single
        finally:
            journal.close()
    finally:
        single.release()


def stranger_note(journal: Journal) -> str:
    """What to say when the journal has nothing of this bot, but something of others; else ""."""
    others: Sequence[str] = other_bots(journal.engine, journal.bot)
    if not others:
        return ""
    known = ", ".join(f'"{name}"' for name in others)
    return f'Nothing of "{journal.bot}" is in this journal, only of {known}: check bot_name and dry_run.'


def _check_tables(journal: Journal, shown: str, all_of_them: bool) -> None:
    with journal_errors("be read"):
        there = set(inspect(journal.engine).get_table_names())
    if hedges.name not in there:
        raise JournalError(f"{shown} is no journal of this plugin: check fundhedge.db_url")
    if all_of_them and not set(metadata.tables) <= there:
        raise JournalError(
            f"the journal {shown} is of an older release: start the bot once, and it is brought up to date"
        )
