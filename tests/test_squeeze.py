"""Shorts live through a squeeze, and through the worst days that there were; without the guard they would not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from real_data import REAL_DATA

from benchmarks.chaos.world import World
from benchmarks.squeeze import LONGEST_ALONE_S, made_up, replay, worst_days

DATA = REAL_DATA / "binance"
THREE = ["BTC/USDT:USDT", "ETH/USDT:USDT", "XRP/USDT:USDT"]
# As rarely as one loop for each point of the path: a bot looks sixty times as often.
LOOP_S = 300.0


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World() as made:
        yield made


@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_three_shorts_live_through_sixty_percent_in_ten_minutes(world: World, mode: str) -> None:
    """Margin first, then less of both legs, never one alone, no liquidation; the journal has the steps in order."""
    outcome = replay(world, made_up(THREE), mode, loop_s=5.0)
    assert not outcome.liquidated
    assert outcome.unhedged_s == 0
    assert outcome.faults == []
    assert outcome.kept > 0.5
    first_shrink = outcome.steps.index("shrink_asked")
    assert set(outcome.steps[:first_shrink]) <= {"margin_topped_up", "margin_added"}
    assert "margin_topped_up" in outcome.steps[:first_shrink]
    assert "margin_topped_up" in outcome.steps[first_shrink:]
    assert "exit_asked" not in outcome.steps


@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_without_the_guard_they_do_not(world: World, mode: str) -> None:
    """The same rise liquidates, so the test above can fail."""
    outcome = replay(world, made_up(THREE), mode, guard=False, loop_s=5.0)
    assert outcome.liquidated
    assert outcome.steps == []


@pytest.mark.skipif(not DATA.is_dir(), reason="no real market data on this machine")
@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_worst_days_of_each_pair(world: World, mode: str) -> None:
    """The 24 hours that rose most and those that fell most, of every pair: no liquidation, no leg alone for long."""
    bad = []
    for path in worst_days(DATA):
        outcome = replay(world, [path], mode, loop_s=LOOP_S)
        if outcome.liquidated or outcome.unhedged_s > LONGEST_ALONE_S or outcome.faults:
            bad.append(outcome)
    assert bad == []
