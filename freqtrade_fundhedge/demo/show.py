"""The end of the story: tables for people, one object for machines."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from freqtrade_fundhedge.demo.facts import COIN
from freqtrade_fundhedge.demo.narrator import money, signed
from freqtrade_fundhedge.demo.result import Check, Evidence, result_lines, wallet_rows
from freqtrade_fundhedge.demo.story import USER_COINS
from freqtrade_fundhedge.journal_rows import TransferRow
from freqtrade_fundhedge.venue.port import Direction

_REFUSED, _FOUND = "refused once, done smaller", "answer lost, found in history"


def show(out: Console, evidence: Evidence, found: Sequence[Check]) -> None:
    """Print the tables and the checks."""
    out.print()
    _print_wallets(out, evidence)
    _print_transfers(out, evidence.transfers)
    _print_result(out, evidence)
    out.print("[bold]Checks[/bold]")
    for check in found:
        mark = "[green]✓[/green]" if check.holds else "[bold red]✗[/bold red]"
        row = Table.grid(padding=(0, 1))
        row.add_row(mark, escape(check.text))
        out.print(row)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left")
    return table


def _print_wallets(out: Console, evidence: Evidence) -> None:
    table = _table("Wallets", "", "before", "after", "change")
    *parts, together = wallet_rows(evidence)
    for name, before, after in parts:
        table.add_row(name, money(before), money(after), signed(after - before))
    name, before, after = together
    table.add_section()
    table.add_row(name, money(before), money(after), signed(after - before), style="bold")
    own = evidence.after.coins - evidence.dust
    table.add_row(f"Your own {COIN}", f"{USER_COINS}", f"{own.normalize():f}", f"{(own - USER_COINS).normalize():f}")
    out.print(table)


def _print_transfers(out: Console, transfers: Sequence[TransferRow]) -> None:
    table = _table("Transfers", "direction", "USDT", "attempts")
    table.add_column("outcome")
    for row in transfers:
        table.add_row(_way(row), f"{row.amount:.8f}", str(row.attempts), outcome(row))
    out.print(table)


def _way(row: TransferRow) -> str:
    return "futures → spot" if row.direction is Direction.SWEEP else "spot → futures"


def outcome(row: TransferRow) -> str:
    """What became of a transfer, in a few words."""
    if row.answer == "found in the history":
        return _FOUND
    return _REFUSED if row.attempts > 1 else f"{row.state}"


def _print_result(out: Console, evidence: Evidence) -> None:
    table = _table("The hedge's result, USDT", "", "bot's books", "exchange's books")
    *parts, together = result_lines(evidence)
    for line in parts:
        basis = line.name.endswith("basis")
        table.add_row(line.name, signed(line.bot), signed(line.exchange), style="italic" if basis else "")
        if basis:
            table.add_section()
    table.add_section()
    table.add_row(together.name, signed(together.bot), signed(together.exchange), style="bold")
    out.print(table)


def as_json(evidence: Evidence, found: Sequence[Check]) -> dict[str, Any]:
    """The same for machines; amounts are exact text."""
    return {
        "wallets": [{"name": n, "before": _text(b), "after": _text(a)} for n, b, a in wallet_rows(evidence)],
        "own_coins": {"asset": COIN, "before": _text(USER_COINS), "after": _text(evidence.after.coins - evidence.dust)},
        "transfers": [
            {
                "direction": str(row.direction), "amount": _text(row.amount), "asset": row.asset,
                "attempts": row.attempts, "state": str(row.state), "outcome": outcome(row),
            }
            for row in evidence.transfers
        ],
        "result": [
            {"name": line.name, "bot": _text(line.bot), "exchange": _text(line.exchange)}
            for line in result_lines(evidence)
        ],
        "delta": [{"step": p.step, "short": _text(p.short), "spot": _text(p.spot)} for p in evidence.checkpoints],
        "checks": [{"text": check.text, "holds": check.holds} for check in found],
    }  # fmt: skip


def _text(value: Decimal) -> str:
    return f"{round(value, 8).normalize():f}"
