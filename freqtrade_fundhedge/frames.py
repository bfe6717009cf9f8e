"""The dataframe that the strategy sees: funding, mark, spot and basis beside Freqtrade's own candles.

Columns added to a pair's dataframe. Every value was known at that candle's close.

==================  ==================================================================================
funding_rate        last settled rate, fraction of notional per interval; NaN when overdue
funding_interval_h  hours that rate was for; the venue's own, it can change within a series
funding_apr         that rate a year, simple
funding_apr_smooth  its mean over a day
mark_close          mark price
spot_open           spot price of one perpetual base unit (multiplier applied) at the candle's open
spot_close          the same at its close
basis               (perpetual - spot) / spot at the close; NaN when one of them did not trade
basis_gain          what the return to the usual basis would pay the short, fraction of notional
carry_balance       account of funding against the cost of switching, fraction of notional
net_carry           expected over a month, costs paid, fraction of notional; ranks pairs
breakeven_h         hours until the round trip is earned; inf = never
hedge_enter         the rule would open a hedge here
hedge_exit          the rule would close one here
==================  ==================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from freqtrade_fundhedge.core.basis import USUAL_VOLUME_H, trusted_basis
from freqtrade_fundhedge.core.carry import STARTUP_H, CarryParams, CarrySignals, decide, signals
from freqtrade_fundhedge.core.funding import BoolArray, FloatArray, IntArray, SettledFunding, settled_on_grid

Informative = tuple[str, str, str]
Fetch = Callable[[str, str, int, int], Sequence[Sequence[float]]]
CANDLE_COLUMNS = ["date", "open", "high", "low", "close", "volume"]
_UNIT_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_MS_PER_H = 3_600_000


def timeframe_ms(timeframe: str) -> int:
    """Length of a candle in ms ("5m", "1h", "1d").

    Raises
    ------
    ValueError : not a timeframe
    """
    unit, count = _UNIT_MS.get(timeframe[-1:]), timeframe[:-1]
    if unit is None or not count.isdecimal() or int(count) == 0:
        raise ValueError(f"{timeframe!r} is not a timeframe")
    return int(count) * unit


def startup_candles(timeframe: str) -> int:
    """Candles that the rule looks back over before its first valid answer."""
    return -(-STARTUP_H * _MS_PER_H // timeframe_ms(timeframe))


def informative_pairs(
    pairs: Mapping[str, str], timeframe: str, funding_timeframe: str, live: bool
) -> list[Informative]:
    """Candles that Freqtrade must hold beside each pair's own.

    Spot candles are asked of Freqtrade only in backtests, where they come from disk. Live, its exchange object answers
    for a spot symbol with the perpetual's candles, and the basis would always be 0: `SpotCandles` gets them instead.

    Parameters
    ----------
    pairs : pair -> spot symbol
    timeframe : the strategy's
    funding_timeframe : what the exchange's funding and mark candles are filed under (Freqtrade: "1h")
    live : live or dry-run

    Returns
    -------
    list of (symbol, timeframe, candle type)
    """
    wanted: list[Informative] = []
    for pair, spot_symbol in pairs.items():
        wanted += [(pair, funding_timeframe, "funding_rate"), (pair, funding_timeframe, "mark")]
        if not live:
            wanted.append((spot_symbol, timeframe, "spot"))
    return wanted


def hedge_frame(
    dataframe: pd.DataFrame, multiplier: float, timeframe: str, funding: pd.DataFrame, mark: pd.DataFrame,
    spot: pd.DataFrame, params: CarryParams,
) -> pd.DataFrame:  # fmt: skip
    """Add the columns listed above to a pair's candles.

    Parameters
    ----------
    dataframe : the perpetual's candles, n rows; columns date (UTC), open, high, low, close, volume
    multiplier : spot base units in one perpetual base unit (1000 for 1000PEPE), > 0
    timeframe : of `dataframe` and `spot`
    funding : settled rates by settlement time; column `funding_rate`, or `open` as older data has it; may be empty
    mark : mark candles; may be empty
    spot : the spot market's candles; may be empty
    params : thresholds and costs

    Returns
    -------
    a new DataFrame of n rows, the input's columns first

    Raises
    ------
    ValueError : the multiplier is not positive
    """
    if not multiplier > 0:
        raise ValueError("the multiplier must be positive")
    open_ms, candle_ms = _ms(dataframe), timeframe_ms(timeframe)
    settled = settled_on_grid(open_ms, *_settlements(funding))
    mark_close = _exact(mark, open_ms, "close")
    spot_open, spot_close = (_exact(spot, open_ms, column) * multiplier for column in ("open", "close"))
    close, volume = (np.asarray(dataframe[column], dtype=np.float64) for column in ("close", "volume"))
    window = max(1, USUAL_VOLUME_H * _MS_PER_H // candle_ms)
    basis = trusted_basis(close, spot_close, volume, _exact(spot, open_ms, "volume"), window)
    result = signals(settled, basis, params, candle_ms / _MS_PER_H)
    prices = {"mark_close": mark_close, "spot_open": spot_open, "spot_close": spot_close, "basis": basis}
    return dataframe.assign(**_funding_columns(settled, result), **prices, **_rule_columns(result))


def _funding_columns(settled: SettledFunding, result: CarrySignals) -> dict[str, FloatArray]:
    return {
        "funding_rate": settled.rate,
        "funding_interval_h": settled.interval_h,
        "funding_apr": settled.apr,
        "funding_apr_smooth": result.apr_smooth,
    }


def _rule_columns(result: CarrySignals) -> dict[str, FloatArray | BoolArray]:
    return {
        "basis_gain": result.basis_gain,
        "carry_balance": result.balance,
        "net_carry": result.net_carry,
        "breakeven_h": result.breakeven_h,
        "hedge_enter": result.enter,
        "hedge_exit": result.leave,
    }


def decide_again(frame: pd.DataFrame, params: CarryParams) -> tuple[BoolArray, BoolArray]:
    """Where to open and where to close under other thresholds, from the columns of `hedge_frame`.

    Hyperopt changes thresholds without computing the columns again.

    Returns
    -------
    (enter, leave), (n,) bool each
    """
    columns = ("funding_apr_smooth", "carry_balance", "basis_gain", "breakeven_h")
    smoothed, balance, gain, hours = (np.asarray(frame[name], dtype=np.float64) for name in columns)
    return decide(smoothed, balance, gain, hours, params)


class SpotCandles:
    """Spot candles for live and dry-run, kept by symbol and brought up to date when a new one is due.

    Parameters
    ----------
    fetch : (symbol, timeframe, since_ms, limit) -> rows of [open_ms, open, high, low, close, volume], oldest first
    timeframe : of all candles
    keep : candles kept per symbol
    limit : most candles that one request may ask for
    retry_ms : after an answer without the candle that was due, or an error, wait this long before asking again
    """

    def __init__(self, fetch: Fetch, timeframe: str, keep: int, limit: int = 1000, retry_ms: int = 10_000) -> None:
        self._fetch, self._timeframe, self._keep, self._limit = fetch, timeframe, keep, limit
        self._candle_ms, self._retry_ms = timeframe_ms(timeframe), retry_ms
        self._rows: dict[str, dict[int, Sequence[float]]] = {}
        self._asked: dict[str, int] = {}

    def get(self, symbol: str, now_ms: int) -> pd.DataFrame:
        """The last `keep` closed candles of a spot symbol, oldest first, columns as Freqtrade's.

        One request per candle (more for the first, if `keep` needs pages); none while nothing new can be there. The
        candle that is still running is never part of it. What `fetch` raises passes through.
        """
        newest = now_ms // self._candle_ms * self._candle_ms - self._candle_ms
        rows = self._rows.setdefault(symbol, {})
        asked = self._asked.get(symbol)
        # Once per candle; again only if the answer lacked the candle that was due.
        due = asked is None or asked < newest + self._candle_ms or now_ms - asked >= self._retry_ms
        if newest not in rows and due:
            self._asked[symbol] = now_ms
            self._refresh(symbol, rows, newest)
        return _frame(rows)

    def retain(self, symbols: Iterable[str]) -> None:
        """Forget every symbol that is not among these."""
        wanted = set(symbols)
        for symbol in self._rows.keys() - wanted:
            del self._rows[symbol]
            self._asked.pop(symbol, None)

    def _refresh(self, symbol: str, rows: dict[int, Sequence[float]], newest: int) -> None:
        oldest = newest - (self._keep - 1) * self._candle_ms
        # The last candle is asked for again: some venues still correct it just after its close.
        since = max(oldest, max(rows, default=oldest))
        while since <= newest:
            answer = self._fetch(symbol, self._timeframe, since, self._limit)
            fresh = {int(row[0]): row[:6] for row in answer if oldest <= int(row[0]) <= newest}
            rows.update(fresh)
            last = max((int(row[0]) for row in answer), default=newest)
            if last < since or len(answer) < self._limit:
                break
            since = last + self._candle_ms
        for stale in [open_ms for open_ms in rows if open_ms < oldest]:
            del rows[stale]


def _frame(rows: dict[int, Sequence[float]]) -> pd.DataFrame:
    frame = pd.DataFrame([rows[open_ms] for open_ms in sorted(rows)], columns=CANDLE_COLUMNS)
    frame["date"] = pd.to_datetime(frame["date"].astype("int64"), unit="ms", utc=True)
    return frame.astype(dict.fromkeys(CANDLE_COLUMNS[1:], "float64"))


def _ms(frame: pd.DataFrame) -> IntArray:
    return np.asarray(frame["date"].dt.as_unit("ms").astype("int64"), dtype=np.int64)


def _settlements(funding: pd.DataFrame) -> tuple[IntArray, FloatArray]:
    if funding.empty:
        return np.empty(0, dtype=np.int64), np.empty(0)
    column = "funding_rate" if "funding_rate" in funding.columns else "open"
    settled_ms, first = np.unique(_ms(funding), return_index=True)
    return settled_ms, np.asarray(funding[column], dtype=np.float64)[first]


def _exact(frame: pd.DataFrame, open_ms: IntArray, column: str) -> FloatArray:
    """The column at the candles that open at exactly these times; NaN where there is none."""
    if frame.empty:
        return np.full(len(open_ms), np.nan)
    have = _ms(frame)
    at = np.minimum(np.searchsorted(have, open_ms), len(have) - 1)
    return np.where(have[at] == open_ms, np.asarray(frame[column], dtype=np.float64)[at], np.nan)
