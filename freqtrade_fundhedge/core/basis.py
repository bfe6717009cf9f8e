"""Basis that can be believed, and what its return to the usual would pay."""

from __future__ import annotations

import numpy as np
import pandas as pd

from freqtrade_fundhedge.core.funding import FloatArray, smooth

USUAL_VOLUME_H = 168
DRIED_UP = 1 / 3


def trusted_basis(
    perp: FloatArray, spot: FloatArray, perp_volume: FloatArray, spot_volume: FloatArray, window: int
) -> FloatArray:
    """Basis where both markets really traded; NaN where a price may be stale.

    A halted spot market keeps its last price while the perpetual moves on, which looks like a basis. It shows in the
    volumes: no trade at all, or, in the hour in which the halt began, spot volume below a third of its usual share.

    Parameters
    ----------
    perp, spot : (n,) float64, closes, quote per perpetual base unit
    perp_volume, spot_volume : (n,) float64, of each candle, in any unit that does not change
    window : candles over which the usual share is taken

    Returns
    -------
    (n,) float64, (perp - spot) / spot
    """
    traded = (perp_volume > 0) & (spot_volume > 0) & (spot > 0)
    spot_seen, perp_seen = np.where(traded, spot_volume, 0.0), np.where(traded, perp_volume, 0.0)
    usual_spot, usual_perp = _window_sum(spot_seen, window), _window_sum(perp_seen, window)
    dried_up = spot_volume * usual_perp < DRIED_UP * usual_spot * perp_volume
    return np.where(traded & ~dried_up, perp / np.where(traded, spot, 1.0) - 1.0, np.nan)


def _window_sum(values: FloatArray, window: int) -> FloatArray:
    total = np.cumsum(values)
    return np.concatenate([total[:window], total[window:] - total[:-window]])


def basis_gain(basis: FloatArray, window: int, period: int) -> FloatArray:
    """What the short gains when the basis goes back to usual: its distance from the median, over a few closes.

    Parameters
    ----------
    basis : (n,) float64, from `trusted_basis`
    window : candles of the median
    period : candles of the mean that takes out single odd closes

    Returns
    -------
    (n,) float64, fraction of notional, positive = the perpetual is dear; NaN where a close of the period is not trusted
    """
    usual = pd.Series(basis).rolling(window, min_periods=1).median().to_numpy()
    return smooth(np.asarray(basis - usual, dtype=np.float64), period)
