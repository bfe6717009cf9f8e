"""Freqtrade's part, played on the sandbox's engine: futures orders, and the trades as Freqtrade would report them."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from benchmarks.chaos.plan import RISE_PER_S, Short
from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.market import floor_to
from freqtrade_fundhedge.sandbox.exchange import Exchange
from freqtrade_fundhedge.sandbox.futures_rules import FuturesRequest
from freqtrade_fundhedge.sandbox.market import PerpMarket
from freqtrade_fundhedge.sandbox.numbers import ZERO
from freqtrade_fundhedge.venue.port import OrderFill

TAKER = Decimal("0.0005")


@dataclass
class Trade:
    """One short of Freqtrade's."""

    id: int
    plan: Short
    market: PerpMarket
    quantity: Decimal
    opened_at: float = 0.0
    entry: Decimal = ZERO
    entered: Decimal = ZERO
    realised: Decimal = ZERO
    gone: bool = field(default=False)
    orders: dict[str, Decimal] = field(default_factory=dict)

    @property
    def symbol(self) -> str:
        """The exchange's name of the perpetual."""
        return self.market.symbol

    @property
    def stake(self) -> Decimal:
        """Margin of the whole short as Freqtrade reckons it."""
        return self.entry * self.entered / self.plan.leverage

    def leg(self) -> ShortLeg:
        """As Freqtrade reports it now."""
        left = self.stake * self.quantity / self.entered
        return ShortLeg(
            trade_id=self.id,
            pair=self.plan.pair,
            opened_at=self.opened_at,
            filled=self.quantity,
            reachable=self.quantity,
            is_open=self.quantity > 0,
            stake_in=round(self.stake, 8),
            stake_left=round(left, 8),
            realised=round(self.realised, 8),
            heard=dict(self.orders),
        )


class Freqtrade:
    """Opens and closes shorts."""

    def __init__(self, exchange: Exchange, cross: bool) -> None:
        self.exchange = exchange
        self.cross = cross
        self.trades: list[Trade] = []
        self.news: list[OrderFill] = []
        self.still_from = 0.0

    def planned(self, short: Short) -> Trade:
        """The short that the scenario wants, on the exchange's grid; nothing is sent yet."""
        market = self.exchange.markets.perp_market(short.pair.split(":")[0].replace("/", ""))
        price = self.exchange.markets.mark_price(market.symbol)
        return Trade(len(self.trades) + 1, short, market, floor_to(short.notional / price, market.spec.step))

    def open(self, trade: Trade) -> None:
        """Sell at market."""
        position = self.exchange.futures.account.position(trade.symbol)
        position.leverage, position.isolated = trade.plan.leverage, not self.cross
        trade.entry = self._market_order(trade, "SELL", trade.quantity)
        trade.entered = trade.quantity
        trade.opened_at = self.exchange.now_ms() / 1000
        self.trades.append(trade)

    def close(self, trade: Trade, share: Decimal) -> None:
        """Buy a share of what is open back at market."""
        market = trade.market
        quantity = trade.quantity
        if share < 1:
            quantity = min(quantity, max(market.spec.step, floor_to(quantity * share, market.spec.step)))
        held = abs(self.exchange.futures.account.position(trade.symbol).quantity)
        if held < quantity:
            trade.gone = True
            trade.quantity = held
            return
        price = self._market_order(trade, "BUY", quantity)
        trade.realised += quantity * (trade.entry - price) - quantity * (trade.entry + price) * TAKER
        trade.quantity -= quantity

    def _market_order(self, trade: Trade, side: str, quantity: Decimal) -> Decimal:
        client_id = f"ft{trade.id}-{self.exchange.now_ms()}"
        order = self.exchange.futures.place(
            FuturesRequest(trade.symbol, side, "MARKET", "", quantity, ZERO, client_id, side == "BUY")
        )
        if order.filled != quantity:
            raise RuntimeError(f"the scenario's own order filled {order.filled} of {quantity}")
        trade.orders[str(order.id)] = quantity
        fill = OrderFill(
            str(order.id), client_id, trade.plan.pair, side == "SELL", order.reduce_only, quantity, order.filled,
            order.average, self.exchange.now_ms() / 1000,
        )  # fmt: skip
        self.news.append(fill)
        return order.average

    def rise(self, trade: Trade, seconds: float) -> None:
        """Let spot and perpetual rise together, half a percent of today's price a second."""
        markets, now = self.exchange.markets, self.exchange.now_ms()
        self.still_from = now / 1000 + seconds
        factor = 1 + RISE_PER_S * Decimal(round(seconds, 3))
        markets.index[trade.symbol].set(now, markets.index[trade.symbol].price(now) * factor, int(seconds * 1000))
        trade.market.path.set(now, trade.market.path.price(now) * factor, int(seconds * 1000))

    def liquidated(self) -> bool:
        """Whether the exchange closed any short by force."""
        return bool(self.exchange.enforcer.forced)
