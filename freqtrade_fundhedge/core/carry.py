"""When a hedge pays: one balance, moved by funding, judged against the cost of switching.

The rule has one idea. A hedge that is left and taken up again costs a round trip, four orders. So sit through bad
funding until it has cost a round trip, and stay out until missed funding would have paid for one. That is how one
rents or buys skis without knowing the length of the holiday: the cost itself is the threshold, and none is tuned.
`carry_balance` keeps the account: settled funding summed up, held between plus and minus half a round trip. At the top
the hedge is worth having, at the bottom it is worth leaving.

Basis joins as cash that is expected when it closes: a perpetual far above its usual distance to spot pays the short
who enters, one far below it pays the short who leaves.

Source of the idea: Karlin, Manasse, Rudolph, Sleator, "Competitive snoopy caching", Algorithmica 3 (1988).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, isnan
from typing import NamedTuple

import numpy as np
import pandas as pd

from freqtrade_fundhedge.core.basis import USUAL_VOLUME_H, basis_gain
from freqtrade_fundhedge.core.funding import (
    HOURS_PER_YEAR,
    BoolArray,
    FloatArray,
    SettledFunding,
    smooth,
)

# Fixed, not tuned: what they stand for moves slowly and the result is flat around them.
MEMORY_H = 720  # a month: how long the balance and the usual basis look back
HORIZON_H = 720.0  # and what `net_carry` looks forward
SMOOTH_H = 24  # a day holds the same number of settlements whatever the time of day
REVERSION_H = 168.0  # funding away from its usual rate loses 63 % of the distance in a week (2020-2023)
BASIS_H = 3  # one odd close is not a basis
SPELL_SETTLEMENTS = 2.0  # a very negative rate is followed by one like it, at least (2020-2023: 4.5 in the median)
STARTUP_H = MEMORY_H + USUAL_VOLUME_H + SMOOTH_H + 48
_ROUNDING = 1e-12


@dataclass(frozen=True)
class CarryParams:
    """What entry and exit depend on.

    Attributes
    ----------
    entry_apr : smoothed funding below this never opens a hedge, fraction a year
    exit_apr : smoothed funding at or above this never closes one (basis still may), fraction a year
    max_breakeven_hours : a hedge must be expected to earn its round trip within this
    spot_fee, futures_fee : fee of one order, fraction of notional
    slippage : half the spread and impact of one order, fraction of notional
    """

    entry_apr: float = 0.04
    exit_apr: float = 0.0
    max_breakeven_hours: float = 720.0
    spot_fee: float = 0.001
    futures_fee: float = 0.0005
    slippage: float = 0.0001

    @property
    def round_trip(self) -> float:
        """Cost of opening and closing both legs, four orders, fraction of notional."""
        return 2.0 * (self.spot_fee + self.futures_fee + 2.0 * self.slippage)


@dataclass(frozen=True)
class CarrySignals:
    """The rule's answer for each candle; all arrays have the length of the candles.

    Attributes
    ----------
    apr_smooth : mean funding APR of the last day
    balance : account of `carry_balance`, fraction of notional, within half a round trip of 0
    basis_gain : what closing to the usual basis would pay the short, fraction of notional
    net_carry : expected over `HORIZON_H`: funding + basis gain - round trip, fraction of notional
    breakeven_h : hours until expected funding and basis gain have paid the round trip; 0 at once, inf never
    enter, leave : a hedge should be opened, closed, at this candle's close
    """

    apr_smooth: FloatArray
    balance: FloatArray
    basis_gain: FloatArray
    net_carry: FloatArray
    breakeven_h: FloatArray
    enter: BoolArray
    leave: BoolArray


class Verdict(NamedTuple):
    """A gate's answer and, if it is no, the reason."""

    allowed: bool
    reason: str = ""


