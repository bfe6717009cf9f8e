"""The doctor's look at the journal: read beside a running bot, written only by the transfer test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from freqtrade_fundhedge.cli_common import Loaded
from freqtrade_fundhedge.cli_journal_file import Place, alone, opened, stranger_note
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.core.checks import Finding, fail, ok, warn
from freqtrade_fundhedge.errors import JournalError
from freqtrade_fundhedge.journal_locks import held
from freqtrade_fundhedge.journal_open import journal_version
from freqtrade_fundhedge.round_trip import TOPIC, round_trip
from freqtrade_fundhedge.status import read_status
from freqtrade_fundhedge.venue.live import LiveVenue
from freqtrade_fundhedge.venue.port import ZERO


@dataclass(frozen=True)
class Known:
    """What the journal says is ours: coins by name, pairs, and how many hedges are open."""

    coins: dict[str, Decimal]
    pairs: frozenset[str]
    open_hedges: int


def known_hedges(where: Place) -> Known:
    """Hedges that are not over; nothing when there is no journal yet, or it can't be read."""
    try:
        with opened(where) as journal:
            rows = [row for row in journal.unsettled() if row.state != "closed" or row.held > 0]
            coins: dict[str, Decimal] = {}
            for row in rows:
                coin = row.symbol.partition("/")[0]
                coins[coin] = coins.get(coin, ZERO) + row.held
            pairs = frozenset(row.pair for row in rows) | journal.held_by_others()
            return Known(coins, pairs, sum(row.state != "closed" for row in rows))
    except JournalError:
        return Known({}, frozenset(), 0)


def journal_findings(where: Place, now: float) -> Iterator[Finding]:
    """Whether it opens, its version, who works on it, what is unknown and who is called for.

    Raises
    ------
    JournalError : it can't be read; one line with the remedy
    """
    missing = _missing(where)
    if missing is not None:
        yield missing
        return
    with opened(where, check=False) as journal:
        version, known = journal_version(journal.engine)
        if version != known[-1]:
            yield _other_version(where, version, known)
            return
        yield ok("journal", f"{where.shown}, version {version}")
        yield ok("lock", "a bot is running on it" if held(where.url, where.bot) else "no bot is running on it")
        if note := stranger_note(journal):
            yield warn("journal-bot", note)
        status = read_status(journal, now)
    for reason in status.reasons:
        yield fail("calls", reason, "see fundhedge status")
    waiting = len(status.unknown)
    if waiting and not status.reasons:
        yield warn(
            "unknown",
            f"{waiting} of what was sent has no known outcome yet",
            "the bot is looking it up, see fundhedge status",
        )
    elif not status.reasons:
        yield ok("unknown", "no outcome is unknown, nobody is called for")


def _missing(where: Place) -> Finding | None:
    """About a journal that is not there yet; None when there is something to open."""
    url = _parsed(where)
    if url.get_backend_name() != "sqlite":
        return None
    if not url.database or url.database == ":memory:":
        return warn("journal", "kept in memory only: after a restart nothing is known", "set fundhedge.db_url")
    path = Path(url.database)
    if path.exists():
        return None
    if not path.parent.is_dir():
        return fail("journal", f"its folder {path.parent} does not exist", "create it, or change fundhedge.db_url")
    if not os.access(path.parent, os.W_OK):
        return fail("journal", f"its folder {path.parent} can't be written to", "change its owner, or fundhedge.db_url")
    return ok("journal", f"none yet: the bot's first start makes {path}")


def _parsed(where: Place) -> URL:
    try:
        return make_url(where.url)
    except ArgumentError:
        raise JournalError("fundhedge.db_url: not a database URL such as sqlite:///path/journal.sqlite") from None


def _other_version(where: Place, version: str, known: tuple[str, ...]) -> Finding:
    if version in known or not version:
        text = f"{where.shown} is of version {version or 'none'}, this release writes {known[-1]}"
        return warn("journal", text, "the bot's next start brings it up to date")
    text = f"{where.shown} is of version {version}, which this release does not know"
    return fail("journal", text, "install the release that wrote it, or newer")


def transfer_finding(loaded: Loaded, where: Place, venue: LiveVenue) -> Finding:
    """1 USDT there and back, by the bot's own rules; not while a bot works on the journal."""
    url = _parsed(where)
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        return fail(TOPIC, "without a journal on disk nothing is ever sent", "set fundhedge.db_url")
    if held(where.url, where.bot):
        return fail(TOPIC, "a bot is running on this journal", "stop it first; its own sweeps prove the same")
    with alone(where, loaded.config["exchange"]["name"]) as (journal, single):
        stake = str(loaded.config["stake_currency"])
        wait_s = float(venue.api.timeout or 10_000) / 1000
        cross = str(loaded.config.get("margin_mode")) == "cross"
        return round_trip(
            Context(venue, journal, loaded.section, stake, cross, request_timeout_s=wait_s, turn=single.turn)
        )
