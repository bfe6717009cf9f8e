"""The spot exchange: places, matches and cancels orders, and moves coins and fees."""

from __future__ import annotations

from decimal import Decimal

from freqtrade_fundhedge.sandbox.book import Level, take_quantity, take_quote, within
from freqtrade_fundhedge.sandbox.errors import BinanceError, unknown_order
from freqtrade_fundhedge.sandbox.ledger import SPOT, Ledger
from freqtrade_fundhedge.sandbox.market import Markets, SpotMarket
from freqtrade_fundhedge.sandbox.numbers import ZERO, cut8, floor_to
from freqtrade_fundhedge.sandbox.orders import Fill, Ids, Order, OrderStore
from freqtrade_fundhedge.sandbox.settings import Fees
from freqtrade_fundhedge.sandbox.spot_rules import SpotRequest, check, check_room

_BNB_SHARE = Decimal("0.75")


class SpotEngine:
    """One account's spot orders and coins."""

    def __init__(self, markets: Markets, ledger: Ledger, ids: Ids, fees: Fees) -> None:
        self.markets = markets
        self.ledger = ledger
        self.ids = ids
        self.fees = fees
        self.store = OrderStore()

    def locked(self, asset: str) -> Decimal:
        """Sum what open orders hold of a coin."""
        total = ZERO
        for order in self.store.open():
            spec = self.markets.spot[order.symbol].spec
            if order.side == "BUY" and spec.quote == asset:
                total += order.remaining * order.price
            elif order.side == "SELL" and spec.base == asset:
                total += order.remaining
        return total

    def free(self, asset: str) -> Decimal:
        """Say what can be spent of a coin."""
        return self.ledger.balance(SPOT, asset) - self.locked(asset)

    def place(self, request: SpotRequest) -> Order:
        """Accept an order and match it, or refuse it."""
        now = self.markets.now_ms()
        market = self.markets.spot_market(request.symbol)
        check(request, market, now)
        if self.store.taken(request.symbol, request.client_id):
            raise BinanceError(-2010, "Duplicate order sent.")
        check_room(len(self.store.open(request.symbol)))
        fills = self._plan(request, market, now)
        self._check_funds(request, market, fills)
        order = self._order(request, fills, now)
        self.store.orders[order.id] = order
        self.store.note("NEW", order)
        for price, quantity in fills:
            self._fill(order, market, price, quantity, now, maker=False)
        self._rest(order, request)
        self.store.add(order)
        return order

    def _plan(self, request: SpotRequest, market: SpotMarket, now: int) -> list[Level]:
        limit = None if request.type == "MARKET" else request.price
        levels = within(market.book(now).against(request.side), request.side, limit)
        if request.type == "LIMIT_MAKER":
            if levels:
                raise BinanceError(-2010, "Order would immediately match and take.")
            return []
        if request.quote_quantity > ZERO:
            return take_quote(levels, request.quote_quantity, market.spec.step)
        quantity = request.quantity
        if market.taker_fraction:
            quantity = floor_to(quantity * market.taker_fraction.pop(0), market.spec.step)
        fills = take_quantity(levels, quantity)
        if request.time_in_force == "FOK" and sum(part for _, part in fills) < request.quantity:
            return []
        return fills

    def _check_funds(self, request: SpotRequest, market: SpotMarket, fills: list[Level]) -> None:
        if request.side == "SELL":
            quantity = request.quantity or sum((part for _, part in fills), ZERO)
            short = quantity > self.free(market.spec.base)
        else:
            cost = sum((price * part for price, part in fills), ZERO)
            if request.type != "MARKET":
                cost = max(cost, request.quantity * request.price)
            short = cost > self.free(market.spec.quote)
        if short:
            raise BinanceError(-2010, "Account has insufficient balance for requested action.")

    def _order(self, request: SpotRequest, fills: list[Level], now: int) -> Order:
        quantity = request.quantity
        if request.quote_quantity > ZERO:
            quantity = sum((part for _, part in fills), ZERO)
        return Order(
            id=next(self.ids.spot_order),
            client_id=request.client_id,
            symbol=request.symbol,
            side=request.side,
            type=request.type,
            time_in_force=request.time_in_force or "GTC",
            quantity=quantity,
            price=request.price,
            time=now,
            quote_quantity=request.quote_quantity,
            iceberg=request.iceberg,
            stp=request.stp,
            updated=now,
        )

    def _rest(self, order: Order, request: SpotRequest) -> None:
        if order.open and (request.type == "MARKET" or request.time_in_force in {"IOC", "FOK"}):
            order.status = "EXPIRED"
            self.store.note("EXPIRED", order)

    def _fill(
        self, order: Order, market: SpotMarket, price: Decimal, quantity: Decimal, now: int, *, maker: bool
    ) -> None:
        base, quote = market.spec.base, market.spec.quote
        sign = 1 if order.side == "BUY" else -1
        ref = f"{order.symbol}:{order.id}"
        self.ledger.post(now, SPOT, base, sign * quantity, "TRADE", ref)
        self.ledger.post(now, SPOT, quote, -sign * quantity * price, "TRADE", ref)
        rate = self.fees.spot_maker if maker else self.fees.spot_taker
        received = (base, quantity) if order.side == "BUY" else (quote, quantity * price)
        asset, fee = self._fee(rate, *received)
        self.ledger.post(now, SPOT, asset, -fee, "COMMISSION", ref)
        fill = Fill(
            next(self.ids.spot_trade), order.id, order.symbol, order.side, price, quantity, fee, asset, maker, now
        )
        order.add(fill)
        self.store.trades.append(fill)
        self.store.note("TRADE", order, fill)

    def _fee(self, rate: Decimal, asset: str, received: Decimal) -> tuple[str, Decimal]:
        if self.fees.pay_with_bnb and asset != "BNB":
            bnb = cut8(received * self.markets.worth(asset) * rate * _BNB_SHARE / self.markets.worth("BNB"))
            if bnb <= self.free("BNB"):
                return "BNB", bnb
        return asset, cut8(received * rate)

    def cancel(self, order: Order | None) -> Order:
        """Take an order out of the book."""
        if order is None or not order.open:
            raise unknown_order()
        order.status = "CANCELED"
        order.updated = self.markets.now_ms()
        self.store.note("CANCELED", order)
        return order

    def fill_resting(self, order: Order, quantity: Decimal) -> None:
        """Fill part of a resting order at its own price."""
        if not order.open:
            raise unknown_order()
        market = self.markets.spot[order.symbol]
        part = min(quantity, order.remaining)
        self._fill(order, market, order.price, part, self.markets.now_ms(), maker=True)

    def match(self, now: int) -> None:
        """Fill resting orders that the book has reached."""
        for order in self.store.open():
            market = self.markets.spot[order.symbol]
            if market.status != "TRADING":
                continue
            levels = within(market.book(now).against(order.side), order.side, order.price)
            reached, order.reached = order.reached, bool(levels)
            if not levels or (reached and market.maker_fraction):
                continue
            part = min(order.remaining, sum((part for _, part in levels), ZERO))
            if market.maker_fraction:
                part = min(part, floor_to(order.quantity * market.maker_fraction[0], market.spec.step))
            if part > ZERO:
                self._fill(order, market, order.price, part, now, maker=True)
