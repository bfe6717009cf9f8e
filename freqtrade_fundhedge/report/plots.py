"""Plots of a backtest report as SVG, drawn by matplotlib, coloured by the page's style sheet.

Each colour below stands for a variable of the style sheet, so that one drawing serves light and dark.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from freqtrade_fundhedge.report.backtest import BacktestReport

HEDGE, NAKED, GAIN, LOSS = "#0a0b01", "#0a0b02", "#0a0b03", "#0a0b04"
INK, MUTED, GRID = "#0a0b05", "#0a0b06", "#0a0b07"
VARIABLES = {
    HEDGE: "hedge", NAKED: "naked", GAIN: "gain", LOSS: "loss", INK: "ink", MUTED: "muted", GRID: "grid",
}  # fmt: skip
MOST_PAIRS = 24
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 12,
    "text.color": INK,
    "axes.facecolor": "none",
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "ytick.major.size": 0,
    "grid.color": GRID,
    "axes.axisbelow": True,
}
Draw = Callable[[Figure, BacktestReport], None]


def svg(draw: Draw, report: BacktestReport, name: str, width: int, height: int) -> str:
    """Draw a plot.

    Parameters
    ----------
    draw : one of the functions below
    report : from `evaluate`
    name : prefix of the element ids, unique within the page
    width, height : in the page's pixels, at which text has its normal size

    Returns
    -------
    an `<svg>` element that fills the width it is given
    """
    file = StringIO()
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=(width / 72, height / 72), layout="constrained")
        figure.patch.set_alpha(0)
        draw(figure, report)
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return _inline(file.getvalue(), name)


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
        _frame(axes, dates=axes is below)
        axes.axhline(0, color=GRID, linewidth=1)


def drawdown(figure: Figure, report: BacktestReport) -> None:
    """How far the equity was below its highest value."""
    axes = figure.subplots()
    days, depth = np.asarray(report.daily.index.to_numpy()), report.drawdown.to_numpy()
    axes.fill_between(days, depth, 0.0, color=LOSS, alpha=0.25, linewidth=0)
    axes.plot(days, depth, color=LOSS, linewidth=1.2)
    _frame(axes, dates=True)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))


def funding(figure: Figure, report: BacktestReport) -> None:
    """Funding of each month, in the month in which it was settled."""
    axes = figure.subplots()
    paid = report.funding_by_month
    months = np.array([f"{month}-15" for month in paid.index], dtype="datetime64[D]")
    axes.bar(months, paid.to_numpy(), width=24, color=_signs(paid.to_numpy()))  # type: ignore[arg-type]
    _frame(axes, dates=True)
    axes.axhline(0, color=MUTED, linewidth=0.8)


def pairs(figure: Figure, report: BacktestReport) -> None:
    """Total of each pair, best at the top; of very many the best and the worst."""
    axes = figure.subplots()
    totals = report.by("pair")["total"].sort_values()
    if len(totals) > MOST_PAIRS:
        totals = totals.iloc[[*range(MOST_PAIRS // 2), *range(-MOST_PAIRS // 2, 0)]]
    names = [str(pair).partition(":")[0] for pair in totals.index]
    bars = axes.barh(names, totals.to_numpy(), color=_signs(totals.to_numpy()), height=0.62)
    axes.bar_label(bars, [_amount(total) for total in totals], padding=4, color=INK, fontsize=11)
    axes.margins(x=0.16)
    axes.grid(axis="x")
    axes.spines["bottom"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(FuncFormatter(_amount))


def pairs_height(report: BacktestReport) -> int:
    """Pixels that `pairs` needs for its bars."""
    return 60 + 26 * min(len(report.trades.pairs), MOST_PAIRS)


def _frame(axes: Axes, dates: bool) -> None:
    axes.grid(axis="y")
    axes.margins(x=0.01)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(_amount))
    if dates:
        wide = axes.figure.get_figwidth() > 7  # type: ignore[union-attr]
        locator = AutoDateLocator(minticks=2, maxticks=9 if wide else 5)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]


def _amount(value: float, _position: int = 0) -> str:
    if abs(value) >= 1_000_000:
        text = f"{value / 1_000_000:,.3g}M"
    else:
        text = f"{value:,.0f}" if abs(value) >= 10 or value == 0 else f"{value:.3g}"
    return text.replace("-", "−", 1)


def _signs(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[str]:
    return [GAIN if value >= 0 else LOSS for value in values]


def _inline(document: str, name: str) -> str:
    text = document[document.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    # The page's own font and size: the viewBox is in pixels already.
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r'\1 role="img" aria-hidden="true"', text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", text)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = text.replace("url(#", f"url(#{name}-").replace('href="#', f'href="#{name}-')
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, f"var(--{variable})")
    return text
