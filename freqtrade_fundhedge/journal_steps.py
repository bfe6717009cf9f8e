"""Steps of the margin guard, as the journal has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Engine, select

from freqtrade_fundhedge.journal_open import journal_errors
from freqtrade_fundhedge.journal_rows import EventRow, MarginRow, read
from freqtrade_fundhedge.journal_trail import Wish, of_pair
from freqtrade_fundhedge.schema import events, margin_changes

STEPS: Final = {
    "margin_topped_up": "fetched from spot",
    "margin_added": "margin added",
    "margin_taken_back": "margin taken back",
    "shrink_asked": "asked to shrink",
    "exit_asked": "asked to close",
}
ROWS_AT_ONCE = 2000


@dataclass(frozen=True)
class GuardStep:
    """One step.

    Attributes
    ----------
    kind : of the event, see `STEPS`
    amount : USDT moved, or perpetual base units to buy back; None when the whole short should go
    distance : price rise to liquidation before it, a fraction; None if the journal has none
    """

    at: str
    pair: str
    kind: str
    message: str
    amount: Decimal | None
    distance: Decimal | None


def guard_steps(engine: Engine, bot: str, wish: Wish, pairs: Sequence[str] = (), limit: int = 0) -> list[GuardStep]:
    """Steps of the time and pair that are wished for, oldest first.

    Parameters
    ----------
    pairs : only of these; empty: of all
    limit : only the newest; 0 = all

    Raises
    ------
    JournalError : the database can't be read
    """
    query = select(events).where(events.c.bot == bot, events.c.kind.in_(tuple(STEPS)))
    if wish.since:
        query = query.where(events.c.at >= wish.since)
    if wish.until:
        query = query.where(events.c.at < wish.until)
    if wish.pair:
        query = query.where(of_pair(events.c.pair, wish.pair))
    if pairs:
        query = query.where(events.c.pair.in_(pairs))
    query = query.order_by(events.c.id.desc())
    rows = _rows(engine, query.limit(limit) if limit else query)
    return [_step(read(EventRow, row)) for row in rows][::-1]


def margins_of(engine: Engine, bot: str, wish: Wish) -> Iterator[MarginRow]:
    """Changes of margin decided in the time that is wished for, oldest first.

    Raises
    ------
    JournalError : the database can't be read
    """
    at = margin_changes.c.created_at
    query = select(margin_changes).where(margin_changes.c.bot == bot)
    if wish.since:
        query = query.where(at >= wish.since)
    if wish.until:
        query = query.where(at < wish.until)
    if wish.pair:
        query = query.where(of_pair(margin_changes.c.pair, wish.pair))
    return (read(MarginRow, row) for row in _rows(engine, query.order_by(margin_changes.c.serial)))


def _rows(engine: Engine, query: Any) -> Iterator[Any]:
    with journal_errors("be read"), engine.connect() as db:
        yield from db.execute(query, execution_options={"yield_per": ROWS_AT_ONCE}).mappings()


def _step(row: EventRow) -> GuardStep:
    data = row.data if isinstance(row.data, dict) else {}
    figures = data.get("arithmetic")
    figures = figures if isinstance(figures, dict) else {}
    amount = data.get("amount", figures.get("quantity"))
    return GuardStep(row.at, row.pair or "", row.kind, row.message, _decimal(amount), _decimal(figures.get("distance")))


def _decimal(value: object) -> Decimal | None:
    # A journal also shows what somebody has tampered with.
    try:
        found = Decimal(str(value)) if value is not None else None
    except ArithmeticError:
        return None
    return found if found is not None and found.is_finite() else None
