"""The hedged result of a Freqtrade backtest: what its shorts would have earned with the spot leg beside them.

Freqtrade fills at a price inside a candle; the spot order that follows is taken to fill at that price less the basis at
the candle's open. The spot leg pays its own fee. Between fills, hedges are valued at each day's first candle, and
funding counts on the day on which it was settled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from freqtrade_fundhedge.core.funding import FloatArray, IntArray
from freqtrade_fundhedge.core.pnl import DAYS_PER_YEAR, HedgedResult, drawdown, result_of_fills, sharpe
from freqtrade_fundhedge.market import spot_symbol
from freqtrade_fundhedge.report.candle_files import Candles
from freqtrade_fundhedge.report.days import DAY_MS, Days, Fills, Prices, Settlements, levels, spread
from freqtrade_fundhedge.report.result_file import Trades

PARTS = ("short", "spot", "basis", "funding", "fees", "total")


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
    daily : by day (UTC), quote, open hedges valued: `equity` = all that was earned so far, `naked` = the same of the
        shorts alone, `funding` = that day's
    summary : of the whole
    """

    trades: Trades
    result: HedgedResult
    daily: pd.DataFrame
    summary: Summary

    @property
    def equity(self) -> pd.Series[float]:
        """All that the hedges had earned by the end of each day, quote."""
        return self.daily["equity"]

    @property
    def drawdown(self) -> pd.Series[float]:
        """How far the equity is below its highest value so far, fraction of mean capital, <= 0."""
        below = self.equity - np.maximum(self.equity.cummax(), 0.0)
        return below / self.summary.capital if self.summary.capital else below

    @property
    def funding_by_month(self) -> pd.Series[float]:
        """Funding by the month in which it was settled, quote; index "2024-05"."""
        month = pd.DatetimeIndex(self.daily.index).strftime("%Y-%m")
        return self.daily["funding"].groupby(np.asarray(month), sort=True).sum()

    def by(self, key: str) -> pd.DataFrame:
        """Sums by `pair`, `month` (of closing) or `reason`; return on notional in the last column.

        Raises
        ------
        ValueError : another key
        """
        known = ~np.isnan(self.result.total)
        names, number = _labels(self.trades, key)
        number = number[known]

        def sums(amounts: FloatArray) -> FloatArray:
            return np.bincount(number, weights=amounts[known], minlength=len(names)).astype(np.float64)

        count = np.bincount(number, minlength=len(names))
        columns = {name: sums(getattr(self.result, name)) for name in (*PARTS, "notional")}
        hours = sums((self.trades.closed_ms - self.trades.opened_ms) / 3_600_000)
        table = pd.DataFrame({"trades": count, **columns}, index=pd.Index(names, name=key))
        table["mean hours"] = hours / np.maximum(count, 1)
        table["return"] = table["total"] / table["notional"]
        return table[count > 0].sort_index()


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
    days = Days(trades.start_ms // DAY_MS, trades.end_ms // DAY_MS)
    spot_price = np.full(len(trades.fill_ms), np.nan)
    moved, naked, funding = np.zeros(days.count), np.zeros(days.count), np.zeros(days.count)
    unsettled = trades.funding.copy()
    spot_symbols = candles.spot_symbols()
    fill_pair = trades.pair[trades.fill_trade]
    for number, pair in enumerate(trades.pairs):
        found = spot_symbol(pair, spot_symbols)
        if found is None:
            continue
        mine = np.flatnonzero(fill_pair == number)
        prices = Prices.load(candles, pair, found[0], float(found[1]), trades.timeframe)
        spot_price[mine] = prices.spot_at(trades.fill_ms[mine], trades.fill_price[mine])
        mine = _priced_fills(trades.fill_trade, spot_price, mine)
        fills, perp = Fills(trades.fill_ms[mine], trades.fill_sold[mine]), trades.fill_price[mine]
        moved += fills.moves(perp - spot_price[mine], prices.open_ms, prices.perp - prices.spot, days)
        naked += fills.moves(perp, prices.open_ms, prices.perp, days)
        settlements = Settlements.load(candles, pair)
        shares, paid = settlements.paid(fills)
        unsettled -= np.bincount(trades.fill_trade[mine], weights=shares, minlength=len(unsettled))
        funding += days.sums(settlements.at_ms, paid)
    futures_fees, spot_fees = _fees_paid(trades, spot_price, spot_fee)
    fees = np.bincount(trades.fill_trade, weights=futures_fees + spot_fees, minlength=len(trades.pair))
    result = result_of_fills(
        trades.fill_trade, trades.fill_sold, trades.fill_price, spot_price, trades.funding, fees.astype(np.float64)
    )
    known = ~np.isnan(result.total)
    # Freqtrade's sum is the truth; what candles do not explain of it is spread over the trade.
    funding += spread(trades, np.where(known, unsettled, 0.0), days)
    fill_known = known[trades.fill_trade]
    at, paid_futures, paid_spot = trades.fill_ms[fill_known], futures_fees[fill_known], spot_fees[fill_known]
    naked += funding - days.sums(at, paid_futures)
    moved += funding - days.sums(at, paid_futures + paid_spot)
    daily = pd.DataFrame({"equity": np.cumsum(moved), "naked": np.cumsum(naked), "funding": funding}, index=days.index)
    return BacktestReport(trades, result, daily, _summary(trades, result, spot_price, moved))


def _fees_paid(trades: Trades, spot_price: FloatArray, spot_fee: float) -> tuple[FloatArray, FloatArray]:
    """Of each fill, quote: of the futures order, of the spot order."""
    rate = np.where(trades.fill_sold > 0, trades.fee_open[trades.fill_trade], trades.fee_close[trades.fill_trade])
    amount = np.abs(trades.fill_sold)
    return amount * trades.fill_price * rate, amount * spot_price * spot_fee


def _priced_fills(fill_trade: IntArray, spot_price: FloatArray, mine: IntArray) -> IntArray:
    """Fills of trades all of whose fills have a spot price."""
    missing = np.unique(fill_trade[mine][np.isnan(spot_price[mine])])
    return mine[~np.isin(fill_trade[mine], missing)]


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
    steps = levels(trades.opened_ms[known], trades.closed_ms[known], tied_up[known])
    held = levels(trades.opened_ms[known], trades.closed_ms[known], np.ones(int(known.sum())))
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


def _labels(trades: Trades, key: str) -> tuple[list[str], IntArray]:
    """Names of the groups, and the number of each trade's group."""
    if key == "pair":
        return list(trades.pairs), trades.pair
    if key == "reason":
        return list(trades.reasons), trades.reason
    if key == "month":
        months, number = np.unique(
            trades.closed_ms.astype("datetime64[ms]").astype("datetime64[M]"), return_inverse=True
        )
        return [str(month) for month in months], number.astype(np.int64)
    raise ValueError(f"cannot group by {key!r}")
