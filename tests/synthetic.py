"""Candles made up for backtests, in the files that Freqtrade reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

HOUR_MS = 3_600_000
FIRST_MS = 1_704_067_200_000  # 2024-01-01


def frame(first_ms: int, close: np.ndarray, volume: float) -> pd.DataFrame:
    """Candles that open where the one before closed."""
    opened = np.concatenate([close[:1], close[:-1]])
    return pd.DataFrame(
        {
            "date": pd.to_datetime(first_ms + HOUR_MS * np.arange(len(close)), unit="ms", utc=True),
            "open": opened,
            "high": np.maximum(opened, close) * 1.0005,
            "low": np.minimum(opened, close) * 0.9995,
            "close": close,
            "volume": volume,
        }
    )


def write_pair(datadir: Path, name: str, coin: str, multiplier: float, days: int, seed: int, start: float) -> None:
    """Spot, futures, mark and funding of one pair; funding pays for ten days, then costs for four, and again.

    Parameters
    ----------
    datadir : Freqtrade's data directory
    name, coin : base of the perpetual and of the spot market
    multiplier : spot base units in one perpetual base unit
    days : length of the data
    seed : of the random walk
    start : price of the perpetual at the start
    """
    rng = np.random.default_rng(seed)
    n = days * 24
    perp = start * np.exp(np.cumsum(rng.normal(0, 0.002, n)))
    basis = 0.0002 * np.sin(np.arange(n) / 17) + rng.normal(0, 0.0001, n)
    settled = np.arange(0, days * 3) * 8 * HOUR_MS + FIRST_MS
    good = (np.arange(days * 3) // 3 + 3 * seed) % 14 < 10
    rates = np.where(good, 0.0005, -0.0009) + rng.normal(0, 0.00005, days * 3)
    futures = datadir / "futures"
    futures.mkdir(parents=True, exist_ok=True)
    stem = futures / f"{name}_USDT_USDT-1h-"
    frame(FIRST_MS, perp, 1000.0).to_feather(f"{stem}futures.feather")
    frame(FIRST_MS, perp * 1.00005, 0.0).to_feather(f"{stem}mark.feather")
    funding = pd.DataFrame({"date": pd.to_datetime(settled, unit="ms", utc=True), "funding_rate": rates})
    funding.to_feather(f"{stem}funding_rate.feather")
    spot = frame(FIRST_MS, perp / multiplier / (1 + basis), 3000.0 * multiplier)
    spot.to_feather(datadir / f"{coin}_USDT-1h.feather")
