"""Markets that end or stop under an open hedge, with a real bot."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from harness import BTC, ORDER, running

pytestmark = pytest.mark.e2e


def test_a_perpetual_that_is_delisted(tmp_path: Path) -> None:
    """The notice closes both legs while they still trade; nothing is entered again; the user hears of it once."""
    with running(tmp_path) as run:
        run.enter()
        run.sandbox.post("market", symbol=BTC.symbol, market="perp", delisted_at=int(time.time() + 864_000) * 1000)
        run.wait("both legs closed", lambda: run.moves()["exits"] and run.moves()["sales"])
        run.calm()
        assert run.rest("GET", "trades")["trades"][0]["exit_reason"] == "delisted"
        run.check_flat()
        run.rest("POST", "start")
        run.loops(5)
        assert len(run.requests("POST", ORDER, side="SELL")) == 1
        said = run.journal(
            "select message from events where kind = 'attention' and message like '%ends this perpetual%'"
        )
        assert len(said) == 1


def test_a_spot_market_that_is_halted(tmp_path: Path) -> None:
    """No exit for funding while the coins could not be sold; it comes as soon as they can."""
    with running(tmp_path) as run:
        run.enter()
        run.sandbox.post("market", symbol=BTC.symbol, market="spot", status="BREAK")
        run.wait("the halt noticed", lambda: "is not open for trading" in run.log())
        run.sandbox.post("funding", symbol=BTC.symbol, rate="-0.02", cap="0.02")
        run.loops(6)
        assert run.moves()["exits"] == 0
        assert run.hedged(BTC)
        run.sandbox.post("market", symbol=BTC.symbol, market="spot", status="TRADING")
        run.wait("both legs closed", lambda: run.moves()["exits"] and run.moves()["sales"])
        run.calm()
        assert run.rest("GET", "trades")["trades"][0]["exit_reason"] == "funding_turned"
        run.check_flat()
