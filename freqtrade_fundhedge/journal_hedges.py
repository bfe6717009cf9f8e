"""The journal's part about hedges."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update

from freqtrade_fundhedge.core.intents import intent_id
from freqtrade_fundhedge.journal_closes import adopt_early
from freqtrade_fundhedge.journal_idle import Idle
from freqtrade_fundhedge.journal_open import journal_errors, version_seen
from freqtrade_fundhedge.journal_rows import HedgeRow, iso, read, written
from freqtrade_fundhedge.schema import hedges

MONEY = ("wanted", "held", "spot_cash", "spot_fees", "spot_bought", "short_realised", "funding", "freed", "swept")
_MAKE = insert(hedges)


class HedgeRecords:
    """See `Journal`. The bot's own journal reads its open rows once and again after each change of one.

    Attributes
    ----------
    remembers : only who holds the journal's lock may; a tool beside a running bot reads anew each time
    """

    engine: Engine
    bot: str
    idle: Idle
    remembers: bool = False
    _open: dict[str, HedgeRow] | None = None
    _failed: frozenset[str] | None = None
    _version: tuple[object, int] | None = None

    def hedge(self, trade_id: int, opened_at: float, pair: str, symbol: str) -> HedgeRow:
        """The hedge of a trade, made on first sight, or of an entry that has none yet (`EARLY`)."""
        key = _key(self.bot, trade_id, pair, f"{opened_at:.0f}")
        if self._open is not None and key in self._open:
            return self._open[key]
        with journal_errors("record the hedge"), self.engine.begin() as db:
            return self._first(db, key, trade_id, opened_at, pair, symbol)

    def _first(self, db: Connection, key: str, trade_id: int, opened_at: float, pair: str, symbol: str) -> HedgeRow:
        """A hedge within somebody's transaction, made if there is none."""
        row = db.execute(select(hedges).where(hedges.c.id == key)).mappings().first()
        self.forget()
        if row is not None:
            return read(HedgeRow, row)
        if trade_id and adopt_early(db, self.bot, pair, key, trade_id, opened_at):
            return one_hedge(db, key)
        return self._made(db, key, trade_id, opened_at, pair, symbol)

    def _made(self, db: Connection, key: str, trade_id: int, opened_at: float, pair: str, symbol: str) -> HedgeRow:
        """A hedge that is new, within somebody's transaction."""
        fresh = {
            "id": key, "bot": self.bot, "trade_id": trade_id, "pair": pair, "symbol": symbol,
            "state": "open", "opened_at": iso(opened_at), "closed_at": None, "unhedged_since": None,
            **dict.fromkeys(MONEY, "0"), "settled": False,
        }  # fmt: skip
        db.execute(_MAKE, fresh)
        return read(HedgeRow, fresh)

    def unsettled(self) -> Sequence[HedgeRow]:
        """This bot's hedges that still need something, oldest first."""
        if self._open is not None:
            return list(self._open.values())
        query = (
            select(hedges)
            .where(hedges.c.settled.is_(False), hedges.c.bot == self.bot)
            .order_by(hedges.c.opened_at, hedges.c.id)
        )
        with journal_errors("be read"), self.engine.connect() as db:
            rows = [read(HedgeRow, row) for row in db.execute(query).mappings()]
        if self.remembers:
            self._open = {row.id: row for row in rows}
        return rows

    def failed(self) -> frozenset[str]:
        """Pairs of hedges whose spot leg could not be completed."""
        if self._open is None or self._failed is None:
            self._failed = frozenset(row.pair for row in self.unsettled() if row.state == "failed")
        return self._failed

    def note_hedge(self, hedge_id: str, **changes: Any) -> HedgeRow:
        """Change columns of a hedge, or none, and return it as it is now."""
        with journal_errors("record the hedge"), self.engine.begin() as db:
            if changes:
                self._change_hedge(db, hedge_id, changes)
            return one_hedge(db, hedge_id)

    def _change_hedge(self, db: Connection, hedge_id: str, changes: dict[str, Any]) -> None:
        """Change columns within somebody's transaction."""
        self.forget()
        db.execute(update(hedges).where(hedges.c.id == hedge_id).values(written(changes)))

    def refresh(self) -> None:
        """Read anew the next time, unless the database says that no other process has written since this was asked."""
        with journal_errors("be read"), self.engine.connect() as db:
            version = version_seen(db)
        if version is None or version != self._version:
            self._version = version
            self.forget()

    def forget(self) -> None:
        """Read anew the next time."""
        self._open = self._failed = None
        self.idle.forget()


def one_hedge(db: Connection, key: str) -> HedgeRow:
    """A hedge as it is now."""
    return read(HedgeRow, db.execute(select(hedges).where(hedges.c.id == key)).mappings().one())


@lru_cache(maxsize=1024)
def _key(bot: str, trade_id: int, pair: str, opened: str) -> str:
    return intent_id("hedge", bot, trade_id, pair, opened)
