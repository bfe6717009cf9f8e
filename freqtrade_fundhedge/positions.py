"""The exchange's position beside Freqtrade's trade: what the spot leg has to balance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.core.hedge import ShortLeg, wanted_quantity
from freqtrade_fundhedge.journal_closes import EARLY
from freqtrade_fundhedge.journal_rows import HedgeRow
from freqtrade_fundhedge.venue.port import ZERO, FuturesAccount

# Binance answers for positions a moment late; its documentation says that the stream is the timely source.
BEHIND_S = 10.0


@dataclass
class Positions:
    """Remembers what was read last, and tells when a short is smaller than Freqtrade believes."""

    ctx: Context
    _seen: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    _changes: dict[str, tuple[Decimal, float, float]] = field(default_factory=dict)
    _behind: dict[str, float] = field(default_factory=dict)

    @property
    def behind(self) -> bool:
        """Whether the last read lacked a fill: what is needed for that would look like a surplus, or the reverse."""
        return any(self.ctx.clock() < until for until in self._behind.values())

    def on_exchange(
        self, hedge: HedgeRow, leg: ShortLeg | None, legs: Sequence[ShortLeg], account: FuturesAccount | None
    ) -> Decimal | None:
        """The part of the exchange's position that is this hedge's, as far as the spot leg may act on it."""
        if account is None:
            return self.last_known(hedge, leg) if hedge.id in self._seen else self._never_read(hedge, leg)
        held = account.short(hedge.pair)
        if leg is None:
            # What other trades of the pair account for is not this one's.
            held = max(ZERO, held - sum((other.filled for other in legs if other.pair == hedge.pair), ZERO))
            return self._gone(hedge, held)
        changed, grown = self._note_change(hedge, leg)
        self._behind.pop(hedge.pair, None)
        if leg.is_open and self.ctx.clock() < changed + BEHIND_S and not leg.filled <= held <= leg.reachable:
            self._behind[hedge.pair] = changed + BEHIND_S
        if leg.is_open and self.ctx.clock() < grown + BEHIND_S:
            # No reason to sell what was just bought, nor to buy what was just sold.
            held = max(held, min(leg.filled, self._ours(hedge)))
        before, self._seen[hedge.id] = self._seen.get(hedge.id), (leg.filled, held)
        short_of = leg.is_open and held < leg.filled
        if not short_of:
            self.ctx.settled(f"smaller {hedge.id}")
        elif before == (leg.filled, held):
            # Not at first sight: Freqtrade may be about to hear of a fill that the exchange shows already.
            self._smaller(hedge, leg, held)
        return max(held, leg.filled) if short_of and self._keeps else held

    def last_known(self, hedge: HedgeRow, leg: ShortLeg | None) -> Decimal | None:
        """The position as last read, while Freqtrade has heard of no fill since: an old fill announced again is no
        reason to buy for a short that is gone."""
        if leg is not None:
            self._note_change(hedge, leg)
        filled, held = self._seen.get(hedge.id, (ZERO, ZERO))
        if leg is None or not ZERO < leg.filled <= filled:
            return None
        return max(held, leg.filled) if self._keeps else held

    def _never_read(self, hedge: HedgeRow, leg: ShortLeg | None) -> Decimal | None:
        """What was sold before a restart may have been sold for an exit that Freqtrade has not heard of."""
        ours = self._ours(hedge)
        return ours if leg is not None and ZERO < ours < leg.filled else None

    def _ours(self, hedge: HedgeRow) -> Decimal:
        return hedge.held / self.ctx.venue.market(hedge.pair).multiplier

    def forget(self, unsettled: Sequence[HedgeRow]) -> None:
        """Drop what was remembered of hedges that are over."""
        ids = {hedge.id for hedge in unsettled}
        self._seen = {key: seen for key, seen in self._seen.items() if key in ids}
        self._changes = {key: change for key, change in self._changes.items() if key in ids}

    def _note_change(self, hedge: HedgeRow, leg: ShortLeg) -> tuple[float, float]:
        """When the short last was filled, as far as known here, and when it last grew."""
        now = self.ctx.clock()
        filled, changed, grown = self._changes.get(hedge.id) or self._before_us(hedge, leg)
        changed, grown = (now if leg.filled != filled else changed), (now if leg.filled > filled else grown)
        self._changes[hedge.id] = leg.filled, changed, grown
        return changed, grown

    def _before_us(self, hedge: HedgeRow, leg: ShortLeg) -> tuple[Decimal, float, float]:
        """A short at first sight: as it was when it was opened, unless it is not what the journal knows."""
        wanted = wanted_quantity(leg.filled, self.ctx.venue.market(hedge.pair))
        return (leg.filled if wanted == hedge.wanted else ZERO), leg.opened_at, leg.opened_at

    @property
    def _keeps(self) -> bool:
        return self.ctx.settings.hedge.orphans == "report"

    def _gone(self, hedge: HedgeRow, held: Decimal) -> Decimal:
        ours = self._ours(hedge)
        text = f"{hedge.pair}: trade {hedge.trade_id} is no longer in Freqtrade's database; "
        if hedge.trade_id == EARLY:
            text = f"{hedge.pair}: Freqtrade has no trade for an entry that was filled; "
        if held > 0:
            text += f"the exchange still has a short of {held:f}, which stays hedged until it is closed"
        elif self._keeps:
            text += f"{hedge.held:f} bought for it stay on spot, as fundhedge.hedge.orphans says"
        else:
            text += f"{hedge.held:f} bought for it are sold"
        if hedge.held > 0:
            self.ctx.once(f"gone {hedge.id} {held > 0}", text)
        return max(held, ours) if self._keeps else held

    def _smaller(self, hedge: HedgeRow, leg: ShortLeg, held: Decimal) -> None:
        what = "stays, as fundhedge.hedge.orphans says" if self._keeps else "is sold"
        self.ctx.once(
            f"smaller {hedge.id}",
            f"{hedge.pair}: the exchange has a short of {held:f}, Freqtrade believes in {leg.filled:f}: liquidated, "
            f"deleveraged or closed by hand; the surplus on spot {what}",
        )
