"""Freqtrade's part, played on the sandbox's engine: futures orders, and the trades as Freqtrade would report them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from benchmarks.chaos.plan import RISE_PER_S, Short
from benchmarks.chaos.stream import PREFIX
from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.market import floor_to
from freqtrade_fundhedge.sandbox.exchange import Exchange
from freqtrade_fundhedge.sandbox.futures_rules import FuturesRequest
from freqtrade_fundhedge.sandbox.market import PerpMarket
from freqtrade_fundhedge.sandbox.numbers import ZERO
from freqtrade_fundhedge.sandbox.orders import Order

TAKER = Decimal("0.0005")
AWAY = Decimal("0.001")
"""From the price, where an order rests."""
Between = Callable[[], None]


def nothing() -> None:
    """Nothing happens meanwhile."""


@dataclass
class Trade:
    """One short of Freqtrade's.

    Attributes
    ----------
    quantity : filled, as far as Freqtrade knows
    left : the same by finished orders
    resting : its order in the book, and how much of it Freqtrade knows to be filled
    """

    id: int
    plan: Short
    market: PerpMarket
    quantity: Decimal
    opened_at: float = 0.0
    entry: Decimal = ZERO
    entered: Decimal = ZERO
    left: Decimal = ZERO
    realised: Decimal = ZERO
    gone: bool = field(default=False)
    orders: dict[str, Decimal] = field(default_factory=dict)
    resting: Order | None = None

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
        waiting = ZERO
        if self.resting is not None and self.resting.side == "SELL":
            waiting = self.resting.quantity - self.orders[str(self.resting.id)]
        return ShortLeg(
            trade_id=self.id,
            pair=self.plan.pair,
            opened_at=self.opened_at,
            filled=self.quantity,
            reachable=self.quantity + waiting,
            is_open=self.quantity > 0 or self.resting is not None,
            stake_in=round(self.stake, 8),
            stake_left=round(self.stake * self.left / self.entered, 8) if self.entered else ZERO,
            realised=round(self.realised, 8),
            heard=dict(self.orders),
        )

    def poll(self) -> None:
        """Freqtrade looks at its order."""
        order = self.resting
        if order is None:
            return
        news = order.filled - self.orders[str(order.id)]
        self.orders[str(order.id)] = order.filled
        if order.side == "BUY":
            self.quantity -= news
            return
        self.quantity += news
        self.entered = self.left = self.quantity
        self.entry = order.average

    def finish(self) -> None:
        """Its order is filled, or gone."""
        self.poll()
        order, self.resting = self.resting, None
        if order is not None and order.side == "BUY":
            price = order.average
            self.realised += order.filled * (self.entry - price) - order.filled * (self.entry + price) * TAKER
            self.left = self.quantity


class Freqtrade:
    """Opens and closes shorts.

    Parameters
    ----------
    before_fill : called before a position changes
    """

    def __init__(self, exchange: Exchange, cross: bool, before_fill: Between = nothing) -> None:
        self.exchange = exchange
        self.cross = cross
        self.before_fill = before_fill
        self.trades: list[Trade] = []
        self.still_from = 0.0

    def planned(self, short: Short) -> Trade:
        """The short that the scenario wants, on the exchange's grid; nothing is sent yet."""
        market = self.exchange.markets.perp_market(short.pair.split(":")[0].replace("/", ""))
        price = self.exchange.markets.mark_price(market.symbol)
        return Trade(len(self.trades) + 1, short, market, floor_to(short.notional / price, market.spec.step))

    def open(self, trade: Trade, parts: int = 1, between: Between = nothing) -> None:
        """Sell; Freqtrade has a trade once the exchange has taken its order."""
        position = self.exchange.futures.account.position(trade.symbol)
        position.leverage, position.isolated = trade.plan.leverage, not self.cross
        quantity, trade.quantity = trade.quantity, ZERO
        self._order(trade, "SELL", quantity, parts, between)

    def close(self, trade: Trade, share: Decimal, parts: int = 1, between: Between = nothing) -> None:
        """Buy a share of what is open back."""
        market = trade.market
        quantity = trade.quantity
        if share < 1:
            quantity = min(quantity, max(market.spec.step, floor_to(quantity * share, market.spec.step)))
        held = abs(self.exchange.futures.account.position(trade.symbol).quantity)
        if held < quantity:
            trade.gone = True
            trade.quantity = trade.left = held
            return
        self._order(trade, "BUY", quantity, parts, between)

    def _order(self, trade: Trade, side: str, quantity: Decimal, parts: int, between: Between) -> None:
        """At market, or resting and filled in parts; `between` is lived through before Freqtrade knows what came."""
        futures, step = self.exchange.futures, trade.market.spec.step
        sizes = _split(quantity, parts, step)
        price = self._passive(trade, side) if len(sizes) > 1 else ZERO
        kind, force = ("LIMIT", "GTC") if len(sizes) > 1 else ("MARKET", "")
        client_id = f"{PREFIX}{trade.id}-{self.exchange.now_ms()}"
        self.before_fill()
        order = futures.place(
            FuturesRequest(trade.symbol, side, kind, force, quantity, price, client_id, side == "BUY")
        )
        known = ZERO if len(sizes) > 1 else order.filled
        if known not in (ZERO, quantity):
            raise RuntimeError(f"the scenario's own order filled {order.filled} of {quantity}")
        if len(sizes) == 1:
            between()
        trade.orders[str(order.id)] = ZERO
        trade.resting = order
        if trade not in self.trades:
            trade.opened_at = (self.exchange.now_ms() + 1) / 1000
            self.trades.append(trade)
        for size in sizes if len(sizes) > 1 else ():
            between()
            if order.open:
                self.before_fill()
                futures.fill_resting(order, size)
        trade.finish()

    def _passive(self, trade: Trade, side: str) -> Decimal:
        price = self.exchange.markets.mark_price(trade.symbol)
        return floor_to(price * (1 + (AWAY if side == "SELL" else -AWAY)), trade.market.spec.tick)

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


def _split(quantity: Decimal, parts: int, step: Decimal) -> list[Decimal]:
    """Parts on the grid, the last one the largest."""
    size = floor_to(quantity / parts, step)
    return [*([size] * (parts - 1)), quantity - size * (parts - 1)] if size > 0 else [quantity]
