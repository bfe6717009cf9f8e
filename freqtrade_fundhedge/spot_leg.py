"""The spot leg of each hedge: resolve what is unknown, then one order towards what the short holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from freqtrade_fundhedge.context import Context, logger
from freqtrade_fundhedge.core.hedge import (
    ShortLeg,
    SpotOrder,
    next_order,
    real_short,
    wanted_quantity,
    widened,
)
from freqtrade_fundhedge.core.intents import Move, State
from freqtrade_fundhedge.errors import BackOff, Denied, Insufficient, NotSent, OutcomeUnknown, Rejected
from freqtrade_fundhedge.journal_rows import HedgeRow, OrderRow, epoch, iso
from freqtrade_fundhedge.market import SpotMarket, floor_to
from freqtrade_fundhedge.news import tell_closed
from freqtrade_fundhedge.pauses import Pauses
from freqtrade_fundhedge.schema import spot_orders
from freqtrade_fundhedge.venue.port import ZERO, Evidence, Fill, FundingQuote, OrderRequest, Quote, Side

SENDS_PER_STEP = 2
REFUSALS_IN_A_ROW = 6
ABSENT_LOOKUPS = 3
# Binance refuses a request that arrives later than its receive window (ccxt asks for 10 s); after twice that an
# order that nobody has seen can't come into being any more.
ABSENT_AFTER_S = 20.0
# How far the book may be from the index price before a difference near the venue's minimum is asked for.
NEAR = Decimal("1.1")


@dataclass
class SpotLeg:
    """Acts on one hedge at a time.

    Attributes
    ----------
    funding : the last quotes of all pairs: their index prices say what is dust without a request for each book
    """

    ctx: Context
    funding: Mapping[str, FundingQuote] = field(default_factory=dict)
    _fee_in_coin: bool | None = None
    _pauses: Pauses = field(default_factory=lambda: Pauses(REFUSALS_IN_A_ROW))

    def resolve_all(self) -> None:
        """Settle orders without a known outcome, as far as the exchange's evidence goes."""
        for row in self.ctx.journal.open_orders():
            self.resolve(row)

    def resolve(self, row: OrderRow) -> bool:
        """Settle an order without a known outcome from the exchange's evidence. True when it is settled."""
        ctx, journal = self.ctx, self.ctx.journal
        if row.state is State.SENT:
            row = journal.order_moved(row.intent_id, Move.LOSE, "interrupted before the answer came", ctx.clock())
        market = ctx.venue.market(row.pair)
        request = OrderRequest(row.intent_id, market, row.side, row.amount, row.price)
        evidence, fill = ctx.venue.find_order(request)
        if evidence is Evidence.APPLIED and fill is not None:
            self._done(row, Move.FIND, fill, market)
            return True
        if evidence is Evidence.FAILED:
            journal.order_moved(row.intent_id, Move.REFUSE, "the exchange lists it as rejected", ctx.clock())
            ctx.settled(f"order {row.intent_id}")
            return True
        if evidence is Evidence.NOT_SEEN:
            lookups = journal.not_seen(spot_orders, row.intent_id)
            if lookups >= ABSENT_LOOKUPS and ctx.clock() - epoch(row.sent_at) > ABSENT_AFTER_S:
                answer = f"not on the exchange in {lookups} lookups"
                journal.order_moved(row.intent_id, Move.PROVE_ABSENT, answer, ctx.clock())
                ctx.record("order_absent", f"{row.symbol}: {row.side} {row.amount:f} never reached the exchange")
                ctx.settled(f"order {row.intent_id}")
                return True
        ctx.once(f"order {row.intent_id}", f"{row.symbol}: outcome of {row.side} {row.amount:f} is not known yet")
        return False

    def at_once(self, leg: ShortLeg) -> int:
        """The first order of a step, with nothing before it that can wait: one write, one send.

        Returns
        -------
        how many of a step's orders that was: all of them when it was refused, none when there was nothing to send

        Raises
        ------
        as `step`
        """
        ctx, market = self.ctx, self.ctx.venue.market(leg.pair)
        wanted = wanted_quantity(real_short(leg, None), market)
        # Whatever may ask the exchange or the journal comes before the transaction.
        quote, now = ctx.quote(market.symbol), ctx.clock()
        self.fee_in_coin(market)

        def decide(hedge: HedgeRow) -> SpotOrder | None:
            return None if self._pauses.resting(hedge.id, now) else self._next(hedge, leg, wanted, market, quote)

        begun = ctx.journal.begin_at_once(leg.trade_id, leg.opened_at, leg.pair, market.symbol, wanted, decide, now)
        if begun is None:
            return 0
        return SENDS_PER_STEP if self._send(*begun, market) is None else 1

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

    def dust(self, gap: Decimal, market: SpotMarket) -> bool:
        """Whether no order can close a difference, as far as is known without asking for the book."""
        if gap < max(market.lot, Decimal(1).scaleb(-12)):
            return True
        quote = self.funding.get(market.pair)
        if quote is None or not 0 < quote.index_price < float("inf"):
            return False
        price = Decimal(repr(quote.index_price)) / market.multiplier
        return (gap + market.lot) * price * NEAR < market.min_notional

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
        quote = quote or self.ctx.quote(market.symbol, fresh)
        order = next_order(wanted, hedge.held, market, quote, slippage, self.fee_in_coin(market))
        return order if isinstance(order, SpotOrder) else None

    def _overdue(self, hedge: HedgeRow) -> int:
        """How many time-outs a sale is late: each one doubles the price that it may give up."""
        if hedge.unhedged_since is None:
            return 0
        late = self.ctx.clock() - epoch(hedge.unhedged_since)
        return int(late // self.ctx.settings.hedge.unhedged_timeout_s)

    def fee_in_coin(self, market: SpotMarket) -> bool:
        """Whether purchases pay their fee in the coin bought: what the last one did (BNB pays otherwise)."""
        if self._fee_in_coin is None:
            last = self.ctx.journal.last_purchase()
            self._fee_in_coin = last is None or not last.fees or last.symbol.split("/")[0] in last.fees
        return self._fee_in_coin

    def _send(self, hedge: HedgeRow, row: OrderRow, market: SpotMarket) -> Decimal | None:
        """Send an intent once, write the outcome. The quantity filled; None when refused."""
        ctx, journal = self.ctx, self.ctx.journal
        request = OrderRequest(row.intent_id, market, row.side, row.amount, row.price)
        try:
            fill = ctx.venue.send_order(request)
        except OutcomeUnknown as error:
            journal.order_moved(row.intent_id, Move.LOSE, str(error), ctx.clock())
            ctx.record("order_unknown", f"{market.symbol}: answer to {row.side} {row.amount:f} was lost", hedge)
            raise
        except NotSent as error:
            journal.order_moved(row.intent_id, Move.PROVE_ABSENT, str(error), ctx.clock())
            self._pauses.failed(hedge.id, ctx.clock())
            raise
        except Rejected as error:
            journal.order_moved(row.intent_id, Move.REFUSE, str(error), ctx.clock())
            self._pauses.failed(hedge.id, ctx.clock())
            if isinstance(error, BackOff):
                raise
            self._refused(hedge, row, market, error)
            return None
        self._done(row, Move.ACCEPT, fill, market)
        return fill.quantity

    def _done(self, row: OrderRow, move: Move, fill: Fill, market: SpotMarket) -> None:
        ctx = self.ctx
        ctx.journal.order_done(row.intent_id, move, fill, ctx.clock(), market.base, market.quote)
        ctx.settled(f"order {row.intent_id}")
        ctx.settled("key")
        self._pauses.worked(row.hedge_id)
        if row.side is Side.BUY and fill.quantity and fill.fees:
            self._fee_in_coin = market.base in fill.fees
        price = fill.quote / fill.quantity if fill.quantity else row.price
        ctx.record(
            "spot_fill",
            f"{market.symbol}: {row.side} {fill.quantity:f} of {row.amount:f} at {price:.8g}",
            None, pair=row.pair, hedge_id=row.hedge_id, intent=row.intent_id, filled=str(fill.quantity),
        )  # fmt: skip

    def _refused(self, hedge: HedgeRow, row: OrderRow, market: SpotMarket, error: Rejected) -> None:
        text = f"{market.symbol}: {row.side} {row.amount:f} refused: {error}"
        logger.warning("%s", text)
        self.ctx.journal.event("order_refused", text, self.ctx.clock(), hedge)
        if isinstance(error, Denied):
            self.ctx.once("key", f"the exchange refuses our key: {error}; check its permissions")
        elif isinstance(error, Insufficient) and row.side is Side.SELL:
            self._sell_what_is_left(hedge, market)

    def _sell_what_is_left(self, hedge: HedgeRow, market: SpotMarket) -> None:
        """Some of our coins were moved or sold by hand: own up to it, so that the rest can be sold."""
        free = self.ctx.venue.spot_balances().get(market.base, ZERO)
        if floor_to(free, market.lot) < floor_to(hedge.held, market.lot):
            self.ctx.journal.note_hedge(hedge.id, held=free)
            self.ctx.once(
                f"missing {hedge.id}",
                f"{market.base}: {hedge.held:f} are on our books, {free:f} in the wallet; somebody moved the rest",
            )

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
