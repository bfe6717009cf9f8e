"""What a short is once Freqtrade has heard of the fills that the exchange has told of."""

from __future__ import annotations

from decimal import Decimal as D

import hypothesis.strategies as st
from hypothesis import given

from freqtrade_fundhedge.core.early import ahead, spot_price
from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.venue.perpetuals import FundingQuote
from freqtrade_fundhedge.venue.port import ZERO, OrderFill

PAIR = "BTC/USDT:USDT"
PARTS = st.integers(0, 100).map(lambda n: D(n) / 1000)


def fill(order: str, filled: D, sells: bool = True, quantity: D = D("0.1"), price: D = D(50_000)) -> OrderFill:
    return OrderFill(order, "x-1", PAIR, sells, not sells, quantity, filled, price, 0.0)


def leg(filled: D, reachable: D, is_open: bool = True, **heard: D) -> ShortLeg:
    return ShortLeg(1, PAIR, 0.0, filled, reachable, is_open, heard=heard)


@given(heard=PARTS, told=PARTS, bought=PARTS)
def test_what_is_heard_and_told_counts_once(heard: D, told: D, bought: D) -> None:
    """Each order counts as far as the better informed of the two knows it, and never below nothing."""
    known = leg(heard, D("0.1"), a=heard)
    real = ahead(known, [fill("a", told), fill("b", bought, sells=False)])
    assert real.filled == max(ZERO, max(heard, told) - bought)
    assert real.filled <= real.reachable <= D("0.1")
    assert ahead(known, [fill("a", heard)]) == known


def test_a_closed_trade_stays_closed() -> None:
    """No late fill opens a trade again."""
    assert ahead(leg(ZERO, ZERO, False), [fill("a", D("0.1"))]).filled == 0


def test_the_price_on_spot_follows_from_the_fill_and_the_basis() -> None:
    """A perpetual a tenth above its index costs a tenth less on spot, per coin; without figures there is no guess."""
    quote = FundingQuote(0.0001, 8.0, 0.0, mark_price=0.011, index_price=0.010)
    found = spot_price(D("0.022"), quote, D(1000))
    assert abs(found - D("0.00002")) < D("1e-12")
    assert spot_price(D(100), None, D(1)) == 0
    assert spot_price(D(100), FundingQuote(0.0, 8.0, 0.0, 0.0, 0.0), D(1)) == 0
