"""Candles on disk, where Freqtrade keeps them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pandas as pd

_NOT_IN_NAMES = re.compile(r"[/ .@$+:]")


class Candles(Protocol):
    """Where a report gets prices from."""

    def load(self, symbol: str, timeframe: str, kind: str) -> pd.DataFrame:
        """Candles of a kind (`spot`, `futures`, `mark`, `funding_rate`), oldest first; empty if there are none."""
        ...

    def spot_symbols(self) -> Mapping[str, Mapping[str, object]]:
        """The spot symbols that have candles, as keys."""
        ...


@dataclass(frozen=True)
class FeatherCandles:
    """Freqtrade's feather files in a data directory such as `user_data/data/binance`."""

    datadir: Path

    def load(self, symbol: str, timeframe: str, kind: str) -> pd.DataFrame:
        """See `Candles.load`."""
        name = f"{_NOT_IN_NAMES.sub('_', symbol)}-{timeframe}"
        spot = kind == "spot"
        path = self.datadir / f"{name}.feather" if spot else self.datadir / "futures" / f"{name}-{kind}.feather"
        return pd.read_feather(path) if path.is_file() else pd.DataFrame()

    def spot_symbols(self) -> Mapping[str, Mapping[str, object]]:
        """See `Candles.spot_symbols`; a file name keeps `BASE_QUOTE`, where only the last `_` was a `/`."""
        names = {path.stem.rsplit("-", 1)[0] for path in self.datadir.glob("*-*.feather")}
        return {"/".join(name.rsplit("_", 1)): {} for name in names}
