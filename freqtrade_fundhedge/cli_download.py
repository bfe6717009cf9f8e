"""The `download` command: the candles of both legs in one step, by Freqtrade's own downloader.

`freqtrade download-data` needs two runs, and pairs translated to spot symbols by hand (`1000PEPE` is `PEPE` there); a
backtest on half of it has no basis and so no entries, and says nothing. Nothing is stored here that Freqtrade would not
store itself: its `download_data` is called once in futures and once in spot mode, for the same folder.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from freqtrade.configuration import TimeRange, setup_utils_configuration
from freqtrade.data.history import get_datahandler
from freqtrade.data.history.history_utils import download_data
from freqtrade.enums import CandleType, RunMode
from freqtrade.exceptions import ExchangeError, FreqtradeException
from freqtrade.plugins.pairlist.pairlist_helpers import expand_pairlist
from freqtrade.resolvers import ExchangeResolver

from freqtrade_fundhedge.carry_columns import FUNDING_TIMEFRAME
from freqtrade_fundhedge.cli_common import (
    ConfigOption,
    JsonOption,
    Loaded,
    config_files,
    load,
    print_json,
    print_table,
)
from freqtrade_fundhedge.client import user_settings
from freqtrade_fundhedge.errors import ConfigError, FundHedgeError
from freqtrade_fundhedge.frames import timeframe_ms
from freqtrade_fundhedge.market import spot_symbol
from freqtrade_fundhedge.pairlist_file import read_pairlist
from freqtrade_fundhedge.venue.bulk import public_api

DAYS = 365
PairsOption = Annotated[
    list[str] | None,
    typer.Option("--pairs", "-p", help="Perpetual or regular expression; repeatable. Default: the whitelist."),
]


class DownloadFailed(FundHedgeError):
    """Freqtrade's downloader gave up."""


def download_command(
    config: ConfigOption = None,
    pairs: PairsOption = None,
    days: Annotated[int | None, typer.Option(help=f"Days back from now.  [default: {DAYS}]", min=1)] = None,
    timerange: Annotated[str | None, typer.Option(help="Instead of --days: 20240101-20250101, as Freqtrade.")] = None,
    timeframe: Annotated[str | None, typer.Option(help="Of candles.  [default: the configuration's, or 1h]")] = None,
    userdir: Annotated[Path | None, typer.Option(help="Freqtrade's user_data folder.")] = None,
    datadir: Annotated[Path | None, typer.Option(help="Folder for the candles, if not the one in user_data.")] = None,
    as_machine: JsonOption = False,
) -> None:
    """Fetch futures, spot, mark and funding candles of the pairs, for backtests of both legs.

    \b
    Examples:
      fundhedge download -c config.json --days 730
      fundhedge download -c config.json --pairs BTC/USDT:USDT
      fundhedge download -c config.json --timerange 20240101-20250101
    """
    loaded = load(config)
    frame = _checked(timeframe or str(loaded.config.get("timeframe", "1h")), days, timerange)
    symbols = _symbols(loaded, pairs)
    arguments = {
        "command": "download-data",
        "config": config_files(config),
        "timeframes": [frame],
        "user_data_dir": str(userdir) if userdir else None,
        "datadir": str(datadir) if datadir else None,
        **({"timerange": timerange} if timerange else {"days": days or DAYS}),
    }
    with _quiet():
        _download({**arguments, "trading_mode": "futures", "pairs": list(symbols)})
        folder, form = _download({**arguments, "trading_mode": "spot", "pairs": list(symbols.values())})
        rows = list(_stored(folder, form, symbols, frame))
    _show(folder, rows, as_machine)
    if any(not row[kind] for row in rows for kind in ("futures", "spot", "mark", "funding")):
        raise DownloadFailed("candles are missing where the table shows 0; run it again, or choose other pairs")


