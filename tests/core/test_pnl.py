"""What a hedge earned."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freqtrade_fundhedge.core.pnl import daily, drawdown, hedged_result, result_of_fills, sharpe

price = st.floats(1e-6, 1e6)
money = st.floats(-1e4, 1e4)


@given(st.floats(1e-3, 1e6), price, st.floats(0.2, 5), st.floats(-0.2, 0.2), st.floats(-0.2, 0.2), money, money)
def test_identity(
    quantity: float, perp: float, move: float, basis_in: float, basis_out: float, funding: float, fees: float
) -> None:
    """Short + spot + funding - fees is the total, and so is basis + funding - fees, to 1e-9 of notional."""
    out = perp * move
    result = hedged_result(quantity, perp, out, perp / (1 + basis_in), out / (1 + basis_out), funding, fees)
    scale = 1e-9 * (result.notional[0] * max(1.0, move) + abs(funding) + abs(fees))
    assert abs(result.short + result.spot + result.funding - result.fees - result.total)[0] <= scale
    assert abs(result.basis + result.funding - result.fees - result.total)[0] <= scale


def test_price_alone_earns_nothing() -> None:
    """When both prices move alike, what is left is funding less fees."""
    result = hedged_result([2.0, 2.0], 100.0, [50.0, 300.0], 99.0, [49.0, 299.0], 3.0, 1.0)
    assert result.total == pytest.approx([2.0, 2.0])
    assert result.short == pytest.approx([100.0, -400.0])
    assert result.spot == pytest.approx([-100.0, 400.0])


def test_closing_basis_is_a_gain() -> None:
    """A perpetual entered 1 % dear and left at par brings the 1 %."""
    result = hedged_result(1.0, 101.0, 120.0, 100.0, 120.0, 0.0, 0.0)
    assert result.basis == pytest.approx([1.0])
    assert result.total == pytest.approx([1.0])


def test_unknown_price_is_an_unknown_total() -> None:
    """A hedge without a spot price has no total, rather than a wrong one."""
    assert np.isnan(hedged_result(1.0, 101.0, 120.0, float("nan"), 120.0, 0.0, 0.0).total[0])


def test_days_add_up() -> None:
    """Results fall on the day on which they closed; days without one are zero."""
    result = daily(np.array([10, 12, 12, 99]), np.array([1.0, 2.0, float("nan"), 5.0]), 9, 13)
    assert result == pytest.approx([0.0, 1.0, 0.0, 2.0, 0.0])


@pytest.mark.parametrize(
    ("results", "deepest"), [([1, 2, -1, -1, 3], 2.0), ([-1, -1, 5], 2.0), ([1, 1], 0.0), ([], 0.0)]
)
def test_drawdown(results: list[float], deepest: float) -> None:
    """The deepest fall from a high, the start included."""
    assert drawdown(np.array(results, dtype=np.float64)) == pytest.approx(deepest)


def test_sharpe() -> None:
    """A year of daily returns with mean m and deviation s has m / s x sqrt(365)."""
    returns = np.array([0.01, -0.01, 0.02, 0.0])
    assert sharpe(returns) == pytest.approx(0.005 / np.std(returns, ddof=1) * 365**0.5)
    assert np.isnan(sharpe(np.zeros(5)))
    assert np.isnan(sharpe(np.array([0.1])))


def test_fills_add_up_to_the_hedge() -> None:
    """A hedge closed in two parts earns what two hedges of those parts earn."""
    fills = result_of_fills(
        np.array([0, 0, 0, 1, 1]),
        np.array([3.0, -1.0, -2.0, 1.0, -1.0]),
        np.array([100.0, 90.0, 110.0, 50.0, 40.0]),
        np.array([99.0, 90.0, 111.0, 50.0, 41.0]),
        np.array([5.0, 1.0]),
        np.array([2.0, 0.5]),
    )
    parts = hedged_result([1.0, 2.0], 100.0, [90.0, 110.0], 99.0, [90.0, 111.0], 0.0, 0.0)
    assert fills.total == pytest.approx([parts.total.sum() + 5.0 - 2.0, 10.0 - 9.0 + 1.0 - 0.5])
    assert fills.basis == pytest.approx([parts.basis.sum(), 1.0])
    assert fills.notional == pytest.approx([300.0, 50.0])


@given(st.integers(0, 2**32 - 1))
def test_identity_over_fills(seed: int) -> None:
    """However a hedge is opened and closed in parts, basis + funding - fees is its total, to 1e-9 of notional."""
    rng = np.random.default_rng(seed)
    hedge = np.repeat(np.arange(5), 6)
    sold = rng.uniform(0.1, 1e4, (5, 6))
    sold[:, -1] = -sold[:, :-1].sum(axis=1)
    perp, spot = rng.uniform(1, 1e5, 30), rng.uniform(1, 1e5, 30)
    result = result_of_fills(hedge, sold.ravel(), perp, spot, rng.normal(size=5), rng.normal(size=5))
    difference = result.basis + result.funding - result.fees - result.total
    assert (np.abs(difference) <= 1e-9 * np.bincount(hedge, np.abs(sold.ravel()) * perp)).all()
