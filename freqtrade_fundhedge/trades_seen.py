"""Freqtrade's trades as its loop has them, read anew only when another of its threads has saved something.

The loop's own session keeps what it has read until its next commit. /forceexit works in another thread and session; to
read everything again several times a loop, for the case that it has, would cost more than all the rest of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import event, select

MOMENTS = ("before_commit", "after_commit")


class TradesSeen:
    """For the thread of the loop.

    Parameters
    ----------
    trades : Freqtrade's `Trade`; its `session` is one per thread
    """

    def __init__(self, trades: Any) -> None:
        self._trades = trades
        self._sessions = trades.session
        self._own: Any = None
        self._others_saved = True
        self._open: Sequence[Any] | None = None
        # Before: nobody sees what was saved and not that it was. After: what was forgotten in between is read again.
        for moment in MOMENTS:
            event.listen(self._sessions, moment, self._saved)

    def close(self) -> None:
        """Hear of nothing any more."""
        for moment in MOMENTS:
            event.remove(self._sessions, moment, self._saved)

    def _saved(self, session: Any) -> None:
        if session is not self._own:
            self._others_saved = True

    def refresh(self) -> None:
        """Have trades read again that another thread may have changed; not while changes of Freqtrade's own wait."""
        session = self._own = self._sessions()
        if self._others_saved and not session.dirty:
            self._others_saved, self._open = False, None
            session.expire_all()

    def again(self) -> Sequence[Any]:
        """What `open` has just found, once, unless another thread has saved something meanwhile."""
        self.refresh()
        known, self._open = self._open, None
        return known if known is not None and not self._others_saved else self.open()

    def open(self) -> Sequence[Any]:
        """Open trades as they are now."""
        self.refresh()
        self._open = None
        session, trade = self._own, self._trades
        ids = session.scalars(select(trade.id).where(trade.is_open.is_(True))).all()
        states = session.identity_map.all_states()
        known = {state.key[1][0]: state.obj() for state in states if state.class_ is trade and not state.expired}
        if all(known.get(key) is not None for key in ids):
            found: Sequence[Any] = [known[key] for key in ids]
        else:
            found = trade.get_open_trades()  # which reads the orders of each trade, known or not
        self._open = found
        return found
