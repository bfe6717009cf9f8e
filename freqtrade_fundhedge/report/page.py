"""A backtest report as one HTML page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import islice

import pandas as pd

from freqtrade_fundhedge.report import html, plots
from freqtrade_fundhedge.report.backtest import BacktestReport
from freqtrade_fundhedge.report.records import group_records, summary_record, trade_records
from freqtrade_fundhedge.report.tables import TITLES, summary_lines
from freqtrade_fundhedge.report.words import held_days, short_pair

MOST_TRADES = 1000
# A phone shows the first columns of a table: what counts comes first, then what it is made of.
COLUMNS = ("funding", "fees", "basis", "short", "spot")
NAMES = tuple(name.capitalize() for name in COLUMNS)
CARDS = (
    ("total", "{currency} earned, hedged", "result"),
    ("return_on_capital", "a year, on capital", "fraction"),
    ("drawdown", "deepest drawdown", "fraction"),
    ("sharpe", "Sharpe ratio", "number"),
    ("exposure", "of the time hedged", "fraction"),
)
READING = """
A hedge is a short of the perpetual and the same quantity of coins on spot. What the price does to one leg it does to
the other the other way round; what is left of both is the <em>basis</em>, the change of the gap between the two prices.
Funding is the income, fees of four orders are the cost. Capital is what both wallets really had to hold: the coins and
the short's margin.
"""
ALONE = "Freqtrade's own backtest result is the line of the short alone."


def page_pieces(report: BacktestReport, currency: str) -> Iterator[str]:
    """The page in pieces.

    Parameters
    ----------
    report : from `evaluate`
    currency : name of the quote currency
    """
    yield html.begin(f"{report.trades.strategy}: what the hedges earned", _about(report))
    record = summary_record(report)
    yield from html.cards((record[name], kind, label.format(currency=currency)) for name, label, kind in CARDS)
    yield from _plots(report, currency)
    for key, heading in TITLES.items():
        yield f"<h2>{heading}</h2>\n"
        yield from groups(key, group_records(report, key))
    yield from _trades(report)
    yield html.end("Made by fundhedge report. Figures are of a backtest, not a promise.")


def groups(key: str, records: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """The table of one `TITLES` key from the records of its groups."""
    columns = (key.capitalize(), "Total", "Return", *NAMES, "Hedges", "Mean days")
    yield from html.table(f"by-{key}", TITLES[key], columns, (_group(key, row) for row in records))


def parts(row: Mapping[str, object]) -> str:
    """The cells of what a total is made of."""
    return "".join(html.cell(row[part], "cost" if part == "fees" else "money") for part in COLUMNS)


def _about(report: BacktestReport) -> str:
    days = [day.date().isoformat() for day in pd.DatetimeIndex(report.daily.index)[[0, -1]]]
    pairs = ", ".join(short_pair(pair) for pair in report.trades.pairs[:12])
    more = len(report.trades.pairs) - 12
    return f"Backtest {days[0]} to {days[1]} · {pairs}" + (f" and {more} more" if more > 0 else "")


def _plots(report: BacktestReport, currency: str) -> Iterator[str]:
    about = f"{currency} earned so far, open hedges valued each day."
    yield from html.plot("Equity", about, partial(plots.equity, report=report), 400)
    yield f'<h2>Where it came from</h2><p class="muted">{READING}{ALONE}</p>\n'
    yield from html.sums("summary", summary_lines(report), currency)
    about = "Below the highest equity so far, of mean capital."
    yield from html.plot("Drawdown", about, partial(plots.drawdown, report=report), 220)
    about = f"{currency} received less paid, in the month in which it was settled."
    yield from html.plot("Funding by month", about, partial(plots.funding, report=report), 240)
    height = plots.pairs_height(report)
    about = f"Hedged total of each pair, {currency}."
    yield from html.plot("Result by pair", about, partial(plots.pairs, report=report), height)


def _group(key: str, row: Mapping[str, object]) -> str:
    label = short_pair(str(row[key])) if key == "pair" else str(row[key])
    cells = f"{html.head_cell(label)}{html.cell(row['total'], 'result')}{html.cell(row['return'], 'fraction')}"
    return f"{cells}{parts(row)}{html.cell(row['trades'], 'count')}{html.cell(row['mean hours'], 'days')}"


def _trades(report: BacktestReport) -> Iterator[str]:
    count = report.trades.count
    first = max(0, count - MOST_TRADES)
    some = f"the last {MOST_TRADES:,} of {count:,}; the JSON has all" if first else f"all {count:,}"
    yield f"<h2>Each hedge</h2><details><summary>Show {some}</summary>\n"
    columns = ("Pair", "Opened (UTC)", "Days", "Total", *NAMES, "Left for")
    rows = islice(trade_records(report, first), MOST_TRADES)
    yield from html.table("by-hedges", "Each hedge", columns, map(_trade, rows))
    yield "</details>\n"


def _trade(row: Mapping[str, object]) -> str:
    opened = str(row["opened"]).replace("T", " ").rstrip("Z")
    first = html.head_cell(short_pair(str(row["pair"]))) + html.text_cell(opened) + html.text_cell(held_days(row))
    return f"{first}{html.cell(row['total'], 'result')}{parts(row)}{html.text_cell(str(row['reason']))}"
