"""What a hedge in a pair promises, from nothing but its settled funding: the carry rule without candles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from freqtrade_fundhedge.core.carry import STARTUP_H, CarryParams, signals
from freqtrade_fundhedge.core.funding import FloatArray, IntArray, settled_on_grid

_MS_PER_H = 3_600_000
NAN = float("nan")


@dataclass(frozen=True)
class Outlook:
    """The columns of the same names of a pair's last candle, a basis gain of 0 assumed; NaN = not known.

    Attributes
    ----------
    apr_smooth : settled funding, smoothed, fraction a year
    net_carry : expected over a month, costs paid, fraction of notional
    breakeven_h : hours until the round trip is earned; inf = never
    """

    apr_smooth: float = NAN
    net_carry: float = NAN
    breakeven_h: float = NAN


def history_since(now_ms: int) -> int:
    """Start of the settlements that `outlook` looks back over, Unix ms: at one an hour they fit into one request."""
    return now_ms - STARTUP_H * _MS_PER_H


def outlook(settled_ms: IntArray, rates: FloatArray, now_ms: int, params: CarryParams) -> Outlook:
    """Apply the carry rule to settlements, hour by hour until now.

    Parameters
    ----------
    settled_ms : (m,) int64, Unix ms, strictly increasing
    rates : (m,) float64, fraction of notional per interval
    now_ms : Unix ms; later settlements are not looked at
    params : thresholds and costs

    Returns
    -------
    Outlook; all NaN without settlements, or when the last one is overdue
    """
    open_ms = np.arange(history_since(now_ms), now_ms + 1, _MS_PER_H, dtype=np.int64)
    result = signals(settled_on_grid(open_ms, settled_ms, rates), np.zeros(len(open_ms)), params)
    return Outlook(*(float(column[-1]) for column in (result.apr_smooth, result.net_carry, result.breakeven_h)))
