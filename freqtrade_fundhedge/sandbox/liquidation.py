"""Positions that end against their holder's will: liquidation, auto-deleveraging, delisting."""

from __future__ import annotations

from decimal import Decimal

from freqtrade_fundhedge.sandbox.futures import FuturesEngine
from freqtrade_fundhedge.sandbox.numbers import ZERO, cut8
from freqtrade_fundhedge.sandbox.orders import Order
from freqtrade_fundhedge.sandbox.positions import Position

PREFIXES = {"LIQUIDATION": "autoclose-", "ADL": "adl_autoclose", "DELIST": "settlement_autoclose-", "MANUAL": "web_"}


class Enforcer:
    """Closes positions by force and watches maintenance margin."""

    def __init__(self, engine: FuturesEngine) -> None:
        self.engine = engine
        self.forced: list[tuple[str, Order]] = []

    def watch(self, now: int) -> None:
        """Liquidate what maintenance margin no longer covers."""
        account = self.engine.account
        for position in account.held():
            if position.isolated and position.wallet + account.pnl(position) <= account.maintenance(position):
                self.liquidate(position, now)
        totals = account.totals()
        if totals.cross_maintenance and totals.cross_wallet + totals.cross_pnl <= totals.cross_maintenance:
            for position in [p for p in account.held() if not p.isolated]:
                self.liquidate(position, now)

    def liquidate(self, position: Position, now: int) -> Order:
        """Close at mark, take the clearance fee from what margin is left, and let the insurance fund pay a hole."""
        account = self.engine.account
        spec = self.engine.markets.perp[position.symbol].spec
        mark = account.mark(position)
        clearance = cut8(abs(position.quantity) * mark * spec.liquidation_fee)
        self._cancel_orders(position.symbol)
        isolated, before = position.isolated, account.cross_wallet()
        order = self.close(position, abs(position.quantity), "LIQUIDATION", now, mark)
        # What an isolated position leaves behind is at most what it held; cross answers with the whole wallet.
        left = account.cross_wallet() - before if isolated else account.cross_wallet()
        taken = min(clearance, left) if left > ZERO else left
        self.engine.income.add(now, position.symbol, "INSURANCE_CLEAR", -taken)
        return order

    def close(self, position: Position, quantity: Decimal, why: str, now: int, price: Decimal | None = None) -> Order:
        """Reduce a position by an order the holder did not send."""
        market = self.engine.markets.perp[position.symbol]
        order = Order(
            id=next(self.engine.ids.futures_order),
            client_id=PREFIXES[why] + ("" if why == "ADL" else str(now)),
            symbol=position.symbol,
            side="SELL" if position.quantity > ZERO else "BUY",
            type="LIMIT" if why in {"LIQUIDATION", "ADL"} else "MARKET",
            time_in_force="IOC" if why == "LIQUIDATION" else "GTC",
            quantity=min(quantity, abs(position.quantity)),
            price=ZERO,
            time=now,
            reduce_only=why != "LIQUIDATION",
            updated=now,
        )
        self.engine.store.orders[order.id] = order
        fees = self.engine.fees
        rate = ZERO if why == "ADL" else fees.futures_taker
        at = price or (market.last(now) if why == "MANUAL" else self.engine.account.mark(position))
        self.engine.execute(order, at, order.quantity, now, rate, maker=False)
        if why in {"LIQUIDATION", "ADL"}:
            self.forced.append((why, order))
        return order

    def _cancel_orders(self, symbol: str) -> None:
        for order in self.engine.store.open(symbol):
            self.engine.cancel(order)
