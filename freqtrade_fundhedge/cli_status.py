"""The `status` command: what is open, what is unknown, and whether a person is needed."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from freqtrade_fundhedge.cli_common import ConfigOption, JsonOption, load
from freqtrade_fundhedge.cli_journal_file import Place, opened, place, stranger_note
from freqtrade_fundhedge.cli_status_exchange import Exchange, lines
from freqtrade_fundhedge.cli_status_exchange import as_json as reading_as_json
from freqtrade_fundhedge.errors import JournalError, VenueError, in_words
from freqtrade_fundhedge.journal_rows import HedgeRow, iso
from freqtrade_fundhedge.status import OpenHedge, Status, Unknown, minutes, read_status
from freqtrade_fundhedge.trail_text import coins, name_of, plain

WIDTH = 80  # of output that goes into a file or a pipe
NEEDS_A_PERSON = 1


def status_command(
    config: ConfigOption = None,
    watch: Annotated[
        int | None,
        typer.Option(metavar="SECONDS", help="Show it again and again, until Ctrl-C.", min=1, max=86_400),
    ] = None,
    exchange: Annotated[
        bool, typer.Option("--exchange", help="Also ask the exchange: both legs, prices, margin, wallets.")
    ] = False,
    as_machine: JsonOption = False,
) -> None:
    """Show open hedges, transfers and what is unknown, from the bot's journal.

    Nothing is written and, without --exchange, nothing asked of the exchange: safe beside a running bot. Exit code 1
    when something needs a person: an outcome unknown or a hedge unhedged for more than 10 minutes, a call that still
    stands, or an exchange that can't be read.

    \b
    Examples:
      fundhedge status -c config.json
      fundhedge status -c config.json --exchange --watch 10
      fundhedge status -c config.json --json
    """
    loaded = load(config)
    where, beyond = place(loaded), Exchange(loaded) if exchange else None
    code = _once(where, as_machine, beyond) if watch is None else _again_and_again(where, as_machine, watch, beyond)
    raise typer.Exit(code)


def _once(where: Place, as_machine: bool, beyond: Exchange | None = None, one_line: bool = False) -> int:
    reading, trouble = None, ""
    with opened(where) as journal:
        now = time.time()
        status = read_status(journal, now)
        note = stranger_note(journal)
        if beyond is not None:
            try:
                reading = beyond.look(journal, now)
            except VenueError as error:
                trouble = f"the exchange can't be read: {in_words(str(error))}"
    if as_machine:
        answer = _as_json(status, where)
        if beyond is not None:
            answer["exchange"] = reading_as_json(reading) if reading is not None else {"error": trouble}
        typer.echo(json.dumps(answer, default=str, indent=None if one_line else 2))
    else:
        _print(status, where, note, list(lines(reading, beyond.stake)) if beyond and reading else [trouble])
    return NEEDS_A_PERSON if status.reasons or trouble else 0


def _again_and_again(where: Place, as_machine: bool, seconds: int, beyond: Exchange | None) -> int:
    """Until Ctrl-C. A journal that can't be read now may be there the next time: the bot restarts, too."""
    screen, code = Console(), 0
    try:
        while True:
            if not as_machine and screen.is_terminal:
                screen.clear()
            try:
                code = _once(where, as_machine, beyond, one_line=True)
            except JournalError as error:
                code = NEEDS_A_PERSON
                typer.echo(f"fundhedge: {error}", err=True)
            sys.stdout.flush()
            time.sleep(seconds)
    except KeyboardInterrupt:
        return code


def _as_json(status: Status, where: Place) -> dict[str, Any]:
    hedges = [
        {**_exact(asdict(h.row)), "delta": f"{h.delta:f}", "balance": h.balance, "unhedged_s": round(h.unhedged_s, 1)}
        for h in status.hedges
    ]
    unknown = [
        {
            "kind": u.kind,
            "text": u.text,
            "age_s": round(u.age_s, 1),
            "waiting_for": u.waiting_for,
            **_exact(asdict(u.row)),
        }
        for u in status.unknown
    ]
    return {
        "at": iso(status.at),
        "bot": status.bot,
        "journal": where.shown,
        "last_event_at": status.last_event_at or None,
        "needs_a_person": list(status.reasons),
        "hedges": hedges,
        "closed": [_exact(asdict(row)) for row in status.closed],
        "unknown": unknown,
        "transfers": [_exact(asdict(row)) for row in status.transfers],
        "attention": [{**asdict(call.row), "open": call.is_open} for call in status.calls],
    }


