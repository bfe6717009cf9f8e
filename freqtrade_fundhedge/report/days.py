"""What moved a set of hedges day by day: prices of both legs, and funding when it was settled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from freqtrade_fundhedge.core.funding import FloatArray, IntArray
from freqtrade_fundhedge.report.candle_files import Candles
from freqtrade_fundhedge.report.result_file import TradeColumns

DAY_MS = 86_400_000
FUNDING_TIMEFRAME = "1h"  # what Freqtrade files mark and funding candles under


@dataclass(frozen=True)
class Days:
    """The days of a report, first and last included, counted since the epoch."""

    first: int
    last: int

    @property
    def count(self) -> int:
        """How many."""
        return self.last - self.first + 1

    @property
    def index(self) -> pd.DatetimeIndex:
        """Their midnights, UTC."""
        return pd.date_range(pd.Timestamp(self.first * DAY_MS, unit="ms", tz="UTC"), periods=self.count, freq="D")

    def of(self, at_ms: IntArray) -> IntArray:
        """Number of the day of each moment, 0 the first; what lies outside goes to the nearest."""
        return np.clip(at_ms // DAY_MS - self.first, 0, self.count - 1)

    def sums(self, at_ms: IntArray, amounts: FloatArray) -> FloatArray:
        """Sum of the amounts of each day."""
        return np.bincount(self.of(at_ms), weights=amounts, minlength=self.count).astype(np.float64)


@dataclass(frozen=True)
class Fills:
    """Fills of one pair: (m,) times in ms, base units sold (negative = bought back)."""

    at_ms: IntArray
    sold: FloatArray

    def moves(self, price: FloatArray, candle_ms: IntArray, candle_price: FloatArray, days: Days) -> FloatArray:
        """What a price moved in favour of the seller each day, valued at the day's last known candle: (days,)."""
        if not len(candle_ms):
            return np.zeros(days.count)
        edges = np.arange(days.first, days.last + 2, dtype=np.int64) * DAY_MS
        order = np.argsort(self.at_ms, kind="stable")
        upto = np.searchsorted(self.at_ms[order], edges, side="left")
        cash = np.concatenate([[0.0], np.cumsum((self.sold * price)[order])])[upto]
        quantity = np.concatenate([[0.0], np.cumsum(self.sold[order])])[upto]
        at = np.clip(np.searchsorted(candle_ms, edges, side="right") - 1, 0, len(candle_ms) - 1)
        return np.diff(cash - quantity * candle_price[at])


@dataclass(frozen=True)
class Prices:
    """Opens of a pair's candles that both markets have."""

    open_ms: IntArray
    perp: FloatArray
    spot: FloatArray

    @classmethod
    def load(cls, candles: Candles, pair: str, symbol: str, multiplier: float, timeframe: str) -> Prices:
        """Read both markets; empty if one of them has no candles."""
        perp, spot = candles.load(pair, timeframe, "futures"), candles.load(symbol, timeframe, "spot")
        if perp.empty or spot.empty:
            return cls(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))
        both = perp[["date", "open"]].merge(spot[["date", "open"]], on="date", suffixes=("", "_spot"))
        prices = both[["open", "open_spot"]].to_numpy(np.float64)
        return cls(_ms(both), prices[:, 0], prices[:, 1] * multiplier)

    def spot_at(self, at_ms: IntArray, price: FloatArray) -> FloatArray:
        """Where spot fills beside a fill of the perpetual at `price`; NaN without a candle of that day."""
        if not len(self.open_ms):
            return np.full(len(at_ms), np.nan)
        at = np.maximum(np.searchsorted(self.open_ms, at_ms, side="right") - 1, 0)
        # A candle of one market may be missing for a while; a price of yesterday is none.
        near = np.abs(at_ms - self.open_ms[at]) < DAY_MS
        return np.where(near, price * self.spot[at] / self.perp[at], np.nan)


@dataclass(frozen=True)
class Settlements:
    """Funding of one pair: when it was settled, and quote paid to a short of one base unit."""

    at_ms: IntArray
    unit: FloatArray

    @classmethod
    def load(cls, candles: Candles, pair: str) -> Settlements:
        """Read funding and mark candles, joined as Freqtrade joins them; empty if one of them is missing."""
        rates = candles.load(pair, FUNDING_TIMEFRAME, "funding_rate")
        mark = candles.load(pair, FUNDING_TIMEFRAME, "mark")
        if rates.empty or mark.empty:
            return cls(np.empty(0, dtype=np.int64), np.empty(0))
        rate = "funding_rate" if "funding_rate" in rates.columns else "open"
        both = rates[["date", rate]].set_axis(["date", "rate"], axis=1).merge(mark[["date", "open"]], on="date")
        unit = (both["rate"] * both["open"]).to_numpy(np.float64)
        return cls(_ms(both), np.nan_to_num(unit))

    def paid(self, fills: Fills) -> tuple[FloatArray, FloatArray]:
        """Funding by Freqtrade's reckoning, both ends of a trade included.

        Returns
        -------
        (m,) share of each fill; a trade's funding is the sum over its fills. (settlements,) funding of each
        """
        upto = np.concatenate([[0.0], np.cumsum(self.unit)])
        entry = fills.sold > 0
        first = np.searchsorted(self.at_ms, fills.at_ms, side="left")
        after = np.searchsorted(self.at_ms, fills.at_ms, side="right")
        at = np.where(entry, first, after)
        changes = np.bincount(at, weights=fills.sold, minlength=len(upto))
        held = np.cumsum(changes)[: len(self.unit)]
        return -fills.sold * upto[at], held * self.unit


def spread(trades: TradeColumns, amounts: FloatArray, days: Days) -> FloatArray:
    """Spread each trade's amount evenly over the days it was held: (days,) float64."""
    first, last = days.of(trades.opened_ms), days.of(trades.closed_ms)
    a_day = amounts / (last - first + 1)
    begun = np.bincount(first, weights=a_day, minlength=days.count + 1)
    ended = np.bincount(last + 1, weights=a_day, minlength=days.count + 1)
    return np.cumsum(begun - ended)[: days.count].astype(np.float64)


def _ms(frame: pd.DataFrame) -> IntArray:
    return np.asarray(frame["date"].dt.as_unit("ms").astype("int64"), dtype=np.int64)
