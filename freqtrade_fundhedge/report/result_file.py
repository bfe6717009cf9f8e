"""Freqtrade's backtest results, read in pieces: a hundred thousand trades pass through a small buffer to the disk."""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import IO, Any

import numpy as np
import orjson

from freqtrade_fundhedge.core.funding import FloatArray, IntArray
from freqtrade_fundhedge.errors import ConfigError
from freqtrade_fundhedge.report.spool import CHUNK, Spool

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


_FIELDS = {
    "pair": "q", "reason": "q", "opened_ms": "q", "closed_ms": "q", "funding": "d", "stake": "d", "fee_open": "d",
    "fee_close": "d", "fill_trade": "q", "fill_ms": "q", "fill_sold": "d", "fill_price": "d",
}  # fmt: skip


@dataclass(frozen=True)
class TradeColumns:
    """Some of a backtest's shorts, as columns; n trades with m fills.

    Attributes
    ----------
    pair, reason : (n,) int64, which of `Trades.pairs` and `Trades.reasons`
    opened_ms, closed_ms : (n,) int64
    funding : (n,) quote received less paid
    stake : (n,) margin, quote
    fee_open, fee_close : (n,) fee rates of the futures orders
    fill_trade, fill_ms : (m,) int64, trade of these n that a fill belongs to, and when
    fill_sold : (m,) perpetual base units, negative = bought back
    fill_price : (m,) quote
    """

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


@dataclass(frozen=True)
class Trades:
    """The shorts of one backtest; their columns are on disk.

    Attributes
    ----------
    strategy, timeframe : as Freqtrade names them
    starting_balance : quote
    start_ms, end_ms : the backtest's range, Unix ms
    pairs, reasons : names that the columns `pair` and `reason` count
    count : how many
    """

    strategy: str
    timeframe: str
    starting_balance: float
    start_ms: int
    end_ms: int
    pairs: tuple[str, ...]
    reasons: tuple[str, ...]
    count: int
    _spool: Spool = field(repr=False)

    def chunks(self) -> Iterator[TradeColumns]:
        """All of them in the order of the result, some thousands at a time."""
        for columns in self._spool:
            yield TradeColumns(*columns)


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
    collected: list[_Collected] = []

    def begin() -> Callable[[list[Trade]], None]:
        collected.append(_Collected())
        return collected[-1].take

    if not path.is_file():
        raise ConfigError(f"{path}: {'is a directory' if path.is_dir() else 'no such file'}")
    try:
        skeleton = _read(path, begin)
        strategies = dict(orjson.loads(skeleton)["strategy"])
        chosen = strategy if strategy is not None else next(iter(strategies), "")
        if chosen in strategies:
            return _as_trades(chosen, strategies[chosen], collected[list(strategies).index(chosen)])
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    except _NO_RESULT as error:
        raise ConfigError(f"{path} is not a Freqtrade backtest result: {error}") from error
    raise ConfigError(f"{path} has no strategy {chosen!r}; it has {', '.join(strategies) or 'none'}")


def _as_trades(strategy: str, about: Mapping[str, Any], collected: _Collected) -> Trades:
    collected.flush()
    return Trades(
        strategy=strategy,
        timeframe=str(about["timeframe"]),
        starting_balance=float(about["starting_balance"]),
        start_ms=int(about["backtest_start_ts"]),
        end_ms=int(about["backtest_end_ts"]),
        pairs=tuple(collected.pairs),
        reasons=tuple(collected.reasons),
        count=collected.count,
        _spool=collected.spool,
    )


_trade_fields = itemgetter(
    "open_timestamp", "close_timestamp", "funding_fees", "max_stake_amount", "fee_open", "fee_close"
)
_fill_fields = itemgetter("order_filled_timestamp", "amount", "safe_price", "ft_is_entry")


@dataclass
class _Collected:
    """The trades of one strategy on their way to the disk."""

    pairs: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    count: int = 0
    spool: Spool = field(default_factory=Spool)
    columns: dict[str, array[Any]] = field(
        default_factory=lambda: {name: array(kind) for name, kind in _FIELDS.items()}
    )

    def flush(self) -> None:
        if self.columns["pair"]:
            self.count += len(self.columns["pair"])
            self.spool.append([np.frombuffer(self.columns[name], dtype=kind) for name, kind in _FIELDS.items()])
            self.columns = {name: array(kind) for name, kind in _FIELDS.items()}

    def take(self, trades: list[Trade]) -> None:
        if not trades:
            return
        for trade in trades:
            if not trade["is_short"]:
                raise ConfigError(
                    f"{trade['pair']} was traded long, and only shorts can be hedged: a result of another strategy?"
                )
        columns, pairs, reasons = self.columns, self.pairs, self.reasons
        first = len(columns["pair"])
        columns["pair"].extend([pairs.setdefault(trade["pair"], len(pairs)) for trade in trades])
        columns["reason"].extend([reasons.setdefault(trade["exit_reason"] or "open", len(reasons)) for trade in trades])
        opened, closed, funding, *others = zip(*map(_trade_fields, trades), strict=True)
        columns["opened_ms"].extend(opened)
        columns["closed_ms"].extend(closed)
        columns["funding"].extend([amount or 0.0 for amount in funding])
        for name, values in zip(("stake", "fee_open", "fee_close"), others, strict=True):
            columns[name].extend(values)
        # An order that was still waiting when the backtest ended is no fill.
        orders = [[order for order in trade["orders"] if order["order_filled_timestamp"]] for trade in trades]
        columns["fill_trade"].extend([first + i for i, fills in enumerate(orders) for _ in fills])
        for filled_at, amount, price, entry in map(_fill_fields, chain.from_iterable(orders)):
            columns["fill_ms"].append(filled_at)
            columns["fill_sold"].append(amount if entry else -amount)
            columns["fill_price"].append(price)
        if len(columns["pair"]) >= CHUNK:
            self.flush()


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
