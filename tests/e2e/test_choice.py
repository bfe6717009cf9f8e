"""More pairs pay than there is room for."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from harness import BTC, ETH, Market, Run, running, shorts

pytestmark = pytest.mark.e2e
SOL = Market("SOLUSDT", "SOL/USDT:USDT", "SOL", "SOLUSDT", 1, Decimal("0.001"))
WORSE, BETTER, BEST = BTC, ETH, SOL


def set_funding(run: Run) -> None:
    for market, rate in ((WORSE, "0.0004"), (BETTER, "0.0005"), (BEST, "0.0008")):
        run.sandbox.post("funding", symbol=market.symbol, rate=rate, past=rate, hours=24 * 60)


def test_the_best_pair_enters_first(tmp_path: Path) -> None:
    """With one slot for three pairs that pay, the one that pays most gets it, though it is last in the whitelist."""
    with running(tmp_path, {"max_open_trades": 1}, (WORSE, BETTER, BEST)) as run:
        set_funding(run)
        run.start()
        run.wait("a hedge", lambda: run.hedged(BEST))
        run.calm()
        assert set(shorts(run.books())) == {BEST.symbol}
        moves = run.moves()
        assert (moves["entries"], moves["buys"], moves["top_ups"]) == (1, 1, 1)
        assert "not entered" not in run.log()


def test_a_pair_that_cannot_be_entered_does_not_keep_the_slot_empty(tmp_path: Path) -> None:
    """When the best pair is refused, the next best is entered in the same candle."""
    settings = {"max_open_trades": 1, "fundhedge": {"transfer": {"enabled": False}}}
    with running(tmp_path, settings, (BETTER, BEST), futures_usdt=1000) as run:
        set_funding(run)
        run.sandbox.post("book", symbol=BEST.spot, market="spot", depth="1")
        run.start()
        run.wait("a hedge", lambda: run.hedged(BETTER))
        run.calm()
        assert set(shorts(run.books())) == {BETTER.symbol}
        assert run.moves()["entries"] == 1
        assert f"{BEST.pair}: not entered: " in run.log()
