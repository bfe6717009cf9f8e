"""The hedged result of a Freqtrade backtest: what its shorts would have earned with the spot leg beside them.

Freqtrade fills at a price inside a candle; the spot order that follows is taken to fill at that price less the basis at
the candle's open. The spot leg pays its own fee. Between fills, hedges are valued at each day's first candle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from freqtrade_fundhedge.core.funding import FloatArray, IntArray
from freqtrade_fundhedge.core.pnl import DAYS_PER_YEAR, HedgedResult, daily, drawdown, result_of_fills, sharpe
from freqtrade_fundhedge.market import spot_symbol
from freqtrade_fundhedge.report.candle_files import Candles
from freqtrade_fundhedge.report.result_file import Trades

DAY_MS = 86_400_000
PARTS = ("short", "spot", "funding", "fees", "basis", "total")


@dataclass(frozen=True)
class Summary:
    """One number each, in quote or as named.

    Attributes
    ----------
    trades, unpriced : hedges counted, and those left out because spot candles are missing
    short, spot, funding, fees, basis, total : sums of the hedges
    capital : mean of what spot cost and margin took, over the whole range
    peak_capital : the same, at its highest
    return_on_capital, return_on_notional : total a year over mean capital, mean notional, fractions
    drawdown : deepest fall of the daily equity, as a fraction of mean capital
    sharpe : of daily returns on mean capital
    exposure : part of the range in which a hedge was held
    """

    trades: int
    unpriced: int
    short: float
    spot: float
    funding: float
    fees: float
    basis: float
    total: float
    capital: float
    peak_capital: float
    return_on_capital: float
    return_on_notional: float
    drawdown: float
    sharpe: float
    exposure: float


@dataclass(frozen=True)
class BacktestReport:
    """A backtest seen from both legs.

    Attributes
    ----------
    trades : as read from Freqtrade's result
    result : of each trade; NaN total where spot candles are missing
    equity : daily, quote, sum of everything earned so far, open hedges valued; index = day (UTC)
    summary : of the whole
    """

    trades: Trades
    result: HedgedResult
    equity: pd.Series[float]
    summary: Summary

    def by(self, key: str) -> pd.DataFrame:
        """Sums by `pair`, `month` (of closing) or `reason`; return on notional in the last column.

        Raises
        ------
        ValueError : another key
        """
        labels = _labels(self.trades, key)
        frame = pd.DataFrame({name: getattr(self.result, name) for name in PARTS})
        frame["notional"] = self.result.notional
        frame["hours"] = (self.trades.closed_ms - self.trades.opened_ms) / 3_600_000
        priced = frame[~np.isnan(self.result.total)]
        grouped = priced.groupby(labels[~np.isnan(self.result.total)], sort=True)
        table = grouped[[*PARTS, "notional"]].sum()
        table.insert(0, "trades", grouped.size())
        table["mean hours"] = grouped["hours"].mean()
        table["return"] = table["total"] / table["notional"]
        return table

    def as_dict(self) -> dict[str, object]:
        """Everything for JSON: summary, the three tables, daily equity; no NaN."""
        tables = {key: _records(self.by(key)) for key in ("pair", "month", "reason")}
        days = [day.date().isoformat() for day in pd.DatetimeIndex(self.equity.index)]
        return {
            "strategy": self.trades.strategy,
            "timeframe": self.trades.timeframe,
            "starting_balance": self.trades.starting_balance,
            "summary": {name: _plain(value) for name, value in vars(self.summary).items()},
            "by": tables,
            "equity": dict(zip(days, (float(value) for value in self.equity), strict=True)),
        }


def evaluate(trades: Trades, candles: Candles, spot_fee: float) -> BacktestReport:
    """Put the spot leg beside each short of a backtest.

    Parameters
    ----------
    trades : from `read_result`
    candles : perpetual, spot, mark and funding candles of the pairs
    spot_fee : fee of one spot order, fraction of notional

    Returns
    -------
    BacktestReport
    """
    first_day, last_day = trades.start_ms // DAY_MS, trades.end_ms // DAY_MS
    spot_price = np.full(len(trades.fill_ms), np.nan)
    moved = np.zeros(last_day - first_day + 1)
    spot_symbols = candles.spot_symbols()
    fill_pair = trades.pair[trades.fill_trade]
    for number, pair in enumerate(trades.pairs):
        found = spot_symbol(pair, spot_symbols)
        mine = np.flatnonzero(fill_pair == number)
        if found is None:
            continue
        prices = _Prices.load(candles, pair, found[0], float(found[1]), trades.timeframe)
        spot_price[mine] = prices.spot_at(trades.fill_ms[mine], trades.fill_price[mine])
        priced = _priced_fills(trades.fill_trade, spot_price, mine)
        moved += prices.daily_moves(
            trades.fill_ms[priced],
            trades.fill_sold[priced],
            trades.fill_price[priced] - spot_price[priced],
            first_day,
            last_day,
        )
    paid = _fees_paid(trades, spot_price, spot_fee)
    fees = np.bincount(trades.fill_trade, weights=paid, minlength=len(trades.pair)).astype(np.float64)
    result = result_of_fills(trades.fill_trade, trades.fill_sold, trades.fill_price, spot_price, trades.funding, fees)
    known = ~np.isnan(result.total)
    moved += _spread(trades, np.where(known, trades.funding, 0.0), first_day, last_day)
    fill_known = known[trades.fill_trade]
    moved -= daily(trades.fill_ms[fill_known] // DAY_MS, paid[fill_known], first_day, last_day)
    index = pd.date_range(pd.Timestamp(first_day * DAY_MS, unit="ms", tz="UTC"), periods=len(moved), freq="D")
    equity = pd.Series(np.cumsum(moved), index=index, name="equity")
    return BacktestReport(trades, result, equity, _summary(trades, result, spot_price, moved))


def _fees_paid(trades: Trades, spot_price: FloatArray, spot_fee: float) -> FloatArray:
    """Of each fill, both legs."""
    rate = np.where(trades.fill_sold > 0, trades.fee_open[trades.fill_trade], trades.fee_close[trades.fill_trade])
    return np.asarray(np.abs(trades.fill_sold) * (trades.fill_price * rate + spot_price * spot_fee), dtype=np.float64)


def _priced_fills(fill_trade: IntArray, spot_price: FloatArray, mine: IntArray) -> IntArray:
    """Fills of trades all of whose fills have a spot price."""
    missing = np.unique(fill_trade[mine][np.isnan(spot_price[mine])])
    return mine[~np.isin(fill_trade[mine], missing)]


@dataclass(frozen=True)
class _Prices:
    """Opens of a pair's candles that both markets have."""

    open_ms: IntArray
    perp: FloatArray
    spot: FloatArray

    @classmethod
    def load(cls, candles: Candles, pair: str, symbol: str, multiplier: float, timeframe: str) -> _Prices:
        perp, spot = candles.load(pair, timeframe, "futures"), candles.load(symbol, timeframe, "spot")
        if perp.empty or spot.empty:
            return cls(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))
        both = perp[["date", "open"]].merge(spot[["date", "open"]], on="date", suffixes=("", "_spot"))
        open_ms = np.asarray(both["date"].dt.as_unit("ms").astype("int64"), dtype=np.int64)
        prices = both[["open", "open_spot"]].to_numpy(np.float64)
        return cls(open_ms, prices[:, 0], prices[:, 1] * multiplier)

    def spot_at(self, at_ms: IntArray, price: FloatArray) -> FloatArray:
        if not len(self.open_ms):
            return np.full(len(at_ms), np.nan)
        at = np.maximum(np.searchsorted(self.open_ms, at_ms, side="right") - 1, 0)
        # A candle of one market may be missing for a while; a price of yesterday is none.
        near = np.abs(at_ms - self.open_ms[at]) < DAY_MS
        return np.where(near, price * self.spot[at] / self.perp[at], np.nan)

    def daily_moves(
        self, at_ms: IntArray, sold: FloatArray, spread: FloatArray, first_day: int, last_day: int
    ) -> FloatArray:
        """What the basis moved in favour of the hedges each day, valued at the day's last known candle."""
        edges = (np.arange(first_day, last_day + 2) * DAY_MS).astype(np.int64)
        order = np.argsort(at_ms, kind="stable")
        when, received = at_ms[order], np.cumsum((sold * spread)[order])
        held = np.cumsum(sold[order])
        upto = np.searchsorted(when, edges, side="left")
        cash = np.concatenate([[0.0], received])[upto]
        quantity = np.concatenate([[0.0], held])[upto]
        if not len(self.open_ms):
            return np.zeros(len(edges) - 1)
        at = np.clip(np.searchsorted(self.open_ms, edges, side="right") - 1, 0, len(self.open_ms) - 1)
        worth = cash - quantity * (self.perp[at] - self.spot[at])
        return np.diff(worth)


