"""The `settle` command: an outcome that the exchange no longer tells, by a person's word."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final, cast

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from freqtrade_fundhedge.cli_common import ConfigOption, JsonOption, Loaded, load, print_json
from freqtrade_fundhedge.cli_journal_file import Place, alone, opened, place, stranger_note
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.core.intents import FINAL
from freqtrade_fundhedge.errors import ConfigError, JournalError
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_locks import held
from freqtrade_fundhedge.journal_trail import state_of
from freqtrade_fundhedge.settle_by_hand import Verdict, check, outlook, settle
from freqtrade_fundhedge.status import PATIENCE_S, Unknown, minutes, unknown_intents
from freqtrade_fundhedge.trail_text import plain
from freqtrade_fundhedge.venue.port import Venue

WIDTH: Final = 80
NEEDS_A_PERSON: Final = 1

TookOption = Annotated[bool, typer.Option("--took-effect", help="The exchange has carried it out.")]
NeverOption = Annotated[bool, typer.Option("--never-arrived", help="Nothing came of it, and nothing will.")]
FilledOption = Annotated[
    str, typer.Option(metavar="AMOUNT", help="Of an order or a close that took effect: coins filled, before fees.")
]
PriceOption = Annotated[str, typer.Option(metavar="PRICE", help="Of an order that filled: its average price.")]
FeeOption = Annotated[
    list[str] | None,
    typer.Option(metavar="COIN=AMOUNT", help="Of an order that filled: its fee, 0 for none; repeatable."),
]


def settle_command(
    intent: Annotated[str, typer.Argument(metavar="INTENT", help="Its id; without one all are listed.")] = "",
    config: ConfigOption = None,
    took_effect: TookOption = False,
    never_arrived: NeverOption = False,
    filled: FilledOption = "",
    price: PriceOption = "",
    fee: FeeOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")] = False,
    as_machine: JsonOption = False,
) -> None:
    """List what has no known outcome, and settle by hand what the exchange will never tell.

    The bot looks each up for as long as it takes and enters nothing until then. Settle one only when the bot has
    failed to for long, and after a look at the exchange's own pages: what you say is written as if the exchange had
    said it, with a note that a person did. Nothing is sent. The list is safe beside a running bot; to settle, stop it.

    \b
    Examples:
      fundhedge settle -c config.json
      fundhedge settle fh-0975ndoj592eudj54h40qubvur --never-arrived
      fundhedge settle fh-0975ndoj592eudj54h40qubvur --took-effect \\
        --filled 0.02 --price 50000.5 --fee BTC=0.00002
    """
    if intent and took_effect is never_arrived:
        raise ConfigError("--took-effect or --never-arrived: one of the two is needed, what became of it")
    if not intent and (took_effect or never_arrived or filled or price or fee or yes):
        raise ConfigError("INTENT: which one? fundhedge settle lists them")
    verdict = Verdict(took_effect, _number("--filled", filled), _number("--price", price), _fees(fee or []))
    loaded = load(config)
    if _looked(place(loaded), intent, verdict, as_machine):
        _settle(loaded, place(loaded), intent, verdict, yes, as_machine)


def _looked(where: Place, intent: str, verdict: Verdict, as_machine: bool) -> bool:
    """List, or see whether the verdict can be written; reads only. True when it is to be."""
    with opened(where) as journal:
        unknown = unknown_intents(journal, time.time())
        if not intent:
            _list(unknown, stranger_note(journal), as_machine)
            return False
        check(_chosen(journal, unknown, intent), verdict)
    if held(where.url, where.bot):
        raise JournalError("the bot is running and looks it up by itself: stop it to settle by hand")
    return True


def _settle(loaded: Loaded, where: Place, intent: str, verdict: Verdict, yes: bool, as_machine: bool) -> None:
    with alone(where, loaded.config["exchange"]["name"]) as (journal, _):
        # A person has answered in the exchange's place, so none is connected.
        ctx = Context(cast("Venue", None), journal, loaded.section, str(loaded.config["stake_currency"]))
        unknown = _chosen(journal, unknown_intents(journal, time.time()), intent)
        check(unknown, verdict)
        lines = [plain(line) for line in outlook(ctx, unknown, verdict)]
        _console(as_machine).print("\n".join(lines))
        if not yes:
            if unknown.age_s < PATIENCE_S:
                typer.echo(f"It was sent {minutes(unknown.age_s)} ago: the bot may still find out.", err=True)
            if not typer.confirm("Write this?", err=as_machine):
                typer.echo("Nothing was written.", err=as_machine)
                raise typer.Exit(NEEDS_A_PERSON)
        settle(ctx, unknown, verdict)
        state = state_of(journal.engine, intent)
    if as_machine:
        print_json({"intent_id": intent, "kind": unknown.kind, "state": state, "written": lines})
    else:
        typer.echo("Written.")


def _chosen(journal: Journal, unknown: Sequence[Unknown], intent: str) -> Unknown:
    for one in unknown:
        if one.row.intent_id == intent:
            return one
    state = state_of(journal.engine, intent)
    if state is None:
        raise ConfigError(f"{plain(intent)}: no such intent; fundhedge settle lists what has no known outcome")
    if state in FINAL:
        raise ConfigError(f"{intent}: is {state} already, and stays so")
    raise ConfigError(f"{intent}: is another bot's on this journal, check bot_name and dry_run")


def _number(option: str, text: str) -> Decimal | None:
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or number < 0:
        raise ConfigError(f"{option} {text!r}: a number like 0.02 is expected")
    return number


def _fees(texts: Sequence[str]) -> dict[str, Decimal] | None:
    if not texts:
        return None
    fees: dict[str, Decimal] = {}
    for text in texts:
        coin, equals, amount = text.partition("=")
        if not equals and not _number("--fee", text):
            continue
        number = _number("--fee", amount)
        if not coin or number is None or coin in fees:
            raise ConfigError(f"--fee {text!r}: once for each coin, like BNB=0.0012; 0 if there was none")
        fees[coin] = number
    return fees


def _list(unknown: Sequence[Unknown], note: str, as_machine: bool) -> None:
    if as_machine:
        print_json([_as_json(one) for one in unknown])
        return
    out = _console()
    if not unknown:
        out.print(note or "No outcome is unknown.")
        return
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("intent", no_wrap=True)
    table.add_column("what, and what is known", overflow="fold")
    for one in unknown:
        row = one.row
        since = row.sent_at[:16].replace("T", " ")
        known = [f"{one.text}: {row.state}", row.answer, f"waits for {one.waiting_for}"]
        what = "\n".join(plain(line) for line in known if line)
        table.add_row(f"{row.intent_id}\n{one.kind}, {since} UTC", Text(what))
    out.print(table)


def _console(err: bool = False) -> Console:
    width = None if sys.stdout.isatty() else WIDTH
    return Console(highlight=False, markup=False, emoji=False, width=width, stderr=err)


def _as_json(one: Unknown) -> dict[str, Any]:
    values = {name: f"{v:f}" if isinstance(v, Decimal) else v for name, v in asdict(one.row).items()}
    shown = {"kind": one.kind, "text": one.text, "age_s": round(one.age_s, 1), "waiting_for": one.waiting_for}
    return {**values, **shown}
