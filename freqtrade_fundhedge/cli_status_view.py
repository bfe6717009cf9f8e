"""`fundhedge status` for people: what is open, in 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from freqtrade_fundhedge.journal_rows import HedgeRow, iso
from freqtrade_fundhedge.journal_steps import GuardStep
from freqtrade_fundhedge.status import OpenHedge, Status, Unknown, minutes
from freqtrade_fundhedge.trail_text import coins, name_of, plain


@dataclass(frozen=True)
class Shown:
    """A status and what is said about it: where the journal is, a note on it, and lines from the exchange."""

    status: Status
    journal: str
    note: str
    at_exchange: Sequence[str]


def view(shown: Shown, verdict_first: bool = False) -> Group:
    """All of it.

    Parameters
    ----------
    verdict_first : for a screen that may cut off the end
    """
    verdict = list(_verdict(shown.status))
    body = list(_body(shown))
    return Group(*_head(shown), *([Text(), *verdict, *body] if verdict_first else [*body, Text(), *verdict]))


def _head(shown: Shown) -> Iterator[RenderableType]:
    status = shown.status
    seen = f"last event {_when(status.last_event_at)}" if status.last_event_at else "no event yet"
    yield Text(f"{status.bot}, {iso(status.at)[:19].replace('T', ' ')} UTC, {seen}")
    yield Text(f"Journal: {shown.journal}", overflow="ignore", no_wrap=True)


def _body(shown: Shown) -> Iterator[RenderableType]:
    status = shown.status
    for line in (shown.note, "" if status.hedges else "No open hedge."):
        if line:
            yield Text(f"\n{line}")
    for table in _tables(status):
        yield Text()
        yield table
    if any(shown.at_exchange):
        yield Text("\nAt the exchange")
    yield from (Text(plain(line)) for line in shown.at_exchange)
    yield from _steps(status.steps)
    yield from _unknown(status.unknown)
    if status.calls:
        yield Text("\nCalls for a person")
    for call in status.calls:
        yield _indented(f"{_when(call.row.at)} {'open' if call.is_open else 'over'}  {call.row.message}")


def _verdict(status: Status) -> Iterator[RenderableType]:
    if not status.reasons:
        yield Text("Nothing needs a person.")
    for reason in status.reasons:
        yield Text(f"Needs a person: {plain(reason)}", style="bold red")


def _steps(steps: Sequence[GuardStep]) -> Iterator[RenderableType]:
    if steps:
        yield Text("\nMargin guard, last steps")
    for step in steps:
        far = f"; {step.distance:.1%} to liquidation before" if step.distance is not None else ""
        yield _indented(f"{_when(step.at)}  {step.message}{far}")


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


def _unknown(unknown: Sequence[Unknown]) -> Iterator[RenderableType]:
    if unknown:
        yield Text("\nOutcome not known")
    for entry in unknown:
        row = entry.row
        tries = f"attempt {row.attempts}" if row.attempts else "not sent"
        yield _indented(f"{entry.text}: {row.state}, {tries}, {_when(row.sent_at)}, {minutes(entry.age_s)} ago")
        yield _indented(f"  waits for {entry.waiting_for}")


def _indented(text: str) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_row("", Text(plain(text)))
    return grid


def _when(at: str) -> str:
    return at[5:16].replace("T", " ")