def carry_balance(cash: FloatArray, round_trip: float, window: int) -> FloatArray:
    """Sum funding up within plus and minus half a round trip, from a neutral 0 `window` candles ago.

    The finite window makes the value independent of where the series begins. It is computed by doubling: two steps of
    `x -> clip(x + a, low, high)` make one step of the same form, so that n candles take log2(window) array operations.

    Parameters
    ----------
    cash : (n,) float64, funding settled since the candle before, fraction of notional; NaN counts as none
    round_trip : fraction of notional, >= 0
    window : candles, > 0

    Returns
    -------
    (n,) float64, fraction of notional; NaN where `cash` is NaN
    """
    half = round_trip / 2.0
    step = np.nan_to_num(cash), np.full(len(cash), -half), np.full(len(cash), half)
    total, done, size = (np.zeros(len(cash)), np.full(len(cash), -np.inf), np.full(len(cash), np.inf)), 0, 1
    while window:
        if window & 1:
            total, done = _then(_delayed(step, done), total), done + size
        window >>= 1
        step, size = _then(_delayed(step, size), step), size * 2
    gained, low, high = total
    return np.where(np.isnan(cash), np.nan, np.clip(gained, low, high))


_Step = tuple[FloatArray, FloatArray, FloatArray]


def _then(first: _Step, second: _Step) -> _Step:
    gained, low, high = first
    more, floor, ceiling = second
    return gained + more, np.clip(low + more, floor, ceiling), np.clip(high + more, floor, ceiling)


def _delayed(step: _Step, by: int) -> _Step:
    if not by:
        return step
    gained, low, high = (np.roll(part, by) for part in step)
    gained[:by], low[:by], high[:by] = 0.0, -np.inf, np.inf
    return gained, low, high


def signals(funding: SettledFunding, basis: FloatArray, params: CarryParams, candle_h: float = 1.0) -> CarrySignals:
    """Decide entry and exit for each candle, from what was settled at its open and traded until its close.

    NaN funding or basis never opens a hedge. A basis that is not known closes none, but funding may: a hedge must be
    leavable while spot prices are missing.

    Parameters
    ----------
    funding : arrays of length n
    basis : (n,) float64, from `trusted_basis`
    params : thresholds and costs
    candle_h : hours of one candle, > 0

    Returns
    -------
    CarrySignals with arrays of length n
    """
    memory = _candles(MEMORY_H, candle_h)
    cost = params.round_trip
    apr_smooth = smooth(funding.apr, _candles(SMOOTH_H, candle_h))
    balance = carry_balance(funding.cash, cost, memory)
    gain = basis_gain(basis, memory, _candles(BASIS_H, candle_h))
    expected_apr = _expected_apr(funding.apr, apr_smooth, memory)
    net_carry = np.asarray(expected_apr * (HORIZON_H / HOURS_PER_YEAR) + gain - cost, dtype=np.float64)
    breakeven_h = breakeven_hours(expected_apr, np.asarray(cost - gain, dtype=np.float64))
    enter, leave = decide(apr_smooth, balance, gain, breakeven_h, params)
    return CarrySignals(apr_smooth, balance, gain, net_carry, breakeven_h, enter, leave)


def decide(
    apr_smooth: FloatArray, balance: FloatArray, gain: FloatArray, breakeven_h: FloatArray, params: CarryParams
) -> tuple[BoolArray, BoolArray]:
    """The rule itself, on the arrays of `CarrySignals`: where to open, where to close.

    Returns
    -------
    (enter, leave), (n,) bool each, never both
    """
    half = params.round_trip / 2.0
    known_gain = np.nan_to_num(gain)
    leave = (balance + known_gain <= -half + _ROUNDING) & ((apr_smooth < params.exit_apr) | (known_gain < -half))
    # NaN compares as false: what is not known does not enter.
    # A basis within one order's slippage of the usual one can't be told from it.
    enter = (balance + gain >= half - max(params.slippage, _ROUNDING)) & (apr_smooth >= params.entry_apr)
    return enter & (breakeven_h <= params.max_breakeven_hours) & ~leave, leave


