"""What an open hedge has earned, part by part."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from freqtrade_fundhedge.core.fills import Fills, result
from freqtrade_fundhedge.core.standing import earned

DAY = 86_400.0
FILLS = Fills(D("0.02"), D(0), D(1000), D(0), D("0.5"), D("0.02"), D(0), D(999), D(0))
prices = st.decimals(1, 100_000, places=2)


def test_prices_that_move_together_leave_the_basis_at_the_entry() -> None:
    """Short at 50,000, bought at 49,950: one USDT of basis, were both to close at one price."""
    for price in (D(30_000), D(50_000), D(90_000)):
        so_far = earned(FILLS, price, price, D("0.02"), D("-999.9"), D("0.9"), D("0.3"), DAY)
        assert so_far.basis == 1
        assert so_far.fees == D("1.4")
        assert so_far.total == D("0.3") + 1 - D("1.4")


def test_funding_since_the_entry_is_a_rate_a_year() -> None:
    """0.3 on 1,000 in a day is 10.95 % a year; the first hour says nothing yet."""
    so_far = earned(FILLS, D(1), D(1), D("0.02"), D(0), D(0), D("0.3"), DAY)
    assert so_far.apr == D("0.1095")
    assert earned(FILLS, D(1), D(1), D("0.02"), D(0), D(0), D("0.3"), 3599).apr is None
    assert earned(Fills(), D(1), D(1), D(0), D(0), D(0), D(0), DAY).apr is None


@given(prices, prices, prices, prices)
def test_a_hedge_that_closes_now_brings_what_it_has_earned(perp_in: D, spot_in: D, perp: D, spot: D) -> None:
    """Closed at the prices that the open one was valued with, and without further fees, the total is the same."""
    fills = replace(FILLS, sold=D("0.02") * perp_in, spent=D("0.02") * spot_in)
    cash = -fills.spent - D("0.9")
    open_now = earned(fills, perp, spot, D("0.02"), cash, D("0.9"), D("0.3"), DAY)
    closed = replace(fills, exited=D("0.02"), bought=D("0.02") * perp)
    realised = closed.sold - closed.bought - D("0.5") + D("0.3")
    assert result(closed, realised, D("0.3"), cash + D("0.02") * spot, D("0.9")).total == open_now.total