def _show(folder: Path, rows: Sequence[dict[str, Any]], as_machine: bool) -> None:
    if as_machine:
        print_json({"folder": str(folder), "pairs": rows})
    else:
        cells = [[str(row["pair"]).partition(":")[0], *list(row.values())[1:]] for row in rows]
        print_table(f"Candles in {folder}", list(rows[0]), cells)


def _checked(timeframe: str, days: int | None, timerange: str | None) -> str:
    if days and timerange:
        raise ConfigError("--days and --timerange: only one of them can be meant")
    try:
        timeframe_ms(timeframe)
        TimeRange.parse_timerange(timerange)
    except (ValueError, FreqtradeException) as error:
        raise ConfigError(str(error)) from None
    return timeframe


def _symbols(loaded: Loaded, asked: Sequence[str] | None) -> dict[str, str]:
    """Spot symbol by pair; pairs without a spot market are told and left out."""
    exchange = loaded.config["exchange"]
    wanted = list(asked or exchange.get("pair_whitelist") or [])
    if not wanted and loaded.section.carry.pairlist_file:
        wanted = read_pairlist(Path(loaded.section.carry.pairlist_file))
    if not wanted:
        raise ConfigError("exchange.pair_whitelist: is empty; name pairs with --pairs")
    markets = public_api(str(exchange["name"]), user_settings(exchange)).markets
    perpetuals = [pair for pair, market in markets.items() if market.get("swap")]
    symbols, without = {}, []
    for entry in wanted:
        for pair in _matching(entry, perpetuals):
            found = spot_symbol(pair, markets)
            if found is None:
                without.append(pair)
            else:
                symbols[pair] = found[0]
    if without:
        typer.echo(f"fundhedge: left out, no spot market: {', '.join(without)}", err=True)
    if not symbols:
        raise ConfigError("none of the pairs has a spot market")
    return symbols


def _matching(entry: str, perpetuals: Sequence[str]) -> list[str]:
    try:
        found: list[str] = expand_pairlist([entry], list(perpetuals))
    except ValueError as error:
        raise ConfigError(str(error)) from None
    if not found:
        raise ConfigError(f"{entry}: no such perpetual on this exchange; they are written BTC/USDT:USDT")
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    """Freqtrade tells of every file; its progress bars say enough, and what went wrong is a warning."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)


def _download(arguments: dict[str, Any]) -> tuple[Path, str]:
    """One run of Freqtrade's downloader; where it stores candles, and in which format."""
    try:
        config = setup_utils_configuration(arguments, RunMode.UTIL_EXCHANGE)
        exchange = ExchangeResolver.load_exchange(config, validate=False)
        try:
            download_data(config, exchange)
        finally:
            exchange.close()
    except ExchangeError as error:
        raise DownloadFailed(str(error)) from None
    except FreqtradeException as error:
        raise ConfigError(str(error).splitlines()[0]) from None
    return Path(config["datadir"]), str(config["dataformat_ohlcv"])


def _stored(folder: Path, form: str, symbols: Mapping[str, str], timeframe: str) -> Iterator[dict[str, Any]]:
    """What is there now: candles by kind, and the days that futures and spot both have."""
    handler = get_datahandler(folder, form)
    for pair, symbol in symbols.items():
        kinds = {
            "futures": (pair, timeframe, CandleType.FUTURES),
            "spot": (symbol, timeframe, CandleType.SPOT),
            "mark": (pair, FUNDING_TIMEFRAME, CandleType.MARK),
            "funding": (pair, FUNDING_TIMEFRAME, CandleType.FUNDING_RATE),
        }
        spans = {kind: handler.ohlcv_data_min_max(*key) for kind, key in kinds.items()}
        first, last = (max(spans[kind][0] for kind in spans), min(spans[kind][1] for kind in spans))
        counts = {kind: int(span[2]) for kind, span in spans.items()}
        yield {"pair": pair, **counts, "from": f"{first:%Y-%m-%d}", "to": f"{last:%Y-%m-%d}"}
