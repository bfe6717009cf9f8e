"""Conditional futures orders: they wait off the book for a trigger price, then become ordinary orders."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from freqtrade_fundhedge.sandbox.errors import BinanceError, unknown_order
from freqtrade_fundhedge.sandbox.futures import FuturesEngine
from freqtrade_fundhedge.sandbox.futures_rules import FuturesRequest
from freqtrade_fundhedge.sandbox.numbers import ZERO, on_grid
from freqtrade_fundhedge.sandbox.orders import Order

_TYPES = {"STOP": "LIMIT", "TAKE_PROFIT": "LIMIT", "STOP_MARKET": "MARKET", "TAKE_PROFIT_MARKET": "MARKET"}


@dataclass
class AlgoOrder:
    """One conditional order."""

    id: int
    client_id: str
    symbol: str
    side: str
    type: str
    time_in_force: str
    quantity: Decimal
    price: Decimal
    trigger: Decimal
    working_type: str
    reduce_only: bool
    close_position: bool
    time: int
    status: str = "NEW"
    updated: int = 0
    triggered: int = 0
    actual: Order | None = None


class AlgoBook:
    """Every conditional order of the account."""

    def __init__(self, engine: FuturesEngine) -> None:
        self.engine = engine
        self.orders: dict[int, AlgoOrder] = {}

    def place(self, order: AlgoOrder) -> AlgoOrder:
        """Accept a conditional order, or refuse it."""
        market = self.engine.markets.perp_market(order.symbol)
        if order.type not in _TYPES:
            raise BinanceError(-1116, "Invalid orderType.")
        if order.trigger <= ZERO or not on_grid(order.trigger, market.spec.tick):
            raise BinanceError(-4014, "Price not increased by tick size.")
        if not order.close_position and (
            order.quantity < market.spec.step or not on_grid(order.quantity, market.spec.step)
        ):
            raise BinanceError(-1111, "Precision is over the maximum defined for this asset.")
        if any(o.client_id == order.client_id for o in self.open(order.symbol)):
            raise BinanceError(-4116, "ClientOrderId is duplicated.")
        if self._reached(order):
            raise BinanceError(-2021, "Order would immediately trigger.")
        self.orders[order.id] = order
        return order

    def open(self, symbol: str | None = None) -> list[AlgoOrder]:
        """List conditional orders that still wait."""
        return [o for o in self.orders.values() if o.status == "NEW" and symbol in {None, o.symbol}]

    def find(self, algo_id: int | None, client_id: str | None) -> AlgoOrder | None:
        """Find by id, else the newest with that client id."""
        if algo_id is not None:
            return self.orders.get(algo_id)
        matches = [order for order in self.orders.values() if order.client_id == client_id]
        return matches[-1] if matches else None

    def cancel(self, order: AlgoOrder | None) -> AlgoOrder:
        """Withdraw a conditional order."""
        if order is None or order.status != "NEW":
            raise unknown_order()
        order.status = "CANCELED"
        order.updated = self.engine.markets.now_ms()
        return order

    def _reached(self, order: AlgoOrder) -> bool:
        markets = self.engine.markets
        market = markets.perp[order.symbol]
        on_mark = order.working_type == "MARK_PRICE"
        price = markets.mark_price(order.symbol) if on_mark else market.last(markets.now_ms())
        rising = (order.side == "BUY") == order.type.startswith("STOP")
        return price >= order.trigger if rising else price <= order.trigger

    def match(self, now: int) -> None:
        """Send what its trigger has reached; what nothing is left to close for expires."""
        for order in self.open():
            position = self.engine.account.position(order.symbol)
            signed = Decimal(1) if order.side == "BUY" else Decimal(-1)
            # Binance withdraws close-position orders with their position; reduce-only ones wait and fail later.
            if order.close_position and not position.closing_part(signed):
                order.status, order.updated = "EXPIRED", now
                continue
            if self._reached(order):
                self._send(order, abs(position.quantity) if order.close_position else order.quantity, now)

    def _send(self, order: AlgoOrder, quantity: Decimal, now: int) -> None:
        order.triggered = order.updated = now
        request = FuturesRequest(
            symbol=order.symbol,
            side=order.side,
            type=_TYPES[order.type],
            time_in_force=order.time_in_force if _TYPES[order.type] == "LIMIT" else "",
            quantity=quantity,
            price=order.price,
            client_id=order.client_id,
            reduce_only=order.reduce_only or order.close_position,
        )
        try:
            order.actual = self.engine.place(request)
            order.status = "FINISHED"
        except BinanceError:
            order.status = "REJECTED"
