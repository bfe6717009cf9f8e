"""Income history of the futures account: every change of its wallet, as Binance lists it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from freqtrade_fundhedge.sandbox.ledger import FUTURES, Ledger
from freqtrade_fundhedge.sandbox.orders import Ids


@dataclass(frozen=True)
class Income:
    """One line of the income history."""

    id: int
    time: int
    symbol: str
    kind: str
    amount: Decimal
    info: str
    trade_id: str


@dataclass
class IncomeBook:
    """Books income into the futures wallet and remembers it."""

    ledger: Ledger
    ids: Ids
    rows: list[Income] = field(default_factory=list)

    def add(self, now: int, symbol: str, kind: str, amount: Decimal, info: str = "", trade: str = "") -> None:
        """Book one line; nothing is listed for a zero amount."""
        if not amount:
            return
        self.ledger.post(now, FUTURES, "USDT", amount, kind, f"{symbol}:{trade or info}")
        self.note(now, symbol, kind, amount, info, trade)

    def note(self, now: int, symbol: str, kind: str, amount: Decimal, info: str = "", trade: str = "") -> None:
        """List a line whose money was moved elsewhere."""
        self.rows.append(Income(next(self.ids.income), now, symbol, kind, amount, info, trade))