def _exact(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in fields.items()}


def _print(status: Status, where: Place, note: str, at_exchange: Sequence[str]) -> None:
    out = Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else WIDTH)
    seen = f"last event {_when(status.last_event_at)}" if status.last_event_at else "no event yet"
    out.print(f"{status.bot}, {iso(status.at)[:19].replace('T', ' ')} UTC, {seen}")
    out.print(f"Journal: {where.shown}", soft_wrap=True)
    for line in (note, "" if status.hedges else "No open hedge."):
        if line:
            out.print(f"\n{line}")
    for table in _tables(status):
        out.print()
        out.print(table)
    if any(at_exchange):
        out.print("\nAt the exchange")
    for line in at_exchange:
        out.print(plain(line))
    _print_unknown(out, status.unknown)
    if status.calls:
        out.print("\nCalls for a person")
        for call in status.calls:
            _print_indented(out, f"{_when(call.row.at)} {'open' if call.is_open else 'over'}  {call.row.message}")
    out.print()
    if not status.reasons:
        out.print("Nothing needs a person.")
    for reason in status.reasons:
        out.print(Text(f"Needs a person: {plain(reason)}", style="bold red"))


def _tables(status: Status) -> Iterator[Table]:
    if status.hedges:
        yield _hedge_table(status.hedges)
        yield _money_table("Earned so far", [h.row for h in status.hedges], ("freed", "swept"))
    if status.closed:
        yield _money_table("Closed last", status.closed, ("together",))
    if status.transfers:
        table = _table("Last transfers", "decided", "transfer", "attempts", "state")
        for row in status.transfers:
            table.add_row(_when(row.created_at), name_of(row), str(row.attempts), str(row.state))
        yield table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index > 1 else "left", overflow="fold")
    return table


def _hedge_table(hedges: Sequence[OpenHedge]) -> Table:
    table = _table("Open hedges", "pair", "since", "wanted", "held", "delta", "", "state")
    for hedge in hedges:
        row = hedge.row
        balance = f"unhedged {minutes(hedge.unhedged_s)}" if hedge.balance == "unhedged" else hedge.balance
        style = "bold red" if hedge.balance == "unhedged" else ""
        delta = f"{hedge.delta.normalize():+f}" if hedge.delta else "0"
        cells = (row.pair.partition(":")[0], _when(row.opened_at), coins(row.wanted), coins(row.held), delta)
        table.add_row(*cells, balance, row.state, style=style)
    return table


def _money_table(title: str, rows: Sequence[HedgeRow], more: Sequence[str]) -> Table:
    """What the journal knows, in quote; the spot cash of an open hedge is what its coins cost."""
    table = _table(
        f"{title}, {rows[0].symbol.partition('/')[2]}", "pair", "", "funding", "short", "spot", "spot fees", *more
    )
    for row in rows:
        money = {
            "freed": f"{row.freed:,.2f}",
            "swept": f"{row.swept:,.2f}",
            "together": f"{row.short_realised + row.spot_cash:+,.2f}",
        }
        known = (
            f"{row.funding:+,.2f}",
            f"{row.short_realised:+,.2f}",
            f"{row.spot_cash:+,.2f}",
            f"{row.spot_fees:,.2f}",
        )
        when = _when(row.closed_at) if row.closed_at else ""
        table.add_row(row.pair.partition(":")[0], when, *known, *(money[name] for name in more))
    return table


def _print_unknown(out: Console, unknown: Sequence[Unknown]) -> None:
    if unknown:
        out.print("\nOutcome not known")
    for entry in unknown:
        row = entry.row
        tries = f"attempt {row.attempts}" if row.attempts else "not sent"
        _print_indented(out, f"{entry.text}: {row.state}, {tries}, {_when(row.sent_at)}, {minutes(entry.age_s)} ago")
        _print_indented(out, f"  waits for {entry.waiting_for}")


def _print_indented(out: Console, text: str) -> None:
    grid = Table.grid(padding=(0, 2))
    grid.add_row("", Text(plain(text)))
    out.print(grid)


def _when(at: str) -> str:
    return at[5:16].replace("T", " ")
