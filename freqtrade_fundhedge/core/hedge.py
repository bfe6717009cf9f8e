"""The spot leg: how much it should hold, and the one order that brings it there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from freqtrade_fundhedge.market import SpotMarket, ceil_to, floor_to
from freqtrade_fundhedge.venue.port import ZERO, Quote, Side

ONE = Decimal(1)
WIDEST_CAP = Decimal("0.05")


@dataclass(frozen=True)
class ShortLeg:
    """What Freqtrade knows of one trade, in the perpetual's base units and quote.

    Attributes
    ----------
    filled : entries filled less exits filled, partial fills of open orders included
    reachable : `filled` plus what open entry orders may still add
    is_open : the trade is open in Freqtrade's database
    stake_in : margin that all filled entries took
    stake_left : margin of what is still open
    realised : profit of the closed part, funding and fees included
    funding : of it, and of the open part so far, funding
    entered : all that entries filled
    sold, bought : quote of all filled entries and exits
    fees : of both so far, quote
    heard : by the exchange's order ids, how much of each order Freqtrade knows to be filled
    """

    trade_id: int
    pair: str
    opened_at: float
    filled: Decimal
    reachable: Decimal
    is_open: bool
    stake_in: Decimal = ZERO
    stake_left: Decimal = ZERO
    realised: Decimal = ZERO
    funding: Decimal = ZERO
    entered: Decimal = ZERO
    sold: Decimal = ZERO
    bought: Decimal = ZERO
    fees: Decimal = ZERO
    heard: Mapping[str, Decimal] = field(default_factory=dict, compare=False)

    @property
    def freed(self) -> Decimal:
        """USDT that the closed part gave back to the futures wallet; never negative."""
        return max(ZERO, self.stake_in - self.stake_left + self.realised)


@dataclass(frozen=True)
class SpotOrder:
    """The order to send: `quantity` on the lot grid, `price` the worst acceptable."""

    side: Side
    quantity: Decimal
    price: Decimal


@dataclass(frozen=True)
class Dust:
    """A difference that no order can close: too small for the venue. In base units, spot less short."""

    delta: Decimal


def real_short(leg: ShortLeg | None, on_exchange: Decimal | None) -> Decimal:
    """What the short really holds, in the perpetual's base units.

    Parameters
    ----------
    leg : Freqtrade's trade, None when it has none (any more)
    on_exchange : the exchange's position in that pair; None when it was not read

    The exchange wins where it shows less (liquidation, ADL, closed by hand) and, while an entry order is open, where
    it shows more than Freqtrade has heard of.
    """
    if leg is None:
        return ZERO if on_exchange is None else on_exchange
    if on_exchange is None:
        return leg.filled
    return min(on_exchange, leg.reachable)


def wanted_quantity(short: Decimal, market: SpotMarket) -> Decimal:
    """Spot base units that balance a short of `short` perpetual base units."""
    return short * market.multiplier


def price_cap(side: Side, quote: Quote, slippage: Decimal, tick: Decimal) -> Decimal:
    """The worst acceptable price on the tick grid, never on the wrong side of the best price; 0 on an empty book."""
    best = quote.best(side)
    if side is Side.BUY:
        return max(best, floor_to(best * (ONE + slippage), tick))
    return min(best, ceil_to(best * (ONE - slippage), tick))


def next_order(
    wanted: Decimal, held: Decimal, market: SpotMarket, quote: Quote, slippage: Decimal, fee_in_coin: bool = True
) -> SpotOrder | Dust | None:
    """The order that brings `held` to within one lot of `wanted`.

    Parameters
    ----------
    wanted, held : base units of the spot market
    slippage : fraction from the best price
    fee_in_coin : a buy's fee is taken from the coin bought, so buy that much more

    Returns
    -------
    SpotOrder, or Dust when the venue would refuse anything so small, or None when the legs are equal
    """
    missing = wanted - held
    if missing > 0:
        side = Side.BUY
        fee = market.taker_fee if fee_in_coin else ZERO
        quantity = ceil_to(missing / (ONE - fee), market.lot) if missing >= market.lot else ZERO
    else:
        side = Side.SELL
        quantity = floor_to(min(-missing, held), market.lot)
    if quantity <= 0:
        return Dust(-missing) if missing else None
    price = price_cap(side, quote, slippage, market.tick)
    if price <= 0:
        return None
    if quantity < market.min_quantity or quantity * price < market.min_notional:
        return Dust(-missing)
    return SpotOrder(side, quantity, price)


def widened(slippage: Decimal, misses: int) -> Decimal:
    """The cap for a sale that missed `misses` times: naked coins cost more than a worse price, up to 5 %."""
    return min(max(WIDEST_CAP, slippage), slippage * Decimal(2 ** min(misses, 10)))


def fillable(quote: Quote, side: Side, limit: Decimal) -> Decimal:
    """Base units that a taker could get at `limit` or better."""
    levels = quote.asks if side is Side.BUY else quote.bids
    good = (q for p, q in levels if (p <= limit if side is Side.BUY else p >= limit))
    return sum(good, ZERO)


def entry_obstacle(
    quantity: Decimal, perp_price: Decimal, market: SpotMarket, quote: Quote, spot_free: Decimal, slippage: Decimal
) -> str:
    """Why the spot leg of an entry could not be filled now, or "" when it could.

    Parameters
    ----------
    quantity : the perpetual's base units about to be shorted
    perp_price : their price in quote
    spot_free : free quote on spot
    """
    if not market.active:
        return f"{market.symbol} is not open for trading"
    wanted = wanted_quantity(quantity, market)
    order = next_order(wanted, ZERO, market, quote, slippage)
    if order is None:
        return f"{market.symbol} has no asks"
    if isinstance(order, Dust):
        return f"{wanted.normalize():f} {market.base} is below the minimum order of {market.symbol}"
    best = quote.best(Side.BUY)
    basis = abs(perp_price / (best * market.multiplier) - ONE)
    if basis > Decimal("0.2"):
        return f"{market.pair} and {market.symbol} are {basis:.0%} apart: not the same asset, or a market in disorder"
    cost = order.quantity * order.price
    if cost > spot_free:
        return f"{cost:.2f} {market.quote} needed on spot, {spot_free:.2f} free"
    depth = fillable(quote, Side.BUY, order.price)
    if depth < order.quantity:
        return f"{market.symbol} offers {depth.normalize():f} within {slippage:.2%}, {order.quantity:f} needed"
    return ""
