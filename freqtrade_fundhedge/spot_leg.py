"""The spot leg of each hedge: resolve what is unknown, then one order towards what the short holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal

from freqtrade_fundhedge.core.early import spot_price
from freqtrade_fundhedge.core.hedge import ShortLeg, SpotOrder, next_order, real_short, wanted_quantity, widened
from freqtrade_fundhedge.errors import JournalError, VenueError
from freqtrade_fundhedge.journal_rows import HedgeRow, OrderRow, epoch, iso
from freqtrade_fundhedge.market import SpotMarket, floor_to
from freqtrade_fundhedge.news import tell_closed
from freqtrade_fundhedge.spot_orders import SpotOrders
from freqtrade_fundhedge.venue.perpetuals import FundingQuote
from freqtrade_fundhedge.venue.port import ZERO, Quote, Side

SENDS_PER_STEP = 2
MOST_AT_ONCE = 8
# How far the book may be from the index price before a difference near the venue's minimum is asked for.
NEAR = Decimal("1.1")


@dataclass
class SpotLeg(SpotOrders):
    """Acts on one hedge at a time.

    Attributes
    ----------
    funding : the last quotes of all pairs: their index prices say what is dust without a request for each book
    """

    funding: Mapping[str, FundingQuote] = field(default_factory=dict)

    def at_once(self, legs: Sequence[ShortLeg], sides: Mapping[str, Side]) -> dict[str, int]:
        """The first orders of the steps of hedges in different pairs, with nothing before them that can wait: one
        write and one send each, and no pair waits for another one's answer.

        Parameters
        ----------
        sides : by pair, all that may be sent there

        Returns
        -------
        by pair, how many of a step's orders that was: all of them when it was refused, none when there was nothing
        to send

        Raises
        ------
        as `step`, once every outcome is on record
        """
        sent, under_way, errors = dict.fromkeys((leg.pair for leg in legs), 0), [], []
        with ThreadPoolExecutor(MOST_AT_ONCE, "fundhedge-order") as senders:
            for number, leg in enumerate(legs, 1):
                try:
                    begun = self._begin(leg, sides[leg.pair])
                    if begun is not None:
                        answer = self._post(*begun, senders if number < len(legs) else None)
                        under_way.append((leg.pair, *begun, answer))
                except (VenueError, JournalError) as error:
                    errors.append(error)
            for pair, hedge, row, market, answer in reversed(under_way):  # the last one leaves only here
                try:
                    sent[pair] = SENDS_PER_STEP if self._answered(hedge, row, market, answer) is None else 1
                except (VenueError, JournalError) as error:
                    errors.append(error)
        if errors:
            raise errors[0]
        return sent

    def _begin(self, leg: ShortLeg, side: Side) -> tuple[HedgeRow, OrderRow, SpotMarket] | None:
        ctx, market = self.ctx, self.ctx.venue.market(leg.pair)
        wanted = wanted_quantity(real_short(leg, None), market)
        # Whatever may ask the exchange or the journal comes before the transaction.
        quote, now = ctx.quote(market.symbol), ctx.clock()
        self.fee_in_coin(market)

        def decide(hedge: HedgeRow) -> SpotOrder | None:
            order = None if self._pauses.resting(hedge.id, now) else self._next(hedge, leg, wanted, market, quote)
            return order if order is not None and order.side is side else None

        begun = ctx.journal.begin_at_once(leg.trade_id, leg.opened_at, leg.pair, market.symbol, wanted, decide, now)
        return (*begun, market) if begun is not None else None

    def step(self, hedge: HedgeRow, leg: ShortLeg | None, on_exchange: Decimal | None, sent: int = 0) -> HedgeRow:
        """Bring one hedge as close to balance as the exchange allows now, with at most two orders.

        Parameters
        ----------
        sent : how many of the two have left already

        Raises
        ------
        OutcomeUnknown, NotSent, BackOff : the exchange is not in a state to be asked for more
        """
        market = self.ctx.venue.market(hedge.pair)
        wanted = wanted_quantity(real_short(leg, on_exchange), market)
        hedge = self._note_short(hedge, leg, wanted)
        for attempt in range(sent, SENDS_PER_STEP):
            order = self._next(hedge, leg, wanted, market, fresh=attempt > 0)
            if order is None or self._pauses.resting(hedge.id, self.ctx.clock()):
                break
            row = self.ctx.journal.begin_order(hedge, order.side, order.quantity, order.price, self.ctx.clock())
            filled = self._send(hedge, row, market)
            hedge = self.ctx.journal.note_hedge(hedge.id)
            if filled is None:
                break
        return self._judge(hedge, leg, wanted, market)

    def expect(self, pair: str, price: Decimal) -> None:
        """The perpetual has traded at `price`: with the basis as last read, that will do for spot for a moment."""
        market = self.ctx.venue.market(pair)
        about = spot_price(price, self.funding.get(pair), Decimal(market.multiplier))
        if floor_to(about, market.tick) > ZERO:
            self.ctx.estimate(market.symbol, about, market.tick)

    def dust(self, gap: Decimal, market: SpotMarket) -> bool:
        """Whether no order can close a difference, as far as is known without asking for the book."""
        if gap < max(market.lot, Decimal(1).scaleb(-12)):
            return True
        price = self.index_price(market)
        return price is not None and (gap + market.lot) * price * NEAR < market.min_notional

    def index_price(self, market: SpotMarket) -> Decimal | None:
        """Of one spot unit, as last read; None when it is not known."""
        quote = self.funding.get(market.pair)
        if quote is None or not 0 < quote.index_price < float("inf"):
            return None
        return Decimal(repr(quote.index_price)) / market.multiplier

    def note_freed(self, hedge: HedgeRow, leg: ShortLeg) -> HedgeRow:
        """Record what the short's exits realised and freed, without acting on it."""
        return self._note_short(hedge, leg, hedge.wanted)

    def _note_short(self, hedge: HedgeRow, leg: ShortLeg | None, wanted: Decimal) -> HedgeRow:
        changes: dict[str, object] = {}
        if wanted != hedge.wanted:
            changes["wanted"] = wanted
        if leg is not None and (leg.freed, leg.realised, leg.funding) != (
            hedge.freed, hedge.short_realised, hedge.funding,
        ):  # fmt: skip
            changes |= {"freed": leg.freed, "short_realised": leg.realised, "funding": leg.funding}
            if paid := leg.funding - hedge.funding:
                text = f"{hedge.pair}: funding {paid:+.4f} {hedge.symbol.partition('/')[2]}"
                self.ctx.record("funding", text, hedge, amount=str(paid))
        return self.ctx.journal.note_hedge(hedge.id, **changes) if changes else hedge

    def _next(
        self, hedge: HedgeRow, leg: ShortLeg | None, wanted: Decimal, market: SpotMarket, quote: Quote | None = None,
        fresh: bool = False,
    ) -> SpotOrder | None:  # fmt: skip
        if wanted > hedge.held and (hedge.state == "failed" or leg is None or not leg.is_open):
            return None
        if self.dust(abs(wanted - hedge.held), market):
            return None
        slippage = self.ctx.settings.hedge.max_slippage
        if wanted < hedge.held:
            slippage = widened(slippage, self._overdue(hedge))
        quote = quote or (self.ctx.quote(market.symbol, 0) if fresh else self.ctx.quote(market.symbol))
        order = next_order(wanted, hedge.held, market, quote, slippage, self.fee_in_coin(market))
        return order if isinstance(order, SpotOrder) else None

    def _overdue(self, hedge: HedgeRow) -> int:
        """How many time-outs a sale is late: each one doubles the price that it may give up."""
        if hedge.unhedged_since is None:
            return 0
        late = self.ctx.clock() - epoch(hedge.unhedged_since)
        return int(late // self.ctx.settings.hedge.unhedged_timeout_s)

    def _judge(self, hedge: HedgeRow, leg: ShortLeg | None, wanted: Decimal, market: SpotMarket) -> HedgeRow:
        """Keep the time since when the legs differ by more than the venue's smallest order, and close what is over."""
        ctx = self.ctx
        gap = abs(wanted - hedge.held)
        price = ctx.quote(market.symbol).best(Side.BUY) if not self.dust(gap, market) else ZERO
        tradable = gap >= max(market.lot, market.min_quantity) and gap * price >= market.min_notional
        if tradable and hedge.unhedged_since is None:
            hedge = ctx.journal.note_hedge(hedge.id, unhedged_since=iso(ctx.clock()))
        elif not tradable and hedge.unhedged_since is not None:
            hedge = ctx.journal.note_hedge(hedge.id, unhedged_since=None)
        if tradable and wanted > hedge.held and hedge.state == "open" and self._overdue(hedge) >= 1:
            hedge = ctx.journal.note_hedge(hedge.id, state="failed")
            text = f"{hedge.pair}: {gap:f} {market.base} could not be bought in time; the short is asked to close"
            ctx.record("hedge_failed", text, hedge, tell=True)
        over = leg is None or not leg.is_open
        if over and wanted == 0 and not tradable and hedge.closed_at is None:
            hedge = ctx.journal.note_hedge(hedge.id, state="closed", closed_at=iso(ctx.clock()))
            tell_closed(ctx, hedge, leg)
        return hedge
