"""Both legs from entry to sweep: quantities, money and the number of requests."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from harness import BTC, ETH, ORDER, PEPE, SPOT_ORDER, TRANSFER, Run, in_futures, running, shorts

pytestmark = pytest.mark.e2e
ALL = (BTC, ETH, PEPE)


def close_part_of_each(run: Run) -> None:
    before = shorts(run.books())
    for market in ALL:
        run.close(market, "0.4")
    run.calm()
    assert run.hedged(*ALL)
    after = shorts(run.books())
    assert all(Decimal("0.5") < after[m.symbol] / before[m.symbol] < Decimal("0.7") for m in ALL)


def close_all(run: Run) -> None:
    run.rest("POST", "forceexit", tradeid="all")
    run.calm()
    assert run.trades() == []
    assert shorts(run.books()) == {}
    for market in ALL:
        assert abs(run.delta(market)) < market.lot
        assert run.delta(market) == run.dust(market)
    run.check_journal_against_books()
    run.check_result()


def test_three_pairs_isolated(tmp_path: Path) -> None:
    """BTC, ETH and 1000PEPE stay hedged through entry and partial close, and the exit leaves nothing behind."""
    with running(tmp_path, {"fundhedge": {"transfer": {"keep_usdt": 7}}}, ALL) as run:
        run.enter()
        # One top-up brings what is always kept, one each entry's margin; what an entry did not use goes back.
        assert run.moves() == {"entries": 3, "exits": 0, "buys": 3, "sales": 0, "top_ups": 4, "sweeps": 1}
        close_part_of_each(run)
        assert run.moves() == {"entries": 3, "exits": 3, "buys": 3, "sales": 3, "top_ups": 4, "sweeps": 4}
        close_all(run)
        assert run.moves() == {"entries": 3, "exits": 6, "buys": 3, "sales": 6, "top_ups": 4, "sweeps": 7}
        assert 7 <= in_futures(run.books()) < 8


def test_three_pairs_cross(tmp_path: Path) -> None:
    """On cross margin the same holds, with a key of its own for spot, and open shorts keep what a shock would take."""
    settings: dict[str, Any] = {
        "margin_mode": "cross",
        "fundhedge": {
            "margin": {"leverage": 5, "stress_move": 0.25},
            "spot": {"key": "own-spot-key", "secret": "own-spot-secret"},
        },
    }
    with running(tmp_path, settings, ALL) as run:
        run.sandbox.post("keys", key="own-spot-key", secret="own-spot-secret")
        run.enter()
        assert run.moves() == {"entries": 3, "exits": 0, "buys": 3, "sales": 0, "top_ups": 3, "sweeps": 0}
        assert near_the_stress(run)
        close_part_of_each(run)
        assert run.moves() == {"entries": 3, "exits": 3, "buys": 3, "sales": 3, "top_ups": 3, "sweeps": 3}
        assert near_the_stress(run)
        close_all(run)
        assert run.moves() == {"entries": 3, "exits": 6, "buys": 3, "sales": 6, "top_ups": 3, "sweeps": 6}
        assert in_futures(run.books()) < 1


def near_the_stress(run: Run) -> bool:
    """Whether equity in the futures wallet is what a rise of a quarter takes, within the tenth that price may move."""
    books = run.books()
    notional = sum((abs(Decimal(p["notional"])) for p in books["positions"]), Decimal(0))
    required = notional / 4 + Decimal(books["futures"]["maintMargin"]) * Decimal("1.25")
    return abs(Decimal(books["futures"]["marginBalance"]) / required - 1) < Decimal("0.101")


def test_own_coins_and_the_price_of_a_sweep(tmp_path: Path) -> None:
    """The user's own half a bitcoin is never touched, and a clean sweep costs one balance read and one transfer."""
    own = Decimal("0.5")
    with running(tmp_path, {"internals": {"process_throttle_secs": 3}}) as run:
        run.sandbox.post("balance", asset="BTC", amount=own)
        run.start()
        run.wait("a hedge", lambda: run.hedged(BTC, own=own))
        run.hold_entries()
        run.calm()
        run.loops(1)  # a loop has just ended, the next is seconds away
        first = run.requests(".*", ".*")[-1]["number"] + 1
        run.close(BTC)
        seen: list[Any] = run.sandbox.requests(".*", ".*", since=first)
        paths = [(r["method"], r["path"]) for r in seen]
        window = paths[paths.index(("POST", ORDER)) + 1 : paths.index(("POST", TRANSFER)) + 1]
        # Freqtrade itself reads balance and positions together; a balance alone is ours.
        assert window.count(("GET", "/fapi/v3/account")) - window.count(("GET", "/fapi/v3/positionRisk")) == 1
        assert window.count(("POST", SPOT_ORDER)) == 1
        run.calm()
        assert run.moves() == {"entries": 1, "exits": 1, "buys": 1, "sales": 1, "top_ups": 1, "sweeps": 2}
        books = run.books()
        assert run.delta(BTC) == own + run.dust(BTC)
        assert 0 <= run.dust(BTC) < BTC.lot
        assert in_futures(books) < 1
        run.check_journal_against_books()
        run.check_result()


def test_the_users_float(tmp_path: Path) -> None:
    """With `fund_entries: false` nothing is topped up, and only what closed parts freed leaves the futures wallet."""
    margin = {"fund_entries": False}
    with running(tmp_path, {"fundhedge": {"margin": margin}}, (BTC, ETH), futures_usdt=3000) as run:
        run.start()
        run.wait("two hedges", lambda: run.hedged(BTC, ETH))
        run.hold_entries()
        stakes = {trade["pair"]: Decimal(str(trade["stake_amount"])) for trade in run.trades()}
        run.close(BTC, "0.4")
        run.calm()
        assert run.moves() == {"entries": 2, "exits": 1, "buys": 2, "sales": 1, "top_ups": 0, "sweeps": 1}
        run.rest("POST", "forceexit", tradeid="all")
        run.calm()
        assert run.moves() == {"entries": 2, "exits": 3, "buys": 2, "sales": 3, "top_ups": 0, "sweeps": 3}
        assert shorts(run.books()) == {}
        assert abs(in_futures(run.books()) - (3000 - sum(stakes.values()))) <= Decimal("0.01")
        run.check_journal_against_books()
        run.check_result()
