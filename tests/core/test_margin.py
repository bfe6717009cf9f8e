"""Distance to liquidation."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import hypothesis.strategies as st
import pytest
from hypothesis import given

from freqtrade_fundhedge.core.margin import (
    CALMEST_MOVE,
    UNKNOWN_MOVE,
    WIDEST_MOVE,
    Stress,
    liquidation_distances,
    stress_of,
)
from freqtrade_fundhedge.venue.port import FuturesAccount, Position

RATE = D("0.004")
MONEY = st.decimals("10", "100000", places=2)


def short(pair: str, notional: D, isolated: D | None, unrealised: D = D(0)) -> Position:
    return Position(pair, D(1), notional, notional / 3, notional * RATE, unrealised, isolated_margin=isolated)


def left_after(position: Position, rise: D) -> D:
    """What stands behind an isolated short above its maintenance margin after the price rose."""
    assert position.isolated_margin is not None
    equity = position.isolated_margin + position.unrealised - position.notional * rise
    return equity - position.maintenance_margin * (1 + rise)


@given(notional=MONEY, margin=MONEY, unrealised=st.decimals("-5000", "5000", places=2))
def test_isolated_short_is_liquidated_exactly_there(notional: D, margin: D, unrealised: D) -> None:
    """At the distance that is given nothing is left above the maintenance margin."""
    position = short("A", notional, margin, unrealised)
    distance = liquidation_distances(FuturesAccount(margin, D(0), D(0), (position,)))["A"]
    assert abs(left_after(position, distance)) < D("1e-12") * (notional + margin)


@given(first=MONEY, second=MONEY, wallet=MONEY)
def test_cross_shorts_share_one_distance(first: D, second: D, wallet: D) -> None:
    """Cross shorts rise together and are liquidated together, each further away than alone with less wallet."""
    both = FuturesAccount(wallet, D(0), D(0), (short("A", first, None), short("B", second, None)))
    found = liquidation_distances(both)
    assert found["A"] == found["B"]
    alone = liquidation_distances(replace(both, positions=both.positions[:1]))
    assert alone["A"] > found["A"]


def test_isolated_margin_is_no_help_to_cross_shorts() -> None:
    """What is locked in an isolated position does not carry the cross ones."""
    lone = short("A", D(1000), None)
    wallet = FuturesAccount(D(500), D(0), D(0), (lone,))
    with_isolated = FuturesAccount(D(800), D(0), D(0), (lone, short("B", D(900), D(300))))
    assert liquidation_distances(wallet)["A"] == liquidation_distances(with_isolated)["A"]


def test_longs_are_left_out() -> None:
    """A long of the user's has no distance for a price rise."""
    long = replace(short("A", D(1000), None), is_short=False)
    assert liquidation_distances(FuturesAccount(D(500), D(0), D(0), (long,))) == {}


@pytest.mark.parametrize(
    ("natr", "candle_h", "expected"),
    [
        (0.5, 1.0, CALMEST_MOVE),  # 0.5 % an hour is 2.4 % a day, four times that 9.8 %: the floor holds
        (2.0, 1.0, D("0.40")),  # 2 x sqrt(24) x 4 = 39.2 %
        (2.0, 4.0, CALMEST_MOVE),  # the same range in four hours is half as wild
        (5.0, 4.0, D("0.49")),
        (40.0, 1.0, WIDEST_MOVE),
        (float("nan"), 1.0, UNKNOWN_MOVE),
        (0.0, 1.0, UNKNOWN_MOVE),  # no candle moved: no market to learn from
    ],
)
def test_stress_follows_volatility(natr: float, candle_h: float, expected: D) -> None:
    """Four day's ranges of the pair's own, with a floor, a ceiling, and caution where nothing is known."""
    assert stress_of(natr, candle_h) == expected


def test_the_next_funding_is_part_of_the_stress() -> None:
    """1000 of notional at 20 % and a payment of 1 %: 200, 10, and 1.2 times 4 of maintenance margin."""
    stress = Stress({"A": D("0.2")}, {"A": D("0.01")})
    assert stress.required(short("A", D(1000), None)) == D("214.8")
    assert stress.at_least(D("0.3")).move("A") == D("0.3")
    assert stress.at_least(D("0.1")).move("B") == stress.otherwise
