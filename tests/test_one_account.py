"""Where spot and futures are one account: one pool, counted once, and nothing is ever transferred."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal as D
from pathlib import Path

import pytest
from fake_venue import PAIR, FakeVenue
from hypothesis import given, settings
from hypothesis import strategies as st

from freqtrade_fundhedge.config import FundHedgeConfig
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.controller import Controller
from freqtrade_fundhedge.core.entry import EntryPlan
from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.core.margin import liquidation_distances
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_rows import EventRow, TransferRow
from freqtrade_fundhedge.snapshots import SNAPSHOT

NOW = 1_700_000_000.0
QUANTITY, LEVERAGE, PRICE = D("0.02"), D(2), D(50_000)
MARGIN, COST = QUANTITY * PRICE / LEVERAGE, QUANTITY * PRICE


class World:
    """One bot with one pool of USDT, whose Freqtrade is played by the test."""

    def __init__(self, url: str, usdt: D, fund_entries: bool = True) -> None:
        self.time = NOW
        self.journal = Journal(url, "bot")
        self.venue = FakeVenue(self.now, {"USDT": usdt}, separate_wallets=False, journal=self.journal)
        self.told: list[str] = []
        config = FundHedgeConfig.model_validate({"margin": {"fund_entries": fund_entries, "leverage": int(LEVERAGE)}})
        self.bot = Controller(
            Context(self.venue, self.journal, config, "USDT", clock=self.now, sleep=lambda _s: None,
                    tell=self.told.append)
        )  # fmt: skip
        self.legs: list[ShortLeg] = []
        self.loops(1)

    def now(self) -> float:
        self.time += 0.001
        return self.time

    def loops(self, count: int = 3) -> None:
        for _ in range(count):
            self.time += 5.0
            assert self.bot.converge(lambda _hedges: self.legs), self.bot.trouble

    def enter(self) -> None:
        """A filled entry of Freqtrade's."""
        self.venue.open_short(QUANTITY, LEVERAGE)
        self.legs = [ShortLeg(1, PAIR, self.now(), QUANTITY, QUANTITY, True, MARGIN, MARGIN)]
        assert self.bot.after_fill(self.legs[0])

    def exit(self, quantity: D) -> None:
        """A filled exit."""
        (leg,) = self.legs
        realised = leg.realised + self.venue.close_short_by(quantity)
        left = leg.filled - quantity
        stake = MARGIN * left / QUANTITY
        self.legs = [
            replace(leg, filled=left, reachable=left, is_open=left > 0, stake_left=stake, realised=realised)
        ]  # fmt: skip
        assert self.bot.after_fill(self.legs[0])

    def nothing_moved(self) -> None:
        assert not self.venue.sent["transfer"]
        assert not self.journal.recent(TransferRow, 10)