def _spread(trades: Trades, amounts: FloatArray, first_day: int, last_day: int) -> FloatArray:
    """Spread each trade's amount evenly over the days it was held: (days,) float64."""
    count = last_day - first_day + 1
    first = np.clip(trades.opened_ms // DAY_MS - first_day, 0, count - 1)
    last = np.clip(trades.closed_ms // DAY_MS - first_day, 0, count - 1)
    a_day = amounts / (last - first + 1)
    steps = np.bincount(first, weights=a_day, minlength=count + 1) - np.bincount(
        last + 1, weights=a_day, minlength=count + 1
    )
    return np.cumsum(steps)[:count].astype(np.float64)


def _summary(trades: Trades, result: HedgedResult, spot_price: FloatArray, moved: FloatArray) -> Summary:
    known = ~np.isnan(result.total)
    bought = np.bincount(
        trades.fill_trade, weights=np.maximum(trades.fill_sold, 0.0) * spot_price, minlength=len(known)
    )
    tied_up, hours = bought + trades.stake, (trades.closed_ms - trades.opened_ms) / 3_600_000
    span_hours = max((trades.end_ms - trades.start_ms) / 3_600_000, 1e-9)
    years = span_hours / 24 / DAYS_PER_YEAR
    capital = float(np.sum((tied_up * hours)[known])) / span_hours
    notional = float(np.sum((result.notional * hours)[known])) / span_hours
    sums = {name: float(np.sum(getattr(result, name)[known])) for name in PARTS}
    steps = _levels(trades.opened_ms[known], trades.closed_ms[known], tied_up[known])
    held = _levels(trades.opened_ms[known], trades.closed_ms[known], np.ones(int(known.sum())))
    nan = float("nan")
    return Summary(
        trades=int(known.sum()),
        unpriced=int((~known).sum()),
        **sums,
        capital=capital,
        peak_capital=float(np.max(steps[1], initial=0.0)),
        return_on_capital=sums["total"] / years / capital if capital else nan,
        return_on_notional=sums["total"] / years / notional if notional else nan,
        drawdown=drawdown(moved) / capital if capital else nan,
        sharpe=sharpe(moved / capital) if capital else nan,
        exposure=float(np.sum(np.diff(held[0])[held[1][:-1] > 0.5])) / 3_600_000 / span_hours,
    )


def _levels(opened: IntArray, closed: IntArray, amounts: FloatArray) -> tuple[IntArray, FloatArray]:
    """Times at which the sum of what is open changes, and that sum from then on."""
    when = np.concatenate([opened, closed])
    order = np.argsort(when, kind="stable")
    return when[order], np.cumsum(np.concatenate([amounts, -amounts])[order])


def _labels(trades: Trades, key: str) -> pd.Series[str]:
    if key == "pair":
        return pd.Series(np.array(trades.pairs, dtype=object)[trades.pair], name=key)
    if key == "reason":
        return pd.Series(np.array(trades.reasons, dtype=object)[trades.reason], name=key)
    if key == "month":
        return pd.Series(pd.to_datetime(trades.closed_ms, unit="ms").strftime("%Y-%m"), name=key)
    raise ValueError(f"cannot group by {key!r}")


def _records(table: pd.DataFrame) -> list[dict[str, object]]:
    rows = table.reset_index().to_dict("records")
    return [{str(name): _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: object) -> object:
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value
