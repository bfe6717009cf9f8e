"""What a report needs of the whole journal, read row by row and no more of each row than is needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Engine, Select, and_, or_, select

from freqtrade_fundhedge.core.intents import State
from freqtrade_fundhedge.errors import JournalError
from freqtrade_fundhedge.journal_open import journal_errors
from freqtrade_fundhedge.journal_rows import HedgeRow, TransferRow, epoch, read
from freqtrade_fundhedge.journal_trail import SNAPSHOT, Wish, of_pair
from freqtrade_fundhedge.schema import events, hedges, spot_orders, transfers
from freqtrade_fundhedge.venue.port import Side

ROWS_AT_ONCE = 2000


class SpotFill(NamedTuple):
    """A spot order that filled: base units and quote exchanged, fees in the coin and in quote; `at` since 1970."""

    hedge_id: str
    at: float
    buys: bool
    quantity: float
    quote: float
    fee_base: float
    fee_quote: float


class FundingEvent(NamedTuple):
    """What a settlement brought to a hedge, quote."""

    hedge_id: str
    at: float
    amount: float


class Snapshot(NamedTuple):
    """Wallets (quote, None if not read) and by pair mark and index price, as the loop saw them."""

    at: float
    futures: float | None
    spot: float | None
    prices: dict[str, tuple[float, float]]


def hedges_of(engine: Engine, bot: str, wish: Wish) -> Sequence[HedgeRow]:
    """Hedges that were closed in the time that is wished for, and those that are open, oldest first.

    An entry that was given up before anything filled is none.
    """
    closed = [hedges.c.closed_at.is_not(None), *_within(hedges.c.closed_at, wish)]
    still_open = [hedges.c.closed_at.is_(None), *([hedges.c.opened_at < wish.until] if wish.until else [])]
    query = select(hedges).where(hedges.c.bot == bot, or_(and_(*closed), and_(*still_open)))
    if wish.pair:
        query = query.where(of_pair(hedges.c.pair, wish.pair))
    found = (read(HedgeRow, row) for row in _rows(engine, query.order_by(hedges.c.opened_at, hedges.c.id)))
    return [hedge for hedge in found if not hedge.came_to_nothing]


def spot_fills(engine: Engine, bot: str) -> Iterator[SpotFill]:
    """All spot orders of a bot that filled, oldest first."""
    columns = (spot_orders.c[name] for name in ("hedge_id", "sent_at", "symbol", "side", "filled", "quote", "fees"))
    query = (
        select(*columns)
        .join(hedges, hedges.c.id == spot_orders.c.hedge_id)
        .where(hedges.c.bot == bot, spot_orders.c.state == str(State.DONE))
        .order_by(spot_orders.c.created_at)
    )
    for row in _rows(engine, query):
        base, _, quote = row["symbol"].partition("/")
        with _sense("order"):
            filled, fees = float(row["filled"]), orjson.loads(row["fees"])
            if filled > 0:  # an order that met nobody is done, too
                yield SpotFill(
                    row["hedge_id"], epoch(row["sent_at"]), row["side"] == Side.BUY, filled,
                    float(row["quote"]), float(fees.get(base, 0)), float(fees.get(quote, 0)),
                )  # fmt: skip


def funding_events(engine: Engine, bot: str) -> Iterator[FundingEvent]:
    """What settlements brought, oldest first."""
    query = select(events.c.hedge_id, events.c.at, events.c.data).where(
        events.c.bot == bot, events.c.kind == "funding", events.c.hedge_id.is_not(None)
    )
    for row in _rows(engine, query.order_by(events.c.id)):
        with _sense("event"):
            yield FundingEvent(row["hedge_id"], epoch(row["at"]), float(orjson.loads(row["data"])["amount"]))


def snapshots(engine: Engine, bot: str, wish: Wish) -> Iterator[Snapshot]:
    """The loop's own readings, oldest first."""
    query = select(events.c.at, events.c.data).where(events.c.bot == bot, events.c.kind == SNAPSHOT)
    for row in _rows(engine, query.where(*_within(events.c.at, wish)).order_by(events.c.id)):
        with _sense("event"):
            data = orjson.loads(row["data"])
            wallets = {name: float(text) for name, text in data["wallets"].items()}
            prices = {pair: (float(mark), float(index)) for pair, (mark, index) in data["prices"].items()}
            yield Snapshot(epoch(row["at"]), wallets.get("futures"), wallets.get("spot"), prices)


def transfers_of(engine: Engine, bot: str, wish: Wish) -> Iterator[TransferRow]:
    """Transfers decided in the time that is wished for, oldest first."""
    query = select(transfers).where(transfers.c.bot == bot, *_within(transfers.c.created_at, wish))
    for row in _rows(engine, query.order_by(transfers.c.serial)):
        yield read(TransferRow, row)


@contextmanager
def _sense(what: str) -> Iterator[None]:
    """Somebody may have put something else into a row."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError):
        raise JournalError(f"the journal has an {what} whose figures make no sense") from None


def _within(column: ColumnElement[Any], wish: Wish) -> list[ColumnElement[bool]]:
    bounds = [column >= wish.since] if wish.since else []
    return [*bounds, column < wish.until] if wish.until else bounds


def _rows(engine: Engine, query: Select[Any]) -> Iterator[Any]:
    with journal_errors("be read"), engine.connect() as db:
        yield from db.execute(query, execution_options={"yield_per": ROWS_AT_ONCE}).mappings()
