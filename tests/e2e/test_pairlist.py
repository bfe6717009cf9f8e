"""The bot ranks all pairs and Freqtrade's RemotePairList takes its whitelist from that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from harness import BTC, ETH, make_funding_pay, running

from freqtrade_fundhedge.cli import run as command

pytestmark = pytest.mark.e2e


def test_the_bot_keeps_its_whitelist(tmp_path: Path) -> None:
    """A pair that came to pay enters the file, the whitelist and a hedge, from one bulk request of each kind."""
    file = tmp_path / "pairs.json"
    settings = {
        "max_open_trades": 2,
        "exchange": {"pair_whitelist": []},
        "pairlists": [
            {"method": "RemotePairList", "mode": "whitelist", "refresh_period": 1, "pairlist_url": f"file:///{file}"}
        ],
        "fundhedge": {"carry": {"pairlist_file": str(file)}},
    }
    with running(tmp_path, settings) as run:
        (tmp_path / "scan.json").write_text(json.dumps(run.config()))
        assert command(["scan", "-c", str(tmp_path / "scan.json"), "--pairlist", str(file), "--top", "1"]) == 0
        (tmp_path / "scan.json").unlink()
        assert json.loads(file.read_text())["pairs"] == [BTC.pair]
        make_funding_pay(run.sandbox, ETH)
        run.sandbox.post("funding", symbol=ETH.symbol, rate="0.0008", past="0.0008", hours=24 * 60)
        run.sandbox.clear_requests()
        run.start()
        run.wait("both hedges", lambda: run.hedged(BTC, ETH), 90)
        run.hold_entries()
        assert json.loads(file.read_text())["pairs"][:2] == [ETH.pair, BTC.pair]
        assert run.sandbox.count("GET", "/fapi/v1/ticker/24hr") == 1
        assert run.sandbox.count("GET", "/api/v3/ticker/24hr") == 1
        assert run.sandbox.count("GET", "/fapi/v1/ticker/bookTicker") == 1
        run.calm()
        assert run.hedged(BTC, ETH)
