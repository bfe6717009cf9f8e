"""The `sweep` command: what the bot would sweep, by hand."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from freqtrade_fundhedge.cli_common import ConfigOption, JsonOption, Loaded, load, print_json
from freqtrade_fundhedge.cli_journal_file import Place, alone, opened, place
from freqtrade_fundhedge.cli_progress import waiting
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.errors import ConfigError, Denied, JournalError, StartRefused
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_locks import SingleBot, held
from freqtrade_fundhedge.messages import transfer
from freqtrade_fundhedge.sweep_by_hand import Outlook, Swept, by_hand, outlook, sweep, told
from freqtrade_fundhedge.trail_text import plain
from freqtrade_fundhedge.venue.connect import connect_account, connect_public, credentials
from freqtrade_fundhedge.venue.live import LiveVenue

WIDTH: Final = 80
NEEDS_A_PERSON: Final = 1
NAMES: Final = {
    "wallet": "futures wallet",
    "withdrawable": "of it, can be withdrawn",
    "stress_buffer": "open shorts need free",
    "keep": "keep_usdt",
    "freed": "freed by exits, not swept",
}


def sweep_command(
    config: ConfigOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be swept, and send nothing.")] = False,
    as_machine: JsonOption = False,
) -> None:
    """Sweep USDT from the futures to the spot wallet by hand, by the bot's own rules and journal.

    What open shorts need, keep_usdt and, with fund_entries: false, your own float stay where they are. A transfer
    without a known outcome is looked up first. Nothing is ever topped up. While the bot runs it sweeps by itself, and
    only --dry-run works. A dry-run configuration has no wallets outside its bot, so there is nothing to sweep by hand.

    \b
    Examples:
      fundhedge sweep -c config.json --dry-run
      fundhedge sweep -c config.json -c keys.json
      fundhedge sweep -c config.json --json
    """
    loaded = load(config)
    where = place(loaded)
    _check(loaded, where)
    if not dry_run:
        _check_alone(where)
    with waiting("asking the exchange"):
        venue = _account(loaded)
        done = _outlook(loaded, where, venue) if dry_run else _sweep(loaded, where, venue)
    text = _intention(done) if dry_run else told(done)
    if as_machine:
        print_json(_as_json(done, text, dry_run))
    else:
        _print(done, text, str(loaded.config["stake_currency"]))
    raise typer.Exit(NEEDS_A_PERSON if done.trouble else 0)


def _check(loaded: Loaded, where: Place) -> None:
    """Refuse what can't be swept by hand, before anything is asked."""
    if loaded.config["dry_run"]:
        raise ConfigError(
            "dry_run: paper wallets live in their bot, which sweeps them by itself; set it to false to sweep real ones"
        )
    if not loaded.section.transfer.enabled:
        raise ConfigError("fundhedge.transfer.enabled: is false, so nothing may be moved")
    keys = credentials(loaded.config["exchange"])
    if not (keys.get("apiKey") and keys.get("secret")) and not keys.get("privateKey"):
        raise ConfigError(
            "exchange.key and exchange.secret: needed to sweep; put them into a second -c file, or into "
            "FREQTRADE__EXCHANGE__KEY and FREQTRADE__EXCHANGE__SECRET"
        )
    try:
        make_url(where.url)
    except ArgumentError:
        raise ConfigError("fundhedge.db_url: not a database URL such as sqlite:///path/journal.sqlite") from None
    if where.url in {"sqlite://", "sqlite:///:memory:"}:
        raise ConfigError("fundhedge.db_url: a journal in memory would forget the sweep; name a file")


def _check_alone(where: Place) -> None:
    if held(where.url, where.bot):
        raise JournalError("the bot is running and sweeps by itself: stop it to sweep by hand, or look with --dry-run")


def _account(loaded: Loaded) -> LiveVenue:
    """The account, if the bot would start on it."""
    exchange, stake = loaded.config["exchange"], str(loaded.config["stake_currency"])
    venue = connect_account(connect_public(exchange), exchange, loaded.section.spot, stake)
    try:
        reasons = venue.refuse_reasons()
    except Denied as error:
        raise StartRefused(f"exchange.key: the exchange refuses the key: {error}") from None
    if reasons:
        raise StartRefused("; ".join(reasons))
    if not venue.separate_wallets:
        raise ConfigError(f"exchange.name: spot and futures are one account at {venue.name}, nothing has to be swept")
    return venue


@contextmanager
def _context(loaded: Loaded, journal: Journal, venue: LiveVenue, single: SingleBot) -> Iterator[Context]:
    config, wait_s = loaded.config, float(venue.api.timeout or 10_000) / 1000
    cross = str(config.get("margin_mode")) == "cross"
    stake = str(config["stake_currency"])
    yield Context(venue, journal, loaded.section, stake, cross, request_timeout_s=wait_s, turn=single.turn)


def _outlook(loaded: Loaded, where: Place, venue: LiveVenue) -> Swept:
    """Beside a running bot: the journal is only read, and no lock is taken."""
    single = SingleBot(where.url, where.bot, str(loaded.config["exchange"]["name"]))
    with opened(where) as journal, _context(loaded, journal, venue, single) as ctx:
        unknown = [f"{transfer(row)}: outcome not known, looked up first" for row in journal.open_transfers()]
        return Swept(outlook(ctx, by_hand(ctx)), unknown)


def _sweep(loaded: Loaded, where: Place, venue: LiveVenue) -> Swept:
    with (
        alone(where, loaded.config["exchange"]["name"]) as (journal, single),
        _context(loaded, journal, venue, single) as ctx,
    ):
        return sweep(ctx)


def _intention(done: Swept) -> str:
    there = done.outlook
    if there is None or not there.amount:
        return there.why if there is not None else ""
    return f"--dry-run: nothing was sent; it would be at most {_money(there.amount)}"


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def _as_json(done: Swept, text: str, dry_run: bool) -> dict[str, Any]:
    there = done.outlook
    return {
        "dry_run": dry_run,
        "settled_first": list(done.found),
        "figures": {name: f"{value:f}" for name, value in there.figures.items()} if there is not None else None,
        "stress_by": there.stress_by if there is not None else None,
        "to_sweep": f"{there.amount:f}" if there is not None else None,
        "transfer": _exact(asdict(done.row)) if done.row is not None else None,
        "result": text,
        "needs_a_person": done.trouble,
    }


def _exact(values: dict[str, Any]) -> dict[str, Any]:
    return {name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in values.items()}


def _print(done: Swept, text: str, stake: str) -> None:
    out = Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else WIDTH)
    for line in done.found:
        out.print(plain(line))
    if done.outlook is not None:
        out.print(_table(done.outlook, stake))
        if done.outlook.account.positions:
            out.print(f"Price rise to live through: {plain(done.outlook.stress_by)}")
        out.print()
    out.print(plain(text), style="bold red" if done.trouble else "")


def _table(there: Outlook, stake: str) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in there.figures.items():
        table.add_row(f"{NAMES[name]}, {stake}", _money(value))
    table.add_row(f"to sweep, {stake}", _money(there.amount))
    return table
