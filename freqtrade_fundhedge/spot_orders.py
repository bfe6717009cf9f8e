"""Spot orders: sent once, their outcome written, and looked up where it is not known."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from freqtrade_fundhedge.context import Context, logger
from freqtrade_fundhedge.core.intents import Move, State
from freqtrade_fundhedge.core.outcome import INTERRUPTED, by_records, listed
from freqtrade_fundhedge.errors import EVERYWHERE, BackOff, Denied, Insufficient, NotSent, OutcomeUnknown, Rejected
from freqtrade_fundhedge.journal_rows import HedgeRow, OrderRow, epoch
from freqtrade_fundhedge.market import SpotMarket, floor_to
from freqtrade_fundhedge.messages import REMEDY
from freqtrade_fundhedge.pauses import Pauses
from freqtrade_fundhedge.schema import spot_orders
from freqtrade_fundhedge.venue.port import ZERO, Evidence, Fill, OrderRequest, Side

REFUSALS_IN_A_ROW = 6
# Binance refuses a request that arrives later than its receive window (ccxt asks for 10 s); after twice that an
# order that nobody has seen can't come into being any more.
ABSENT_AFTER_S = 20.0


@dataclass
class SpotOrders:
    """What every spot order goes through."""

    ctx: Context
    _fee_in_coin: bool | None = None
    _pauses: Pauses = field(default_factory=lambda: Pauses(REFUSALS_IN_A_ROW))

    def resolve_all(self) -> None:
        """Settle orders without a known outcome, as far as the exchange's evidence goes."""
        for row in self.ctx.journal.open_orders():
            try:
                self.resolve(row)
            except Rejected as error:
                if isinstance(error, EVERYWHERE):
                    raise
                self._still_open(row)  # a market that is gone, say: no other hedge waits for it

    def resolve(self, row: OrderRow) -> bool:
        """Settle an order without a known outcome from the exchange's evidence. True when it is settled."""
        ctx, journal = self.ctx, self.ctx.journal
        if row.state is State.SENT:
            row = journal.order_moved(row.intent_id, Move.LOSE, INTERRUPTED, ctx.clock())
        request = OrderRequest(row.intent_id, ctx.venue.market(row.pair), row.side, row.amount, row.price)
        evidence, fill = ctx.venue.find_order(request)
        lookups = journal.not_seen(spot_orders, row.intent_id) if evidence is Evidence.NOT_SEEN else 0
        move = by_records(evidence, lookups, ctx.clock() - epoch(row.sent_at), ABSENT_AFTER_S)
        if move is None or (move is Move.FIND and fill is None):
            self._still_open(row)
            return False
        self.conclude(row, move, listed(move, lookups), fill)
        return True

    def conclude(self, row: OrderRow, move: Move, answer: str, fill: Fill | None = None) -> None:
        """Write the outcome of an order that was unknown; `answer` unless a fill has its own."""
        ctx = self.ctx
        if fill is not None:
            self._done(row, move, fill)
            return
        ctx.journal.order_moved(row.intent_id, move, answer, ctx.clock())
        if move is Move.PROVE_ABSENT:
            ctx.record("order_absent", f"{row.symbol}: {row.side} {row.amount:f} never reached the exchange")
        ctx.settled(f"order {row.intent_id}")

    def _still_open(self, row: OrderRow) -> None:
        text = f"{row.symbol}: outcome of {row.side} {row.amount:f} is not known yet; {REMEDY}"
        self.ctx.once(f"order {row.intent_id}", text)

    def fee_in_coin(self, market: SpotMarket) -> bool:
        """Whether purchases pay their fee in the coin bought: what the last one did (BNB pays otherwise)."""
        if self._fee_in_coin is None:
            last = self.ctx.journal.last_purchase()
            self._fee_in_coin = last is None or not last.fees or last.symbol.split("/")[0] in last.fees
        return self._fee_in_coin

    def _send(self, hedge: HedgeRow, row: OrderRow, market: SpotMarket) -> Decimal | None:
        """Send an intent once, write the outcome. The quantity filled; None when refused."""
        return self._answered(hedge, row, market, self._post(hedge, row, market))

    def _post(
        self, _hedge: HedgeRow, row: OrderRow, market: SpotMarket, senders: Executor | None = None
    ) -> Callable[[], Fill]:
        """Send an intent once; what is returned waits for the answer. Without `senders` it sends only then."""
        send = partial(self.ctx.venue.send_order, OrderRequest(row.intent_id, market, row.side, row.amount, row.price))
        return senders.submit(send).result if senders is not None else send

    def _answered(
        self, hedge: HedgeRow, row: OrderRow, market: SpotMarket, answer: Callable[[], Fill]
    ) -> Decimal | None:
        ctx, journal = self.ctx, self.ctx.journal
        try:
            fill = answer()
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
        self._done(row, Move.ACCEPT, fill)
        return fill.quantity

    def _done(self, row: OrderRow, move: Move, fill: Fill) -> None:
        ctx, (base, _, quote) = self.ctx, row.symbol.partition("/")
        ctx.journal.order_done(row.intent_id, move, fill, ctx.clock(), base, quote)
        ctx.settled(f"order {row.intent_id}")
        ctx.settled("key")
        self._pauses.worked(row.hedge_id)
        if row.side is Side.BUY and fill.quantity and fill.fees:
            self._fee_in_coin = base in fill.fees
        price = fill.quote / fill.quantity if fill.quantity else row.price
        ctx.record(
            "spot_fill",
            f"{row.symbol}: {row.side} {fill.quantity:f} of {row.amount:f} at {price:.8g}",
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
