"""What is, as plain values: the exchange's own books, and the bot's journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from freqtrade_fundhedge.demo.bot import NAME
from freqtrade_fundhedge.errors import JournalError
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_rows import EventRow, HedgeRow, OrderRow, TransferRow

ZERO = Decimal(0)
COIN = "BTC"
SYMBOL = "BTCUSDT"


@dataclass(frozen=True)
class Order:
    """A filled order on the exchange; `fees` in USDT, those taken in the coin at the fill's price."""

    at: float
    sells: bool
    quantity: Decimal
    quote: Decimal
    fees: Decimal

    @property
    def price(self) -> Decimal:
        """Mean price of its fills."""
        return self.quote / self.quantity


@dataclass(frozen=True)
class Books:
    """The exchange's books at one instant.

    Attributes
    ----------
    short : base units sold short
    futures_usdt : wallet balance, margin of the short included, unrealised P&L not
    income : sums by kind (REALIZED_PNL, COMMISSION, FUNDING_FEE)
    transfers : id and amount of each that took effect
    faults : what does not fit in the exchange's own double entry; empty when it balances
    """

    spot_usdt: Decimal
    coins: Decimal
    futures_usdt: Decimal
    short: Decimal
    unrealised: Decimal
    futures_orders: Sequence[Order]
    spot_orders: Sequence[Order]
    income: Mapping[str, Decimal]
    transfers: Sequence[tuple[str, Decimal]]
    faults: Sequence[str]


def read_books(raw: Mapping[str, Any]) -> Books:
    """The sandbox's snapshot as values."""
    positions = [p for p in raw["positions"] if p["symbol"] == SYMBOL]
    income: dict[str, Decimal] = {}
    for row in raw["income"]:
        income[row["kind"]] = income.get(row["kind"], ZERO) + Decimal(row["amount"])
    return Books(
        spot_usdt=_total(raw, "USDT"),
        coins=_total(raw, COIN),
        futures_usdt=Decimal(raw["futures"]["walletBalance"]),
        short=-sum((Decimal(p["positionAmt"]) for p in positions), ZERO),
        unrealised=Decimal(raw["futures"]["unrealizedProfit"]),
        futures_orders=_orders(raw["orders"]["futures"]),
        spot_orders=_orders(raw["orders"]["spot"]),
        income=income,
        transfers=[(str(t["id"]), Decimal(t["amount"])) for t in raw["transfers"] if t["status"] == "CONFIRMED"],
        faults=list(raw["equity"]["faults"]),
    )


def _total(raw: Mapping[str, Any], asset: str) -> Decimal:
    return Decimal(raw["spot"].get(asset, {}).get("total", "0"))


def _orders(rows: Sequence[Mapping[str, Any]]) -> list[Order]:
    found = []
    for row in rows:
        fills = [(Decimal(f["price"]), Decimal(f["qty"]), Decimal(f["commission"]), f["asset"]) for f in row["fills"]]
        if fills:
            fees = sum((fee * (price if asset == COIN else 1) for price, _, fee, asset in fills), ZERO)
            quantity = sum((part for _, part, _, _ in fills), ZERO)
            quote = sum((price * part for price, part, _, _ in fills), ZERO)
            at = row["fills"][-1]["time"] / 1000
            found.append(Order(at, row["side"] == "SELL", quantity, quote, fees))
    return found


@dataclass
class JournalView:
    """The bot's journal, read beside the running bot; empty until the bot has made it."""

    file: Path
    url: str
    _journal: Journal | None = field(default=None)

    def hedges(self) -> Sequence[HedgeRow]:
        """All hedges, newest first."""
        return self._recent(HedgeRow)

    def orders(self) -> Sequence[OrderRow]:
        """All spot orders, newest first."""
        return self._recent(OrderRow)

    def transfers(self) -> Sequence[TransferRow]:
        """All transfers, oldest first."""
        return list(reversed(self._recent(TransferRow)))

    def events(self) -> Sequence[EventRow]:
        """The audit trail, oldest first."""
        return list(reversed(self._recent(EventRow)))

    def _recent(self, kind: type[Any]) -> Sequence[Any]:
        if self._journal is None:
            if not self.file.exists():
                return []
            try:
                journal = Journal(self.url, NAME, read_only=True)
                journal.recent(TransferRow, 1)
            except JournalError:
                # The bot is at its tables just now.
                return []
            self._journal = journal
        return self._journal.recent(kind, 500)

    def close(self) -> None:
        """Let go of the file."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None
