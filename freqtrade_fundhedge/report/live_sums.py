"""Sums of a live report: the whole, groups of hedges, and its equity at a resolution that fits its length."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from freqtrade_fundhedge.core.funding import FloatArray
from freqtrade_fundhedge.core.pnl import DAYS_PER_YEAR, drawdown, sharpe
from freqtrade_fundhedge.report.ledger import HedgeLedger
from freqtrade_fundhedge.report.live import DAY_S, EACH_HOUR_S, EACH_STEP_S, HOUR_S, Curve, LiveReport

PARTS: Final = ("short", "spot", "basis", "funding", "fees", "total")
KEYS: Final = ("pair", "month", "reason")


def summary_of(report: LiveReport) -> dict[str, float | int | None]:
    """One number each, quote or as named; None where it is not defined.

    `capital` is the mean of what coins cost and margins took while anything was held, over all of the range; returns
    are a year's, and not worked out of less than a day.
    """
    hedges, span = report.hedges, max(report.end - report.begin, 0.0)
    hours = np.array([_hours(hedge, report.end) for hedge in hedges])
    capital = _mean(np.array([hedge.capital for hedge in hedges]), hours, span)
    notional = _mean(np.array([hedge.notional for hedge in hedges]), hours, span)
    sums = {part: float(sum(getattr(hedge, part) for hedge in hedges)) for part in PARTS}
    a_year = sums["total"] * DAYS_PER_YEAR * DAY_S / span if span >= DAY_S else None
    moved = daily_moves(report.curve, report.begin, report.end)
    deviation = sharpe(moved / capital) if capital else float("nan")
    return {
        "hedges": len(hedges),
        "open": sum(hedge.is_open for hedge in hedges),
        **sums,
        "of_open": float(sum(hedge.total for hedge in hedges if hedge.is_open)),
        "capital": capital,
        "peak_capital": _peak(hedges, report.end),
        "return_on_capital": a_year / capital if a_year is not None and capital else None,
        "return_on_notional": a_year / notional if a_year is not None and notional else None,
        "drawdown": drawdown(moved) / capital if capital else None,
        "sharpe": deviation if np.isfinite(deviation) else None,
        "exposure": _exposure(hedges, report.end, span),
    }


def group_sums(hedges: Sequence[HedgeLedger], key: str, end: float) -> list[dict[str, object]]:
    """One record for each `pair`, `month` (of closing) or `reason`, by name; open hedges are a group of their own.

    Parameters
    ----------
    end : the last moment of which anything is known, seconds since 1970
    """
    groups = defaultdict[str, list[HedgeLedger]](list)
    for hedge in hedges:
        groups[group_of(hedge, key)].append(hedge)
    records = list[dict[str, object]]()
    for name in sorted(groups):
        mine = groups[name]
        sums = {part: sum(getattr(hedge, part) for hedge in mine) for part in (*PARTS, "notional")}
        hours = sum(_hours(hedge, end) for hedge in mine) / len(mine)
        rate = sums["total"] / sums["notional"] if sums["notional"] else None
        records.append({key: name, "trades": len(mine), **sums, "mean hours": hours, "return": rate})
    return records


def group_of(hedge: HedgeLedger, key: str) -> str:
    """The name of the group that a hedge belongs to.

    Raises
    ------
    ValueError : another key
    """
    if key == "pair":
        return hedge.row.pair
    if key == "month":
        return hedge.row.closed_at[:7] if hedge.row.closed_at else "open"
    if key == "reason":
        return "open" if hedge.is_open else hedge.reason or "not known"
    raise ValueError(f"cannot group by {key!r}")


def thinned(curve: Curve) -> Curve:
    """The curve at the end of each step, hour or day, whichever fits its length."""
    if len(curve.at) < 2 or curve.at[-1] - curve.at[0] <= EACH_STEP_S:
        return curve
    size = HOUR_S if curve.at[-1] - curve.at[0] <= EACH_HOUR_S else DAY_S
    last = np.flatnonzero(np.append(np.diff(curve.at // size) > 0, True))
    return Curve(*(values[last] for values in curve))


def daily_moves(curve: Curve, begin: float, end: float) -> FloatArray:
    """What each day (UTC) from `begin` to `end` brought: (days,) float64."""
    first, last = int(begin // DAY_S), int(end // DAY_S)
    if not len(curve.at):
        return np.zeros(0)
    days = np.clip(curve.at // DAY_S - first, 0, last - first).astype(np.int64)
    moved = np.diff(curve.equity, prepend=0.0)
    return np.bincount(days, weights=moved, minlength=last - first + 1).astype(np.float64)


def funding_totals(report: LiveReport) -> Mapping[float, float]:
    """Funding of all hedges by the hour in which it was settled, quote; seconds since 1970, oldest first."""
    found = defaultdict[float, float](float)
    for at, _, paid in report.settlements:
        found[at // HOUR_S * HOUR_S] += paid
    return found


def _hours(hedge: HedgeLedger, end: float) -> float:
    return max(0.0, (hedge.closed if hedge.closed is not None else end) - hedge.opened) / HOUR_S


def _mean(amounts: FloatArray, hours: FloatArray, span: float) -> float:
    return float(np.sum(amounts * hours)) * HOUR_S / span if span > 0 else 0.0


def _levels(hedges: Sequence[HedgeLedger], end: float, amounts: FloatArray) -> tuple[FloatArray, FloatArray]:
    opened = np.array([hedge.opened for hedge in hedges])
    closed = np.array([hedge.closed if hedge.closed is not None else end for hedge in hedges])
    when = np.concatenate([closed, opened])
    order = np.argsort(when, kind="stable")
    return when[order], np.cumsum(np.concatenate([-amounts, amounts])[order])


def _peak(hedges: Sequence[HedgeLedger], end: float) -> float:
    return float(np.max(_levels(hedges, end, np.array([h.capital for h in hedges]))[1], initial=0.0))


def _exposure(hedges: Sequence[HedgeLedger], end: float, span: float) -> float | None:
    when, held = _levels(hedges, end, np.ones(len(hedges)))
    return float(np.sum(np.diff(when)[held[:-1] > 0.5])) / span if span > 0 else None
