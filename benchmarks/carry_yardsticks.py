"""What one unit of notional earned, hedged, beside three yardsticks, on a Freqtrade data directory.

Conventions: a decision at the close of hour t uses rates settled up to the open of hour t, takes effect at that close,
and the funding settled at the open of hour t+1 is then ours. An hour's result is the funding settled in it less the
change of the basis; each switch costs 0.15 % of notional. `hold` is always in; `rotate` goes in above 10 % trailing
7-day funding APR and out below 3 %; `bound` is the best path in hindsight on funding alone. Returns are simple, % of
notional a year.

    python benchmarks/carry_yardsticks.py DATADIR
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from freqtrade_fundhedge.core.carry import CarryParams, hedge_spans
from freqtrade_fundhedge.core.funding import BoolArray, FloatArray
from freqtrade_fundhedge.frames import hedge_frame

SWITCH_COST = 0.0015
PAIRS = ("BTC", "ETH", "SOL", "DOGE", "BNB", "XRP", "1000PEPE", "ORCA")
MEAN_OF = PAIRS[:6]
PERIODS = (("2020-01", "2023-12"), ("2022-01", "2023-12"), ("2023-01", "2025-09"), ("2024-01", "2025-09"))
# Spot halt: the price stood still. SOL: futures candles missing, filled flat.
NO_PRICE = {
    "": [("2023-03-24 11:00", "2023-03-24 13:00")],
    "SOL": [("2022-02-26 00:00", "2022-03-01 01:00"), ("2022-04-01 00:00", "2022-04-03 01:00")],
}


@dataclass(frozen=True)
class Market:
    """One pair by hour: a hedge's result and its funding, and the positions held through the hour."""

    index: pd.DatetimeIndex
    result: FloatArray
    funding: FloatArray
    ours: BoolArray
    rotate: BoolArray


def load(datadir: Path, name: str, params: CarryParams) -> Market:
    multiplier, coin = (1000.0, name[4:]) if name.startswith("1000") else (1.0, name)
    futures = datadir / "futures"
    perp = pd.read_feather(futures / f"{name}_USDT_USDT-1h-futures.feather")
    spot = pd.read_feather(datadir / f"{coin}_USDT-1h.feather")
    rates = pd.read_feather(futures / f"{name}_USDT_USDT-1h-funding_rate.feather")
    mark = pd.read_feather(futures / f"{name}_USDT_USDT-1h-mark.feather")
    frame = hedge_frame(perp, multiplier, "1h", rates, mark, spot, params).set_index("date")
    settled = rates.assign(date=rates["date"].dt.floor("h")).groupby("date")["open"].first()
    funding = settled.reindex(frame.index).fillna(0.0)
    basis = frame["close"] / frame["spot_close"] - 1.0
    for first, last in NO_PRICE[""] + NO_PRICE.get(name, []):
        basis.loc[first:last] = np.nan
    result = funding - basis.ffill().diff().fillna(0.0)
    ours = hedge_spans(frame["hedge_enter"].to_numpy(), frame["hedge_exit"].to_numpy())
    trailing = funding.rolling(168, min_periods=1).sum().to_numpy() * 365 / 7
    rotate = hedge_spans(trailing > 0.10, trailing < 0.03)
    return Market(pd.DatetimeIndex(frame.index), result.to_numpy(), funding.to_numpy(), _held(ours), _held(rotate))


def _held(decided: BoolArray) -> BoolArray:
    """What was decided at a close is held through the next hour."""
    return np.concatenate([[False], decided[:-1]])


def bound(funding: FloatArray) -> float:
    """Best in/out path in hindsight, starting and ending out."""
    outside, inside = 0.0, -np.inf
    for rate in funding:
        outside, inside = max(outside, inside - SWITCH_COST), max(inside, outside - SWITCH_COST) + rate
    return max(outside, inside - SWITCH_COST)


def earned(result: FloatArray, held: BoolArray) -> tuple[float, int, float]:
    """Sum, switches and deepest drawdown of a position; the last hour ends it."""
    position = held.astype(float)
    switches = np.abs(np.diff(position, prepend=0.0, append=0.0))
    hourly = position * result - SWITCH_COST * switches[:-1]
    hourly[-1:] -= SWITCH_COST * switches[-1]
    equity = np.cumsum(hourly)
    drawdown = np.max(np.maximum.accumulate(np.maximum(equity, 0.0)) - equity, initial=0.0)
    return float(equity[-1]), int(switches.sum()), float(drawdown)


def row(market: Market, first: str, last: str) -> dict[str, float] | None:
    span = market.index.slice_indexer(pd.Timestamp(first, tz="UTC"), _month_end(last))
    result, funding = market.result[span], market.funding[span]
    if len(result) < 1000:
        return None
    a_year = 100.0 * 8760 / len(result)
    hold, _, _ = earned(result, np.ones(len(result), dtype=bool))
    rotated, _, _ = earned(result, market.rotate[span])
    ours, switches, drawdown = earned(result, market.ours[span])
    return {
        "hold": hold * a_year,
        "rotate": rotated * a_year,
        "bound": bound(funding) * a_year,
        "ours": ours * a_year,
        "switches": switches,
        "drawdown": 100.0 * drawdown,
        "in %": 100.0 * market.ours[span].mean(),
    }


def _month_end(month: str) -> pd.Timestamp:
    return pd.Timestamp(month, tz="UTC") + pd.offsets.MonthEnd(1) + pd.Timedelta(hours=23)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datadir", type=Path)
    arguments = parser.parse_args()
    markets = {name: load(arguments.datadir, name, CarryParams()) for name in PAIRS}
    for first, last in PERIODS:
        rows = {name: row(market, first, last) for name, market in markets.items()}
        table = pd.DataFrame({name: values for name, values in rows.items() if values}).T
        table.loc["mean of six"] = table.loc[list(MEAN_OF)].mean()
        ratio = table.loc["mean of six", "ours"] / table.loc["mean of six", "bound"]
        print(f"\n{first} .. {last}: ours / bound = {ratio:.1%}")
        print(table.round(2).to_string())


if __name__ == "__main__":
    main()
