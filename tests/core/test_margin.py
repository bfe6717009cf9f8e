"""Distance to liquidation."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import hypothesis.strategies as st
from hypothesis import given

from freqtrade_fundhedge.core.margin import liquidation_distances
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
