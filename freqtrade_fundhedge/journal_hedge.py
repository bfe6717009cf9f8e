"""What the journal has about one hedge: its spot fills, what was said of it last; and which calls still stand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Engine, select

from freqtrade_fundhedge.core.fills import Fills
from freqtrade_fundhedge.journal_open import journal_errors
from freqtrade_fundhedge.journal_rows import EventRow, read
from freqtrade_fundhedge.schema import events, spot_orders
from freqtrade_fundhedge.venue.port import ZERO, Side

OPENED: Final = "hedge_opened"
CHANGED: Final = "hedge_changed"
ATTENTION: Final = "attention"
OVER: Final = "attention_over"
CALLS_READ = 500


@dataclass(frozen=True)
class SpotFills:
    """All filled spot orders of a hedge: base units and quote of each side before fees, and fees by coin."""

    coins_bought: Decimal = ZERO
    spent: Decimal = ZERO
    coins_sold: Decimal = ZERO
    earned: Decimal = ZERO
    fees: dict[str, Decimal] = field(default_factory=dict)


def spot_fills(engine: Engine, hedge_id: str) -> SpotFills:
    """Sum up the spot orders of one hedge.

    Raises
    ------
    JournalError : the database can't be read
    """
    columns = (spot_orders.c.side, spot_orders.c.filled, spot_orders.c.quote, spot_orders.c.fees)
    amounts = {Side.BUY: [ZERO, ZERO], Side.SELL: [ZERO, ZERO]}
    fees: dict[str, Decimal] = {}
    with journal_errors("be read"), engine.connect() as db:
        for side, filled, quote, taken in db.execute(select(*columns).where(spot_orders.c.hedge_id == hedge_id)):
            sums = amounts[Side(side)]
            sums[0] += Decimal(filled)
            sums[1] += Decimal(quote)
            for coin, fee in json.loads(taken).items():
                fees[coin] = fees.get(coin, ZERO) + Decimal(fee)
    (coins_bought, spent), (coins_sold, earned) = amounts[Side.BUY], amounts[Side.SELL]
    return SpotFills(coins_bought, spent, coins_sold, earned, fees)


def last_told(engine: Engine, hedge_id: str) -> EventRow | None:
    """The latest event that told the size of a hedge.

    Raises
    ------
    JournalError : the database can't be read
    """
    return _newest(engine, hedge_id, (OPENED, CHANGED))


def opening(engine: Engine, hedge_id: str) -> EventRow | None:
    """The event that told that a hedge stands.

    Raises
    ------
    JournalError : the database can't be read
    """
    return _newest(engine, hedge_id, (OPENED,))


def _newest(engine: Engine, hedge_id: str, kinds: Sequence[str]) -> EventRow | None:
    query = (
        select(events)
        .where(events.c.kind.in_(kinds), events.c.hedge_id == hedge_id)
        .order_by(events.c.id.desc())
        .limit(1)
    )
    with journal_errors("be read"), engine.connect() as db:
        row = db.execute(query).mappings().first()
        return read(EventRow, row) if row is not None else None


def fills_data(fills: Fills) -> dict[str, str]:
    """Fills as an event's data has them."""
    return {name: f"{value:f}" for name, value in asdict(fills).items()}


def fills_of(data: Any) -> Fills | None:
    """The inverse; None when an event's data has no such thing."""
    try:
        return Fills(**{f.name: Decimal(data[f.name]) for f in fields(Fills)})
    except (KeyError, TypeError, ArithmeticError):
        return None


def topic_of(event: EventRow) -> str:
    """What a call for a person is about; its text, if somebody has tampered with the rest."""
    return str((event.data.get("topic") if isinstance(event.data, dict) else "") or event.message)


def open_calls(engine: Engine, bot: str) -> dict[str, str]:
    """Topics that a person was called for and that are not over, with the text of the last call.

    Raises
    ------
    JournalError : the database can't be read
    """
    query = (
        select(events)
        .where(events.c.kind.in_((ATTENTION, OVER)), events.c.bot == bot)
        .order_by(events.c.id.desc())
        .limit(CALLS_READ)
    )
    calls: dict[str, str] = {}
    with journal_errors("be read"), engine.connect() as db:
        for row in reversed(db.execute(query).mappings().all()):
            event = read(EventRow, row)
            topic = topic_of(event)
            if event.kind == ATTENTION:
                calls[topic] = event.message
            else:
                calls.pop(topic, None)
    return calls
