"""The order of base classes: the mixin's callbacks stand before Freqtrade's own, or the strategy is not loaded."""

from __future__ import annotations

import pytest
from freqtrade.strategy import IStrategy

from freqtrade_fundhedge import FundHedgeMixin


class Plain(IStrategy):
    """A strategy of a user's."""


@pytest.mark.parametrize(
    "bases", [(FundHedgeMixin, Plain), (FundHedgeMixin, IStrategy), (FundHedgeMixin, Plain, IStrategy)]
)
def test_the_mixin_comes_first(bases: tuple[type, ...]) -> None:
    """Every callback of ours is asked before Freqtrade's; strategies derived from it stay fine."""
    hedged = type("Hedged", bases, {})
    order = hedged.__mro__
    assert all(order.index(part) < order.index(IStrategy) for part in FundHedgeMixin.__mro__[:-1])
    type("Derived", (hedged,), {})


@pytest.mark.parametrize(
    "bases", [(Plain, FundHedgeMixin), (Plain, FundHedgeMixin, IStrategy), (IStrategy, FundHedgeMixin)]
)
def test_an_order_that_would_leave_shorts_naked_is_refused(bases: tuple[type, ...]) -> None:
    """Freqtrade's own callbacks would answer for some of ours: it says so and how to write it."""
    with pytest.raises(ImportError, match=r"name FundHedgeMixin before the strategy, class Hedged\(FundHedgeMixin"):
        type("Hedged", bases, {})
