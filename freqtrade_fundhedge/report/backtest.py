"""The hedged result of a Freqtrade backtest: what its shorts would have earned with the spot leg beside them.

Freqtrade fills at a price inside a candle; the spot order that follows is taken to fill at that price less the basis at
the candle's open. The spot leg pays its own fee. Between fills, hedges are valued at each day's first candle, and
funding counts on the day on which it was settled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields

import numpy as np
import pandas as pd

from freqtrade_fundhedge.core.funding import BoolArray, FloatArray, IntArray
from freqtrade_fundhedge.core.pnl import DAYS_PER_YEAR, HedgedResult, drawdown, result_of_fills, sharpe
from freqtrade_fundhedge.market import spot_symbol
from freqtrade_fundhedge.report.candle_files import Candles
from freqtrade_fundhedge.report.days import DAY_MS, Days, Fills, Prices, Settlements, spread
from freqtrade_fundhedge.report.result_file import TradeColumns, Trades
from freqtrade_fundhedge.report.spool import Spool
from freqtrade_fundhedge.report.sums import GroupSums, Levels

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
    daily : by day (UTC), quote, open hedges valued: `equity` = all that was earned so far, `naked` = the same of the
        shorts alone, `funding` = that day's
    summary : of the whole
    """

    trades: Trades
    daily: pd.DataFrame
    summary: Summary
    _groups: Mapping[str, GroupSums] = field(repr=False)
    _results: Spool = field(repr=False)

    def results(self) -> Iterator[tuple[TradeColumns, HedgedResult]]:
        """The trades, and the result of each, some thousands at a time; NaN total where spot candles are missing."""
        for trades, columns in zip(self.trades.chunks(), self._results, strict=True):
            yield trades, HedgedResult(*columns)

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
        if key not in self._groups:
            raise ValueError(f"cannot group by {key!r}")
        sums = self._groups[key]
        some = np.flatnonzero(sums.count)
        if key == "month":
            names = [str(month) for month in some.astype("datetime64[M]")]
        else:
            known = self.trades.pairs if key == "pair" else self.trades.reasons
            names = [known[number] for number in some]
        columns = {name: sums.columns.get(name, np.zeros(0))[some] for name in (*PARTS, "notional", "hours")}
        hours = columns.pop("hours")
        table = pd.DataFrame({"trades": sums.count[some], **columns}, index=pd.Index(names, name=key))
        table["mean hours"] = hours / sums.count[some]
        table["return"] = table["total"] / table["notional"]
        return table.sort_index()


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
    days, markets = Days(trades.start_ms // DAY_MS, trades.end_ms // DAY_MS), _Markets(trades, candles)
    totals = _Totals(days)
    for chunk in trades.chunks():
        totals.add(chunk, markets, spot_fee)
    moved = totals.moved
    daily = {"equity": np.cumsum(moved), "naked": np.cumsum(totals.naked), "funding": totals.funding}
    return BacktestReport(
        trades, pd.DataFrame(daily, index=days.index), _summary(trades, totals), totals.groups, totals.results
    )


@dataclass
class _Markets:
    """Prices and settlements of the pairs, read when first needed."""

    trades: Trades
    candles: Candles

    def __post_init__(self) -> None:
        self._symbols = self.candles.spot_symbols()
        self._known: dict[int, tuple[Prices, Settlements] | None] = {}

    def of(self, number: int) -> tuple[Prices, Settlements] | None:
        """Of one of the trades' pairs; None without a spot market."""
        if number not in self._known:
            pair = self.trades.pairs[number]
            found = spot_symbol(pair, self._symbols)
            self._known[number] = found and (
                Prices.load(self.candles, pair, found[0], float(found[1]), self.trades.timeframe),
                Settlements.load(self.candles, pair),
            )
        return self._known[number]


@dataclass
class _Totals:
    """What is known of the trades so far."""

    days: Days

    def __post_init__(self) -> None:
        self.moved, self.naked, self.funding = (np.zeros(self.days.count) for _ in range(3))
        self.groups = {key: GroupSums() for key in ("pair", "month", "reason")}
        self.whole, self.levels, self.results = GroupSums(), Levels(), Spool()

    def add(self, trades: TradeColumns, markets: _Markets, spot_fee: float) -> None:
        """Count some trades in."""
        spot_price, unsettled = self._moves(trades, markets)
        futures_fees, spot_fees = _fees_paid(trades, spot_price, spot_fee)
        fees = np.bincount(trades.fill_trade, weights=futures_fees + spot_fees, minlength=len(trades.pair))
        result = result_of_fills(
            trades.fill_trade, trades.fill_sold, trades.fill_price, spot_price, trades.funding, fees.astype(np.float64)
        )
        self.results.append([getattr(result, field.name) for field in fields(result)])
        known = ~np.isnan(result.total)
        # Freqtrade's sum is the truth; what candles do not explain of it is spread over the trade.
        rest = spread(trades, np.where(known, unsettled, 0.0), self.days)
        fill_known = known[trades.fill_trade]
        at, paid_futures, paid_spot = trades.fill_ms[fill_known], futures_fees[fill_known], spot_fees[fill_known]
        self.funding += rest
        self.naked += rest - self.days.sums(at, paid_futures)
        self.moved += rest - self.days.sums(at, paid_futures + paid_spot)
        self._sum(trades, result, spot_price, known)

    def _moves(self, trades: TradeColumns, markets: _Markets) -> tuple[FloatArray, FloatArray]:
        """Add what prices and settlements moved; spot price of each fill, and funding of each trade not yet settled."""
        spot_price, unsettled = np.full(len(trades.fill_ms), np.nan), trades.funding.copy()
        fill_pair = trades.pair[trades.fill_trade]
        for number in np.unique(trades.pair).tolist():
            market = markets.of(number)
            if market is None:
                continue
            prices, settlements = market
            mine = np.flatnonzero(fill_pair == number)
            spot_price[mine] = prices.spot_at(trades.fill_ms[mine], trades.fill_price[mine])
            mine = _priced_fills(trades.fill_trade, spot_price, mine)
            fills, perp = Fills(trades.fill_ms[mine], trades.fill_sold[mine]), trades.fill_price[mine]
            shares, paid = settlements.paid(fills)
            settled = self.days.sums(settlements.at_ms, paid)
            basis = fills.moves(perp - spot_price[mine], prices.open_ms, prices.perp - prices.spot, self.days)
            self.moved += basis + settled
            self.naked += fills.moves(perp, prices.open_ms, prices.perp, self.days) + settled
            self.funding += settled
            unsettled -= np.bincount(trades.fill_trade[mine], weights=shares, minlength=len(unsettled))
        return spot_price, unsettled

    def _sum(self, trades: TradeColumns, result: HedgedResult, spot_price: FloatArray, known: BoolArray) -> None:
        bought = np.bincount(
            trades.fill_trade, weights=np.maximum(trades.fill_sold, 0.0) * spot_price, minlength=len(known)
        )
        hours, tied_up = (trades.closed_ms - trades.opened_ms) / 3_600_000, bought + trades.stake
        amounts = {name: getattr(result, name)[known] for name in (*PARTS, "notional")} | {"hours": hours[known]}
        month = trades.closed_ms.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
        for key, group in (("pair", trades.pair), ("month", month), ("reason", trades.reason)):
            self.groups[key].add(group[known], amounts)
        weighted = {"capital hours": (tied_up * hours)[known], "notional hours": (result.notional * hours)[known]}
        self.whole.add(np.zeros(int(known.sum()), dtype=np.int64), amounts | weighted)
        self.levels.add(trades.opened_ms[known], trades.closed_ms[known], tied_up[known])


def _fees_paid(trades: TradeColumns, spot_price: FloatArray, spot_fee: float) -> tuple[FloatArray, FloatArray]:
    """Of each fill, quote: of the futures order, of the spot order."""
    rate = np.where(trades.fill_sold > 0, trades.fee_open[trades.fill_trade], trades.fee_close[trades.fill_trade])
    amount = np.abs(trades.fill_sold)
    return amount * trades.fill_price * rate, amount * spot_price * spot_fee


def _priced_fills(fill_trade: IntArray, spot_price: FloatArray, mine: IntArray) -> IntArray:
    """Fills of trades all of whose fills have a spot price."""
    missing = np.unique(fill_trade[mine][np.isnan(spot_price[mine])])
    return mine[~np.isin(fill_trade[mine], missing)]


def _summary(trades: Trades, totals: _Totals) -> Summary:
    span_hours = max((trades.end_ms - trades.start_ms) / 3_600_000, 1e-9)
    years = span_hours / 24 / DAYS_PER_YEAR
    # One group, or none if there was no hedge.
    sums = {name: float(column.sum()) for name, column in totals.whole.columns.items()}
    priced, parts = int(totals.whole.count.sum()), {name: sums.get(name, 0.0) for name in PARTS}
    capital, notional = (sums.get(f"{name} hours", 0.0) / span_hours for name in ("capital", "notional"))
    nan = float("nan")
    return Summary(
        trades=priced,
        unpriced=trades.count - priced,
        **parts,
        capital=capital,
        peak_capital=totals.levels.peak,
        return_on_capital=parts["total"] / years / capital if capital else nan,
        return_on_notional=parts["total"] / years / notional if notional else nan,
        drawdown=drawdown(totals.moved) / capital if capital else nan,
        sharpe=sharpe(totals.moved / capital) if capital else nan,
        exposure=totals.levels.held_ms / 3_600_000 / span_hours,
    )
