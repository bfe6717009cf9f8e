"""Transfers between the wallets of the account, and their history."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from freqtrade_fundhedge.sandbox.errors import BinanceError
from freqtrade_fundhedge.sandbox.income import IncomeBook
from freqtrade_fundhedge.sandbox.ledger import FUNDING_WALLET, FUTURES, SPOT, Ledger
from freqtrade_fundhedge.sandbox.numbers import ZERO, places
from freqtrade_fundhedge.sandbox.orders import Ids
from freqtrade_fundhedge.sandbox.positions import Account
from freqtrade_fundhedge.sandbox.spot import SpotEngine

ROUTES = {
    "MAIN_UMFUTURE": (SPOT, FUTURES),
    "UMFUTURE_MAIN": (FUTURES, SPOT),
    "MAIN_FUNDING": (SPOT, FUNDING_WALLET),
    "FUNDING_MAIN": (FUNDING_WALLET, SPOT),
    "FUNDING_UMFUTURE": (FUNDING_WALLET, FUTURES),
    "UMFUTURE_FUNDING": (FUTURES, FUNDING_WALLET),
}
WEEK_MS = 7 * 86_400_000
SIX_MONTHS_MS = 183 * 86_400_000


@dataclass
class Transfer:
    """One transfer; ``listed_at`` is when the history begins to show it."""

    id: int
    kind: str
    asset: str
    amount: Decimal
    time: int
    status: str
    listed_at: int


class Transfers:
    """The transfer desk."""

    def __init__(self, ledger: Ledger, spot: SpotEngine, account: Account, income: IncomeBook, ids: Ids) -> None:
        self.ledger = ledger
        self.spot = spot
        self.account = account
        self.income = income
        self.ids = ids
        self.rows: list[Transfer] = []
        self.lag_ms = 0
        self.next_status: list[str] = []

    def send(self, kind: str, asset: str, amount: Decimal) -> Transfer:
        """Move an amount now, or refuse it for what is withdrawable now."""
        now = self.spot.markets.now_ms()
        if kind not in ROUTES:
            raise BinanceError(-3003, "Margin account does not exist.")
        if asset not in self.spot.markets.assets():
            raise BinanceError(-5003, "You don't have this asset.")
        if amount <= ZERO:
            raise BinanceError(-5007, "Quantity must be greater than zero.")
        if places(amount) > 8:
            raise BinanceError(-1111, "Parameter 'amount' has too much precision.")
        source, target = ROUTES[kind]
        if FUTURES in {source, target} and asset != "USDT":
            raise BinanceError(-5001, "Don't allow transfer to micro assets.")
        if amount > self.movable(source, asset):
            raise BinanceError(-5013, "Asset transfer failed: insufficient balance")
        status = self.next_status.pop(0) if self.next_status else "CONFIRMED"
        row = Transfer(next(self.ids.transfer), kind, asset, amount, now, status, now + self.lag_ms)
        if status == "CONFIRMED":
            self._apply(row)
        self.rows.append(row)
        return row

    def movable(self, wallet: str, asset: str) -> Decimal:
        """Say what can leave a wallet at this moment."""
        if wallet == SPOT:
            return self.spot.free(asset)
        if wallet == FUTURES:
            return self.account.totals().withdrawable if asset == "USDT" else ZERO
        return self.ledger.balance(wallet, asset)

    def _apply(self, row: Transfer) -> None:
        source, target = ROUTES[row.kind]
        self.ledger.move(row.time, source, target, row.asset, row.amount, "TRANSFER", row.id)
        if FUTURES in {source, target}:
            signed = row.amount if target == FUTURES else -row.amount
            self.income.note(row.time, "", "TRANSFER", signed, info="TRANSFER")
            self.account.updated = row.time

    def resolve(self, transfer_id: int, status: str) -> Transfer:
        """Give a pending transfer its outcome; confirming it moves the money."""
        row = next((row for row in self.rows if row.id == transfer_id), None)
        if row is None:
            raise ValueError(f"no such transfer: {transfer_id}")
        if row.status != "CONFIRMED" and status == "CONFIRMED":
            if row.amount > self.movable(ROUTES[row.kind][0], row.asset):
                raise ValueError("not enough to confirm this transfer")
            self._apply(row)
        row.status = status
        return row

    def history(
        self, kind: str, start: int | None, end: int | None, page: int, size: int
    ) -> tuple[int, list[Transfer]]:
        """List one direction, newest first; seven days unless a start is given."""
        now = self.spot.markets.now_ms()
        if kind not in ROUTES:
            raise BinanceError(-3003, "Margin account does not exist.")
        since = start if start is not None else (end or now) - WEEK_MS
        if since < now - SIX_MONTHS_MS:
            raise BinanceError(-1128, "Combination of optional parameters invalid.")
        until = end if end is not None else now
        shown = [
            row
            for row in reversed(self.rows)
            if row.kind == kind and row.listed_at <= now and since <= row.time // 1000 * 1000 <= until
        ]
        return len(shown), shown[(page - 1) * size : page * size]
