"""What the journal writes before a spot order leaves: the hedge and the intent."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from sqlalchemy import Connection, bindparam, func, insert, or_, select, update

from freqtrade_fundhedge.core.hedge import SpotOrder
from freqtrade_fundhedge.core.intents import OPEN, State, intent_id
from freqtrade_fundhedge.journal_closes import EARLY
from freqtrade_fundhedge.journal_hedges import HedgeRecords
from freqtrade_fundhedge.journal_open import journal_errors
from freqtrade_fundhedge.journal_rows import HedgeRow, OrderRow, exact, iso, read, written
from freqtrade_fundhedge.schema import hedges, spot_orders
from freqtrade_fundhedge.venue.port import ZERO, Side

Decide = Callable[[HedgeRow], SpotOrder | None]

# Made once: a fill waits for these. Each statement also gives the interpreter away to a busy thread, so they are few.
_ORDERS = spot_orders.c.hedge_id == hedges.c.id
_LAST = select(func.max(spot_orders.c.serial)).where(_ORDERS).scalar_subquery()
_OPEN = (
    select(func.count()).where(_ORDERS, or_(*(spot_orders.c.state == str(s) for s in sorted(OPEN)))).scalar_subquery()
)
_LOOK = select(hedges, _LAST.label("last"), _OPEN.label("waiting")).where(hedges.c.id == bindparam("key"))
_WANT = update(hedges).where(hedges.c.id == bindparam("key")).values(wanted=bindparam("wants"))
_BEGIN = insert(spot_orders)


class BeginRecords(HedgeRecords):
    """See `Journal`."""

    def begin_order(self, hedge: HedgeRow, side: Side, amount: Decimal, price: Decimal, now: float) -> OrderRow:
        """Record the decision to send an order; on return it is on disk and must be sent or resolved."""
        with journal_errors("record the order"), self.engine.begin() as db:
            last = db.scalar(select(func.max(spot_orders.c.serial)).where(spot_orders.c.hedge_id == hedge.id))
            return _order(db, hedge, SpotOrder(side, amount, price), int(last or 0) + 1, now)

    def rehearse(self) -> None:
        """Have the statements that a fill waits for compiled; leaves nothing behind."""
        with journal_errors("record the order"), self.engine.connect() as db:
            hedge, serial, _ = self._look(db, "rehearsal", EARLY, 0.0, "", "")
            db.execute(_WANT, {"key": hedge.id, "wants": "0"})
            _order(db, hedge, SpotOrder(Side.BUY, ZERO, ZERO), serial, 0.0)
            db.rollback()
            self.forget()

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
        key = intent_id("hedge", self.bot, trade_id, pair, f"{opened_at:.0f}")
        with journal_errors("record the order"), self.engine.begin() as db:
            self.forget()
            hedge, serial, waiting = self._look(db, key, trade_id, opened_at, pair, symbol)
            if hedge.state == "closed" or waiting:
                return None
            order = decide(hedge)
            if order is None:
                return None
            if hedge.wanted != wanted:
                db.execute(_WANT, {"key": key, "wants": exact(wanted)})
            return hedge, _order(db, hedge, order, serial, now)

    def _look(
        self, db: Connection, key: str, trade_id: int, opened_at: float, pair: str, symbol: str
    ) -> tuple[HedgeRow, int, bool]:
        """A hedge, made if there is none, the number of its next order, and whether one has no known outcome."""
        found = db.execute(_LOOK, {"key": key}).mappings().first()
        if found is None and trade_id == EARLY:
            return self._made(db, key, trade_id, opened_at, pair, symbol), 1, False
        if found is None:
            self._first(db, key, trade_id, opened_at, pair, symbol)
            found = db.execute(_LOOK, {"key": key}).mappings().one()
        return read(HedgeRow, found), int(found["last"] or 0) + 1, bool(found["waiting"])


def _order(db: Connection, hedge: HedgeRow, order: SpotOrder, serial: int, now: float) -> OrderRow:
    row = OrderRow(
        intent_id=intent_id("order", hedge.id, serial), hedge_id=hedge.id, serial=serial, pair=hedge.pair,
        symbol=hedge.symbol, side=order.side, state=State.SENT, amount=order.quantity, price=order.price, filled=ZERO,
        quote=ZERO, fees={}, attempts=1, not_seen=0, created_at=iso(now), sent_at=iso(now), resolved_at=None,
        exchange_id=None, answer="",
    )  # fmt: skip
    values = {**vars(row), "side": str(row.side), "state": str(row.state)}
    db.execute(_BEGIN, written(values))
    return row
