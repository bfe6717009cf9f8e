"""The short legs, as Freqtrade's own database has them; read beside the running bot, never written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Boolean, DateTime, Engine, Float, Integer, String, column, create_engine, event, make_url, select
from sqlalchemy import table as light_table
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from freqtrade_fundhedge.errors import ConfigError, FundHedgeError
from freqtrade_fundhedge.journal_open import first_line, postgres_options, sqlite_reader, with_driver

ROWS_AT_ONCE = 2000
SAME_TRADE_S = 2.0
_trades = light_table(
    "trades",
    *(column(name, Integer) for name in ("id",)),
    *(column(name, String) for name in ("pair", "exit_reason")),
    *(column(name, Boolean) for name in ("is_open", "is_short")),
    *(column(name, DateTime) for name in ("open_date", "close_date")),
    *(
        column(name, Float)
        for name in ("fee_open", "fee_close", "stake_amount", "max_stake_amount", "realized_profit", "funding_fees")
    ),
)
_orders = light_table(
    "orders",
    *(column(name, Integer) for name in ("id", "ft_trade_id")),
    column("ft_order_side", String),
    *(column(name, DateTime) for name in ("order_filled_date", "order_update_date", "order_date")),
    *(column(name, Float) for name in ("filled", "average", "price", "ft_price")),
)


class ShortFill(NamedTuple):
    """An order of the perpetual that filled: base units sold (negative = bought back), price and fee in quote."""

    at: float
    sold: float
    price: float
    fee: float


@dataclass
class Short:
    """One of Freqtrade's short trades; times in seconds since 1970, money in quote.

    Attributes
    ----------
    stake : margin that all filled entries took
    realised : profit of the closed part by Freqtrade's account, funding and fees included
    funding : received less paid, of the closed and the open part
    """

    trade_id: int
    pair: str
    opened_at: float
    closed_at: float | None
    exit_reason: str
    stake: float
    realised: float
    funding: float
    fills: list[ShortFill] = field(default_factory=list)


def read_shorts(url: str) -> list[Short]:
    """All short trades and their filled orders.

    Parameters
    ----------
    url : Freqtrade's `db_url`, SQLite or PostgreSQL

    Raises
    ------
    ConfigError : there is no such database, with the remedy
    FundHedgeError : it can't be read
    """
    with _opened(url) as engine, engine.connect() as db:

        def rows(query: Any) -> Iterator[Any]:
            yield from db.execute(query, execution_options={"yield_per": ROWS_AT_ONCE}).mappings()

        fees: dict[int, tuple[float, float]] = {}
        found: dict[int, Short] = {}
        for row in rows(select(_trades).where(_trades.c.is_short.is_(True)).order_by(_trades.c.id)):
            found[row["id"]] = _short(row)
            fees[row["id"]] = row["fee_open"] or 0.0, row["fee_close"] or 0.0
        for row in rows(select(_orders).where(_orders.c.filled > 0).order_by(_orders.c.id)):
            if (short := found.get(row["ft_trade_id"])) is not None:
                short.fills.append(_fill(row, fees[short.trade_id]))
        return list(found.values())


@contextmanager
def _opened(url: str) -> Iterator[Engine]:
    try:
        parsed = with_driver(make_url(url))
    except ArgumentError:
        raise ConfigError("db_url: not a database URL such as sqlite:///tradesv3.sqlite") from None
    if parsed.get_backend_name() != "sqlite":
        options: dict[str, Any] = {"connect_args": postgres_options()}
    elif parsed.database and parsed.database != ":memory:":
        if not Path(parsed.database).is_file():
            raise ConfigError(f"there is no database of Freqtrade's at {parsed.database}: check db_url and dry_run")
        options = {}
    else:
        raise ConfigError("Freqtrade's database is kept in memory only (db_url): nobody but the bot can read it")
    try:
        engine = create_engine(parsed, **options)
        if parsed.get_backend_name() == "sqlite":
            event.listen(engine, "connect", sqlite_reader)
        try:
            yield engine
        finally:
            engine.dispose()
    except (SQLAlchemyError, ImportError, OSError, ValueError) as error:
        shown = parsed.render_as_string(hide_password=True)
        raise FundHedgeError(f"Freqtrade's database {shown} can't be read: {first_line(error)}") from None


def _short(row: Mapping[str, Any]) -> Short:
    return Short(
        trade_id=row["id"],
        pair=row["pair"],
        opened_at=_seconds(row["open_date"]),
        closed_at=None if row["is_open"] or row["close_date"] is None else _seconds(row["close_date"]),
        exit_reason=row["exit_reason"] or "",
        stake=max(row["max_stake_amount"] or 0.0, row["stake_amount"] or 0.0),
        realised=row["realized_profit"] or 0.0,
        funding=row["funding_fees"] or 0.0,
    )


def _fill(row: Mapping[str, Any], fees: Sequence[float]) -> ShortFill:
    price = row["average"] or row["price"] or row["ft_price"] or 0.0
    entry = row["ft_order_side"] == "sell"
    sold = row["filled"] if entry else -row["filled"]
    at = row["order_filled_date"] or row["order_update_date"] or row["order_date"]
    return ShortFill(_seconds(at), sold, price, row["filled"] * price * fees[0 if entry else 1])


def _seconds(at: datetime) -> float:
    """Freqtrade writes UTC without saying so."""
    return at.replace(tzinfo=UTC).timestamp()


def match(shorts: Sequence[Short]) -> Callable[[int, str, float], Short | None]:
    """Finds the trade of a hedge by id, pair and time: a new database of Freqtrade's counts from 1 again."""
    by_id = {short.trade_id: short for short in shorts}

    def found(trade_id: int, pair: str, opened_at: float) -> Short | None:
        short = by_id.get(trade_id)
        same = short is not None and short.pair == pair and abs(short.opened_at - opened_at) < SAME_TRADE_S
        return short if same else None

    return found
