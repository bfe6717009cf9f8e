"""What the journal writes before a spot order leaves: the hedge and the intent."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from sqlalchemy import Connection, func, insert, select

from freqtrade_fundhedge.core.hedge import SpotOrder
from freqtrade_fundhedge.core.intents import OPEN, State, intent_id
from freqtrade_fundhedge.journal_hedges import HedgeRecords
from freqtrade_fundhedge.journal_open import journal_errors
from freqtrade_fundhedge.journal_rows import HedgeRow, OrderRow, iso, written
from freqtrade_fundhedge.schema import spot_orders
from freqtrade_fundhedge.venue.port import ZERO, Side

Decide = Callable[[HedgeRow], SpotOrder | None]


class BeginRecords(HedgeRecords):
    """See `Journal`."""

    def begin_order(self, hedge: HedgeRow, side: Side, amount: Decimal, price: Decimal, now: float) -> OrderRow:
        """Record the decision to send an order; on return it is on disk and must be sent or resolved."""
        with journal_errors("record the order"), self.engine.begin() as db:
            return _order(db, hedge, SpotOrder(side, amount, price), now)

    def begin_at_once(
        self, trade_id: int, opened_at: float, pair: str, symbol: str, wanted: Decimal, decide: Decide, now: float
    ) -> tuple[HedgeRow, OrderRow] | None:
        """`hedge`, what it should hold, and `begin_order`, in one transaction: one wait for the disk instead of three.

        Parameters
        ----------
        decide : gives the order for the hedge as it is; must not ask the journal or the network

        Returns
        -------
        the hedge and its order, which must be sent or resolved; None if there is nothing to send, and then only the
        hedge is on record
        """
        with journal_errors("record the order"), self.engine.begin() as db:
            key = intent_id("hedge", self.bot, trade_id, pair, f"{opened_at:.0f}")
            hedge = self._first(db, key, trade_id, opened_at, pair, symbol)
            waiting = select(spot_orders.c.serial).where(
                spot_orders.c.hedge_id == hedge.id, spot_orders.c.state.in_(sorted(OPEN))
            )
            if hedge.state == "closed" or db.execute(waiting.limit(1)).first() is not None:
                return None
            order = decide(hedge)
            if order is None:
                return None
            self._change_hedge(db, hedge.id, {"wanted": wanted})
            return hedge, _order(db, hedge, order, now)


def _order(db: Connection, hedge: HedgeRow, order: SpotOrder, now: float) -> OrderRow:
    last = db.scalar(select(func.max(spot_orders.c.serial)).where(spot_orders.c.hedge_id == hedge.id))
    row = OrderRow(
        intent_id=intent_id("order", hedge.id, int(last or 0) + 1), hedge_id=hedge.id, serial=int(last or 0) + 1,
        pair=hedge.pair, symbol=hedge.symbol, side=order.side, state=State.SENT, amount=order.quantity,
        price=order.price, filled=ZERO, quote=ZERO, fees={}, attempts=1, not_seen=0, created_at=iso(now),
        sent_at=iso(now), resolved_at=None, exchange_id=None, answer="",
    )  # fmt: skip
    values = {**vars(row), "side": str(row.side), "state": str(row.state)}
    db.execute(insert(spot_orders).values(written(values)))
    return row
