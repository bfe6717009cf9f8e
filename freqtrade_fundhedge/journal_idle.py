"""Whether the journal waits for anything: in most loops one look at all its intents is enough."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, Table, bindparam, event, exists, select

from freqtrade_fundhedge.core.intents import OPEN
from freqtrade_fundhedge.journal_open import journal_errors
from freqtrade_fundhedge.schema import hedges, margin_changes, short_closes, spot_orders, transfers


class Idle:
    """Remembers, until something is written or somebody else may have written, that no intent is open.

    Parameters
    ----------
    remembers : false for a tool beside a running bot, which reads anew each time

    Attributes
    ----------
    mark : what was read under another one may be out of date
    """

    def __init__(self, engine: Engine, bot: str, remembers: bool) -> None:
        self._engine, self._bot, self._remembers = engine, bot, remembers
        self._known: bool | None = None
        self.mark = 0
        # Whoever writes holds the journal's lock until the transaction is over.
        event.listen(engine, "commit", self.forget)

    def __bool__(self) -> bool:
        """No outcome is waited for; False may also mean that each table has to be asked."""
        if self._known is None and self._remembers:
            with journal_errors("be read"), self._engine.connect() as db:
                self._known = not any(db.execute(_OPEN, {"bot": self._bot}).one())
        return bool(self._known)

    def forget(self, *_: object) -> None:
        """Look again the next time."""
        self._known = None
        self.mark += 1


def _some(table: Table, bot: Any, *joined: Any) -> Any:
    rows = exists().select_from(table.join(*joined) if joined else table)
    return rows.where(table.c.state.in_(sorted(OPEN)), bot == bindparam("bot"))


_OPEN = select(
    _some(spot_orders, hedges.c.bot, hedges, hedges.c.id == spot_orders.c.hedge_id),
    *(_some(table, table.c.bot) for table in (transfers, short_closes, margin_changes)),
)
