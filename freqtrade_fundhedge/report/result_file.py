"""Freqtrade's backtest results, read in pieces: a hundred thousand trades pass through a small buffer."""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import IO, Any

import numpy as np
import orjson

from freqtrade_fundhedge.core.funding import FloatArray, IntArray
from freqtrade_fundhedge.errors import ConfigError

BLOCK = 1 << 20
_TRADES = re.compile(rb'"trades":\s*\[')
_BETWEEN = re.compile(rb'\}\s*,\s*(?=\{\s*"pair")')
_SEPARATORS = re.compile(r"[\s,]*")
_DECODER = json.JSONDecoder()
# What reading a damaged archive, other JSON, or a result of another program may raise.
_NO_RESULT = (
    OSError, EOFError, KeyError, TypeError, ValueError, IndexError, RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
Trade = dict[str, Any]


@dataclass
class _Columns:
    pair: array[int] = field(default_factory=lambda: array("q"))
    reason: array[int] = field(default_factory=lambda: array("q"))
    opened: array[int] = field(default_factory=lambda: array("q"))
    closed: array[int] = field(default_factory=lambda: array("q"))
    funding: array[float] = field(default_factory=lambda: array("d"))
    stake: array[float] = field(default_factory=lambda: array("d"))
    fee_open: array[float] = field(default_factory=lambda: array("d"))
    fee_close: array[float] = field(default_factory=lambda: array("d"))
    fill_trade: array[int] = field(default_factory=lambda: array("q"))
    fill_at: array[int] = field(default_factory=lambda: array("q"))
    fill_sold: array[float] = field(default_factory=lambda: array("d"))
    fill_price: array[float] = field(default_factory=lambda: array("d"))


@dataclass(frozen=True)
class Trades:
    """The shorts of one backtest, as columns; n trades with m fills.

    Attributes
    ----------
    strategy, timeframe : as Freqtrade names them
    starting_balance : quote
    start_ms, end_ms : the backtest's range, Unix ms
    pairs, reasons : names that `pair` and `reason` count
    pair, reason, opened_ms, closed_ms : (n,) int64
    funding : (n,) quote received less paid
    stake : (n,) margin, quote
    fee_open, fee_close : (n,) fee rates of the futures orders
    fill_trade, fill_ms : (m,) int64, trade that a fill belongs to, and when
    fill_sold : (m,) perpetual base units, negative = bought back
    fill_price : (m,) quote
    """

    strategy: str
    timeframe: str
    starting_balance: float
    start_ms: int
    end_ms: int
    pairs: tuple[str, ...]
    reasons: tuple[str, ...]
    pair: IntArray
    reason: IntArray
    opened_ms: IntArray
    closed_ms: IntArray
    funding: FloatArray
    stake: FloatArray
    fee_open: FloatArray
    fee_close: FloatArray
    fill_trade: IntArray
    fill_ms: IntArray
    fill_sold: FloatArray
    fill_price: FloatArray


def latest_result(directory: Path) -> Path:
    """The newest backtest result in Freqtrade's results directory.

    Raises
    ------
    ConfigError : there is none
    """
    pointer = directory / ".last_result.json"
    try:
        return directory / str(json.loads(pointer.read_text())["latest_backtest"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # Freqtrade writes it; without it the names, which hold the time, say as much
    found = sorted(directory.glob("backtest-result-*.zip"))
    if not found:
        raise ConfigError(f"no backtest result in {directory}; run freqtrade backtesting first")
    return found[-1]


def read_result(path: Path, strategy: str | None = None) -> Trades:
    """Read the trades of one strategy from a backtest result.

    Parameters
    ----------
    path : `backtest-result-*.zip`, or the JSON in it
    strategy : which one, if the result has several; the first by default

    Raises
    ------
    ConfigError : not a backtest result, no such strategy, or it traded long
    """
    collected: list[tuple[_Columns, _Names]] = []

    def begin() -> Callable[[list[Trade]], None]:
        collected.append((_Columns(), _Names()))
        columns, names = collected[-1]
        return lambda trades: _collect(trades, columns, names)

    if not path.is_file():
        raise ConfigError(f"{path}: {'is a directory' if path.is_dir() else 'no such file'}")
    try:
        skeleton = _read(path, begin)
        strategies = dict(orjson.loads(skeleton)["strategy"])
        chosen = strategy if strategy is not None else next(iter(strategies), "")
        if chosen in strategies:
            return _as_trades(chosen, strategies[chosen], *collected[list(strategies).index(chosen)])
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    except _NO_RESULT as error:
        raise ConfigError(f"{path} is not a Freqtrade backtest result: {error}") from error
    raise ConfigError(f"{path} has no strategy {chosen!r}; it has {', '.join(strategies) or 'none'}")


@dataclass
class _Names:
    pairs: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)


def _as_trades(strategy: str, about: Mapping[str, Any], columns: _Columns, names: _Names) -> Trades:
    # Views, not copies: the columns are most of what a report holds in memory.
    arrays = {name: np.frombuffer(values, dtype=values.typecode) for name, values in vars(columns).items()}
    return Trades(
        strategy=strategy,
        timeframe=str(about["timeframe"]),
        starting_balance=float(about["starting_balance"]),
        start_ms=int(about["backtest_start_ts"]),
        end_ms=int(about["backtest_end_ts"]),
        pairs=tuple(names.pairs),
        reasons=tuple(names.reasons),
        opened_ms=arrays.pop("opened"),
        closed_ms=arrays.pop("closed"),
        fill_ms=arrays.pop("fill_at"),
        **arrays,
    )


_FIELDS = ("open_timestamp", "close_timestamp", "funding_fees", "max_stake_amount", "fee_open", "fee_close")
_trade_fields = itemgetter(*_FIELDS)
_fill_fields = itemgetter("order_filled_timestamp", "amount", "safe_price", "ft_is_entry")


def _collect(trades: list[Trade], columns: _Columns, names: _Names) -> None:
    if not trades:
        return
    for trade in trades:
        if not trade["is_short"]:
            raise ConfigError(
                f"{trade['pair']} was traded long, and only shorts can be hedged: a result of another strategy?"
            )
    first = len(columns.pair)
    pairs, reasons = names.pairs, names.reasons
    columns.pair.extend([pairs.setdefault(trade["pair"], len(pairs)) for trade in trades])
    columns.reason.extend([reasons.setdefault(trade["exit_reason"] or "open", len(reasons)) for trade in trades])
    opened, closed, funding, stake, fee_open, fee_close = zip(*map(_trade_fields, trades), strict=True)
    columns.opened.extend(opened)
    columns.closed.extend(closed)
    columns.funding.extend([amount or 0.0 for amount in funding])
    columns.stake.extend(stake)
    columns.fee_open.extend(fee_open)
    columns.fee_close.extend(fee_close)
    # An order that was still waiting when the backtest ended is no fill.
    orders = [[order for order in trade["orders"] if order["order_filled_timestamp"]] for trade in trades]
    columns.fill_trade.extend([first + i for i, fills in enumerate(orders) for _ in fills])
    fills = map(_fill_fields, chain.from_iterable(orders))
    filled_at, amounts, prices, entries = zip(*fills, strict=True)
    columns.fill_at.extend(filled_at)
    columns.fill_sold.extend([amount if entry else -amount for amount, entry in zip(amounts, entries, strict=True)])
    columns.fill_price.extend(prices)


def _read(path: Path, begin: Callable[[], Callable[[list[Trade]], None]]) -> bytes:
    if not zipfile.is_zipfile(path):
        with path.open("rb") as plain:
            return _split(plain, begin)
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".json") and not name.endswith("_config.json")]
        if not names:
            raise ValueError("the archive holds no result")
        with archive.open(names[0]) as packed:
            return _split(packed, begin)


