"""From configuration, trades and wallets to the size of an entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal as D
from typing import Any

import pytest
from fake_venue import MARKET

from freqtrade_fundhedge.core.entry import EntryPlan
from freqtrade_fundhedge.core.margin import Stress
from freqtrade_fundhedge.core.treasury import Rules
from freqtrade_fundhedge.sizes import Asks, Book, Market, Sizing, bounded, free_slots
from freqtrade_fundhedge.venue.port import FuturesAccount, Position, Quote

PRICE = D(50_000)
QUOTE = Quote("BTC/USDT", ((PRICE - 1, D(100)),), ((PRICE, D(100)),), 0.0)
NOTHING_OPEN = Book((), D(0), D(0), D(0))
UNLIMITED: dict[str, Any] = {"stake_amount": "unlimited", "max_open_trades": 3, "tradable_balance_ratio": 0.99}


@dataclass
class Exchange:
    """Freqtrade's limits of one pair: the higher the stake, the lower the highest leverage."""

    least: float = 7.5
    most: float = 1e6
    tiers: tuple[tuple[float, float], ...] = ((1e5, 20.0), (float("inf"), 2.0))

    def get_min_pair_stake_amount(self, _pair: str, _price: float, _stoploss: float, leverage: float) -> float:
        return self.least / leverage

    def get_max_pair_stake_amount(self, _pair: str, _price: float, leverage: float) -> float:
        return self.most / leverage

    def get_max_leverage(self, _pair: str, stake: float) -> float:
        return next(leverage for cap, leverage in self.tiers if stake * leverage <= cap or cap == float("inf"))

    def get_maintenance_ratio_and_amt(self, _pair: str, _notional: float) -> tuple[float, float]:
        return 0.004, 0.0


def planned(
    config: Mapping[str, Any],
    spot: int = 10_000,
    futures: int = 0,
    book: Book = NOTHING_OPEN,
    exchange: Exchange | None = None,
    leverage: float = 3,
    stake: Any = lambda proposed, *_: proposed,
    movable: bool = True,
    cross: bool = False,
) -> EntryPlan | str:
    """What is planned with so much free in each wallet."""
    account = FuturesAccount(D(futures) + book.stakes, D(futures), D(futures))
    if book.stakes:
        notional = book.tied_up - book.stakes
        short = Position("ETH/USDT:USDT", D(1), notional, book.stakes, notional * D("0.004"), D(0))
        account = replace(account, positions=(short,))
    return Sizing(
        market=Market(MARKET, QUOTE, exchange or Exchange(), float(PRICE), -0.99),
        capital=bounded(config, book, D(spot), account, movable=movable, pooled=False),
        rules=Rules(D(0), D(1), Stress(otherwise=D("0.25")), cross, True),
        slots=free_slots(config, book, 7),
        config=config,
        slippage=D("0.003"),
        asks=Asks(lambda most: min(leverage, most), stake),
    ).plan(3600.0)


def plan_of(*args: Any, **kwargs: Any) -> EntryPlan:
    plan = planned(*args, **kwargs)
    assert isinstance(plan, EntryPlan), plan
    return plan


def fixed(stake: float, **more: Any) -> dict[str, Any]:
    return {"stake_amount": stake, "max_open_trades": 3, "tradable_balance_ratio": 0.99, **more}


@pytest.mark.parametrize("cross", [False, True])
def test_an_unlimited_stake_is_the_share_of_a_slot(cross: bool) -> None:
    """A third of the capital for margin and coins, at least 70 % of it notional; the plan tells what each leg needs."""
    plan = plan_of(UNLIMITED, cross=cross)
    assert plan.stake * 3 * 3 >= 7000
    assert plan.leverage == 3
    assert plan.quantity * plan.price == plan.stake * 3
    assert plan.spot_cost + plan.margin < D(10_000) / 3
    assert plan.spot_cost > plan.quantity * PRICE * D("1.004")


def test_where_usdt_lies_makes_no_difference_when_it_can_be_moved() -> None:
    """Half and half gives the size that all on spot gives; without transfers it is the smaller wallet that counts."""
    everything = plan_of(UNLIMITED).stake
    assert abs(plan_of(UNLIMITED, spot=5_000, futures=5_000).stake - everything) < 2
    split = plan_of(UNLIMITED, spot=5_000, futures=5_000, movable=False)
    assert split.stake * 3 * 3 < 5_000
    assert isinstance(planned(UNLIMITED, movable=False), str)


def test_each_free_slot_gets_the_same() -> None:
    """With one hedge open, the rest is shared by the two that are left."""
    first = plan_of(UNLIMITED)
    notional = first.stake * 3
    book = Book(("ETH/USDT:USDT",), first.stake, first.stake + notional, D(0))
    left = 10_000 - int(first.stake + first.spot_cost)
    assert abs(plan_of(UNLIMITED, spot=left, book=book).stake / first.stake - 1) < D("0.01")


