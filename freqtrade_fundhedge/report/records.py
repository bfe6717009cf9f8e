"""A backtest report for machines."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import orjson
import pandas as pd

from freqtrade_fundhedge.report.backtest import PARTS, BacktestReport

KEYS = ("pair", "month", "reason")


def summary_record(report: BacktestReport) -> dict[str, object]:
    """The summary; what is not defined (no trades, no variation) is None."""
    return {name: plain(value) for name, value in vars(report.summary).items()}


def group_records(report: BacktestReport, key: str) -> list[dict[str, object]]:
    """One record for each pair, month or reason, as `BacktestReport.by`."""
    rows = report.by(key).reset_index().to_dict("records")
    return [{str(name): plain(value) for name, value in row.items()} for row in rows]


def day_records(report: BacktestReport) -> list[dict[str, object]]:
    """Equity of hedges and of shorts alone, the day's funding, and drawdown, by day."""
    table = report.daily.assign(drawdown=report.drawdown)
    names = ("day", *table.columns)
    days = [day.date().isoformat() for day in pd.DatetimeIndex(table.index)]
    return [
        dict(zip(names, row, strict=True)) for row in zip(days, *(table[n].tolist() for n in names[1:]), strict=True)
    ]


def trade_records(report: BacktestReport, first: int = 0) -> Iterator[dict[str, object]]:
    """One record for each trade, in the order of the result; parts are None without spot candles.

    Parameters
    ----------
    report : from `evaluate`
    first : how many trades to leave out at the start
    """
    names = ("pair", "opened", "closed", "reason", *PARTS, "notional")
    for trades, result in report.results():
        start, first = first, max(0, first - len(trades.pair))
        if start >= len(trades.pair):
            continue
        part = slice(start, None)
        pairs = [report.trades.pairs[number] for number in trades.pair[part].tolist()]
        reasons = [report.trades.reasons[number] for number in trades.reason[part].tolist()]
        opened, closed = (_moments(at[part]) for at in (trades.opened_ms, trades.closed_ms))
        columns = [getattr(result, name)[part].tolist() for name in names[4:]]
        for row in zip(pairs, opened, closed, reasons, *columns, strict=True):
            record = dict(zip(names, row, strict=True))
            # Only a missing spot price makes NaN, and then of the total, too.
            yield record if record["total"] == record["total"] else {name: plain(record[name]) for name in names}


def json_pieces(report: BacktestReport) -> Iterator[str]:
    """The report as JSON, in pieces: trades are never all held as text."""
    head = {
        "strategy": report.trades.strategy,
        "timeframe": report.trades.timeframe,
        "starting_balance": report.trades.starting_balance,
        "start": _moments(np.array([report.trades.start_ms]))[0],
        "end": _moments(np.array([report.trades.end_ms]))[0],
        "summary": summary_record(report),
        "by": {key: group_records(report, key) for key in KEYS},
        "funding_by_month": {str(month): float(paid) for month, paid in report.funding_by_month.items()},
        "days": day_records(report),
    }
    yield orjson.dumps(head, option=orjson.OPT_INDENT_2).decode()[:-2] + ',\n  "trades": ['
    for number, record in enumerate(trade_records(report)):
        yield (",\n    " if number else "\n    ") + orjson.dumps(record).decode()
    yield "\n  ]\n}\n"


def plain(value: object) -> object:
    """A number that JSON has; None for NaN and infinities."""
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value


def _moments(at_ms: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[str]:
    return [str(text) + "Z" for text in np.datetime_as_string(at_ms.astype("datetime64[ms]"), unit="m")]
