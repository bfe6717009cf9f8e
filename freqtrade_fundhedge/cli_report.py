"""The `report` command: what the hedges of a backtest earned, for people, for machines, or as a page."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from freqtrade_fundhedge.cli_common import ConfigOption, JsonOption, load
from freqtrade_fundhedge.errors import ConfigError
from freqtrade_fundhedge.report.backtest import BacktestReport, evaluate
from freqtrade_fundhedge.report.candle_files import FeatherCandles
from freqtrade_fundhedge.report.records import json_pieces
from freqtrade_fundhedge.report.result_file import latest_result, read_result
from freqtrade_fundhedge.report.tables import tables, trade_table

WIDTH = 80  # of output that goes into a file or a pipe
MOST_TRADES = 1000


def report_command(
    config: ConfigOption = None,
    backtest: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Result of freqtrade backtesting. Default: the latest of the user directory."
        ),
    ] = None,
    strategy: Annotated[str | None, typer.Option(help="Which one, if the result has several.")] = None,
    userdir: Annotated[Path | None, typer.Option(help="Freqtrade's user directory. Default: user_data.")] = None,
    datadir: Annotated[Path | None, typer.Option(help="Candles of both legs. Default: the exchange's there.")] = None,
    trades: Annotated[bool, typer.Option("--trades", help="List each hedge, too.")] = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page with plots to this file.")] = None,
    as_machine: JsonOption = False,
) -> None:
    """Show what the hedges of a backtest earned: both legs, funding and fees.

    \b
    Examples:
      fundhedge report -c config.json --html report.html
    """
    loaded = load(config)
    home = userdir if userdir is not None else Path(loaded.config.get("user_data_dir") or "user_data")
    path = backtest if backtest is not None else latest_result(home / "backtest_results")
    candles = FeatherCandles(datadir if datadir is not None else _datadir(loaded.config, home))
    result = read_result(path, strategy)
    if not result.count:
        raise ConfigError(f"{path}: the backtest made no trades, there is nothing to report")
    report = evaluate(result, candles, loaded.section.carry.spot_fee)
    _check_priced(report, candles)
    currency = str(loaded.config["stake_currency"])
    if html is not None:
        _write_page(html, report, currency)
    if as_machine:
        sys.stdout.writelines(json_pieces(report))
        return
    _print(report, currency, trades)
    if html is not None:
        typer.echo(f"Page: {html}")


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


def _write_page(target: Path, report: BacktestReport, currency: str) -> None:
    # matplotlib takes half a second to import, and only pages have plots.
    from freqtrade_fundhedge.report.page import page_pieces  # noqa: PLC0415

    pieces = page_pieces(report, currency)
    try:
        _replace(target, pieces)
    except OSError as error:
        raise ConfigError(f"--html {target}: {(error.strerror or type(error).__name__).lower()}") from None


def _replace(target: Path, pieces: Iterable[str]) -> None:
    """Write beside the target, then rename: a page is never half there."""
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.writelines(pieces)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def _print(report: BacktestReport, currency: str, trades: bool) -> None:
    out = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=WIDTH)
    days = [day.date().isoformat() for day in report.equity.index[[0, -1]]]
    out.print(f"Backtest of {days[0]} to {days[1]}, {report.trades.timeframe} candles\n")
    for table in tables(report, currency):
        out.print(table)
    if trades:
        out.print(trade_table(report, MOST_TRADES))
