"""Tells what happens, in a trader's words: the story's lines, and what journal and exchange add to them."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from freqtrade_fundhedge.core.intents import State
from freqtrade_fundhedge.demo.facts import COIN, Books, JournalView, Order
from freqtrade_fundhedge.journal_rows import EventRow, OrderRow, TransferRow, epoch
from freqtrade_fundhedge.venue.port import Direction, Side

WIDTH = 80
_STYLES = {"bot": "cyan", "market": "yellow", "exchange": "magenta", "you": "green", "check": "bold green"}


def money(value: Decimal) -> str:
    """USDT to the cent."""
    return f"{value:,.2f}"


def signed(value: Decimal) -> str:
    """USDT to the cent, with its sign; what rounds to nothing has none."""
    return f"{value:+,.2f}" if round(value, 2) else "0.00"


def quantity(value: Decimal) -> str:
    """Coins, without superfluous zeros."""
    return f"{round(value, 8).normalize():f}"


def console(quiet: bool) -> Console:
    """80 columns at most, no guesses about what to colour, and no end of the story for want of an arrow."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    width = min(WIDTH, Console().width)
    return Console(width=width, highlight=False, quiet=quiet)


@dataclass
class Narrator:
    """Prints each fact once, with the time since the start."""

    out: Console
    journal: JournalView
    books: Callable[[], Books]
    began: float = field(default_factory=time.time)
    lines: list[dict[str, object]] = field(default_factory=list)
    _seen_events: int = 0
    _seen_orders: int = 0

    def act(self, title: str) -> None:
        """A new part of the story."""
        self.follow()
        self.out.print()
        self.out.print(f"[bold]{title}[/bold]")

    def say(self, who: str, text: str, at: float | None = None) -> None:
        """One line."""
        seconds = max(0.0, (at or time.time()) - self.began)
        self.lines.append({"at": round(seconds, 1), "who": who, "text": text})
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=5, justify="right", style="dim")
        grid.add_column(width=8, style=_STYLES.get(who, ""))
        grid.add_column(overflow="fold")
        grid.add_row(f"{int(seconds // 60)}:{int(seconds % 60):02d}", who, escape(text))
        self.out.print(grid)

    def follow(self) -> Books:
        """Tell what is new on the exchange and in the journal; the books as they are now."""
        books = self.books()
        news = [*self._new_shorts(books), *self._new_events()]
        for at, text in sorted(news):
            self.say("bot", text, at)
        return books

    def _new_shorts(self, books: Books) -> Iterator[tuple[float, str]]:
        for order in books.futures_orders[self._seen_orders :]:
            yield order.at, _short_text(order)
        self._seen_orders = len(books.futures_orders)

    def _new_events(self) -> Iterator[tuple[float, str]]:
        for event in self.journal.events():
            if event.id > self._seen_events:
                self._seen_events = event.id
                if text := self._event_text(event):
                    yield epoch(event.at), text

    def _event_text(self, event: EventRow) -> str:
        if event.kind == "spot_fill":
            order = next((o for o in self.journal.orders() if o.intent_id == event.data.get("intent")), None)
            return _spot_text(order, self.books()) if order is not None else event.message
        if event.kind.startswith("transfer_"):
            found = _attempt(self.journal.transfers(), epoch(event.at))
            return _transfer_text(event.kind, *found) if found is not None else event.message
        if event.kind == "hedge_closed":
            return "Hedge closed: both legs are flat."
        # Its text says what the line about the lost answer has said already.
        return "" if event.kind == "attention" and "outcome not known yet" in event.message else event.message


def _short_text(order: Order) -> str:
    verb, how = ("Sells", "short") if order.sells else ("Buys", "back")
    size = f"{quantity(order.quantity)} {COIN} perpetual {how}"
    return f"{verb} {size} at {order.price:,.2f} ({money(order.quote)} USDT)."


def _spot_text(order: OrderRow, books: Books) -> str:
    if order.state is not State.DONE or not order.filled:
        return f"Spot order of {quantity(order.amount)} {COIN} filled nothing."
    verb = "Buys" if order.side is Side.BUY else "Sells"
    text = f"{verb} {quantity(order.filled)} {COIN} on spot at {order.quote / order.filled:,.2f}"
    lags = [epoch(order.sent_at) - short.at for short in books.futures_orders]
    lag = min((lag for lag in lags if lag >= 0), default=None)
    return f"{text}, {lag * 1000:.0f} ms later." if lag is not None else f"{text}."


def _attempt(transfers: Sequence[TransferRow], at: float) -> tuple[TransferRow, Decimal] | None:
    """The transfer, and the amount of the attempt, that an event of this time is about."""
    sent = [(epoch(str(a["at"])), row, Decimal(str(a["amount"]))) for row in transfers for a in row.attempt_log]
    before = [(row, amount) for when, row, amount in sent if when <= at]
    return before[-1] if before else None


def _transfer_text(kind: str, row: TransferRow, amount: Decimal) -> str:
    way = "futures → spot" if row.direction is Direction.SWEEP else "spot → futures"
    size = f"{money(amount)} USDT"
    if kind == "transfer_refused":
        return f"Sweep of {size} is refused as insufficient: reads the wallet again and asks for less."
    if kind == "transfer_unknown":
        return f"Moves {size} {way}, but no answer comes: has it moved or not? Sends nothing more until that is known."
    if row.answer == "found in the history":
        return f"Finds {size} {way} in the exchange's history: it has moved, and is not sent again."
    if kind == "transfer_done":
        attempt = f" (attempt {row.attempts})" if row.attempts > 1 else ""
        purpose = ", margin for the short" if row.direction is Direction.TOP_UP else ""
        return f"Moves {size} {way}{purpose}{attempt}."
    return f"Transfer of {size} {way}: {row.answer}."