def _split(stream: IO[bytes], begin: Callable[[], Callable[[list[Trade]], None]]) -> bytes:
    """Hand the trades over in batches; return the document with empty lists in their places."""
    skeleton, buffer = bytearray(), b""
    take: Callable[[list[Trade]], None] | None = None
    while block := stream.read(BLOCK):
        buffer += block
        progress = True
        while progress:
            if take is None:
                found = _TRADES.search(buffer)
                # The key may be cut by the end of a block.
                cut = found.end() if found else max(0, len(buffer) - 32)
                skeleton += buffer[:cut]
                buffer, progress = buffer[cut:], found is not None
                take = begin() if found else None
            else:
                buffer, progress = _take_trades(buffer, take)
                take = None if progress else take
    return bytes(skeleton + buffer)


def _take_trades(buffer: bytes, take: Callable[[list[Trade]], None]) -> tuple[bytes, bool]:
    """Take whole trades off the front; return what is left, and whether the list has ended."""
    buffer = buffer.lstrip(b", \n\r\t")
    borders = list(_BETWEEN.finditer(buffer, max(0, buffer.rfind(b'"pair"') - 64)))
    if borders:
        try:
            take(orjson.loads(b"[" + buffer[: borders[-1].start() + 1] + b"]"))
            buffer = buffer[borders[-1].end() :]
        except orjson.JSONDecodeError:
            pass  # the list ends before that border: one by one, then
    text, at, ended, trades = buffer.decode("utf-8", "ignore"), 0, False, []
    while not ended:
        start = _SEPARATORS.match(text, at).end()  # type: ignore[union-attr]
        if text[start : start + 1] == "]":
            at, ended = start, True
            continue
        try:
            trade, at = _DECODER.raw_decode(text, start)
        except json.JSONDecodeError:
            break
        trades.append(trade)
    take(trades)
    return buffer[len(text[:at].encode()) :], ended
