"""Dry-run: a paper account that fills against the real public spot book.

Nothing here ever asks for a key. The futures side is Freqtrade's own dry-run wallet; the spot side is what the
journal says was bought, sold and moved, so it is the same after a restart.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

from freqtrade_fundhedge.core.intents import State
from freqtrade_fundhedge.errors import Insufficient
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_rows import TransferRow
from freqtrade_fundhedge.journal_totals import moved_to_futures, spot_changes
from freqtrade_fundhedge.venue.live import PublicSpot
from freqtrade_fundhedge.venue.port import (
    ZERO,
    Direction,
    Evidence,
    Fill,
    FuturesAccount,
    MarginKind,
    MarginRecord,
    OrderRequest,
    ShortEntry,
    Side,
    TransferRecord,
    TransferRequest,
)


class PaperFutures(Protocol):
    """Freqtrade's dry-run wallet."""

    def account(self) -> FuturesAccount:
        """Wallet, free amount and positions as Freqtrade computes them."""

    def set_transferred(self, net: Decimal) -> None:
        """USDT that paper transfers have added to the wallet since the first start, negative when taken away."""


class PaperVenue(PublicSpot):
    """See `Venue`.

    Parameters
    ----------
    api : a ccxt instance without keys, `defaultType: spot`, markets loaded
    futures : Freqtrade's dry-run wallet
    spot_usdt : what the paper spot wallet held at the first start
    """

    separate_wallets = True
    transfer_step = Decimal("0.00000001")
    margin_step = ZERO
    concurrent = False
    values_positions = False

    def __init__(
        self, api: Any, futures: PaperFutures, journal: Journal, stake: str, spot_usdt: Decimal,
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        super().__init__(api, clock)
        self.name = f"{api.id} (paper)"
        self.stake = stake
        self._futures = futures
        self._journal = journal
        self._first = spot_usdt
        self._ids = 0
        self.balances: dict[str, Decimal] = {}
        self.restore()

    def restore(self) -> None:
        """Rebuild both wallets from the journal."""
        journal = self._journal
        spot = spot_changes(journal.engine, journal.bot)
        moved = moved_to_futures(journal.engine, journal.bot)
        self.balances = {self.stake: self._first - moved}
        for coin, change in spot.items():
            self.balances[coin] = self.balances.get(coin, ZERO) + change
        self._moved = moved
        self._futures.set_transferred(moved)

    def futures_account(self) -> FuturesAccount:
        """See `Venue.futures_account`."""
        return self._futures.account()

    def spot_balances(self) -> Mapping[str, Decimal]:
        """See `Venue.spot_balances`."""
        return dict(self.balances)

    def send_order(self, order: OrderRequest) -> Fill:
        """Fill against the book as it is now, level by level, down to the price cap."""
        book = self.quote(order.market.symbol)
        levels = book.asks if order.side is Side.BUY else book.bids
        left, quote = order.quantity, ZERO
        for price, offered in levels:
            if left <= 0 or (price > order.price if order.side is Side.BUY else price < order.price):
                break
            take = min(left, offered)
            left, quote = left - take, quote + take * price
        fill = self._fill(order, order.quantity - left, quote)
        self._book(order, fill)
        return fill

    def _fill(self, order: OrderRequest, quantity: Decimal, quote: Decimal) -> Fill:
        market = order.market
        fees = {}
        if quantity:
            buy = order.side is Side.BUY
            fees = {market.base: quantity * market.taker_fee} if buy else {market.quote: quote * market.taker_fee}
        self._ids += 1
        return Fill(f"paper-{int(self.clock())}-{self._ids}", quantity, quote, fees, "paper")

    def _book(self, order: OrderRequest, fill: Fill) -> None:
        market = order.market
        sign = 1 if order.side is Side.BUY else -1
        base = self.balances.get(market.base, ZERO) + sign * fill.quantity - fill.fee(market.base)
        quote = self.balances.get(market.quote, ZERO) - sign * fill.quote - fill.fee(market.quote)
        if base < 0 or quote < 0:
            raise Insufficient(f"paper wallet: {order.side} {fill.quantity} {market.symbol} is more than it holds")
        self.balances[market.base], self.balances[market.quote] = base, quote

    def find_order(self, order: OrderRequest) -> tuple[Evidence, Fill | None]:
        """A paper order that the journal has no answer to was never filled: the fill is the journal's row."""
        return Evidence.FAILED, None

    def transfer_key(self, key: str) -> str:
        """Paper transfers have an outcome at once, and none is ever looked for by a key."""
        return ""

    def send_transfer(self, transfer: TransferRequest) -> str:
        """Move paper USDT, refusing what is not there."""
        change = transfer.amount if transfer.direction is Direction.TOP_UP else -transfer.amount
        if self.balances.get(self.stake, ZERO) - change < 0 or self._futures.account().withdrawable + change < 0:
            raise Insufficient(f"paper wallet: {transfer.amount} {transfer.asset} is more than it holds")
        self._moved += change
        self.balances[self.stake] -= change
        self._futures.set_transferred(self._moved)
        self._ids += 1
        return f"paper-{int(self.clock())}-{self._ids}"

    def transfers(self, direction: Direction, asset: str, since: float) -> Sequence[TransferRecord]:
        """An interrupted paper transfer shows as failed: restored wallets know nothing of it."""
        rows: Sequence[TransferRow] = [
            row for row in self._journal.open_transfers() if row.state in (State.UNKNOWN, State.SENT)
        ]
        return [
            TransferRecord("", row.direction, row.asset, row.amount, self.clock(), Evidence.FAILED)
            for row in rows
            if row.direction is direction and row.asset == asset
        ]

    def wallet_flows(self, asset: str, since: float) -> Decimal:
        """Never asked: paper transfers have an outcome at once."""
        return ZERO

    def refuse_reasons(self) -> Sequence[str]:
        """Paper has no key to be wrong."""
        return ()

    def entries(self, pair: str, since: float) -> Sequence[ShortEntry]:
        """Paper has no position that Freqtrade does not know."""
        return ()

    def close_short(self, pair: str, quantity: Decimal, client_id: str) -> Decimal:
        """So there is never one to close."""
        return ZERO

    def find_close(self, pair: str, client_id: str) -> tuple[Evidence, Decimal]:
        """Nor to look up."""
        return Evidence.FAILED, ZERO

    def change_margin(self, pair: str, kind: MarginKind, amount: Decimal) -> None:
        """Never asked: see `margin_step`."""

    def margin_history(self, pair: str, kind: MarginKind, since: float) -> Sequence[MarginRecord]:
        """Nor looked up."""
        return ()
