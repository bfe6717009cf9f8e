"""Settled funding, read with the venue's own interval per settlement, and put on a grid of candles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import talib
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

HOURS_PER_YEAR = 8760.0
INTERVALS_H = np.array([1.0, 2.0, 4.0, 8.0])
LATE_H = 1.0
_MS_PER_H = 3_600_000.0
_EXACT = 2.0**40


@dataclass(frozen=True)
class SettledFunding:
    """Funding as it was known at each candle; all arrays have the length of the candles.

    Attributes
    ----------
    rate : last settled rate, fraction of notional per interval; NaN before the first and when overdue
    interval_h : hours that `rate` was for; NaN where `rate` is
    cash : sum of the rates settled since the previous candle's open, fraction of notional; NaN before the first
    apr : `rate`, annualised; NaN where `rate` is
    """

    rate: FloatArray
    interval_h: FloatArray
    cash: FloatArray
    apr: FloatArray


def funding_apr(rate: FloatArray, interval_hours: FloatArray) -> FloatArray:
    """Annualise funding rates, simple, not compounded.

    Parameters
    ----------
    rate : (n,) float64, fraction of notional per interval; positive = longs pay shorts
    interval_hours : (n,) float64, hours, > 0; the venue's own, per settlement

    Returns
    -------
    (n,) float64, fraction of notional per 365-day year; NaN where either is NaN

    Raises
    ------
    ValueError : an interval is not positive

    Source: Binance, "Introduction to Binance Futures Funding Rates".
    """
    if np.any(interval_hours <= 0):
        raise ValueError("a funding interval must be longer than 0 hours")
    return np.asarray(rate * (HOURS_PER_YEAR / interval_hours), dtype=np.float64)


def settlement_intervals(settled_ms: IntArray) -> FloatArray:
    """Hours that each settlement paid for, from nothing but the settlements up to it.

    The time since the settlement before, rounded to the hour and down to an interval that venues use, so that a
    change of interval shows with the first settlement under the new one. A longer silence is an outage, not an
    interval: the last known interval holds. The first settlement's interval is unknown.

    Parameters
    ----------
    settled_ms : (n,) int64, Unix ms, strictly increasing

    Returns
    -------
    (n,) float64, hours, one of 1, 2, 4, 8; NaN for the first and for a second one after an outage at the start
    """
    gap = np.diff(settled_ms) / _MS_PER_H
    gap = np.rint(gap)
    snapped = INTERVALS_H[np.maximum(np.searchsorted(INTERVALS_H, gap, side="right") - 1, 0)]
    snapped[gap > INTERVALS_H[-1]] = np.nan
    return np.concatenate([np.full(min(1, len(settled_ms)), np.nan), _forward_fill(snapped)])


def settled_on_grid(open_ms: IntArray, settled_ms: IntArray, rates: FloatArray) -> SettledFunding:
    """What of the settled funding each candle may know: settlements up to its open, never a later one.

    A rate holds until its successor is due, and an hour longer; an overdue rate is NaN rather than an old truth.

    Parameters
    ----------
    open_ms : (n,) int64, open times of the candles, Unix ms, increasing
    settled_ms : (m,) int64, times of the settlements, Unix ms, strictly increasing
    rates : (m,) float64, fraction of notional per interval; NaN = settlement without a known rate

    Returns
    -------
    SettledFunding with arrays of length n

    Raises
    ------
    ValueError : settlements and rates differ in length
    """
    if len(settled_ms) != len(rates):
        raise ValueError("as many settlement times as rates are needed")
    if not len(rates):
        nothing = np.full(len(open_ms), np.nan)
        return SettledFunding(nothing, nothing, nothing, nothing)
    known = np.searchsorted(settled_ms, open_ms, side="right")
    last = np.maximum(known - 1, 0)
    interval = settlement_intervals(settled_ms)[last]
    age = (open_ms - settled_ms[last]) / _MS_PER_H
    current = (known > 0) & (age <= interval + LATE_H) & ~np.isnan(rates[last])
    rate = np.where(current, rates[last], np.nan)
    interval = np.where(current, interval, np.nan)
    total = np.concatenate([[0.0], np.cumsum(np.rint(np.nan_to_num(rates) * _EXACT))])[known]
    cash = np.diff(total, prepend=total[0] if len(total) else 0.0) / _EXACT
    cash[known == 0] = np.nan
    return SettledFunding(rate, interval, cash, funding_apr(rate, interval))


def smooth(values: FloatArray, period: int) -> FloatArray:
    """Mean over the last `period` values (TA-Lib SMA); NaN as long as one of them is NaN.

    Values are first rounded to 2**-40, which makes every sum exact: TA-Lib keeps a running sum, whose rounding
    would otherwise let the result depend on where the series begins.

    Parameters
    ----------
    values : (n,) float64, below 2**10 in size
    period : values, > 0

    Returns
    -------
    (n,) float64
    """
    missing = np.isnan(values)
    if period == 1 or len(values) < period:
        return np.where(missing | (period > 1), np.nan, values)
    exact = np.rint(np.where(missing, 0.0, values) * _EXACT) / _EXACT
    mean = np.asarray(talib.SMA(exact, timeperiod=period), dtype=np.float64)
    gaps = np.cumsum(missing)
    gaps[period:] -= gaps[:-period].copy()
    mean[gaps > 0] = np.nan
    return mean


def _forward_fill(values: FloatArray) -> FloatArray:
    if not len(values):
        return values
    index = np.where(np.isnan(values), 0, np.arange(len(values)))
    return np.asarray(values[np.maximum.accumulate(index)], dtype=np.float64)
