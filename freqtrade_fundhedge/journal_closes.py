"""Entries that were allowed, and closes of shorts that Freqtrade does not know: the journal's part about orphans."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from freqtrade_fundhedge.core.intents import FINAL, OPEN, Move, State, intent_id, next_state
from freqtrade_fundhedge.journal_idle import Idle
from freqtrade_fundhedge.journal_open import journal_errors
from freqtrade_fundhedge.journal_rows import CloseRow, epoch, iso, read, written
from freqtrade_fundhedge.schema import events, hedges, short_closes, spot_orders
from freqtrade_fundhedge.venue.port import ZERO

ENTRY_ALLOWED = "entry_allowed"
EARLY = 0
"""Stands for the trade of a hedge whose entry filled before Freqtrade had a trade for it."""
CLOCK_SLACK_S = 5.0


@dataclass(frozen=True)
class Allowance:
    """An entry that we allowed and that no trade has answered for yet.

    Attributes
    ----------
    id : of the event that records it
    allowed : perpetual base units
    quantity : what of it may still be open: allowed less what we closed since
    at : when, seconds since 1970
    """

    id: int
    pair: str
    allowed: Decimal
    quantity: Decimal
    at: float


class CloseRecords:
    """See `Journal`."""

    engine: Engine
    bot: str
    idle: Idle
    remembers: bool
    _allowances: dict[tuple[str, bool], tuple[int, Allowance | None]]

    def allowance(self, pair: str, answered: bool = False) -> Allowance | None:
        """The latest entry allowed in a pair, unless a trade came of it; with `answered` even then."""
        mark = self.idle.mark
        read_at, known = self._allowances.get((pair, answered), (-1, None))
        if read_at != mark or not self.remembers:
            known = self._read_allowance(pair, answered)
            self._allowances[pair, answered] = mark, known
        return known

    def _read_allowance(self, pair: str, answered: bool) -> Allowance | None:
        latest = (
            select(events.c.id, events.c.at, events.c.data)
            .where(events.c.kind == ENTRY_ALLOWED, events.c.pair == pair, events.c.bot == self.bot)
            .order_by(events.c.id.desc())
            .limit(1)
        )
        with journal_errors("be read"), self.engine.connect() as db:
            event = db.execute(latest).first()
            if event is None:
                return None
            trades = (
                select(func.count())
                .select_from(hedges)
                .where(hedges.c.pair == pair, hedges.c.bot == self.bot, hedges.c.opened_at >= event.at)
                .where(hedges.c.trade_id != EARLY)
            )
            if not answered and db.scalar(trades):
                return None
            closes = select(short_closes.c.filled).where(short_closes.c.allowed_by == event.id)
            closed = sum((Decimal(filled) for filled in db.scalars(closes)), ZERO)
            allowed = Decimal(json.loads(event.data)["quantity"])
            return Allowance(event.id, pair, allowed, allowed - closed, epoch(event.at))

    def held_by_others(self) -> frozenset[str]:
        """Pairs in which another bot on this journal has a hedge."""
        query = select(hedges.c.pair).where(hedges.c.settled.is_(False), hedges.c.bot != self.bot)
        with journal_errors("be read"), self.engine.connect() as db:
            return frozenset(str(pair) for pair in db.scalars(query))

    def begin_close(self, pair: str, allowed_by: int, amount: Decimal, now: float) -> CloseRow:
        """Record the decision to close; on return it is on disk and must be sent or resolved."""
        with journal_errors("record the close"), self.engine.begin() as db:
            mine = short_closes.c.bot == self.bot
            serial = int(db.scalar(select(func.max(short_closes.c.serial)).where(mine)) or 0) + 1
            key = intent_id("close", self.bot, pair, serial)
            values = {
                "intent_id": key, "serial": serial, "bot": self.bot, "pair": pair, "allowed_by": allowed_by,
                "state": str(State.SENT), "amount": amount, "filled": ZERO, "attempts": 1, "not_seen": 0,
                "created_at": iso(now), "sent_at": iso(now), "resolved_at": None, "exchange_id": None, "answer": "",
            }  # fmt: skip
            db.execute(insert(short_closes).values(written(values)))
            return _one_close(db, key)

    def close_moved(self, intent: str, move: Move, answer: str, now: float, filled: Decimal = ZERO) -> CloseRow:
        """Record any outcome of a close."""
        with journal_errors("record the answer"), self.engine.begin() as db:
            state = next_state(_one_close(db, intent).state, move)
            values = {"state": str(state), "answer": answer, "filled": filled}
            if state in FINAL:
                values["resolved_at"] = iso(now)
            db.execute(update(short_closes).where(short_closes.c.intent_id == intent).values(written(values)))
            return _one_close(db, intent)

    def open_closes(self) -> Sequence[CloseRow]:
        """Closes without a known outcome, oldest first."""
        if self.idle:
            return []
        query = select(short_closes).where(short_closes.c.state.in_(sorted(OPEN)), short_closes.c.bot == self.bot)
        with journal_errors("be read"), self.engine.connect() as db:
            return [read(CloseRow, r) for r in db.execute(query.order_by(short_closes.c.serial)).mappings()]


def adopt_early(db: Connection, bot: str, pair: str, key: str, trade_id: int, opened_at: float) -> bool:
    """Give an early hedge in `pair` to the trade that has appeared, with all that was bought for it. True if there
    was one."""
    mine = (hedges.c.bot == bot, hedges.c.pair == pair, hedges.c.trade_id == EARLY, hedges.c.settled.is_(False))
    timely = (hedges.c.state != "closed", hedges.c.opened_at <= iso(opened_at + CLOCK_SLACK_S))
    early = db.execute(select(hedges).where(*mine, *timely).limit(1)).mappings().first()
    if early is None:
        return False
    db.execute(insert(hedges).values({**early, "id": key, "trade_id": trade_id, "opened_at": iso(opened_at)}))
    db.execute(update(spot_orders).where(spot_orders.c.hedge_id == early["id"]).values(hedge_id=key))
    since = events.c.at >= early["opened_at"]
    db.execute(update(events).where(since, events.c.hedge_id == early["id"]).values(hedge_id=key))
    db.execute(delete(hedges).where(hedges.c.id == early["id"]))
    return True


def _one_close(db: Connection, key: str) -> CloseRow:
    return read(CloseRow, db.execute(select(short_closes).where(short_closes.c.intent_id == key)).mappings().one())
