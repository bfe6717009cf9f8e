"""The report of a running bot, for people, for machines, or as a page; read beside it, never written."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from freqtrade_fundhedge.cli_common import Loaded
from freqtrade_fundhedge.cli_journal_file import opened, place, stranger_note
from freqtrade_fundhedge.cli_progress import waiting
from freqtrade_fundhedge.cli_report_file import WIDTH, write_page
from freqtrade_fundhedge.client import user_settings
from freqtrade_fundhedge.errors import ConfigError, VenueError
from freqtrade_fundhedge.journal_trail import Wish
from freqtrade_fundhedge.report.live import LiveReport, live_report
from freqtrade_fundhedge.report.live_records import Shown, json_pieces
from freqtrade_fundhedge.report.live_tables import tables
from freqtrade_fundhedge.report.reconcile import SLACK_S, Reconciliation, reconcile
from freqtrade_fundhedge.report.shorts import read_shorts
from freqtrade_fundhedge.venue.income import income_since

MOST_TRADES = 1000


@dataclass(frozen=True)
class LiveWish:
    """What was asked for: see the options of the same names."""

    wish: Wish
    compare: bool
    trades: bool
    html: Path | None
    as_machine: bool
    quiet: bool = False


def report_live(loaded: Loaded, asked: LiveWish) -> None:
    """Read journal and trades, and show them as asked.

    Raises
    ------
    ConfigError, JournalError, FundHedgeError : one line with the remedy
    """
    with opened(place(loaded)) as journal, waiting("reading the journal"):
        shorts = read_shorts(str(loaded.config["db_url"]))
        report = live_report(journal.engine, journal.bot, shorts, asked.wish)
        notes = [stranger_note(journal)]
    if report.strays:
        notes.append(f"{report.strays} short trades of Freqtrade's have no hedge in the journal and are left out.")
    lost = sum(not hedge.short_known for hedge in report.hedges)
    if lost:
        notes.append(
            f"{lost} hedges have no trade in Freqtrade's database: their short leg is the journal's, fees included."
        )
    found: Reconciliation | None = None
    if asked.compare:
        found, why = _compared(loaded, report)
        notes.append(why)
    shown = Shown(report, _mode(loaded), _exchange(loaded), str(loaded.config["stake_currency"]), found,
                  tuple(filter(None, notes)))  # fmt: skip
    if asked.html is not None:
        _page(asked.html, shown)
    if asked.quiet:
        return
    if asked.as_machine:
        sys.stdout.writelines(json_pieces(shown))
        return
    _print(shown, asked.trades)
    if asked.html is not None:
        typer.echo(f"Page: {asked.html}")


def _mode(loaded: Loaded) -> str:
    return "dry-run" if loaded.config["dry_run"] else "live"


def _exchange(loaded: Loaded) -> str:
    return str(loaded.config["exchange"]["name"]).lower()


def _compared(loaded: Loaded, report: LiveReport) -> tuple[Reconciliation | None, str]:
    """The comparison, and what has to be said about it: at least why there is none."""
    settings: dict[str, Any] = loaded.config["exchange"]
    if loaded.config["dry_run"]:
        return None, "Not compared with the exchange: a dry-run has no account there."
    if not settings.get("key") or not settings.get("secret"):
        return None, "Not compared with the exchange: exchange.key and exchange.secret are not in this configuration."
    if not report.hedges:
        return None, "Not compared with the exchange: there is no hedge to compare."
    keys = {"apiKey": str(settings["key"]), "secret": str(settings["secret"])}
    try:
        with waiting("reading the income history"):
            begin = report.begin - SLACK_S
            since, lines = income_since(_exchange(loaded), user_settings(settings), keys, begin, time.time())
    except (VenueError, ConfigError) as error:
        return None, f"Not compared with the exchange: {error}"
    found = reconcile(report.hedges, lines, since, str(loaded.config["stake_currency"]))
    return found, _about(found)


def _about(found: Reconciliation) -> str:
    told = []
    if left := sum(not one.covered for one in found.hedges):
        told.append(f"{left} hedges are not compared: the exchange keeps three months, and needs Freqtrade's trade.")
    if found.other_coins:
        coins = ", ".join(f"{amount:.8f} {coin}" for coin, amount in sorted(found.other_coins.items()))
        told.append(f"Booked in other coins, not compared: {coins}.")
    return " ".join(told)


def _page(target: Path, shown: Shown) -> None:
    # matplotlib takes half a second to import, and only pages have plots.
    from freqtrade_fundhedge.report.live_page import page_pieces  # noqa: PLC0415

    with waiting("drawing the page"):
        write_page(target, page_pieces(shown))


def _print(shown: Shown, trades: bool) -> None:
    out = Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else WIDTH)
    out.print(f"{shown.mode.capitalize()} on {shown.exchange}\n")
    for table in tables(shown, MOST_TRADES if trades else 0):
        out.print(table)
    for note in shown.notes:
        out.print(note)
    if not shown.report.hedges:
        out.print("No hedge that fits.")
