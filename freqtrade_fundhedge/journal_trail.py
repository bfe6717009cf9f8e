"""The audit trail: what the journal recorded, merged in order of time, filtered and limited by the database."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, Select, and_, func, or_, select, union

from freqtrade_fundhedge.core.intents import State
from freqtrade_fundhedge.journal_open import journal_errors
from freqtrade_fundhedge.journal_rows import CloseRow, EventRow, HedgeRow, MarginRow, OrderRow, TransferRow, read
from freqtrade_fundhedge.schema import events, hedges, margin_changes, short_closes, spot_orders, transfers

ROWS_AT_ONCE = 500
NAMES = 5
SNAPSHOT = "snapshot"
STRESS = "stress"
READINGS = (SNAPSHOT, STRESS)
"""What the loop notes for the report and the commands; no events of a trail unless asked for."""

Record = HedgeRow | OrderRow | TransferRow | CloseRow | MarginRow | EventRow


class Entry(NamedTuple):
    """One record: when it counts, what it is (hedge, order, close, margin, transfer, event), and all that is known."""

    at: str
    record: str
    row: Record


@dataclass(frozen=True)
class Wish:
    """Which records are wanted.

    Attributes
    ----------
    records : names as in `Entry.record`; empty: all
    since, until : UTC text as the journal has it, since included, until not; "": no bound
    pair : perpetual or spot symbol, "" for all; transfers belong to no pair and are left out with one
    event : of events, only this kind
    """

    records: frozenset[str] = frozenset()
    since: str = ""
    until: str = ""
    pair: str = ""
    event: str = ""


class _Source(NamedTuple):
    kind: type[Any]
    query: Select[Any]
    at: ColumnElement[Any]
    tie: ColumnElement[Any]  # keeps the order of what happened at the same instant
    bot: ColumnElement[Any]
    pair: ColumnElement[Any] | None


# A hedge counts when it was closed: that is the day that its result belongs to.
_SOURCES: Final[dict[str, _Source]] = {
    "hedge": _Source(
        HedgeRow, select(hedges), func.coalesce(hedges.c.closed_at, hedges.c.opened_at), hedges.c.id,
        hedges.c.bot, hedges.c.pair,
    ),
    "order": _Source(
        OrderRow, select(spot_orders).join(hedges, hedges.c.id == spot_orders.c.hedge_id), spot_orders.c.created_at,
        spot_orders.c.serial, hedges.c.bot, spot_orders.c.pair,
    ),
    "close": _Source(
        CloseRow, select(short_closes), short_closes.c.created_at, short_closes.c.serial, short_closes.c.bot,
        short_closes.c.pair,
    ),
    "margin": _Source(
        MarginRow, select(margin_changes), margin_changes.c.created_at, margin_changes.c.serial,
        margin_changes.c.bot, margin_changes.c.pair,
    ),
    "transfer": _Source(
        TransferRow, select(transfers), transfers.c.created_at, transfers.c.serial, transfers.c.bot, None
    ),
    "event": _Source(EventRow, select(events), events.c.at, events.c.id, events.c.bot, events.c.pair),
}  # fmt: skip
INTENTS: Final = (spot_orders, transfers, short_closes, margin_changes)
RECORDS: Final = {name: source.kind for name, source in _SOURCES.items()}


def trail(engine: Engine, bot: str, wish: Wish) -> Iterator[Entry]:
    """Everything that fits, oldest first, read as it is consumed.

    Raises
    ------
    JournalError : the database can't be read
    """
    with journal_errors("be read"), ExitStack() as opened:
        db = opened.enter_context(engine.connect())
        yield from _merged(db, opened, bot, wish, newest_first=False)


def newest(engine: Engine, bot: str, wish: Wish, limit: int) -> Sequence[Entry]:
    """The last `limit` records that fit, oldest first.

    Raises
    ------
    JournalError : the database can't be read
    """
    with journal_errors("be read"), ExitStack() as opened:
        db = opened.enter_context(engine.connect())
        return list(islice(_merged(db, opened, bot, wish, newest_first=True, limit=limit), limit))[::-1]


def state_of(engine: Engine, intent: str) -> State | None:
    """The state of an intent of any kind and any bot, None when there is none of that id.

    Raises
    ------
    JournalError : the database can't be read
    """
    with journal_errors("be read"), engine.connect() as db:
        found = (db.scalar(select(t.c.state).where(t.c.intent_id == intent)) for t in INTENTS)
        return next((State(state) for state in found if state is not None), None)


def last_snapshot(engine: Engine, bot: str) -> str | None:
    """When the latest reading of wallets and prices was made.

    Raises
    ------
    JournalError : the database can't be read
    """
    # A reading has no pair; to say so lets the index give the newest first.
    mine = (events.c.kind == SNAPSHOT, events.c.pair.is_(None), events.c.bot == bot)
    query = select(events.c.at).where(*mine).order_by(events.c.id.desc()).limit(1)
    with journal_errors("be read"), engine.connect() as db:
        return db.scalar(query)


def other_bots(engine: Engine, bot: str) -> Sequence[str]:
    """Names of others that work on this journal, at most a few, if it has nothing of this one."""
    with journal_errors("be read"), engine.connect() as db:
        tables = (events, hedges, transfers)
        if any(db.scalar(select(table.c.bot).where(table.c.bot == bot).limit(1)) for table in tables):
            return []
        names = union(*(select(table.c.bot) for table in tables)).limit(NAMES)
        return sorted(str(name) for name in db.scalars(names))


def _merged(
    db: Connection, opened: ExitStack, bot: str, wish: Wish, newest_first: bool, limit: int | None = None
) -> Iterator[Entry]:
    """Each table is sorted by the database; together they hold no more than a few pages of rows."""
    streams = []
    for name, source in _SOURCES.items():
        if (wish.records and name not in wish.records) or (wish.pair and source.pair is None):
            continue
        query = _query(source, bot, wish, newest_first).add_columns(source.at.label("counts_at")).limit(limit)
        result = db.execute(query, execution_options={"yield_per": ROWS_AT_ONCE})
        # PostgreSQL keeps a cursor for each on the server until it is told.
        opened.callback(result.close)
        streams.append(_entries(name, source.kind, result.mappings()))
    return heapq.merge(*streams, key=lambda entry: entry.at, reverse=newest_first)


def _entries(name: str, kind: type[Any], rows: Iterable[RowMapping]) -> Iterator[Entry]:
    return (Entry(str(row["counts_at"]), name, read(kind, row)) for row in rows)


def _query(source: _Source, bot: str, wish: Wish, newest_first: bool) -> Select[Any]:
    query = source.query.where(source.bot == bot)
    if wish.since:
        query = query.where(source.at >= wish.since)
    if wish.until:
        query = query.where(source.at < wish.until)
    if wish.pair and source.pair is not None:
        query = query.where(of_pair(source.pair, wish.pair))
    if source.kind is EventRow:
        query = query.where(events.c.kind == wish.event if wish.event else events.c.kind.not_in(READINGS))
    order = (source.at.desc(), source.tie.desc()) if newest_first else (source.at, source.tie)
    return query.order_by(*order)


def of_pair(column: ColumnElement[Any], pair: str) -> ColumnElement[bool]:
    """Rows of a perpetual or, without `:`, of all perpetuals of a spot symbol."""
    symbol, _, settled = pair.partition(":")
    named = column == pair if settled else column.startswith(f"{symbol}:", autoescape=True)
    if column is not events.c.pair:
        return named
    # Calls for a person name the pair in their text only.
    texts = [f"{pair}:", f"{symbol}: "] if settled else [f"{symbol}:"]
    told = or_(*(events.c.message.startswith(text, autoescape=True) for text in texts))
    return or_(named, and_(column.is_(None), told))
