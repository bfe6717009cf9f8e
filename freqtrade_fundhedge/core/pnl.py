"""What a hedge earned: both legs, funding, basis and fees, for one hedge or many, closed or open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from freqtrade_fundhedge.core.funding import FloatArray, IntArray

DAYS_PER_YEAR = 365.0


@dataclass(frozen=True)
class HedgedResult:
    """Results of n hedges, in quote currency; each array (n,) float64, NaN where a price was NaN.

    Attributes
    ----------
    short : what the short's price move brought
    spot : what the spot leg's price move brought
    funding : received less paid
    fees : of both legs, positive = paid
    basis : short + spot, that is what the basis moved in the hedge's favour
    total : short + spot + funding - fees
    notional : quantity x perpetual price at entry
    """

    short: FloatArray
    spot: FloatArray
    funding: FloatArray
    fees: FloatArray
    basis: FloatArray
    total: FloatArray
    notional: FloatArray


def hedged_result(
    quantity: ArrayLike,
    perp_in: ArrayLike,
    perp_out: ArrayLike,
    spot_in: ArrayLike,
    spot_out: ArrayLike,
    funding: ArrayLike,
    fees: ArrayLike,
) -> HedgedResult:
    """Result of hedges that were short `quantity` of the perpetual and long the same on spot.

    An open hedge is valued with today's prices as `_out`, and the fees paid so far.

    Parameters
    ----------
    quantity : (n,) perpetual base units, > 0
    perp_in, perp_out, spot_in, spot_out : (n,) quote per perpetual base unit (spot price x multiplier)
    funding : (n,) quote, positive = received
    fees : (n,) quote, both legs, positive = paid

    Returns
    -------
    HedgedResult
    """
    amount, entered, left, bought, sold, received, paid = (
        np.atleast_1d(np.asarray(part, dtype=np.float64))
        for part in (quantity, perp_in, perp_out, spot_in, spot_out, funding, fees)
    )
    short = amount * (entered - left)
    spot = amount * (sold - bought)
    basis = amount * ((entered - bought) - (left - sold))
    return HedgedResult(short, spot, received, paid, basis, short + spot + received - paid, amount * entered)


def result_of_fills(
    hedge: IntArray,
    sold: FloatArray,
    perp: FloatArray,
    spot: FloatArray,
    funding: FloatArray,
    fees: FloatArray,
) -> HedgedResult:
    """Result of n closed hedges from all their fills; partial closes and additions included.

    Parameters
    ----------
    hedge : (m,) int64, which hedge (0 .. n-1) a fill belongs to
    sold : (m,) float64, perpetual base units sold; negative = bought back. Sums to 0 in each hedge
    perp, spot : (m,) float64, quote per perpetual base unit, of the fill and of the spot order that follows it
    funding, fees : (n,) float64, quote, as in `hedged_result`

    Returns
    -------
    HedgedResult
    """
    count = len(funding)

    def per_hedge(amounts: FloatArray) -> FloatArray:
        return np.bincount(hedge, weights=amounts, minlength=count).astype(np.float64)

    short, spot_leg = per_hedge(sold * perp), per_hedge(-sold * spot)
    basis, notional = per_hedge(sold * (perp - spot)), per_hedge(np.maximum(sold, 0.0) * perp)
    return HedgedResult(short, spot_leg, funding, fees, basis, short + spot_leg + funding - fees, notional)


def daily(closed_day: IntArray, totals: FloatArray, first_day: int, last_day: int) -> FloatArray:
    """Sum results by the day on which they were closed.

    Parameters
    ----------
    closed_day : (n,) int64, days since the epoch; days outside the range are ignored
    totals : (n,) float64, NaN counts as nothing
    first_day, last_day : both included

    Returns
    -------
    (last_day - first_day + 1,) float64
    """
    days = last_day - first_day + 1
    inside = (closed_day >= first_day) & (closed_day <= last_day)
    weights = np.nan_to_num(totals[inside])
    return np.bincount(closed_day[inside] - first_day, weights=weights, minlength=days).astype(np.float64)


def drawdown(results: FloatArray) -> float:
    """Deepest fall of the running sum of `results` below its highest value so far, 0 included; >= 0."""
    equity = np.cumsum(results)
    return float(np.max(np.maximum.accumulate(np.maximum(equity, 0.0)) - equity, initial=0.0))


def sharpe(daily_returns: FloatArray) -> float:
    """Mean over standard deviation of daily returns, a year of 365 days; NaN if there is no variation."""
    if len(daily_returns) < 2:
        return float("nan")
    deviation = float(np.std(daily_returns, ddof=1))
    return float(np.mean(daily_returns)) / deviation * float(np.sqrt(DAYS_PER_YEAR)) if deviation > 0 else float("nan")
