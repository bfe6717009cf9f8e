"""Basis: when it is believed, and what it promises."""

from __future__ import annotations

import numpy as np
import pytest

from freqtrade_fundhedge.core.basis import basis_gain, trusted_basis

NAN = float("nan")


def test_basis_is_relative_to_spot() -> None:
    """A perpetual at 105 over a spot of 100 is a basis of 5 %."""
    assert trusted_basis(*(np.full(3, value) for value in (105.0, 100.0, 1.0, 1.0)), window=2) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("spot", "spot_volume", "perp_volume"),
    [(100.0, 0.0, 10.0), (100.0, 10.0, 0.0), (NAN, NAN, 10.0), (0.0, 10.0, 10.0), (100.0, 3.0, 10.0)],
)
def test_stale_price_makes_no_basis(spot: float, spot_volume: float, perp_volume: float) -> None:
    """Where a market did not trade, or spot nearly stopped while the perpetual went on, the basis is unknown."""
    perp, spots = np.full(50, 98.0), np.full(50, 100.0)
    spot_volumes, perp_volumes = np.full(50, 10.0), np.full(50, 10.0)
    spots[-1], spot_volumes[-1], perp_volumes[-1] = spot, spot_volume, perp_volume
    basis = trusted_basis(perp, spots, perp_volumes, spot_volumes, 48)
    assert np.isnan(basis[-1])
    assert basis[:-1] == pytest.approx(-0.02)


def test_quiet_hours_are_not_a_halt() -> None:
    """When both markets are quiet, the basis stands."""
    volume = np.full(50, 10.0)
    volume[-1] = 0.1
    basis = trusted_basis(np.full(50, 101.0), np.full(50, 100.0), volume, volume, 48)
    assert basis == pytest.approx(0.01)


def test_usual_basis_promises_nothing() -> None:
    """A pair that always trades 0.2 % below spot has no gain to come."""
    assert basis_gain(np.full(100, -0.002), 50, 3)[2:] == pytest.approx(0.0)


def test_single_odd_close_counts_for_a_third() -> None:
    """One close far from the others moves the mean of three by a third of it, and not the median."""
    basis = np.zeros(100)
    basis[80] = 0.009
    gain = basis_gain(basis, 50, 3)
    assert gain[80:84] == pytest.approx([0.003, 0.003, 0.003, 0.0])


def test_unknown_close_makes_the_gain_unknown() -> None:
    """Until three trusted closes are there again, nothing is promised."""
    basis = np.zeros(20)
    basis[10] = NAN
    np.testing.assert_array_equal(np.isnan(basis_gain(basis, 10, 3)), [i < 2 or 10 <= i <= 12 for i in range(20)])
