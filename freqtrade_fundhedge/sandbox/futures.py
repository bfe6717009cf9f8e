"""The futures exchange: places, matches and cancels orders of perpetuals."""

from __future__ import annotations

from decimal import Decimal

from freqtrade_fundhedge.sandbox import margin
from freqtrade_fundhedge.sandbox.book import Level, take_quantity, within
from freqtrade_fundhedge.sandbox.errors import BinanceError, unknown_order
from freqtrade_fundhedge.sandbox.futures_rules import FuturesRequest, check
from freqtrade_fundhedge.sandbox.income import IncomeBook
from freqtrade_fundhedge.sandbox.ledger import Ledger
from freqtrade_fundhedge.sandbox.market import Markets, PerpMarket
from freqtrade_fundhedge.sandbox.numbers import ONE, ZERO, cut8, floor_to
from freqtrade_fundhedge.sandbox.orders import Fill, Ids, Order, OrderStore
from freqtrade_fundhedge.sandbox.positions import Account, Position
from freqtrade_fundhedge.sandbox.settings import AccountMode, Fees


class FuturesEngine:
    """One account's futures orders."""

    def __init__(self, markets: Markets, ledger: Ledger, ids: Ids, fees: Fees, mode: AccountMode) -> None:
        self.markets = markets
        self.ids = ids
        self.fees = fees
        self.mode = mode
        self.store = OrderStore()
        self.income = IncomeBook(ledger, ids)
        self.account = Account(markets, ledger, self.store)

    def place(self, request: FuturesRequest) -> Order:
        """Accept an order and match it, or refuse it."""
        now = self.markets.now_ms()
        market = self.markets.perp_market(request.symbol)
        check(request, market, self.markets.mark_price(request.symbol), dual_side=self.mode.dual_side)
        if self.store.taken(request.symbol, request.client_id):
            raise BinanceError(-4116, "ClientOrderId is duplicated.")
        position = self.account.position(request.symbol)
        quantity = self._reducible(request, position) if request.reduce_only else request.quantity
        fills = self._plan(request, market, quantity, now)
        if not request.reduce_only:
            self._check_margin(request, market, position, fills)
        order = self._order(request, quantity, now)
        self.store.orders[order.id] = order
        self.store.note("NEW", order)
        for price, part in fills:
            self._fill(order, price, part, now, maker=False)
        if order.open and (request.type == "MARKET" or request.time_in_force in {"IOC", "FOK"}):
            order.status = "EXPIRED"
            self.store.note("EXPIRED", order)
        self.store.add(order)
        self._trim_reduce_only(request.symbol)
        return order

    def _reducible(self, request: FuturesRequest, position: Position) -> Decimal:
        signed = request.quantity if request.side == "BUY" else -request.quantity
        part = position.closing_part(signed)
        if not part:
            raise BinanceError(-2022, "ReduceOnly Order is rejected.")
        return part

    def _plan(self, request: FuturesRequest, market: PerpMarket, quantity: Decimal, now: int) -> list[Level]:
        limit = self._reach(request, market)
        levels = within(market.book(now).against(request.side), request.side, limit)
        if request.time_in_force == "GTX":
            if levels:
                raise BinanceError(
                    -5022,
                    "Due to the order could not be executed as maker, the Post Only order will be rejected. "
                    "The order will not be recorded in the order history",
                )
            return []
        if request.type == "MARKET" and not levels:
            raise BinanceError(-4131, "The counterparty's best price does not meet the PERCENT_PRICE filter limit.")
        if market.taker_fraction:
            quantity = floor_to(quantity * market.taker_fraction.pop(0), market.spec.step)
        fills = take_quantity(levels, quantity)
        if request.time_in_force == "FOK" and sum(part for _, part in fills) < quantity:
            raise BinanceError(
                -5021,
                "Due to the order could not be filled immediately, the FOK order has been rejected. "
                "The order will not be recorded in the order history",
            )
        return fills

    def _reach(self, request: FuturesRequest, market: PerpMarket) -> Decimal:
        """A market order walks no further from the mark price than the band allows."""
        if request.type == "LIMIT":
            return request.price
        sign = ONE if request.side == "BUY" else -ONE
        return self.markets.mark_price(market.symbol) * (ONE + sign * market.spec.band)

    def _check_margin(
        self, request: FuturesRequest, market: PerpMarket, position: Position, fills: list[Level]
    ) -> None:
        signed = request.quantity if request.side == "BUY" else -request.quantity
        mark = self.markets.mark_price(request.symbol)
        last = market.last(self.markets.now_ms())
        value = request.quantity * margin.assumed_price(request.side, request.price, last, mark)
        held = self.account.notional(position)
        buys, sells = self.account.order_notionals(request.symbol)
        after = (buys + value, sells) if signed > 0 else (buys, sells + value)
        worst = max(abs(held + after[0]), abs(held - after[1]))
        if worst > margin.max_notional(market.spec.brackets, position.leverage) and worst > abs(held):
            raise BinanceError(-2027, "Exceeded the maximum allowable position at current leverage.")
        before = margin.open_order_margin(held, buys, sells, position.leverage)
        need = margin.open_order_margin(held, *after, position.leverage) - before
        opens = abs(signed) > position.closing_part(signed)
        loss = margin.open_loss(request.side, fills, mark)
        totals = self.account.totals()
        # Isolated margin moves out of the free wallet, so unrealised profit of other positions can't serve as it.
        free = totals.withdrawable if position.isolated else totals.available
        if opens and need + loss > free:
            raise BinanceError(-2019, "Margin is insufficient.")

    def _order(self, request: FuturesRequest, quantity: Decimal, now: int) -> Order:
        return Order(
            id=next(self.ids.futures_order),
            client_id=request.client_id,
            symbol=request.symbol,
            side=request.side,
            type=request.type,
            time_in_force=request.time_in_force or "GTC",
            quantity=quantity,
            price=request.price,
            time=now,
            reduce_only=request.reduce_only,
            updated=now,
        )

    def _fill(self, order: Order, price: Decimal, quantity: Decimal, now: int, *, maker: bool) -> None:
        rate = self.fees.futures_maker if maker else self.fees.futures_taker
        self.execute(order, price, quantity, now, rate, maker=maker)

    def execute(self, order: Order, price: Decimal, quantity: Decimal, now: int, rate: Decimal, *, maker: bool) -> None:
        """Book a trade of an order: position, realised profit and commission."""
        position = self.account.position(order.symbol)
        signed = quantity if order.side == "BUY" else -quantity
        realized = self.account.trade(position, signed, price, now)
        fee = cut8(price * quantity * rate)
        fill = Fill(
            next(self.ids.futures_trade),
            order.id,
            order.symbol,
            order.side,
            price,
            quantity,
            fee,
            "USDT",
            maker,
            now,
            realized,
        )
        self.income.add(now, order.symbol, "REALIZED_PNL", realized, trade=str(fill.id))
        self.income.add(now, order.symbol, "COMMISSION", -fee, trade=str(fill.id))
        self.account.cover(position)
        order.add(fill)
        self.store.trades.append(fill)
        self.store.note("TRADE", order, fill)

    def cancel(self, order: Order | None) -> Order:
        """Take an order out of the book."""
        if order is None or not order.open:
            raise unknown_order()
        order.status = "CANCELED"
        order.updated = self.markets.now_ms()
        self.store.note("CANCELED", order)
        return order

    def modify(self, order: Order, quantity: Decimal, price: Decimal) -> None:
        """Change a resting order; it keeps its id and loses nothing that is filled."""
        market = self.markets.perp[order.symbol]
        asked = FuturesRequest(
            order.symbol,
            order.side,
            order.type,
            order.time_in_force,
            quantity,
            price,
            order.client_id,
            order.reduce_only,
        )
        check(asked, market, self.markets.mark_price(order.symbol), dual_side=self.mode.dual_side)
        if quantity <= order.filled:
            self.cancel(order)
            return
        order.quantity, order.price, order.updated = quantity, price, self.markets.now_ms()
        self.store.note("AMENDMENT", order)

    def fill_resting(self, order: Order, quantity: Decimal) -> None:
        """Fill part of a resting order at its own price."""
        if not order.open:
            raise unknown_order()
        self._fill(order, order.price, min(quantity, order.remaining), self.markets.now_ms(), maker=True)
        self._trim_reduce_only(order.symbol)

    def match(self, now: int) -> None:
        """Fill resting orders that the book has reached."""
        for order in self.store.open():
            market = self.markets.perp[order.symbol]
            if market.status != "TRADING" or not order.open:
                continue
            levels = within(market.book(now).against(order.side), order.side, order.price)
            reached, order.reached = order.reached, bool(levels)
            if not levels or (reached and market.maker_fraction):
                continue
            part = min(order.remaining, sum((part for _, part in levels), ZERO))
            if market.maker_fraction:
                part = min(part, floor_to(order.quantity * market.maker_fraction[0], market.spec.step))
            if part > ZERO:
                self._fill(order, order.price, part, now, maker=True)
                self._trim_reduce_only(order.symbol)

    def _trim_reduce_only(self, symbol: str) -> None:
        """Reduce-only orders never outlive what they could reduce."""
        position = self.account.position(symbol)
        for order in self.store.open(symbol):
            if order.reduce_only:
                signed = order.remaining if order.side == "BUY" else -order.remaining
                part = position.closing_part(signed)
                if not part:
                    order.status = "EXPIRED"
                    self.store.note("EXPIRED", order)
                elif part < order.remaining:
                    order.quantity = order.filled + part
