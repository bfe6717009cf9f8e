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
