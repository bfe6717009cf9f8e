"""The journal's part about margin of isolated positions: what was added and what was taken back."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import Connection, Engine, func, insert, select, update

from freqtrade_fundhedge.core.intents import FINAL, OPEN, Move, State, intent_id, next_state
from freqtrade_fundhedge.journal_idle import Idle
from freqtrade_fundhedge.journal_open import journal_errors
from freqtrade_fundhedge.journal_rows import MarginRow, iso, read, written
from freqtrade_fundhedge.schema import margin_changes
from freqtrade_fundhedge.venue.port import MarginKind, Position


class MarginRecords:
    """See `Journal`."""

    engine: Engine
    bot: str
    idle: Idle

    def begin_margin(
        self, position: Position, kind: MarginKind, amount: Decimal, figures: dict[str, str], now: float
    ) -> MarginRow:
        """Record the decision to change a margin. `amount` still lacks its mark: see `send_margin`."""
        with journal_errors("record the margin"), self.engine.begin() as db:
            mine = margin_changes.c.bot == self.bot
            serial = int(db.scalar(select(func.max(margin_changes.c.serial)).where(mine)) or 0) + 1
            key = intent_id("margin", self.bot, position.pair, serial)
            values = {
                "intent_id": key, "serial": serial, "bot": self.bot, "pair": position.pair, "kind": str(kind),
                "state": str(State.PLANNED), "amount": amount, "quantity_before": position.quantity,
                "margin_before": position.isolated_margin or Decimal(0), "arithmetic": figures, "attempts": 0,
                "not_seen": 0, "created_at": iso(now), "sent_at": iso(now), "resolved_at": None, "exchange_id": None,
                "answer": "",
            }  # fmt: skip
            db.execute(insert(margin_changes).values(written(values)))
            return _one_margin(db, key)

    def send_margin(self, intent: str, amount: Decimal, now: float) -> MarginRow:
        """Record that exactly this amount is about to leave; on return it is on disk."""
        with journal_errors("record the attempt"), self.engine.begin() as db:
            row = _one_margin(db, intent)
            state = next_state(row.state, Move.SEND)
            values = {"state": str(state), "amount": amount, "attempts": row.attempts + 1, "sent_at": iso(now)}
            db.execute(update(margin_changes).where(margin_changes.c.intent_id == intent).values(written(values)))
            return _one_margin(db, intent)

    def margin_moved(self, intent: str, move: Move, answer: str, now: float) -> MarginRow:
        """Record any outcome of a change of margin."""
        with journal_errors("record the answer"), self.engine.begin() as db:
            state = next_state(_one_margin(db, intent).state, move)
            values = {"state": str(state), "answer": answer}
            if state in FINAL:
                values["resolved_at"] = iso(now)
            db.execute(update(margin_changes).where(margin_changes.c.intent_id == intent).values(values))
            return _one_margin(db, intent)

    def open_margins(self) -> Sequence[MarginRow]:
        """Changes of margin without a known outcome, oldest first."""
        if self.idle:
            return []
        query = select(margin_changes).where(margin_changes.c.state.in_(sorted(OPEN)), margin_changes.c.bot == self.bot)
        with journal_errors("be read"), self.engine.connect() as db:
            return [read(MarginRow, r) for r in db.execute(query.order_by(margin_changes.c.serial)).mappings()]


def _one_margin(db: Connection, key: str) -> MarginRow:
    query = select(margin_changes).where(margin_changes.c.intent_id == key)
    return read(MarginRow, db.execute(query).mappings().one())
