"""Funding: what was settled, what is predicted, and the settlements as they fall due."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, partial

import numpy as np

from freqtrade_fundhedge.sandbox.income import IncomeBook
from freqtrade_fundhedge.sandbox.market import Markets
from freqtrade_fundhedge.sandbox.noise import FloatArray, IntArray, seed_of, uniform, walk
from freqtrade_fundhedge.sandbox.numbers import EIGHT, round8
from freqtrade_fundhedge.sandbox.positions import Account

HOUR_MS = 3_600_000
_PAST_DAYS = 400
_INTERVALS = (1, 2, 4, 8)
_FLOOR = 0.0001  # Binance's interest component per 8 hours


@dataclass
class Settled:
    """One settlement: its time, its rate and the mark price it was paid on."""

    time: int
    rate: Decimal
    mark: Decimal


@dataclass
class FundingBook:
    """Funding of one symbol. Its past is long, and made only when somebody asks for it."""

    hours: int
    cap: Decimal
    past: Callable[[], list[Settled]]
    next_rate: Decimal
    next_time: int

    @cached_property
    def rows(self) -> list[Settled]:
        """Every settlement, oldest first."""
        return self.past()


def _rate(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(EIGHT)


def next_settlement(now: int, hours: int) -> int:
    """Find the first settlement time after ``now``."""
    step = hours * HOUR_MS
    return (now // step + 1) * step


class Funding:
    """Funding of every symbol, paid into one account."""

    def __init__(self, markets: Markets, account: Account, income: IncomeBook, seed: int) -> None:
        self.markets = markets
        self.account = account
        self.income = income
        self.seed = seed
        self.books: dict[str, FundingBook] = {}
        for symbol, market in markets.perp.items():
            hours = market.spec.funding_hours
            last = np.array([markets.born // (hours * HOUR_MS)], dtype=np.int64)
            self.books[symbol] = FundingBook(
                hours=hours,
                cap=market.spec.funding_cap,
                past=partial(self._past, symbol, hours),
                next_rate=_rate(self._rates(symbol, hours, last)[0].item()),
                next_time=next_settlement(markets.born, hours),
            )

    def _rates(self, symbol: str, hours: int, index: IntArray) -> FloatArray:
        """Make rates that hover around a level of the symbol's own, mostly above zero as on Binance."""
        seed = seed_of(self.seed, symbol, "funding")
        lean = _FLOOR * float(uniform(seed, np.array([1], dtype=np.int64))[0])
        drift = walk(seed, (index * (hours / 8.0)).astype(np.float64)) * 3e-7
        rate = (_FLOOR + lean + drift + 0.00002 * uniform(seed + 1, index)) * (hours / 8.0)
        cap = float(self.markets.perp[symbol].spec.funding_cap)
        return np.clip(rate, -cap, cap)

    def _past(self, symbol: str, hours: int) -> list[Settled]:
        last = self.markets.born // (hours * HOUR_MS)
        index = np.arange(last - _PAST_DAYS * 24 // hours, last + 1, dtype=np.int64)
        rates = self._rates(symbol, hours, index).tolist()
        path = self.markets.perp[symbol].path
        marks = path.at_minutes((index * (hours * 60)).astype(np.float64)).tolist()
        return [
            Settled(int(i) * hours * HOUR_MS, _rate(r), round8(Decimal(repr(m))))
            for i, r, m in zip(index.tolist(), rates, marks, strict=True)
        ]

    def set_next(self, symbol: str, rate: Decimal) -> None:
        """Predict a rate for the next settlement and those after it."""
        book = self.books[symbol]
        book.next_rate = max(-book.cap, min(book.cap, rate))

    def set_past(self, symbol: str, rate: Decimal, hours: int) -> None:
        """Rewrite what was settled in the last ``hours``."""
        since = self.markets.now_ms() - hours * HOUR_MS
        for row in self.books[symbol].rows:
            if row.time >= since:
                row.rate = rate

    def set_interval(self, symbol: str, hours: int) -> None:
        """Settle this symbol every ``hours`` from now on."""
        if hours not in _INTERVALS:
            raise ValueError(f"funding is settled every {', '.join(map(str, _INTERVALS))} hours")
        book = self.books[symbol]
        book.hours = hours
        book.next_time = next_settlement(self.markets.now_ms(), hours)

    def due(self, now: int) -> None:
        """Settle what has fallen due since the last look."""
        for symbol, book in self.books.items():
            while book.next_time <= now:
                self.settle(symbol, book.next_time, record=True)
                book.next_time += book.hours * HOUR_MS

    def settle(self, symbol: str, time: int, *, rate: Decimal | None = None, record: bool) -> Decimal:
        """Pay funding on the position held, and list the settlement if ``record``; return the payment."""
        book = self.books[symbol]
        used = book.next_rate if rate is None else rate
        mark = self.markets.mark_price(symbol)
        if record:
            at = bisect_left(book.rows, time, key=lambda row: row.time)
            if at < len(book.rows) and book.rows[at].time == time:
                del book.rows[at]
            book.rows.insert(at, Settled(time, used, round8(mark)))
        position = self.account.position(symbol)
        payment = round8(-position.quantity * mark * used)
        if payment:
            self.income.add(time, symbol, "FUNDING_FEE", payment, info="FUNDING_FEE")
            if position.isolated:
                position.wallet += payment
            self.account.updated = self.markets.now_ms()
        return payment

    def between(self, symbol: str, start: int | None, end: int | None, limit: int) -> list[Settled]:
        """List settlements as Binance does: from the start if one is given, else the newest."""
        rows = [r for r in self.books[symbol].rows if r.time >= (start or 0) and r.time <= (end or 1 << 62)]
        return rows[:limit] if start is not None else rows[-limit:]
