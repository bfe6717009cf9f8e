"""Order books made on demand from a mid price, a spread and a depth, and what a taker gets from them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from freqtrade_fundhedge.sandbox.numbers import ONE, ZERO, floor_to, nearest_to

Level = tuple[Decimal, Decimal]
_BPS = Decimal(10_000)


@dataclass
class BookShape:
    """How deep and how wide a book is. ``depth`` is quote value per level."""

    depth: Decimal
    spread_bps: Decimal = ONE
    step_bps: Decimal = ONE
    levels: int = 20


@dataclass(frozen=True)
class Book:
    """Both sides, best first."""

    bids: list[Level]
    asks: list[Level]

    def against(self, side: str) -> list[Level]:
        """Return the levels that an order of this side trades with."""
        return self.asks if side == "BUY" else self.bids


def make_book(mid: Decimal, tick: Decimal, step: Decimal, shape: BookShape) -> Book:
    """Build a book around ``mid`` on the price and lot grids."""
    half = mid * shape.spread_bps / _BPS / 2
    bid = max(tick, nearest_to(mid - half, tick))
    ask = nearest_to(mid + half, tick)
    if ask <= bid:
        ask = bid + tick
    gap = max(tick, nearest_to(mid * shape.step_bps / _BPS, tick))
    bids = [_level(bid - gap * i, step, shape) for i in range(shape.levels) if bid > gap * i]
    asks = [_level(ask + gap * i, step, shape) for i in range(shape.levels)]
    return Book([level for level in bids if level[1] > ZERO], [level for level in asks if level[1] > ZERO])


def _level(price: Decimal, step: Decimal, shape: BookShape) -> Level:
    return price, floor_to(shape.depth / price, step)


def within(levels: list[Level], side: str, limit: Decimal | None) -> list[Level]:
    """Keep the levels that a limit price reaches; all of them without one."""
    if limit is None:
        return levels
    if side == "BUY":
        return [level for level in levels if level[0] <= limit]
    return [level for level in levels if level[0] >= limit]


def take_quantity(levels: list[Level], quantity: Decimal) -> list[Level]:
    """Take a base quantity, best price first, as far as the levels go."""
    fills: list[Level] = []
    for price, available in levels:
        if quantity <= ZERO:
            break
        part = min(available, quantity)
        fills.append((price, part))
        quantity -= part
    return fills


def take_quote(levels: list[Level], quote: Decimal, step: Decimal) -> list[Level]:
    """Spend (or raise) a quote amount, best price first, in whole lots and never more than asked."""
    fills: list[Level] = []
    for price, available in levels:
        part = min(available, floor_to(quote / price, step))
        if part <= ZERO:
            break
        fills.append((price, part))
        quote -= price * part
    return fills
