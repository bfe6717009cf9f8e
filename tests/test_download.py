"""`fundhedge download`: the candles of both legs, and a backtest on them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from freqtrade.data.btanalysis import load_backtest_data

from freqtrade_fundhedge.cli import run
from freqtrade_fundhedge.sandbox import SandboxControl, SandboxServer, freqtrade_config

ROOT = Path(__file__).parents[1]
PAIRS = ["BTC/USDT:USDT", "1000PEPE/USDT:USDT"]


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with SandboxServer() as server:
        yield server.url


def configured(url: str, **exchange: Any) -> str:
    config = {
        "trading_mode": "futures",
        "margin_mode": "isolated",
        "stake_currency": "USDT",
        "stake_amount": 500,
        "max_open_trades": 2,
        "dry_run": True,
        "dry_run_wallet": 5000,
        "entry_pricing": {"price_side": "other", "use_order_book": True, "order_book_top": 1},
        "exit_pricing": {"price_side": "other", "use_order_book": True, "order_book_top": 1},
        "pairlists": [{"method": "StaticPairList"}],
        "exchange": freqtrade_config(url, **{"pair_whitelist": PAIRS, **exchange}),
    }
    Path("config.json").write_text(json.dumps(config))
    return "config.json"


def real(program: str, *arguments: str) -> str:
    command = [str(Path(sys.executable).parent / program), *arguments, "--userdir", "ud"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_a_backtest_runs_on_what_was_downloaded() -> None:
    """One command fetches all four kinds of candles, spot ones from spot, and Freqtrade's backtest hedges on them."""
    Path("ud").mkdir()
    with SandboxServer() as server:
        sandbox = SandboxControl(server.url)
        for symbol in ("BTCUSDT", "1000PEPEUSDT"):
            sandbox.post("funding", symbol=symbol, rate="0.0004", past="0.0004", hours=24 * 60)
            sandbox.post("basis", symbol=symbol, basis="0.002", past_hours=24 * 60)
        shown = json.loads(real("fundhedge", "download", "-c", configured(server.url), "--days", "60", "--json"))
        real("freqtrade", "backtesting", "-c", "config.json", "--strategy-path", str(ROOT / "user_data" / "strategies"),
             "--strategy", "FundHedgeStrategy", "--cache", "none", "--export", "trades")  # fmt: skip
        signed = [request for request in sandbox.requests(path="/(f?api|sapi)/.*") if "signature" in str(request)]
    assert [row["pair"] for row in shown["pairs"]] == PAIRS
    for row in shown["pairs"]:
        assert row["futures"] == row["spot"] >= row["mark"] >= 60 * 24
        assert row["funding"] >= 60 * 3
    data = Path("ud/data/binance")
    spot = pd.read_feather(data / "PEPE_USDT-1h.feather")
    perpetual = pd.read_feather(data / "futures" / "1000PEPE_USDT_USDT-1h-futures.feather")
    basis = perpetual["close"].iloc[-100:].mean() / (1000 * spot["close"].iloc[-100:].mean()) - 1
    assert basis == pytest.approx(0.002, abs=0.002)
    assert basis != 0
    trades = load_backtest_data(Path("ud/backtest_results"))
    assert set(trades["pair"]) == set(PAIRS)
    assert set(trades["enter_tag"]) == {"carry"}
    assert not signed


@pytest.mark.parametrize(
    ("options", "exchange", "told"),
    [
        (["--days", "0"], {}, "Invalid value for '--days'"),
        (["--days", "9", "--timerange", "20250101-"], {}, "--days and --timerange: only one of them can be meant"),
        (["--timerange", "soon"], {}, 'Incorrect syntax for timerange "soon"'),
        (["--timeframe", "1y"], {}, "'1y' is not a timeframe"),
        ([], {"pair_whitelist": []}, "exchange.pair_whitelist: is empty; name pairs with --pairs"),
        (["-p", "BTC/USDT"], {}, "BTC/USDT: no such perpetual on this exchange; they are written BTC/USDT:USDT"),
        (["-p", "*/USDT"], {}, "Wildcard error in */USDT"),
        (["-p", "FARTCOIN/USDT:USDT"], {}, "none of the pairs has a spot market"),
    ],
)
def test_a_users_error_is_one_line_and_code_2(
    options: list[str], exchange: dict[str, Any], told: str, sandbox_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong options and pairs are told before anything is fetched."""
    assert run(["download", "-c", configured(sandbox_url, **exchange), *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1].startswith(f"fundhedge: {told}")
    assert err.count("\n") == 1 + ("left out" in err)
    assert not Path("user_data/data").exists()


def test_an_exchange_out_of_reach_is_one_line_and_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    """No connection is told as such, without a traceback of Freqtrade's."""
    assert run(["download", "-c", configured("http://127.0.0.1:9")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("fundhedge: binance can't be reached: ")
    assert err.count("\n") == 1
