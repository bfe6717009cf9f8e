"""A backtest report for the terminal, in 80 columns, and the words and numbers that the page shares with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final

from rich import box
from rich.table import Table

from freqtrade_fundhedge.report.backtest import PARTS, BacktestReport
from freqtrade_fundhedge.report.records import group_records, summary_record, trade_records
from freqtrade_fundhedge.report.words import held_days, short_amount, short_pair, shown

TITLES: Final = {"pair": "By pair", "month": "By month of closing", "reason": "By exit reason"}
# What of the summary is shown, as what, and in what unit.
SUMMARY: Final = (
    ("trades", "Hedges", "count"),
    ("unpriced", "Left out: no spot candles", "count"),
    ("short", "Short leg, price", "money"),
    ("spot", "Spot leg, price", "money"),
    ("basis", "  together: basis", "money"),
    ("funding", "Funding", "money"),
    ("fees", "Fees of both legs", "cost"),
    ("total", "Total", "money"),
    ("capital", "Capital tied up in both wallets, mean", "money"),
    ("peak_capital", "Capital tied up, at most", "money"),
    ("return_on_capital", "Return on mean capital, a year", "fraction"),
    ("return_on_notional", "Return on notional, a year", "fraction"),
    ("drawdown", "Drawdown, of mean capital", "fraction"),
    ("sharpe", "Sharpe ratio, daily", "number"),
    ("exposure", "Time with a hedge", "fraction"),
)


def tables(report: BacktestReport, currency: str = "USDT") -> list[Table]:
    """The summary, then results by pair, month and exit reason.

    Parameters
    ----------
    report : from `evaluate`
    currency : name of the quote currency
    """
    title = f"{report.trades.strategy}: what the hedges earned"
    grouped = (group_table(key, group_records(report, key)) for key in TITLES)
    return [sum_table(title, summary_lines(report), currency), *grouped]


def trade_table(report: BacktestReport, most: int) -> Table:
    """The last trades of the result, one line each.

    Parameters
    ----------
    report : from `evaluate`
    most : how many at most
    """
    count = report.trades.count
    first = max(0, count - most)
    title = "Hedges" if first == 0 else f"The last {most:,} of {count:,} hedges; --json has all"
    table = plain_table(title, "Opened", "Pair", "Days", *(part.capitalize() for part in PARTS))
    for row in islice(trade_records(report, first), most):
        amounts = [short_amount(row[part], cost=part == "fees") for part in PARTS]
        table.add_row(str(row["opened"])[:10], short_pair(str(row["pair"])), held_days(row), *amounts)
    return table


def summary_lines(report: BacktestReport) -> Iterable[tuple[str, str, str, object]]:
    """(name, label, kind, value) of each number of the summary that has something to say."""
    record = summary_record(report)
    for name, label, kind in SUMMARY:
        if name != "unpriced" or record[name]:
            yield name, label, kind, record[name]


def sum_table(title: str, lines: Iterable[tuple[str, str, str, object]], currency: str) -> Table:
    """Figures one below the other: (name, label, kind, value) each."""
    table = Table(title=title, show_header=False, box=box.SIMPLE_HEAD)
    table.title_justify, table.title_style, table.pad_edge = "left", "bold", False
    table.add_column(justify="left")
    table.add_column(justify="right")
    for name, label, kind, value in lines:
        table.add_row(label, shown(value, kind, currency), style="bold" if name == "total" else "")
    return table


def group_table(key: str, records: Iterable[Mapping[str, object]]) -> Table:
    """Sums by pair, month or reason: a line for each record."""
    table = plain_table(TITLES[key], key.capitalize(), "Hedges", *(part.capitalize() for part in PARTS), "Return")
    for row in records:
        amounts = [short_amount(row[part], cost=part == "fees") for part in PARTS]
        label = short_pair(str(row[key])) if key == "pair" else str(row[key])
        table.add_row(label, shown(row["trades"], "count"), *amounts, shown(row["return"], "fraction"))
    return table


def plain_table(title: str, *columns: str) -> Table:
    """Words to the left, figures to the right."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    table.padding = (0, 1, 0, 0)
    for index, column in enumerate(columns):
        words = index == 0 or column == "Pair"
        table.add_column(column, justify="left" if words else "right", overflow="fold" if words else "ellipsis")
    return table
