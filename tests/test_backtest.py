"""The strategy in Freqtrade's own backtesting, lookahead analysis and recursive analysis, as a user runs them."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from freqtrade.enums import RunMode
from freqtrade.ft_types.plot_annotation_type import AnnotationTypeTA
from freqtrade.resolvers import StrategyResolver
from synthetic import FIRST_MS, frame, write_pair

from freqtrade_fundhedge.core.carry import CarryParams
from freqtrade_fundhedge.frames import hedge_frame, startup_candles
from freqtrade_fundhedge.report.backtest import evaluate
from freqtrade_fundhedge.report.candle_files import FeatherCandles
from freqtrade_fundhedge.report.days import Fills, Settlements
from freqtrade_fundhedge.report.result_file import latest_result, read_result
from freqtrade_fundhedge.sandbox import SandboxServer, freqtrade_config

ROOT = Path(__file__).parents[1]
PAIRS = {"BTC/USDT:USDT": ("BTC", 1.0), "1000PEPE/USDT:USDT": ("PEPE", 1000.0)}
TIMERANGE = "20240212-20240430"


@dataclass(frozen=True)
class Bench:
    """A data directory, a configuration, and a way to run Freqtrade on them."""

    home: Path
    datadir: Path

    def run(self, command: str, *arguments: str) -> str:
        words = [
            sys.executable, "-m", "freqtrade", command, "-c", str(self.home / "config.json"),
            "--userdir", str(self.home), "--datadir", str(self.datadir),
            "--strategy-path", str(ROOT / "user_data" / "strategies"), "--strategy", "FundHedgeStrategy",
            "--timerange", TIMERANGE, *arguments,
        ]  # fmt: skip
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return " ".join((done.stdout + done.stderr).split())


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    home = tmp_path_factory.mktemp("backtest")
    datadir = home / "data" / "binance"
    for seed, (pair, (coin, multiplier)) in enumerate(PAIRS.items()):
        write_pair(datadir, pair.partition("/")[0], coin, multiplier, 121, seed, 100.0)
    with SandboxServer() as sandbox:
        config = {
            "trading_mode": "futures",
            "margin_mode": "isolated",
            "stake_currency": "USDT",
            "stake_amount": 1000,
            "max_open_trades": len(PAIRS),
            "dry_run": True,
            "dry_run_wallet": 10000,
            "entry_pricing": {"price_side": "other", "use_order_book": True, "order_book_top": 1},
            "exit_pricing": {"price_side": "other", "use_order_book": True, "order_book_top": 1},
            "pairlists": [{"method": "StaticPairList"}],
            "exchange": freqtrade_config(sandbox.url, pair_whitelist=list(PAIRS)),
            "fundhedge": {},
        }
        (home / "config.json").write_text(json.dumps(config))
        yield Bench(home, datadir)


def test_backtest_has_both_legs(bench: Bench) -> None:
    """Freqtrade's backtest opens and closes shorts by the rule, and the hedged result earns what funding pays."""
    bench.run("backtesting", "--cache", "none", "--export", "trades")
    trades = read_result(latest_result(bench.home / "backtest_results"))
    assert set(trades.pairs) == set(PAIRS)
    assert trades.count >= 8
    assert set(trades.reasons) <= {"funding", "basis", "force_exit"}
    report = evaluate(trades, FeatherCandles(bench.datadir), 0.001)
    ((columns, result),), summary = report.results(), report.summary
    assert summary.unpriced == 0
    difference = result.short + result.spot + result.funding - result.fees - result.total
    assert (np.abs(difference) <= 1e-9 * result.notional).all()
    assert (np.abs(result.basis) < 0.002 * result.notional).all()
    assert report.equity.iloc[-1] == pytest.approx(summary.total, abs=1e-6 * result.notional.sum())
    assert summary.fees == pytest.approx(0.003 * result.notional.sum(), rel=0.05)
    assert summary.funding > summary.fees
    for number, pair in enumerate(trades.pairs):
        fills = columns.pair[columns.fill_trade] == number
        shares, _ = Settlements.load(FeatherCandles(bench.datadir), pair).paid(
            Fills(columns.fill_ms[fills], columns.fill_sold[fills])
        )
        settled = np.bincount(columns.fill_trade[fills], weights=shares, minlength=trades.count)
        # The candles explain Freqtrade's funding trade by trade, so the daily equity has it on the right days.
        assert settled[columns.pair == number] == pytest.approx(columns.funding[columns.pair == number], rel=1e-9)


SLOW = """
from FundHedgeStrategy import FundHedgeStrategy


class Unhurried(FundHedgeStrategy):
    def speed_up(self, exchange):
        pass
"""


