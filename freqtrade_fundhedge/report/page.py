"""A backtest report as one HTML page: no script, nothing loaded from anywhere, for desk and phone, light and dark.

Every figure stands in a `<data>` element whose value is the exact number of the JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from importlib.resources import files
from itertools import islice

import pandas as pd

from freqtrade_fundhedge.report import plots
from freqtrade_fundhedge.report.backtest import BacktestReport
from freqtrade_fundhedge.report.records import group_records, summary_record, trade_records
from freqtrade_fundhedge.report.tables import TITLES, held_days, short_pair, shown, summary_lines

MOST_TRADES = 1000
# A phone shows the first columns of a table: what counts comes first, then what it is made of.
_COLUMNS = ("funding", "fees", "basis", "short", "spot")
_NAMES = tuple(name.capitalize() for name in _COLUMNS)
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
the short's margin. Freqtrade's own backtest result is the line of the short alone.
"""
# Nothing may be loaded; should a name ever slip through unescaped, the browser still runs no script.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page_pieces(report: BacktestReport, currency: str) -> Iterator[str]:
    """The page in pieces.

    Parameters
    ----------
    report : from `evaluate`
    currency : name of the quote currency
    """
    title = f"{escape(report.trades.strategy)}: what the hedges earned"
    style = files("freqtrade_fundhedge.report").joinpath("page.css").read_text()
    yield f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{title}</title><link rel="icon" href="data:,">
<style>{style}</style></head><body>
<header><h1>{title}</h1><p class="muted">{_about(report)}</p></header><main>
"""
    yield from _cards(report, currency)
    yield from _plot("Equity", f"{currency} earned so far, open hedges valued each day.", plots.equity, report, 400)
    yield from _summary(report, currency)
    yield from _plot("Drawdown", "Below the highest equity so far, of mean capital.", plots.drawdown, report, 220)
    about_months = f"{currency} received less paid, in the month in which it was settled."
    yield from _plot("Funding by month", about_months, plots.funding, report, 240)
    about_pairs = f"Hedged total of each pair, {currency}."
    yield from _plot("Result by pair", about_pairs, plots.pairs, report, plots.pairs_height(report))
    for key, heading in TITLES.items():
        yield f"<h2>{heading}</h2>\n"
        yield from _groups(report, key)
    yield from _trades(report)
    yield "</main><footer class='muted'>Made by fundhedge report. Figures are of a backtest, not a promise.</footer>"
    yield "</body></html>\n"


def _about(report: BacktestReport) -> str:
    days = [day.date().isoformat() for day in pd.DatetimeIndex(report.daily.index)[[0, -1]]]
    pairs = ", ".join(escape(short_pair(pair)) for pair in report.trades.pairs[:12])
    more = len(report.trades.pairs) - 12
    return f"Backtest {days[0]} to {days[1]} · {pairs}" + (f" and {more} more" if more > 0 else "")


def _cards(report: BacktestReport, currency: str) -> Iterator[str]:
    record = summary_record(report)
    yield '<div class="cards">'
    for name, label, kind in CARDS:
        yield f'<div class="card">{_data(record[name], kind)}<span>{label.format(currency=currency)}</span></div>'
    yield "</div>\n"


def _plot(heading: str, caption: str, draw: plots.Draw, report: BacktestReport, height: int) -> Iterator[str]:
    """Drawn for two widths, of which the style sheet shows one: text in a drawing that shrinks can't be read."""
    name = heading.rsplit(maxsplit=1)[-1].lower()
    yield f"<h2>{heading}</h2><figure><figcaption>{caption}</figcaption>\n"
    yield f'<div class="wide">{plots.svg(draw, report, f"w{name}", 860, height)}</div>\n'
    yield f'<div class="narrow">{plots.svg(draw, report, f"n{name}", 350, height)}</div></figure>\n'


def _summary(report: BacktestReport, currency: str) -> Iterator[str]:
    yield f'<h2>Where it came from</h2><p class="muted">{READING}</p><table class="sums" id="summary"><tbody>\n'
    for name, label, kind, value in summary_lines(report):
        row = '<tr class="total">' if name == "total" else "<tr>"
        yield f"{row}<td>{label}</td><td>{_data(value, kind, currency)}</td></tr>\n"
    yield "</tbody></table>\n"


def _groups(report: BacktestReport, key: str) -> Iterator[str]:
    yield from _head(key, (key.capitalize(), "Total", "Return", *_NAMES, "Hedges", "Mean days"))
    for row in group_records(report, key):
        hours = row["mean hours"]
        days = f'<data value="{hours}">{float(str(hours)) / 24:.1f}</data>'
        label = short_pair(str(row[key])) if key == "pair" else str(row[key])
        yield f"<tr><td>{escape(label)}</td>{_cell(row['total'], 'result')}{_cell(row['return'], 'fraction')}"
        yield f"{_parts(row)}{_cell(row['trades'], 'count')}<td>{days}</td></tr>\n"
    yield "</tbody></table></div>\n"


def _trades(report: BacktestReport) -> Iterator[str]:
    count = len(report.trades.pair)
    first = max(0, count - MOST_TRADES)
    some = f"the last {MOST_TRADES:,} of {count:,}; the JSON has all" if first else f"all {count:,}"
    yield f"<h2>Each hedge</h2><details><summary>Show {some}</summary>\n"
    yield from _head("hedges", ("Pair", "Opened (UTC)", "Days", "Total", *_NAMES, "Left for"))
    for row in islice(trade_records(report, first), MOST_TRADES):
        opened = str(row["opened"]).replace("T", " ").rstrip("Z")
        pair = escape(short_pair(str(row["pair"])))
        yield f"<tr><td>{pair}</td><td>{opened}</td><td>{held_days(row)}</td>{_cell(row['total'], 'result')}"
        yield f"{_parts(row)}<td>{escape(str(row['reason']))}</td></tr>\n"
    yield "</tbody></table></div></details>\n"


def _parts(row: Mapping[str, object]) -> str:
    return "".join(_cell(row[part], "cost" if part == "fees" else "money") for part in _COLUMNS)


def _cell(value: object, kind: str) -> str:
    return f"<td>{_data(value, kind)}</td>"


def _head(name: str, columns: Iterable[str]) -> Iterator[str]:
    cells = "".join(f"<th>{column}</th>" for column in columns)
    yield f'<div class="scroll"><table id="by-{name}"><thead><tr>{cells}</tr></thead><tbody>\n'


def _data(value: object, kind: str, currency: str = "") -> str:
    text = shown(value, "money" if kind == "result" else kind, currency)
    if value is None:
        return text
    loss = ' class="loss"' if text.startswith("-") and kind == "result" else ""
    return f'<data value="{value!r}"{loss}>{text.replace("-", "−", 1)}</data>'
