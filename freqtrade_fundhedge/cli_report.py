"""The `report` command: what hedges earned, of the bot or of a backtest, for people, machines, or as a page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from freqtrade_fundhedge.cli_common import ConfigOption, JsonOption, Loaded, load
from freqtrade_fundhedge.cli_journal import PairOption, SinceOption, UntilOption, wish_of
from freqtrade_fundhedge.cli_progress import waiting
from freqtrade_fundhedge.cli_report_file import WIDTH, write_page
from freqtrade_fundhedge.cli_report_live import LiveWish, report_live
from freqtrade_fundhedge.errors import ConfigError
from freqtrade_fundhedge.report.backtest import BacktestReport, evaluate
from freqtrade_fundhedge.report.candle_files import FeatherCandles
from freqtrade_fundhedge.report.records import json_pieces
from freqtrade_fundhedge.report.result_file import latest_result, read_result
from freqtrade_fundhedge.report.tables import tables, trade_table

LATEST = "latest"
MOST_TRADES = 1000
ReconcileOption = Annotated[
    bool, typer.Option("--reconcile", help="Compare the shorts with the exchange's income history, too.")
]
BacktestOption = Annotated[
    str,
    typer.Option(metavar="FILE", help="Of a backtest: a result of freqtrade backtesting, or latest for the last."),
]
StrategyOption = Annotated[str | None, typer.Option(help="Of a backtest: which one, if the result has several.")]
UserdirOption = Annotated[
    Path | None, typer.Option(help="Of a backtest: Freqtrade's user directory. Default: user_data.")
]
DatadirOption = Annotated[
    Path | None, typer.Option(help="Of a backtest: candles of both legs. Default: the exchange's there.")
]
TradesOption = Annotated[bool, typer.Option("--trades", help="List each hedge, too.")]
PageOption = Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page with plots to this file.")]


def report_command(
    config: ConfigOption = None,
    since: SinceOption = "",
    until: UntilOption = "",
    pair: PairOption = "",
    compare: ReconcileOption = False,
    backtest: BacktestOption = "",
    strategy: StrategyOption = None,
    userdir: UserdirOption = None,
    datadir: DatadirOption = None,
    trades: TradesOption = False,
    html: PageOption = None,
    as_machine: JsonOption = False,
) -> None:
    """Show what the hedges earned: both legs, funding and fees; of the bot, live or dry-run, or of a backtest.

    Without --backtest the bot's journal and Freqtrade's trades are read: safe beside a running bot. A hedge counts on
    the day it was closed, an open one at the last known price.

    \b
    Examples:
      fundhedge report -c config.json --html report.html
      fundhedge report -c config.json --since 2026-03-01 --reconcile
      fundhedge report -c config.json --backtest latest --trades
    """
    wish = wish_of(since, until, pair, [])
    if not backtest:
        _refuse("a backtest", {"--strategy": strategy, "--userdir": userdir, "--datadir": datadir})
        report_live(load(config), LiveWish(wish, compare, trades, html, as_machine))
        return
    _refuse("a running bot", {"--since": since, "--until": until, "--pair": pair, "--reconcile": compare})
    loaded = load(config)
    report = _evaluated(loaded, backtest, strategy, userdir, datadir)
    _show(report, str(loaded.config["stake_currency"]), trades, html, as_machine)


def _refuse(of: str, given: dict[str, object]) -> None:
    """Options that mean nothing here must not seem to work."""
    names = [name for name, value in given.items() if value]
    if names:
        raise ConfigError(f"{', '.join(names)}: only for a report of {of}")


def _evaluated(
    loaded: Loaded, backtest: str, strategy: str | None, userdir: Path | None, datadir: Path | None
) -> BacktestReport:
    home = userdir if userdir is not None else Path(loaded.config.get("user_data_dir") or "user_data")
    path = latest_result(home / "backtest_results") if backtest == LATEST else Path(backtest)
    candles = FeatherCandles(datadir if datadir is not None else _datadir(loaded.config, home))
    result = read_result(path, strategy)
    if not result.count:
        raise ConfigError(f"{path}: the backtest made no trades, there is nothing to report")
    with waiting("evaluating the backtest"):
        report = evaluate(result, candles, loaded.section.carry.spot_fee)
    _check_priced(report, candles)
    return report


def _datadir(config: dict[str, Any], home: Path) -> Path:
    kind = config.get("dataformat_ohlcv") or "feather"
    if kind != "feather":
        raise ConfigError(f"dataformat_ohlcv: {kind} can't be read here; freqtrade convert-data makes feather of it")
    return home / "data" / str(config["exchange"]["name"]).lower()


def _check_priced(report: BacktestReport, candles: FeatherCandles) -> None:
    if report.summary.trades:
        return
    pairs = ", ".join(report.trades.pairs[:5])
    timeframe = report.trades.timeframe
    raise ConfigError(
        f"no {timeframe} candles of both spot and perpetual in {candles.datadir} for {pairs}; "
        "fetch them, or say where they are with --datadir"
    )


def _show(report: BacktestReport, currency: str, trades: bool, html: Path | None, as_machine: bool) -> None:
    if html is not None:
        _write_page(html, report, currency)
    if as_machine:
        sys.stdout.writelines(json_pieces(report))
        return
    _print(report, currency, trades)
    if html is not None:
        typer.echo(f"Page: {html}")


def _write_page(target: Path, report: BacktestReport, currency: str) -> None:
    # matplotlib takes half a second to import, and only pages have plots.
    from freqtrade_fundhedge.report.page import page_pieces  # noqa: PLC0415

    with waiting("drawing the page"):
        write_page(target, page_pieces(report, currency))


def _print(report: BacktestReport, currency: str, trades: bool) -> None:
    out = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=WIDTH)
    days = [day.date().isoformat() for day in report.equity.index[[0, -1]]]
    out.print(f"Backtest of {days[0]} to {days[1]}, {report.trades.timeframe} candles\n")
    for table in tables(report, currency):
        out.print(table)
    if trades:
        out.print(trade_table(report, MOST_TRADES))
