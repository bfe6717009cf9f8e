"""The journal: what is ours and what we tried, durable before each send.

Every method is one transaction. Whoever calls holds the journal's process lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, insert, select, update

from freqtrade_fundhedge.core.intents import FINAL, OPEN, Move, State, intent_id, next_state
from freqtrade_fundhedge.errors import IllegalTransition
from freqtrade_fundhedge.journal_begin import BeginRecords
from freqtrade_fundhedge.journal_closes import CloseRecords
from freqtrade_fundhedge.journal_hedges import one_hedge
from freqtrade_fundhedge.journal_idle import Idle
from freqtrade_fundhedge.journal_margins import MarginRecords
from freqtrade_fundhedge.journal_open import journal_errors, open_engine
from freqtrade_fundhedge.journal_rows import (
    CloseRow,
    EventRow,
    HedgeRow,
    MarginRow,
    OrderRow,
    TransferRow,
    iso,
    read,
    written,
)
from freqtrade_fundhedge.schema import events, hedges, margin_changes, short_closes, spot_orders, transfers
from freqtrade_fundhedge.venue.port import ZERO, Direction, Fill, Side


class Journal(BeginRecords, CloseRecords, MarginRecords):
    """Hedges, orders, transfers and events of one bot.

    Parameters
    ----------
    url : SQLAlchemy URL
    bot : name that tells bots on one journal apart
    read_only : for tools beside a running bot; never migrates

    Raises
    ------
    JournalError : from every method, one line, when the database can't be read or written
    """

    def __init__(self, url: str, bot: str, read_only: bool = False) -> None:
        self.url = url
        self.bot = bot
        self.remembers = not read_only
        self.engine: Engine = open_engine(url, read_only)
        self.idle = Idle(self.engine, bot, self.remembers)
        self._allowances = {}

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    # --- spot orders

    def order_done(self, intent: str, move: Move, fill: Fill, now: float, base: str, quote: str) -> OrderRow:
        """Record a fill (or none) and add it to the hedge, in one transaction."""
        with journal_errors("record the fill"), self.engine.begin() as db:
            row = _one_order(db, intent)
            values = {
                "state": str(next_state(row.state, move)), "filled": fill.quantity, "quote": fill.quote,
                "fees": {coin: str(fee) for coin, fee in fill.fees.items()}, "resolved_at": iso(now),
                "exchange_id": fill.exchange_id, "answer": fill.answer,
            }  # fmt: skip
            db.execute(update(spot_orders).where(spot_orders.c.intent_id == intent).values(written(values)))
            hedge = one_hedge(db, row.hedge_id)
            self._change_hedge(db, row.hedge_id, with_fill(hedge, row.side, fill, base, quote))
            return _one_order(db, intent)

    def order_moved(self, intent: str, move: Move, answer: str, now: float) -> OrderRow:
        """Record any outcome of an order that filled nothing."""
        with journal_errors("record the answer"), self.engine.begin() as db:
            _move(db, spot_orders, intent, move, answer, now)
            return _one_order(db, intent)

    def open_orders(self) -> Sequence[OrderRow]:
        """Orders without a known outcome, oldest first."""
        if self.idle:
            return []
        query = (
            select(spot_orders)
            .join(hedges, hedges.c.id == spot_orders.c.hedge_id)
            .where(spot_orders.c.state.in_(sorted(OPEN)), hedges.c.bot == self.bot)
        )
        with journal_errors("be read"), self.engine.connect() as db:
            return [read(OrderRow, r) for r in db.execute(query.order_by(spot_orders.c.created_at)).mappings()]

    def last_purchase(self) -> OrderRow | None:
        """The latest purchase that filled, of any pair: it tells what coin fees are taken in."""
        query = (
            select(spot_orders)
            .where(spot_orders.c.side == str(Side.BUY), spot_orders.c.state == str(State.DONE))
            .order_by(spot_orders.c.created_at.desc())
            .limit(1)
        )
        with journal_errors("be read"), self.engine.connect() as db:
            row = db.execute(query).mappings().first()
            return read(OrderRow, row) if row is not None else None

    # --- transfers

    def begin_transfer(
        self, direction: Direction, asset: str, amount: Decimal, wallet: Decimal, figures: dict[str, str], now: float
    ) -> TransferRow:
        """Record the decision to send a transfer. `amount` still lacks its mark: see `mark_transfer`."""
        with journal_errors("record the transfer"), self.engine.begin() as db:
            serial = _next_serial(db, transfers)
            key = intent_id("transfer", self.bot, serial, direction)
            values = {
                "intent_id": key, "serial": serial, "bot": self.bot, "direction": str(direction), "asset": asset,
                "state": str(State.PLANNED), "amount": amount, "intended": amount, "wallet_before": wallet,
                "arithmetic": figures, "attempts": 0, "attempt_log": [], "not_seen": 0, "created_at": iso(now),
                "sent_at": iso(now), "resolved_at": None, "exchange_id": None, "answer": "",
            }  # fmt: skip
            db.execute(insert(transfers).values(written(values)))
            return _one_transfer(db, key)

    def send_transfer(self, intent: str, amount: Decimal, wallet: Decimal, now: float) -> TransferRow:
        """Record that an attempt with exactly this amount is about to leave."""
        with journal_errors("record the attempt"), self.engine.begin() as db:
            row = _one_transfer(db, intent)
            state = next_state(row.state, Move.SEND)
            log = [*row.attempt_log, {"n": row.attempts + 1, "amount": str(amount), "at": iso(now)}]
            values = {
                "state": str(state), "amount": amount, "attempts": row.attempts + 1, "attempt_log": log,
                "sent_at": iso(now), "wallet_before": wallet, "not_seen": 0,
            }  # fmt: skip
            db.execute(update(transfers).where(transfers.c.intent_id == intent).values(written(values)))
            return _one_transfer(db, intent)

    def transfer_moved(
        self, intent: str, move: Move, answer: str, now: float,
        exchange_id: str | None = None, shares: dict[str, Decimal] | None = None,
    ) -> TransferRow:  # fmt: skip
        """Record an outcome; a sweep that took effect is credited to the hedges that freed it."""
        with journal_errors("record the answer"), self.engine.begin() as db:
            row = _move(db, transfers, intent, move, answer, now, exchange_id)
            log = row.attempt_log
            if log:
                log = [*log[:-1], {**log[-1], "outcome": str(move), "answer": answer, "answered_at": iso(now)}]
                db.execute(
                    update(transfers).where(transfers.c.intent_id == intent).values(written({"attempt_log": log}))
                )
            for hedge_id, share in (shares or {}).items():
                self._change_hedge(db, hedge_id, {"swept": one_hedge(db, hedge_id).swept + share})
            return _one_transfer(db, intent)

    def transfer_row(self, intent: str) -> TransferRow:
        """A transfer as it is now."""
        with journal_errors("be read"), self.engine.connect() as db:
            return _one_transfer(db, intent)

    def open_transfers(self) -> Sequence[TransferRow]:
        """Transfers without a known outcome, oldest first."""
        if self.idle:
            return []
        query = select(transfers).where(transfers.c.state.in_(sorted(OPEN)), transfers.c.bot == self.bot)
        with journal_errors("be read"), self.engine.connect() as db:
            return [read(TransferRow, r) for r in db.execute(query.order_by(transfers.c.serial)).mappings()]

    def claimed(self, exchange_ids: Sequence[str], own: bool = False) -> set[str]:
        """Which of these exchange ids belong to transfers that are settled already, of any bot or this one's own."""
        query = select(transfers.c.exchange_id).where(transfers.c.exchange_id.in_(list(exchange_ids)))
        if own:
            query = query.where(transfers.c.bot == self.bot)
        with journal_errors("be read"), self.engine.connect() as db:
            return {str(value) for value in db.scalars(query)}

    def not_seen(self, table: Table, intent: str) -> int:
        """Count one more lookup that did not find the intent."""
        with journal_errors("record the lookup"), self.engine.begin() as db:
            row = update(table).where(table.c.intent_id == intent)
            db.execute(row.values(not_seen=table.c.not_seen + 1))
            return int(db.scalar(select(table.c.not_seen).where(table.c.intent_id == intent)) or 0)

    # --- audit trail

    def event(self, kind: str, message: str, now: float, hedge: HedgeRow | None = None, **data: Any) -> None:
        """Append to the audit trail."""
        values = {
            "at": iso(now), "bot": self.bot, "kind": kind, "hedge_id": hedge.id if hedge else None,
            "pair": hedge.pair if hedge else data.get("pair"), "message": message, "data": data,
        }  # fmt: skip
        with journal_errors("record an event"), self.engine.begin() as db:
            db.execute(insert(events).values(written(values)))

    def recent(self, kind: type[Any], limit: int = 100) -> Sequence[Any]:
        """The newest rows of one kind, a class of `journal_rows`, newest first."""
        table, order = _BY_KIND[kind]
        with journal_errors("be read"), self.engine.connect() as db:
            rows = db.execute(select(table).order_by(order.desc()).limit(limit)).mappings()
            return [read(kind, row) for row in rows]


