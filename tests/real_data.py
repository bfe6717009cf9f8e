"""Where real market data is, for the tests that measure on it; they skip where there is none."""

from __future__ import annotations

import os
from pathlib import Path

REAL_DATA = Path(os.environ.get("FUNDHEDGE_REAL_DATA") or Path(__file__).parents[2] / "shared" / "data")
"""Holds `binance/` (a Freqtrade data folder), `snapshots/` and `venue/`."""
