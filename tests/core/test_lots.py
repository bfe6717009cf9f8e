"""First in, first out: costs add up, whatever is sold when."""

from __future__ import annotations

from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from freqtrade_fundhedge.core.lots import Lots

quantities = st.decimals("0.00001", 1000, places=5)


def test_the_oldest_goes_first() -> None:
    """A sale takes the first lot whole and a part of the second."""
    lots = Lots()
    lots.buy(D(1), D(100))
    lots.buy(D(2), D(300))
    assert lots.sell(D(2)) == D(250)
    assert list(lots.held) == [(D(1), D(150))]
    assert lots.sell(D("0.5")) == D(75)


def test_more_than_was_bought_has_no_cost() -> None:
    """Coins that somebody else put there have a cost that we can't know."""
    lots = Lots()
    lots.buy(D(1), D(100))
    assert lots.sell(D(2)) is None
    assert lots.sell(D(0)) == 0


@given(st.lists(st.tuples(quantities, quantities), min_size=1, max_size=20), st.lists(st.integers(1, 99), max_size=20))
def test_parts_add_up_to_the_whole(bought: list[tuple[D, D]], percents: list[int]) -> None:
    """However it is sold in parts, all costs together are what was paid, to the last digit."""
    lots, costs = Lots(), []
    for quantity, cost in bought:
        lots.buy(quantity, cost)
    left = sum((quantity for quantity, _ in bought), D(0))
    for percent in percents:
        part = (left * percent / 100).quantize(D("0.00001"))
        costs.append(lots.sell(part))
        left -= part
    costs.append(lots.sell(left))
    assert None not in costs
    assert sum(cost for cost in costs if cost is not None) == sum(cost for _, cost in bought)
    assert not lots.held
