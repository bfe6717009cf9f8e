"""The real Freqtrade, live, on the sandbox."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from freqtrade_fundhedge.sandbox import SandboxServer

STRATEGY = """
from freqtrade.strategy import IStrategy


class SandboxShort(IStrategy):
    INTERFACE_VERSION = 3
    timeframe = "1h"
    can_short = True
    stoploss = -0.5
    startup_candle_count = 30
    order_types = {"entry": "market", "exit": "market", "stoploss": "market", "stoploss_on_exchange": True}

    def informative_pairs(self):
        return [(pair, "1h", "mark") for pair in self.dp.current_whitelist()]

    def populate_indicators(self, dataframe, metadata):
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        dataframe["enter_short"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe

    def leverage(self, *args, **kwargs):
        return 2.0

    def custom_exit(self, pair, trade, current_time, *args, **kwargs):
        return "done" if (current_time - trade.open_date_utc).total_seconds() > 2 else None
"""


def write_config(folder: Path, server: SandboxServer, mode: str) -> Path:
    (folder / "strategies").mkdir()
    (folder / "strategies" / "SandboxShort.py").write_text(STRATEGY)
    pricing = {"price_side": "other", "use_order_book": True, "order_book_top": 1}
    config = {
        "max_open_trades": 2,
        "stake_currency": "USDT",
        "stake_amount": 300,
        "dry_run": False,
        "trading_mode": "futures",
        "margin_mode": mode,
        "exchange": server.freqtrade_config(pair_whitelist=["ETH/USDT:USDT", "1000PEPE/USDT:USDT"]),
        "entry_pricing": pricing,
        "exit_pricing": pricing,
        "pairlists": [{"method": "StaticPairList"}],
        "internals": {"process_throttle_secs": 1},
        "initial_state": "running",
        "strategy": "SandboxShort",
        "user_data_dir": str(folder),
        "db_url": f"sqlite:///{folder}/trades.sqlite",
    }
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    return path


@pytest.mark.e2e
@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_freqtrade_trades_live(tmp_path, mode):
    """Unmodified Freqtrade starts live, opens shorts with stops on the exchange, closes them, and the books balance."""
    with SandboxServer(futures_usdt=2_000) as server:
        config = write_config(tmp_path, server, mode)
        log = tmp_path / "freqtrade.log"
        command = [sys.executable, "-m", "freqtrade", "trade", "-c", str(config), "--logfile", str(log)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                closed = wait_for_closed_shorts(server, 2)
            finally:
                process.terminate()
                process.wait(20)
        books = server.control.books()
        assert {order["symbol"] for order in closed} == {"ETHUSDT", "1000PEPEUSDT"}, log.read_text()[-3000:]
        assert {change["status"] for change in server.control.requests("POST", "/fapi/v1/algoOrder")} == {200}
        assert server.control.count("POST", "/fapi/v1/leverage") >= 2
        assert books["equity"]["faults"] == []
        assert [entry["path"] for entry in server.control.requests() if entry["status"] == 404] == []


def wait_for_closed_shorts(server: SandboxServer, wanted: int) -> list[dict[str, object]]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        orders = server.control.books()["orders"]["futures"]
        closed = [order for order in orders if order["reduceOnly"] and order["status"] == "FILLED"]
        if len({order["symbol"] for order in closed}) >= wanted:
            return closed
        time.sleep(0.3)
    return []
