"""A backtest report as tables for the terminal."""

from __future__ import annotations

from math import isfinite

from rich.table import Table

from freqtrade_fundhedge.report.backtest import PARTS, BacktestReport

TITLES = {"pair": "By pair", "month": "By month of closing", "reason": "By exit reason"}


def tables(report: BacktestReport, currency: str = "USDT") -> list[Table]:
    """The summary, then results by pair, month and exit reason.

    Parameters
    ----------
    report : from `evaluate`
    currency : name of the quote currency
    """
    return [_summary(report, currency), *(_grouped(report, key) for key in TITLES)]


def _summary(report: BacktestReport, currency: str) -> Table:
    whole = report.summary
    table = Table(title=f"{report.trades.strategy}: what the hedges earned", show_header=False)
    table.add_column(justify="left")
    table.add_column(justify="right")
    rows = [
        ("Hedges", str(whole.trades)),
        ("Left out, no spot candles", str(whole.unpriced)),
        ("Short leg, price", _money(whole.short, currency)),
        ("Spot leg, price", _money(whole.spot, currency)),
        ("  both: basis", _money(whole.basis, currency)),
        ("Funding", _money(whole.funding, currency)),
        ("Fees of both legs", _money(-whole.fees, currency)),
        ("Total", _money(whole.total, currency)),
        ("Mean capital in both wallets", _money(whole.capital, currency)),
        ("Peak capital", _money(whole.peak_capital, currency)),
        ("Return on capital, a year", _percent(whole.return_on_capital)),
        ("Return on notional, a year", _percent(whole.return_on_notional)),
        ("Drawdown, of mean capital", _percent(whole.drawdown)),
        ("Sharpe, daily", f"{whole.sharpe:.2f}" if isfinite(whole.sharpe) else "-"),
        ("Time in a hedge", _percent(whole.exposure)),
    ]
    for name, value in rows:
        if value != "0" or name == "Hedges":
            table.add_row(name, value)
    return table


def _grouped(report: BacktestReport, key: str) -> Table:
    table = Table(title=TITLES[key])
    table.add_column(key.capitalize())
    for name in ("Hedges", *(part.capitalize() for part in PARTS), "Mean days", "Return"):
        table.add_column(name, justify="right")
    for label, row in report.by(key).iterrows():
        amounts = [f"{row[part] * (-1 if part == 'fees' else 1):,.2f}" for part in PARTS]
        days, earned = f"{row['mean hours'] / 24:.1f}", _percent(row["return"])
        table.add_row(str(label), str(int(row["trades"])), *amounts, days, earned)
    return table


def _money(amount: float, currency: str) -> str:
    return f"{amount:,.2f} {currency}"


def _percent(fraction: float) -> str:
    return f"{fraction:.2%}" if isfinite(fraction) else "-"
