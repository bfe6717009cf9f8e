"""The journal's rows as values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import RowMapping

from freqtrade_fundhedge.core.intents import State
from freqtrade_fundhedge.errors import JournalError
from freqtrade_fundhedge.venue.port import Direction, MarginKind, Side


def iso(at: float) -> str:
    """Seconds since 1970 as UTC text that sorts."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")


def epoch(text: str) -> float:
    """The inverse of `iso`."""
    return datetime.fromisoformat(text).timestamp()


def exact(value: Decimal) -> str:
    """An amount as plain text, without exponent."""
    return f"{value:f}"


@dataclass(frozen=True)
class HedgeRow:
    """One hedge: what ought to be held on spot for one of Freqtrade's trades, and what is."""

    id: str
    bot: str
    trade_id: int
    pair: str
    symbol: str
    state: str
    opened_at: str
    closed_at: str | None
    unhedged_since: str | None
    wanted: Decimal
    held: Decimal
    spot_cash: Decimal
    spot_fees: Decimal
    spot_bought: Decimal
    short_realised: Decimal
    funding: Decimal
    freed: Decimal
    swept: Decimal
    settled: bool

    @property
    def unswept(self) -> Decimal:
        """Freed USDT that no sweep has moved yet."""
        return max(Decimal(0), self.freed - self.swept)

    @property
    def came_to_nothing(self) -> bool:
        """It is over, and neither leg ever filled: its entry waited in the book and was given up."""
        return self.state == "closed" and not (self.spot_bought or self.short_realised or self.freed)


@dataclass(frozen=True)
class OrderRow:
    """One spot order: an intent, its attempt and its outcome."""

    intent_id: str
    hedge_id: str
    serial: int
    pair: str
    symbol: str
    side: Side
    state: State
    amount: Decimal
    price: Decimal
    filled: Decimal
    quote: Decimal
    fees: dict[str, Any]
    attempts: int
    not_seen: int
    created_at: str
    sent_at: str
    resolved_at: str | None
    exchange_id: str | None
    answer: str


@dataclass(frozen=True)
class TransferRow:
    """One transfer: an intent, its attempts and its outcome."""

    intent_id: str
    serial: int
    bot: str
    direction: Direction
    asset: str
    state: State
    amount: Decimal
    intended: Decimal
    wallet_before: Decimal
    arithmetic: dict[str, Any]
    attempts: int
    attempt_log: list[dict[str, Any]]
    not_seen: int
    created_at: str
    sent_at: str
    resolved_at: str | None
    exchange_id: str | None
    answer: str


@dataclass(frozen=True)
class CloseRow:
    """One reduce-only close of a short that Freqtrade does not know."""

    intent_id: str
    serial: int
    bot: str
    pair: str
    allowed_by: int
    state: State
    amount: Decimal
    filled: Decimal
    attempts: int
    not_seen: int
    created_at: str
    sent_at: str
    resolved_at: str | None
    exchange_id: str | None
    answer: str


@dataclass(frozen=True)
class MarginRow:
    """One change of an isolated position's margin: an intent, its one attempt and its outcome."""

    intent_id: str
    serial: int
    bot: str
    pair: str
    kind: MarginKind
    state: State
    amount: Decimal
    quantity_before: Decimal
    margin_before: Decimal
    arithmetic: dict[str, Any]
    attempts: int
    not_seen: int
    created_at: str
    sent_at: str
    resolved_at: str | None
    exchange_id: str | None
    answer: str


@dataclass(frozen=True)
class EventRow:
    """One line of the audit trail."""

    id: int
    at: str
    bot: str
    kind: str
    hedge_id: str | None
    pair: str | None
    message: str
    data: dict[str, Any]


Row = TypeVar("Row", HedgeRow, OrderRow, TransferRow, CloseRow, MarginRow, EventRow)
_READ: dict[str, Callable[[Any], Any]] = {
    "Decimal": Decimal,
    "Side": Side,
    "State": State,
    "Direction": Direction,
    "MarginKind": MarginKind,
    "dict[str, Any]": json.loads,
    "list[dict[str, Any]]": json.loads,
}

_COLUMNS: dict[type[Any], list[tuple[str, Callable[[Any], Any] | None]]] = {
    kind: [(field.name, _READ.get(str(field.type))) for field in fields(kind)]
    for kind in (HedgeRow, OrderRow, TransferRow, CloseRow, MarginRow, EventRow)
}


def read(kind: type[Row], mapping: Mapping[str, Any] | RowMapping) -> Row:
    """A row of the database as a value.

    Raises
    ------
    JournalError : somebody has put something else into the row
    """
    values = {}
    for name, convert in _COLUMNS[kind]:
        value = mapping[name]
        try:
            values[name] = convert(value) if convert is not None else value
        except (ValueError, TypeError, ArithmeticError):
            raise JournalError(f"the journal has a row whose {name} makes no sense: {str(value)[:40]!r}") from None
    return kind(**values)


def written(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values in the form that the columns take."""
    out: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Decimal):
            out[name] = exact(value)
        elif isinstance(value, (dict, list)):
            out[name] = json.dumps(value, default=str, sort_keys=True)
        else:
            out[name] = value
    return out
