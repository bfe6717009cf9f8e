"""USDT on spot that entries have a claim on: from the moment one is allowed until its coins are bought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.core.hedge import ShortLeg, price_cap, wanted_quantity
from freqtrade_fundhedge.journal_rows import HedgeRow
from freqtrade_fundhedge.market import SpotMarket
from freqtrade_fundhedge.spot_leg import SpotLeg
from freqtrade_fundhedge.venue.port import ZERO, Quote, Side

# An entry that Freqtrade has made shows as a trade as soon as the exchange has answered; one that it has not made by
# then never happened as far as spot is concerned: a short that only the exchange knows is closed, not hedged.
NOT_MADE_AFTER_S = 20.0


@dataclass
class Claims:
    """Keeps other top-ups and entries off what the spot legs under way need.

    Attributes
    ----------
    spot : knows about prices, and what is too small for the venue, without asking for a book
    """

    ctx: Context
    spot: SpotLeg
    _allowed: dict[str, tuple[Decimal, float]] = field(default_factory=dict)
    _open: dict[str, Decimal] = field(default_factory=dict)

    def allow(self, pair: str, quantity: Decimal) -> None:
        """Freqtrade may send this entry of `quantity`, in the perpetual's base units."""
        market = self.ctx.venue.market(pair)
        self._allowed[pair] = self._cost(market, wanted_quantity(quantity, market)), self.ctx.clock()

    def look(self, legs: Sequence[ShortLeg], hedges: Sequence[HedgeRow]) -> None:
        """What open shorts still have to buy, and which allowed entries were never made."""
        open_legs = {leg.pair: leg for leg in legs if leg.is_open}
        now = self.ctx.clock()
        self._allowed = {
            pair: (cost, at)
            for pair, (cost, at) in self._allowed.items()
            if pair not in open_legs and now - at < NOT_MADE_AFTER_S
        }
        of_pair = {hedge.pair: hedge for hedge in hedges if hedge.state == "open"}
        self._open = {pair: self._missing(leg, of_pair.get(pair)) for pair, leg in open_legs.items()}

    def filled(self, leg: ShortLeg, hedge: HedgeRow) -> None:
        """The entry has become a trade, and its spot leg was brought as far as it goes now."""
        self._allowed.pop(leg.pair, None)
        self._open[leg.pair] = self._missing(leg, hedge if hedge.state == "open" else None)

    def _missing(self, leg: ShortLeg, hedge: HedgeRow | None) -> Decimal:
        if hedge is None:
            return ZERO
        market = self.ctx.venue.market(leg.pair)
        missing = hedge.wanted - hedge.held + wanted_quantity(leg.reachable - leg.filled, market)
        if missing < max(market.lot, market.min_quantity) or self.spot.dust(missing, market):
            return ZERO
        cost = self._cost(market, missing)
        return cost if cost >= market.min_notional else ZERO

    def _cost(self, market: SpotMarket, quantity: Decimal) -> Decimal:
        slippage, price = self.ctx.settings.hedge.max_slippage, self.spot.index_price(market)
        now = self.ctx.clock()
        quote = Quote.around(market.symbol, price, market.tick, now) if price else self.ctx.quote(market.symbol)
        return quantity * price_cap(Side.BUY, quote, slippage, market.tick) / (1 - market.taker_fee)

    def total(self, besides: str = "") -> Decimal:
        """USDT spoken for, what the entry in the pair `besides` claims aside."""
        allowed = sum((cost for pair, (cost, _) in self._allowed.items() if pair != besides), ZERO)
        return allowed + sum((cost for pair, cost in self._open.items() if pair != besides), ZERO)
