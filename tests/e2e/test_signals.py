"""Entries and exits that follow the predicted funding rate, between candles."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import BTC, running, shorts

pytestmark = pytest.mark.e2e


def test_funding_decides(tmp_path: Path) -> None:
    """Low predicted funding keeps a hedge from opening; very negative funding closes it, and everything is swept."""
    with running(tmp_path) as run:
        run.sandbox.post("funding", symbol=BTC.symbol, rate="0.00001")
        run.start()
        run.wait("the refusal", lambda: "not entered: predicted funding" in run.log())
        run.loops(2)
        assert set(run.moves().values()) == {0}
        run.sandbox.post("funding", symbol=BTC.symbol, rate="0.0004")
        run.wait("a hedge", lambda: run.hedged(BTC))
        run.sandbox.post("funding", symbol=BTC.symbol, rate="-0.003")
        run.wait("the exit", lambda: not shorts(run.books()))
        run.calm()
        assert run.rest("GET", "trades")["trades"][0]["exit_reason"] == "funding_turned"
        assert run.moves()["entries"] == run.moves()["exits"] == 1
        run.check_flat()
