"""`freqtrade hyperopt` with the hedged loss, as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from synthetic import write_pair

from freqtrade_fundhedge.sandbox import SandboxServer, freqtrade_config

pytest.importorskip("optuna", reason="the hyperopt extra is not installed")
ROOT = Path(__file__).parents[1]
PAIR = "BTC/USDT:USDT"
EPOCHS = 4


def config(url: str) -> dict[str, object]:
    pricing = {"price_side": "other", "use_order_book": True, "order_book_top": 1}
    return {
        "trading_mode": "futures",
        "margin_mode": "isolated",
        "stake_currency": "USDT",
        "stake_amount": 1000,
        "max_open_trades": 1,
        "dry_run": True,
        "dry_run_wallet": 10000,
        "entry_pricing": pricing,
        "exit_pricing": pricing,
        "pairlists": [{"method": "StaticPairList"}],
        "exchange": freqtrade_config(url, pair_whitelist=[PAIR]),
        "fundhedge": {},
    }


def test_hyperopt_searches_thresholds_by_the_hedged_result(tmp_path: Path) -> None:
    """Some epochs run through, thresholds differ between them, and the loss is that of a hedge that earns."""
    write_pair(tmp_path / "data", "BTC", "BTC", 1.0, 100, 0, 100.0)
    (tmp_path / "hyperopts").mkdir()
    (tmp_path / "hyperopts" / "HedgedCarryLoss.py").write_text(
        (ROOT / "user_data" / "hyperopts" / "HedgedCarryLoss.py").read_text()
    )
    with SandboxServer() as sandbox:
        (tmp_path / "config.json").write_text(json.dumps(config(sandbox.url)))
        words = [
            sys.executable, "-m", "freqtrade", "hyperopt", "-c", str(tmp_path / "config.json"),
            "--userdir", str(tmp_path), "--datadir", str(tmp_path / "data"), "--strategy", "FundHedgeStrategy",
            "--strategy-path", str(ROOT / "user_data" / "strategies"), "--hyperopt-loss", "HedgedCarryLoss",
            "--spaces", "buy", "sell", "--epochs", str(EPOCHS), "--timerange", "20240212-", "--job-workers", "1",
            "--random-state", "1", "--min-trades", "1", "--disable-param-export", "--no-color",
        ]  # fmt: skip
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (result,) = (tmp_path / "hyperopt_results").glob("*.fthypt")
    epochs = [json.loads(line) for line in result.read_text().splitlines()]
    assert len(epochs) == EPOCHS
    assert len({epoch["params_dict"]["entry_apr"] for epoch in epochs}) > 1
    assert set(epochs[0]["params_dict"]) == {"entry_apr", "exit_apr", "max_breakeven_hours"}
    # Funding pays 0.05 % three times a day for two thirds of the time: the hedge earns, whatever the price does.
    assert min(epoch["loss"] for epoch in epochs) < 0
