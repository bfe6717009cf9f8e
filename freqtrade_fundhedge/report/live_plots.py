"""Plots of a live report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from freqtrade_fundhedge.core.funding import FloatArray
from freqtrade_fundhedge.core.intents import State
from freqtrade_fundhedge.journal_rows import epoch
from freqtrade_fundhedge.report.drawing import GRID, HEDGE, MUTED, NAKED, OTHER, amount, frame, is_wide, signs
from freqtrade_fundhedge.report.ledger import HedgeLedger
from freqtrade_fundhedge.report.live import DAY_S, LiveReport
from freqtrade_fundhedge.report.live_sums import funding_totals, thinned
from freqtrade_fundhedge.report.words import short_pair
from freqtrade_fundhedge.venue.port import Direction, MarginKind

MOST_ROWS = 8
MOST_BARS = 400
MOST_MARKS = 200
MOST_SPANS = 400
MOST_DOTS = 40


def equity(figure: Figure, report: LiveReport) -> None:
    """What the hedges earned, and below it, on its own scale, what the shorts alone would have."""
    above, below = figure.subplots(2, 1, sharex=True)
    curve = thinned(report.curve)
    at = _times(curve.at)
    above.step(at, curve.equity, where="post", color=HEDGE, linewidth=1.8)
    above.set_title("hedge", color=HEDGE, loc="left", fontsize=12)
    below.step(at, curve.naked, where="post", color=NAKED, linewidth=1.4)
    below.step(at, curve.equity, where="post", color=HEDGE, linewidth=1.8)
    below.set_title("the short alone, and the same hedge", color=NAKED, loc="left", fontsize=12)
    for axes in (above, below):
        frame(axes, dates=axes is below)
        axes.axhline(0, color=GRID, linewidth=1, zorder=1)


def funding(figure: Figure, report: LiveReport) -> None:
    """Funding of each settlement, of each day where there are very many."""
    axes = figure.subplots()
    totals = funding_totals(report)
    if len(totals) > MOST_BARS:
        days = defaultdict[float, float](float)
        for at, paid in totals.items():
            days[at // DAY_S * DAY_S] += paid
        totals = days
    values = np.array(list(totals.values()))
    room = 560.0 if is_wide(axes) else 200.0
    width = float(np.clip(room / len(values), 0.8, 12.0))
    axes.vlines(_times(list(totals)), 0.0, values, colors=signs(values), linewidth=width)
    frame(axes, dates=True)
    first, last = min(report.begin, *totals), max(report.end, *totals)
    margin = max(60.0, (last - first) * 0.02)
    axes.set_xlim(*date2num(_times([first - margin, last + margin])))  # type: ignore[no-untyped-call]
    axes.axhline(0, color=MUTED, linewidth=0.8)


def shown_pairs(report: LiveReport) -> list[str]:
    """Pairs that were held longest, at most a few, by name."""
    held = defaultdict[str, float](float)
    for hedge in report.hedges:
        held[hedge.row.pair] += (hedge.closed if hedge.closed is not None else report.end) - hedge.opened
    return sorted(sorted(held, key=lambda pair: -held[pair])[:MOST_ROWS])


def basis(figure: Figure, report: LiveReport) -> None:
    """A row for each pair: when it was hedged, and the basis while it was."""
    pairs = shown_pairs(report)
    rows = figure.subplots(len(pairs), 1, sharex=True, squeeze=False)[:, 0]
    for axes, pair in zip(rows, pairs, strict=True):
        hedges = [hedge for hedge in report.hedges if hedge.row.pair == pair][-MOST_SPANS:]
        curves = [_basis_points(report, hedge) for hedge in hedges]
        spans = [tuple(date2num(_times([points[0][0], points[-1][0]]))) for points in curves]  # type: ignore[no-untyped-call]
        bars = [(first, last - first) for first, last in spans]
        axes.broken_barh(bars, (0, 1), transform=axes.get_xaxis_transform(), color=HEDGE, alpha=0.16, linewidth=0)
        # One line for all of a pair's hedges, broken between them.
        broken = [point for points in curves for point in (*points, (points[-1][0], None))]
        style = {"marker": "o", "markersize": 3} if len(broken) <= MOST_DOTS else {}
        values = [value if value is not None else float("nan") for _, value in broken]
        axes.plot(_times([at for at, _ in broken]), values, color=HEDGE, linewidth=1.4, **style)
        axes.set_title(short_pair(pair), loc="left", fontsize=12)
        frame(axes, dates=axes is rows[-1])
        axes.yaxis.set_major_locator(MaxNLocator(3))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.axhline(0, color=GRID, linewidth=1, zorder=1)


def basis_height(report: LiveReport) -> int:
    """Pixels that `basis` needs for its rows."""
    return 50 + 105 * len(shown_pairs(report))


def wallets(figure: Figure, report: LiveReport) -> None:
    """What both wallets held, what was moved between them, and the margin of isolated shorts that changed."""
    moves = margin_moves(report)
    above, below, *rest = figure.subplots(3 if moves else 2, 1, sharex=True)
    known = [(w.at, w.spot) for w in report.wallets if w.spot is not None]
    above.step(_times([at for at, _ in known]), [v for _, v in known], where="post", color=HEDGE, linewidth=1.6)
    above.set_title("spot, free", color=HEDGE, loc="left", fontsize=12)
    futures = [(w.at, w.futures) for w in report.wallets if w.futures is not None]
    below.step(_times([at for at, _ in futures]), [v for _, v in futures], where="post", color=OTHER, linewidth=1.6)
    below.set_title("futures", color=OTHER, loc="left", fontsize=12)
    _mark_transfers(below, report)
    for axes in rest:
        values = np.array([change for _, change in moves])
        axes.vlines(_times([at for at, _ in moves]), 0.0, values, colors=signs(values), linewidth=3)
        axes.axhline(0, color=MUTED, linewidth=0.8)
        axes.set_title("margin added to shorts, and taken back", color=MUTED, loc="left", fontsize=12)
    for axes in (every := (above, below, *rest)):
        frame(axes, dates=axes is every[-1])
        axes.yaxis.set_major_formatter(FuncFormatter(amount))


def margin_moves(report: LiveReport) -> list[tuple[float, float]]:
    """When margin of isolated shorts changed, seconds since 1970, and by how much; the newest."""
    done = [row for row in report.margins if row.state is State.DONE and row.resolved_at is not None]
    sign = {MarginKind.ADD: 1.0, MarginKind.REDUCE: -1.0}
    return [(epoch(str(row.resolved_at)), sign[row.kind] * float(row.amount)) for row in done[-MOST_BARS:]]


def _mark_transfers(axes: Axes, report: LiveReport) -> None:
    """Triangles: up into the futures wallet, down out of it."""
    done = report.moves[-MOST_MARKS:]
    for direction, marker in ((Direction.TOP_UP, "^"), (Direction.SWEEP, "v")):
        mine = [move for move in done if move.direction is direction]
        levels = [move.after for move in mine]
        axes.plot(_times([m.at for m in mine]), levels, marker, color=OTHER, markersize=6, clip_on=False)


def _basis_points(report: LiveReport, hedge: HedgeLedger) -> Sequence[tuple[float, float | None]]:
    """From the entry to the exit or the last known moment."""
    end = hedge.closed if hedge.closed is not None else report.end
    readings = [p for p in report.prices.get(hedge.row.pair, ()) if hedge.opened < p.at < end]
    inner = [(p.at, hedge.basis_at(p.perp, p.spot)) for p in readings]
    first = (hedge.opened, hedge.basis_at(hedge.short_leg.price_in, hedge.spot_leg.price_in))
    if hedge.is_open:
        return [first, *inner, (end, hedge.basis_at(hedge.perp_price, hedge.spot_price))]
    return [first, *inner, (end, hedge.basis_at(hedge.short_leg.price_out, hedge.spot_leg.price_out))]


def _times(at: Iterable[float] | FloatArray) -> np.ndarray[tuple[int], np.dtype[np.datetime64]]:
    return (np.asarray(list(at), dtype=np.float64) * 1000).astype("datetime64[ms]")
