"""All USDT on spot, three slots: both legs are funded just in time, and everything comes home."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from harness import BTC, ETH, Market, Run, holding, in_futures, running, shorts

pytestmark = pytest.mark.e2e
SOL = Market("SOLUSDT", "SOL/USDT:USDT", "SOL", "SOLUSDT", 1, Decimal("0.001"))
THREE = (BTC, ETH, SOL)
CAPITAL = Decimal(10_000)
SETTINGS: dict[str, Any] = {"stake_amount": "unlimited", "max_open_trades": 3}
# Freqtrade's own words for an entry that did not work out, and ours.
FAILURES = (
    "Unable to create trade", "Available balance", "Minimum stake amount", "is too big", "ignoring possible trade",
    "User denied entry", "Margin is insufficient", "Insufficient", "insufficient", "not entered", "WARNING - Short ",
)  # fmt: skip


def failed_entries(run: Run) -> list[str]:
    """Lines of the log that tell of an entry that was tried in vain."""
    return [line for line in run.log().splitlines() if any(words in line for words in FAILURES)]


def legs(run: Run) -> tuple[Decimal, Decimal]:
    """Value of all shorts and of all coins at the spot price, USDT."""
    books, prices = run.books(), run.sandbox.get("state")["spot"]
    held = shorts(books)
    short = sum((held.get(m.symbol, Decimal(0)) * Decimal(prices[m.spot]["mid"]) for m in THREE), Decimal(0))
    return short, sum((holding(books, m.coin) * Decimal(prices[m.spot]["mid"]) for m in THREE), Decimal(0))


def close_all(run: Run) -> None:
    run.rest("POST", "forceexit", tradeid="all")
    run.wait("all closed", lambda: not shorts(run.books()))
    run.calm()


@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_most_of_the_capital_is_deployed_and_comes_back(tmp_path: Path, mode: str) -> None:
    """70 % of 10,000 USDT on each leg, in equal slots, no entry fails, and after the exits all is on spot."""
    with running(tmp_path, SETTINGS | {"margin_mode": mode}, THREE, spot_usdt=CAPITAL) as run:
        run.enter()
        short, coins = legs(run)
        assert min(short, coins) >= CAPITAL * Decimal("0.7")
        stakes = [trade["stake_amount"] for trade in run.trades()]
        assert max(stakes) < min(stakes) * 1.05  # the lot of BTC is 2.7 % of a slot
        assert run.moves()["entries"] == run.moves()["buys"] == len(THREE)
        close_all(run)
        assert failed_entries(run) == []
        run.check_flat()
        books = run.books()
        costs = short * (2 * Decimal("0.0005") + 2 * Decimal("0.001") + Decimal("0.004"))
        assert CAPITAL - costs < holding(books, "USDT") < CAPITAL
        assert in_futures(books) < 1


def test_paper_wallets_give_the_same_sizes(tmp_path: Path) -> None:
    """In a dry-run the same capital is deployed in the same slots, and comes back to paper spot."""
    paper: dict[str, Any] = {
        "dry_run": True,
        "dry_run_wallet": 100,
        "exchange": {"key": None, "secret": None},
        "fundhedge": {"paper": {"spot_usdt": 9_900}},
    }
    with running(tmp_path, SETTINGS | paper, THREE) as run:
        run.start()
        bought = "select filled, quote from spot_orders where side = 'buy' and state = 'done'"
        run.wait("three paper hedges", lambda: len(run.journal(bought)) == len(THREE), 90)
        run.hold_entries()
        run.loops(2)
        trades = run.trades()
        stakes = [trade["stake_amount"] for trade in trades]
        coins = sum(Decimal(row["quote"]) for row in run.journal(bought))
        assert min(coins, sum(Decimal(str(stake)) for stake in stakes) * 3) >= CAPITAL * Decimal("0.7")
        assert max(stakes) < min(stakes) * 1.05
        run.rest("POST", "forceexit", tradeid="all")
        run.wait("all closed", lambda: not run.trades())
        run.loops(2)
        assert failed_entries(run) == []
        rows: list[dict[str, Any]] = run.rest("GET", "balance")["currencies"]
        assert sum(row["balance"] for row in rows if row["currency"] == "USDT") < 1
