"""Both legs from entry to sweep: quantities, money and the number of requests."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from harness import BTC, ETH, PEPE, in_futures, running, shorts

pytestmark = pytest.mark.e2e
ALL = (BTC, ETH, PEPE)


@pytest.mark.parametrize(("margin_mode", "leverage"), [("isolated", 3), ("cross", 3)], ids=["isolated", "cross"])
def test_three_pairs(tmp_path: Path, margin_mode: str, leverage: int) -> None:
    """BTC, ETH and 1000PEPE stay hedged through entry and partial close, and the exit leaves nothing behind."""
    settings: dict[str, Any] = {
        "margin_mode": margin_mode,
        "fundhedge": {"margin": {"leverage": leverage}, "transfer": {"keep_usdt": 7}},
    }
    with running(tmp_path, settings, ALL) as run:
        run.start()
        run.wait("three hedges", lambda: run.hedged(*ALL))
        run.hold_entries()
        run.calm()
        assert run.hedged(*ALL)
        assert run.moves() == {"entries": 3, "exits": 0, "buys": 3, "sales": 0, "top_ups": 4, "sweeps": 1}
        before = shorts(run.books())
        for market in ALL:
            run.close(market, "0.5")
        run.wait("half of each", lambda: run.hedged(*ALL) and run.moves()["sweeps"] == 4)
        run.calm()
        assert run.hedged(*ALL)
        after = shorts(run.books())
        for market in ALL:
            assert after[market.symbol] == pytest.approx(before[market.symbol] / 2, abs=Decimal("0.001") * 1000)
        assert run.moves() == {"entries": 3, "exits": 3, "buys": 3, "sales": 3, "top_ups": 4, "sweeps": 4}
        run.rest("POST", "forceexit", tradeid="all")
        run.calm()
        assert run.moves() == {"entries": 3, "exits": 6, "buys": 3, "sales": 6, "top_ups": 4, "sweeps": 7}
        books = run.books()
        assert shorts(books) == {}
        for market in ALL:
            assert abs(run.delta(market)) < market.lot
            assert run.delta(market) == run.dust(market)
        assert 7 <= in_futures(books) < 8
        run.check_journal_against_books()
        assert run.trades() == []