def breakeven_hours(apr: FloatArray, cost: FloatArray) -> FloatArray:
    """Hours of funding at `apr` (a year) that pay `cost` (fraction of notional); 0 = paid already, inf = never."""
    with np.errstate(all="ignore"):
        hours = np.where(apr > 0, cost / apr * HOURS_PER_YEAR, np.inf)
    return np.where(np.isnan(apr) | np.isnan(cost), np.nan, np.where(cost <= 0, 0.0, hours))


def hedge_spans(enter: BoolArray, leave: BoolArray) -> BoolArray:
    """Where a hedge that follows the signals is held, candle by candle (held from the close of that candle on)."""
    last = np.maximum.accumulate(np.where(enter | leave, np.arange(len(enter)) + 1, 0))
    return np.asarray(np.concatenate([[False], enter & ~leave])[last], dtype=np.bool_)


def entry_allowed(
    predicted_rate: float, interval_h: float, params: CarryParams, current_basis_gain: float = 0.0
) -> Verdict:
    """Say, between candles, whether the carry that a candle promised is still there.

    Parameters
    ----------
    predicted_rate : rate of the running interval as predicted now, fraction of notional; NaN = unknown
    interval_h : hours of that interval, > 0
    params : thresholds and costs
    current_basis_gain : basis now less the usual one, fraction of notional

    Returns
    -------
    Verdict; an unknown rate or basis is not allowed
    """
    apr = predicted_rate / interval_h * HOURS_PER_YEAR
    if isnan(apr):
        return Verdict(False, "the predicted funding rate is unknown")
    if isnan(current_basis_gain):
        return Verdict(False, "how far the basis is from its usual level is unknown")
    if apr < params.entry_apr:
        return Verdict(False, f"predicted funding {apr:.1%} a year is below entry_apr {params.entry_apr:.1%}")
    cost = params.round_trip - current_basis_gain
    hours = max(cost, 0.0) / apr * HOURS_PER_YEAR if apr > 0 else float("inf" if cost > 0 else "0")
    if hours > params.max_breakeven_hours:
        return Verdict(False, f"break-even after {hours:.0f} h, beyond {params.max_breakeven_hours:.0f} h")
    return Verdict(True)


def funding_turned(
    predicted_rate: float,
    interval_h: float,
    balance: float,
    params: CarryParams,
    current_basis_gain: float = 0.0,
) -> bool:
    """Say, between candles, whether to leave before the running interval is settled.

    The same account as for candles, with the settlement that is about to come, and one more like it, already booked:
    leave if that takes the balance to the bottom, since then staying costs more than leaving and coming back.

    Parameters
    ----------
    predicted_rate : rate of the running interval as predicted now, fraction of notional; NaN = unknown
    interval_h : hours of that interval, > 0
    balance : `CarrySignals.balance` of the last closed candle; NaN = unknown, taken for a full one (patient)
    params : costs
    current_basis_gain : basis now less the usual one, fraction of notional; NaN = unknown

    Returns
    -------
    bool; an unknown or non-negative rate never turns a hedge out, nor one that still earns `exit_apr`
    """
    half = params.round_trip / 2.0
    if isnan(predicted_rate) or predicted_rate >= 0:
        return False
    if predicted_rate / interval_h * HOURS_PER_YEAR >= params.exit_apr:
        return False
    account = half if isnan(balance) else balance
    gain = 0.0 if isnan(current_basis_gain) else current_basis_gain
    return account + gain + SPELL_SETTLEMENTS * predicted_rate <= -half + _ROUNDING


def _candles(hours: float, candle_h: float) -> int:
    return max(1, round(hours / candle_h))


def _expected_apr(apr: FloatArray, now: FloatArray, window: int) -> FloatArray:
    """Mean APR over the horizon if funding reverts from today's to its usual (median) rate."""
    usual = pd.Series(apr).rolling(window, min_periods=1).median().to_numpy()
    share = REVERSION_H / HORIZON_H * (1.0 - exp(-HORIZON_H / REVERSION_H))
    return np.asarray(usual + (now - usual) * share, dtype=np.float64)
