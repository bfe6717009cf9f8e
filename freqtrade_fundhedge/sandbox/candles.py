"""Candles of any market on any timeframe, made from its price path when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from freqtrade_fundhedge.sandbox.errors import BinanceError
from freqtrade_fundhedge.sandbox.noise import FloatArray, seed_of, uniform
from freqtrade_fundhedge.sandbox.numbers import fixed
from freqtrade_fundhedge.sandbox.paths import MINUTE_MS, PricePath

INTERVALS = {
    "1m": 1,
    "3m": 3,
    "5m": 5,
    "15m": 15,
    "30m": 30,
    "1h": 60,
    "2h": 120,
    "4h": 240,
    "6h": 360,
    "8h": 480,
    "12h": 720,
    "1d": 1440,
}
_HISTORY_MINUTES = 400 * 1440


@dataclass(frozen=True)
class Span:
    """Which candles are wanted: timeframe in minutes, first and last candle by number."""

    minutes: int
    first: int
    last: int

    @property
    def count(self) -> int:
        """How many candles."""
        return max(0, self.last - self.first + 1)


def span(interval: str, start: int | None, end: int | None, limit: int, born: int, now: int) -> Span:
    """Work out which candles a request means: from its start, or the newest up to its end."""
    if interval not in INTERVALS:
        raise BinanceError(-1120, "Invalid interval.")
    minutes = INTERVALS[interval]
    length = minutes * MINUTE_MS
    newest = min(now, end if end is not None else now) // length
    oldest = -((born // MINUTE_MS - _HISTORY_MINUTES) * -1 // minutes)
    if start is None:
        return Span(minutes, max(oldest, newest - limit + 1), newest)
    first = max(oldest, -(-start // length))
    return Span(minutes, first, min(newest, first + limit - 1))


def ohlc(path: PricePath, wanted: Span, now: int, wick: float, seed: int) -> FloatArray:
    """Summarise a path as candles.

    Parameters
    ----------
    path : prices
    wanted : which candles, at least one
    now : ms; the last candle stops there
    wick : how far highs and lows stick out of the minutes, as a fraction
    seed : of the wicks

    Returns
    -------
    (candles, 4) float64: open, high, low, close
    """
    begin, end = wanted.first * wanted.minutes, (wanted.last + 1) * wanted.minutes - 1
    table = path.minutes(begin, end, now)
    index = np.arange(begin, end + 1, dtype=np.int64)
    table[:, 1] *= 1.0 + wick * np.abs(uniform(seed, index))
    table[:, 2] *= 1.0 - wick * np.abs(uniform(seed + 1, index))
    cube = table.reshape(wanted.count, wanted.minutes, 4)
    alive = np.arange(begin, end + 1).reshape(wanted.count, wanted.minutes) * MINUTE_MS <= now
    highs = np.where(alive, cube[:, :, 1], -np.inf).max(axis=1)
    lows = np.where(alive, cube[:, :, 2], np.inf).min(axis=1)
    return np.stack([cube[:, 0, 0], highs, lows, cube[:, -1, 3]], axis=1)


def volumes(wanted: Span, quote_per_minute: float, seed: int) -> FloatArray:
    """Make quote volumes: (candles,) float64."""
    index = np.arange(wanted.first, wanted.last + 1, dtype=np.int64)
    return quote_per_minute * wanted.minutes * (1.0 + 0.5 * uniform(seed + 2, index))


def traded_rows(
    path: PricePath, wanted: Span, now: int, tick: Decimal, places: int, depth: float, symbol: str
) -> list[list[object]]:
    """Write candles of a traded market in Binance's shape."""
    if not wanted.count:
        return []
    seed = seed_of(symbol, "candles")
    prices = _on_grid(ohlc(path, wanted, now, 0.0002, seed), float(tick))
    quotes = volumes(wanted, depth, seed)
    rows: list[list[object]] = []
    for i in range(wanted.count):
        opened = (wanted.first + i) * wanted.minutes * MINUTE_MS
        texts = [fixed(Decimal(repr(price)), places) for price in prices[i].tolist()]
        quote = float(quotes[i])
        base = quote / float(prices[i, 3])
        closed = opened + wanted.minutes * MINUTE_MS - 1
        tail = [f"{base / 2:.3f}", f"{quote / 2:.5f}", "0"]
        trades = 10 * wanted.minutes
        rows.append([opened, *texts, f"{base:.3f}", closed, f"{quote:.5f}", trades, *tail])
    return rows


def _on_grid(prices: FloatArray, tick: float) -> FloatArray:
    return np.maximum(np.round(prices / tick), 1.0) * tick


def index_rows(prices: FloatArray, wanted: Span, decimals: int = 8) -> list[list[object]]:
    """Write candles of a price that does not trade (mark, index, premium) in Binance's shape."""
    rows: list[list[object]] = []
    for i in range(wanted.count):
        opened = (wanted.first + i) * wanted.minutes * MINUTE_MS
        closed = opened + wanted.minutes * MINUTE_MS - 1
        texts = [f"{price:.{decimals}f}" for price in prices[i].tolist()]
        rows.append([opened, *texts, "0", closed, "0", 60 * wanted.minutes, "0", "0", "0"])
    return rows
