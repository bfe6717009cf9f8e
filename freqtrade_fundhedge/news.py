"""Says when a hedge stands, and when it has become another size: once each, also across restarts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from freqtrade_fundhedge import messages
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.core.fills import Fills, price, result
from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.journal_hedge import CHANGED, OPENED, fills_data, fills_of, last_told, spot_fills
from freqtrade_fundhedge.journal_rows import HedgeRow, epoch
from freqtrade_fundhedge.venue.perpetuals import FundingQuote


@dataclass
class News:
    """Compares each hedge with what was said of it last."""

    ctx: Context
    _told: dict[str, Fills | None] = field(default_factory=dict)

    def look(self, hedge: HedgeRow, leg: ShortLeg | None, funding: Mapping[str, FundingQuote]) -> None:
        """Tell if both legs have come to rest, and not where they rested before."""
        if leg is None or not self._rests(hedge, leg):
            return
        told = self._last(hedge)
        if told is not None and told.short == leg.filled:
            return
        fills = all_fills(self.ctx, hedge, leg)
        if told is None:
            self._opened(hedge, fills, funding.get(hedge.pair))
        else:
            self.ctx.record(CHANGED, messages.changed(hedge, fills, told), hedge, tell=True, **fills_data(fills))
        self._told[hedge.id] = fills

    def _rests(self, hedge: HedgeRow, leg: ShortLeg) -> bool:
        """Nothing is on order, and what the short holds is balanced but for dust."""
        if not leg.is_open or hedge.state != "open" or not 0 < leg.filled == leg.reachable:
            return False
        return hedge.unhedged_since is None and hedge.wanted == leg.filled * self.ctx.venue.market(leg.pair).multiplier

    def _last(self, hedge: HedgeRow) -> Fills | None:
        if hedge.id not in self._told:
            row = last_told(self.ctx.journal.engine, hedge.id)
            self._told[hedge.id] = fills_of(row.data) if row is not None else None
        return self._told[hedge.id]

    def _opened(self, hedge: HedgeRow, fills: Fills, funding: FundingQuote | None) -> None:
        multiplier = self.ctx.venue.market(hedge.pair).multiplier
        perp, spot = price(fills.sold, fills.entered), price(fills.spent, fills.coins_bought)
        known = {
            "basis": f"{messages.basis(perp, spot, multiplier):f}" if spot else None,
            "apr": messages.funding_apr(funding) if funding is not None else None,
        }
        text = messages.opened(hedge, fills, multiplier, funding)
        self.ctx.record(OPENED, text, hedge, tell=True, **fills_data(fills), **known)


def all_fills(ctx: Context, hedge: HedgeRow, leg: ShortLeg) -> Fills:
    """Both legs' fills so far."""
    spot = spot_fills(ctx.journal.engine, hedge.id)
    return Fills(
        leg.entered, leg.entered - leg.filled, leg.sold, leg.bought, leg.fees,
        spot.coins_bought, spot.coins_sold, spot.spent, spot.earned,
    )  # fmt: skip


def tell_closed(ctx: Context, hedge: HedgeRow, leg: ShortLeg | None) -> None:
    """Say what a hedge brought, and end every call that was about it."""
    seconds = epoch(hedge.closed_at) - epoch(hedge.opened_at) if hedge.closed_at is not None else 0.0
    found, data = None, {"result": str(hedge.short_realised + hedge.spot_cash)}
    if leg is not None and leg.sold and not leg.filled:
        spot = spot_fills(ctx.journal.engine, hedge.id)
        own = hedge.symbol.split("/")
        fills = all_fills(ctx, hedge, leg)
        found = result(fills, hedge.short_realised, hedge.funding, hedge.spot_cash, hedge.spot_fees)
        found.other_fees.update({coin: fee for coin, fee in spot.fees.items() if coin not in own})
        data |= {name: f"{getattr(found, name):f}" for name in ("short", "spot", "funding", "fees", "total")}
        data |= fills_data(fills)
    vain = leg is None and hedge.came_to_nothing
    text = messages.given_up(hedge) if vain else messages.closed(hedge, found, seconds)
    ctx.record("hedge_closed", text, hedge, tell=not vain, **data)
    for topic in (f"margin {hedge.pair}", f"smaller {hedge.id}", f"missing {hedge.id}"):
        ctx.settled(topic)
    ctx.only(f"gone {hedge.id}", set())