def test_available_capital_bounds_both_legs_of_all_hedges() -> None:
    """With 3,000 of 10,000 USDT made available, margin and coins of three slots are within 3,000."""
    plan = plan_of(UNLIMITED | {"available_capital": 3_000})
    assert D(2_900) < 3 * (plan.stake + plan.spot_cost) <= D(3_010)
    book = Book(("ETH/USDT:USDT",), D(750), D(3_000), D(0))
    assert isinstance(planned(UNLIMITED | {"available_capital": 3_000}, book=book), str)


def test_freqtrades_own_count_of_available_capital_is_kept() -> None:
    """Closed shorts that lost reduce what Freqtrade grants: an entry that it would refuse is not planned."""
    config = fixed(400, available_capital=6_000)
    assert plan_of(config).stake == 400
    lost = replace(NOTHING_OPEN, closed_profit=D(-5_700))
    assert "more than there is" in str(planned(config, book=lost))
    assert plan_of(config | {"amend_last_stake_amount": True}, book=lost).stake == 300


@pytest.mark.parametrize("ratio", [0.5, 0.99, 1.0])
def test_the_ratio_is_of_both_wallets(ratio: float) -> None:
    """`tradable_balance_ratio` of the whole capital is used, and the margin is what Freqtrade wants to see."""
    plan = plan_of(UNLIMITED | {"tradable_balance_ratio": ratio})
    assert 3 * (plan.stake + plan.quantity * plan.price) <= D(10_000) * D(str(ratio))
    assert float(plan.margin) * ratio >= float(plan.stake)


def test_a_fixed_stake_stays_or_waits() -> None:
    """A stake that fits is used as it is; one that does not waits with the sum that it would take."""
    assert plan_of(fixed(500)).stake == 500
    assert plan_of(fixed(500, max_open_trades=float("inf"))).stake == 500
    assert "takes 12054.11 with its spot leg, more than there is" in str(planned(fixed(3_000)))


def test_a_fixed_stake_is_reduced_only_if_freqtrade_says_so() -> None:
    """With `amend_last_stake_amount` the last stake may shrink, down to `last_stake_amount_min_ratio` of itself."""
    amends = fixed(3_000, amend_last_stake_amount=True, last_stake_amount_min_ratio=0.5)
    reduced = plan_of(amends)
    assert 2_400 < reduced.stake < 2_500
    assert reduced.stake + reduced.spot_cost < 10_000
    assert "more than there is" in str(planned(amends | {"last_stake_amount_min_ratio": 0.9}))


def test_below_the_exchanges_minimum_nothing_is_planned() -> None:
    """A slot too small for either leg is not entered; the line says how much is too little and what would help."""
    assert "below the least that the exchange takes" in str(planned(UNLIMITED, spot=20))
    assert "raise stake_amount or the capital, or lower max_open_trades" in str(planned(fixed(1)))
    assert plan_of(fixed(2.2)).stake == D("2.55")  # as Freqtrade would have it, with 2 % for the price to move


def test_leverage_is_what_the_tier_of_the_stake_allows() -> None:
    """A slot that is too large for the leverage gets a lower one, and the stake that goes with it."""
    plan = plan_of(UNLIMITED, spot=300_000, exchange=Exchange(tiers=((6e4, 20.0), (float("inf"), 2.0))))
    assert plan.leverage == 2
    assert plan.stake + plan.spot_cost < 100_000
    one_tier = Exchange(most=60_000, tiers=((float("inf"), 20.0),))
    assert plan_of(UNLIMITED, spot=300_000, exchange=one_tier).stake == 20_000


def test_a_strategys_own_stake_counts() -> None:
    """What its custom_stake_amount makes of the share is planned, up to what fits; nothing asked for is nothing."""
    share = plan_of(UNLIMITED).stake
    assert abs(plan_of(UNLIMITED, stake=lambda proposed, *_: proposed / 2).stake - share / 2) < D("0.01")
    whole = plan_of(UNLIMITED, stake=lambda *_: 1e6)
    assert share * 2 < whole.stake < share * 4
    assert plan_of(UNLIMITED, stake=lambda _proposed, _least, most, _leverage: most).stake == whole.stake
    assert "wants no entry" in str(planned(UNLIMITED, stake=lambda *_: None))


def test_a_smaller_stake_than_the_fixed_one_still_shows_freqtrade_all_of_it() -> None:
    """Freqtrade checks the configured stake before it asks the strategy: that much is made free for the moment."""
    plan = plan_of(fixed(500), stake=lambda *_: 200)
    assert plan.stake == 200
    assert plan.margin >= 500


def test_slots_are_counted() -> None:
    """Open trades take theirs; without a number there are as many as pairs."""
    book = replace(NOTHING_OPEN, open_pairs=("A", "B"))
    counts = {slots: free_slots({"max_open_trades": slots}, book, 7) for slots in (3, 5, float("inf"), -1)}
    assert counts == {3: 1, 5: 3, float("inf"): 5, -1: 5}
