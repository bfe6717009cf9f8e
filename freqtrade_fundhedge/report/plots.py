"""Plots of a backtest report."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from freqtrade_fundhedge.report.backtest import BacktestReport
from freqtrade_fundhedge.report.drawing import GRID, HEDGE, INK, LOSS, MUTED, NAKED, amount, frame, signs

MOST_PAIRS = 24


def equity(figure: Figure, report: BacktestReport) -> None:
    """What the hedges earned, and below it, on its own scale, what the shorts alone would have."""
    above, below = figure.subplots(2, 1, sharex=True)
    days = np.asarray(report.daily.index.to_numpy())
    above.plot(days, report.equity.to_numpy(), color=HEDGE, linewidth=1.8)
    above.set_title("hedge", color=HEDGE, loc="left", fontsize=12)
    below.plot(days, report.daily["naked"].to_numpy(), color=NAKED, linewidth=1.4)
    below.plot(days, report.equity.to_numpy(), color=HEDGE, linewidth=1.8)
    below.set_title("the short alone, and the same hedge", color=NAKED, loc="left", fontsize=12)
    for axes in (above, below):
        frame(axes, dates=axes is below)
        axes.axhline(0, color=GRID, linewidth=1, zorder=1)


def drawdown(figure: Figure, report: BacktestReport) -> None:
    """How far the equity was below its highest value."""
    axes = figure.subplots()
    days, depth = np.asarray(report.daily.index.to_numpy()), report.drawdown.to_numpy()
    axes.fill_between(days, depth, 0.0, color=LOSS, alpha=0.25, linewidth=0)
    axes.plot(days, depth, color=LOSS, linewidth=1.2)
    frame(axes, dates=True)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))


def funding(figure: Figure, report: BacktestReport) -> None:
    """Funding of each month, in the month in which it was settled."""
    axes = figure.subplots()
    paid = report.funding_by_month
    months = np.array([f"{month}-15" for month in paid.index], dtype="datetime64[D]")
    axes.bar(months, paid.to_numpy(), width=np.timedelta64(24, "D"), color=signs(paid.to_numpy()))  # type: ignore[arg-type]
    frame(axes, dates=True)
    axes.axhline(0, color=MUTED, linewidth=0.8)


def pairs(figure: Figure, report: BacktestReport) -> None:
    """Total of each pair, best at the top; of very many the best and the worst."""
    axes = figure.subplots()
    totals = report.by("pair")["total"].sort_values()
    if len(totals) > MOST_PAIRS:
        totals = totals.iloc[[*range(MOST_PAIRS // 2), *range(-MOST_PAIRS // 2, 0)]]
    names = [str(pair).partition(":")[0] for pair in totals.index]
    bars = axes.barh(names, totals.to_numpy(), color=signs(totals.to_numpy()), height=0.62)
    axes.bar_label(bars, [amount(total) for total in totals], padding=4, color=INK, fontsize=11)
    axes.margins(x=0.16)
    axes.grid(axis="x")
    axes.spines["bottom"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(FuncFormatter(amount))


def pairs_height(report: BacktestReport) -> int:
    """Pixels that `pairs` needs for its bars."""
    return 60 + 26 * min(len(report.trades.pairs), MOST_PAIRS)