@pytest.fixture(params=[True, False], ids=["fund_entries", "sweeps"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    made = World(f"sqlite:///{tmp_path}/journal.sqlite", D(2_000), request.param)
    yield made
    made.journal.close()


def test_the_whole_life_of_a_hedge(world: World) -> None:
    """Both legs open and close out of one pool, in parts too; the hedge is settled though nothing was swept."""
    world.enter()
    world.loops()
    assert abs(world.venue.spot["BTC"] - QUANTITY) < D("0.0001")
    world.exit(QUANTITY / 2)
    world.loops()
    world.exit(QUANTITY / 2)
    world.loops()
    assert not world.venue.shorts
    assert world.venue.spot["BTC"] < D("0.0001")
    assert not world.journal.unsettled()
    assert world.venue.spot["USDT"] > 2_000 - 10  # fees and spread of four fills and the dust
    world.nothing_moved()


def test_what_is_free_is_the_same_for_both_sides(world: World) -> None:
    """The pool less the margin that shorts hold, seen from spot and from futures; never added up."""
    world.enter()
    world.loops()
    account = world.venue.futures_account()
    pool = world.venue.spot["USDT"]
    assert account.wallet == pool
    assert account.free == account.withdrawable == world.venue.spot_balances()["USDT"] == pool - MARGIN
    # The coins left it, and the fees of both legs: those of spot are paid in coins that were bought for them.
    assert D(0) < 2_000 - COST - pool < COST * D("0.003")


def test_an_entry_whose_margin_starves_its_spot_leg_is_refused(world: World) -> None:
    """2000 USDT carry 1000 of coins and 500 of margin, but not 1500 and 750."""
    assert not world.bot.refusal(PAIR, QUANTITY, PRICE)
    why = world.bot.refusal(PAIR, QUANTITY * D("1.5"), PRICE)
    assert "USDT" in why
    assert world.bot.allow_entry(PAIR, QUANTITY * D("1.5"), PRICE) == why
    assert not world.bot.allow_entry(PAIR, QUANTITY, PRICE)
    world.nothing_moved()


def test_an_entry_does_not_wait_for_its_margin(world: World) -> None:
    """Nothing has to be fetched first, so the first signal is passed on."""
    assert world.bot.ready_for(EntryPlan(PAIR, QUANTITY, PRICE, MARGIN, MARGIN, world.time + 300))
    world.loops(1)
    world.nothing_moved()


def test_the_distance_to_liquidation_is_of_one_pool(world: World) -> None:
    """The figures are those of the pool, and nothing can be fetched when they are bad: the short closes."""
    world.enter()
    world.loops()
    account = world.venue.futures_account()
    (distance,) = liquidation_distances(account).values()
    (position,) = account.positions
    expected = (account.wallet + position.unrealised - position.maintenance_margin) / (
        position.notional + position.maintenance_margin
    )
    assert distance == expected < 1
    world.venue.price *= 2
    world.loops(1)
    assert world.bot.guard.leave_now(PAIR)
    assert world.bot.refusal(PAIR, QUANTITY, PRICE).endswith("existing shorts come first")
    world.nothing_moved()


def test_a_fill_that_found_no_loop_settles_too(world: World) -> None:
    """Closed before the first loop saw it open: the next ones buy nothing and leave nothing unsettled."""
    world.enter()
    world.exit(QUANTITY)
    world.loops()
    assert not world.journal.unsettled()
    world.nothing_moved()


@settings(max_examples=40)
@given(st.lists(st.sampled_from(["enter", "half", "exit", "up", "down", "loop"]), max_size=8))
def test_no_order_of_events_ends_in_a_transfer(
    tmp_path_factory: pytest.TempPathFactory, events: list[str]
) -> None:  # fmt: skip
    """Whatever happens, in whichever order: both legs are equal afterwards and nothing was transferred."""
    world = World(f"sqlite:///{tmp_path_factory.mktemp('pool')}/journal.sqlite", D(3_000))
    for event in events:
        is_open = bool(world.legs) and world.legs[0].is_open
        if event == "enter" and not world.legs:
            world.enter()
        elif event in {"half", "exit"} and is_open:
            left = world.legs[0].filled
            world.exit(left if event == "exit" or left < QUANTITY else QUANTITY / 2)
        elif event in {"up", "down"}:
            world.venue.price *= D("1.02") if event == "up" else D("0.98")
        world.loops(1)
    world.loops(2)
    short = world.venue.shorts.get(PAIR, (D(0), D(0), D(0)))[0]
    assert abs(world.venue.spot.get("BTC", D(0)) - short) < D("0.0001")
    world.nothing_moved()
    world.journal.close()


def test_a_reading_counts_the_pool_once(world: World) -> None:
    """What the live report adds up is the pool, not the pool twice."""
    world.enter()
    world.time += 3600
    world.loops()
    reading = next(row for row in world.journal.recent(EventRow, 100) if row.kind == SNAPSHOT)
    wallets = reading.data["wallets"]
    assert D(wallets["spot"]) + D(wallets["futures"]) == world.venue.spot["USDT"]