_BY_KIND: dict[type[Any], tuple[Table, Any]] = {
    HedgeRow: (hedges, hedges.c.opened_at),
    OrderRow: (spot_orders, spot_orders.c.created_at),
    TransferRow: (transfers, transfers.c.serial),
    CloseRow: (short_closes, short_closes.c.serial),
    MarginRow: (margin_changes, margin_changes.c.serial),
    EventRow: (events, events.c.id),
}


def _next_serial(db: Connection, table: Table, *where: Any) -> int:
    return int(db.scalar(select(func.max(table.c.serial)).where(*where)) or 0) + 1


def _one_order(db: Connection, key: str) -> OrderRow:
    return read(OrderRow, db.execute(select(spot_orders).where(spot_orders.c.intent_id == key)).mappings().one())


def _one_transfer(db: Connection, key: str) -> TransferRow:
    return read(TransferRow, db.execute(select(transfers).where(transfers.c.intent_id == key)).mappings().one())


def _move(
    db: Connection, table: Table, intent: str, move: Move, answer: str, now: float, exchange_id: str | None = None
) -> Any:
    row = _one_order(db, intent) if table is spot_orders else _one_transfer(db, intent)
    state = next_state(row.state, move)
    if state is State.SENT:
        raise IllegalTransition("an attempt is recorded by send_transfer, with its amount")
    values: dict[str, Any] = {"state": str(state), "answer": answer}
    if state in FINAL:
        values["resolved_at"] = iso(now)
    if exchange_id is not None:
        values["exchange_id"] = exchange_id
    db.execute(update(table).where(table.c.intent_id == intent).values(values))
    return row


def with_fill(hedge: HedgeRow, side: Side, fill: Fill, base: str, quote: str) -> dict[str, Any]:
    """What a hedge's columns become by a fill."""
    price = fill.quote / fill.quantity if fill.quantity else ZERO
    in_base, in_quote = fill.fee(base), fill.fee(quote)
    bought, sold = (fill.quantity, ZERO) if side is Side.BUY else (ZERO, fill.quantity)
    cash = (fill.quote if side is Side.SELL else -fill.quote) - in_quote
    return {
        "held": hedge.held + bought - sold - in_base,
        "spot_cash": hedge.spot_cash + cash,
        "spot_fees": hedge.spot_fees + in_quote + in_base * price,
        "spot_bought": hedge.spot_bought + bought,
    }