def test_what_is_spared_changes_no_result(bench: Bench, tmp_path: Path) -> None:
    """Freqtrade's own sums and checks on each candle give the same trades, orders, funding and statistics."""
    shutil.copy(ROOT / "user_data" / "strategies" / "FundHedgeStrategy.py", tmp_path)
    (tmp_path / "unhurried.py").write_text(SLOW)
    bench.run(
        "backtesting", "--cache", "none", "--export", "trades", "--strategy-path", str(tmp_path),
        "--timeframe", "1h", "--strategy-list", "Unhurried", "FundHedgeStrategy",
    )  # fmt: skip
    path = latest_result(bench.home / "backtest_results")
    with zipfile.ZipFile(path) as archive:
        results = json.loads(archive.read(f"{path.stem}.json"))["strategy"]
    slow, quick = results["Unhurried"], results["FundHedgeStrategy"]
    assert len(quick["trades"]) >= 8
    assert quick["trades"] == slow["trades"]
    names = {"strategy_name", "backtest_run_start_ts", "backtest_run_end_ts"}
    assert {key for key in quick if quick[key] != slow[key]} <= names


def test_no_lookahead(bench: Bench) -> None:
    """Freqtrade's lookahead analysis finds no bias in entries, exits or indicators."""
    table = bench.home / "lookahead.csv"
    bench.run(
        "lookahead-analysis", "--minimum-trade-amount", "3", "--targeted-trade-amount", "4",
        "--lookahead-analysis-exportfilename", str(table),
    )  # fmt: skip
    with table.open() as file:
        (row,) = csv.DictReader(file)
    assert row["has_bias"] == "False"
    assert int(row["total_signals"]) >= 3
    assert row["biased_entry_signals"] == row["biased_exit_signals"] == "0"
    assert not row["biased_indicators"]


def test_no_recursion(bench: Bench) -> None:
    """From the strategy's own number of start-up candles on, more of them change no indicator."""
    own = startup_candles("1h")
    output = bench.run("recursive-analysis", "--startup-candle", str(own), str(own + 1), str(own + 24))
    assert "No variance on indicator(s) found due to recursive formula." in output
    assert "No lookahead bias on indicators found." in output


@pytest.fixture
def strategy() -> Any:
    carry = {"entry_apr": 0.05, "exit_apr": -0.02, "max_breakeven_hours": 500, "spot_fee": 0.00075}
    config = {
        "strategy": "FundHedgeStrategy",
        "strategy_path": ROOT / "user_data" / "strategies",
        "user_data_dir": ROOT / "user_data",
        "runmode": RunMode.BACKTEST,
        "trading_mode": "futures",
        "margin_mode": "isolated",
        "stake_currency": "USDT",
        "fundhedge": {"carry": carry},
    }
    loaded = StrategyResolver.load_strategy(config)
    loaded.ft_load_hyper_params(False)
    return loaded


def test_thresholds_come_from_the_configuration(strategy: Any) -> None:
    """The configuration's thresholds and costs are those that the strategy decides with."""
    expected = CarryParams(entry_apr=0.05, exit_apr=-0.02, max_breakeven_hours=500, spot_fee=0.00075)
    assert strategy.fundhedge_carry_params() == expected


def test_spans_that_pay_are_drawn(strategy: Any) -> None:
    """FreqUI gets one area for each span in which a hedge is held, and every plotted column exists."""
    flat = np.full(40 * 24, 100.0)
    dates = pd.to_datetime(FIRST_MS + 8 * 3_600_000 * np.arange(120), unit="ms", utc=True)
    rates = np.where(np.arange(120) // 30 % 2 == 0, 0.0005, -0.0009)
    funding = pd.DataFrame({"date": dates, "funding_rate": rates})
    candles = frame(FIRST_MS, flat, 1000.0)
    columns = hedge_frame(candles, 1.0, "1h", funding, candles, candles, strategy.fundhedge_carry_params())
    spans = strategy.plot_annotations("BTC/USDT:USDT", dates[0], dates[-1], columns)
    assert len(spans) == 2
    assert all(AnnotationTypeTA.validate_python(span)["type"] == "area" for span in spans)
    assert all(span["start"] < span["end"] for span in spans)
    plotted = [
        *strategy.plot_config["main_plot"],
        *(c for sub in strategy.plot_config["subplots"].values() for c in sub),
    ]
    assert set(plotted) <= set(columns.columns)
    assert strategy.plot_annotations("BTC/USDT:USDT", dates[0], dates[-1], columns.iloc[:0]) == []
