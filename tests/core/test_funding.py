"""Settled funding: intervals, ages, sums, smoothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freqtrade_fundhedge.core.funding import (
    funding_apr,
    settled_on_grid,
    settlement_intervals,
    smooth,
)

HOUR = 3_600_000
NAN = float("nan")


def hours(*values: float) -> np.ndarray:
    return np.array([round(value * HOUR) for value in values], dtype=np.int64)


@pytest.mark.parametrize(("interval", "apr"), [(8.0, 0.1095), (4.0, 0.219), (2.0, 0.438), (1.0, 0.876)])
def test_apr_uses_the_interval(interval: float, apr: float) -> None:
    """The same rate is worth more a year the more often it is paid."""
    assert funding_apr(np.array([0.0001]), np.array([interval])) == pytest.approx([apr])


def test_apr_refuses_an_impossible_interval() -> None:
    """An interval that is not positive is an error, not an infinite rate."""
    with pytest.raises(ValueError, match="interval"):
        funding_apr(np.array([0.0001]), np.array([0.0]))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ((0, 8, 16), (NAN, 8, 8)),
        ((0, 4, 6, 8, 9, 10), (NAN, 4, 2, 2, 1, 1)),
        ((0, 1, 2, 6, 14), (NAN, 1, 1, 4, 8)),
        ((0, 8, 32, 40), (NAN, 8, 8, 8)),
        ((0, 24, 28), (NAN, NAN, 4)),
        ((0, 4, 7), (NAN, 4, 2)),
        ((0, 8.0001, 15.9999), (NAN, 8, 8)),
        ((5,), (NAN,)),
        ((), ()),
    ],
)
def test_interval_follows_the_venue(at: tuple[float, ...], expected: tuple[float, ...]) -> None:
    """Each settlement has its own interval, and an outage is not taken for a long one."""
    np.testing.assert_array_equal(settlement_intervals(hours(*at)), expected)


def test_rate_is_known_from_its_settlement_on() -> None:
    """No candle knows a rate that is settled after its open, and its cash is counted once."""
    settled = settled_on_grid(hours(7, 8, 9, 15, 16, 17), hours(0, 8, 16), np.array([0.1, 0.2, 0.4]))
    np.testing.assert_array_equal(settled.rate, [NAN, 0.2, 0.2, 0.2, 0.4, 0.4])
    np.testing.assert_allclose(settled.cash, [0.0, 0.2, 0, 0, 0.4, 0], atol=1e-11)


def test_overdue_rate_is_unknown() -> None:
    """A rate lasts until its successor is due and one hour longer, then it is NaN instead of old."""
    settled = settled_on_grid(hours(16, 17, 18, 40), hours(0, 8), np.array([0.1, 0.2]))
    np.testing.assert_array_equal(np.isnan(settled.rate), [False, False, True, True])
    np.testing.assert_array_equal(np.isnan(settled.apr), np.isnan(settled.rate))


def test_rate_that_is_not_known_stays_unknown() -> None:
    """A settlement without a rate gives NaN, not the rate before it, and no cash."""
    settled = settled_on_grid(hours(8, 16, 24), hours(0, 8, 16, 24), np.array([0.1, 0.2, NAN, 0.4]))
    np.testing.assert_array_equal(settled.rate, [0.2, NAN, 0.4])
    np.testing.assert_allclose(settled.cash, [0.0, 0.0, 0.4], atol=1e-11)


def test_no_funding_at_all_is_all_unknown() -> None:
    """Without a settlement every value is NaN."""
    settled = settled_on_grid(hours(0, 1), hours(), np.array([]))
    assert np.isnan([settled.rate, settled.interval_h, settled.cash, settled.apr]).all()


def test_rates_need_their_times() -> None:
    """Times and rates of different length are refused."""
    with pytest.raises(ValueError, match="as many"):
        settled_on_grid(hours(0), hours(0, 8), np.array([0.1]))


rates = st.lists(st.floats(-0.02, 0.02), min_size=2, max_size=40)


@given(rates, st.integers(0, 2**32 - 1))
def test_cash_adds_up(values: list[float], seed: int) -> None:
    """Whatever the intervals, the cash of all candles is the sum of what was settled among them."""
    steps = np.random.default_rng(seed).choice([1, 2, 4, 8], len(values))
    times = np.cumsum(steps).astype(np.int64) * HOUR
    grid = np.arange(0, times[-1] + HOUR, HOUR, dtype=np.int64)
    settled = settled_on_grid(grid, times, np.array(values))
    assert np.nansum(settled.cash) == pytest.approx(sum(values[1:]) + values[0], abs=1e-9)


def test_cash_of_the_first_candle_is_not_history() -> None:
    """What was settled before the first candle is not booked into it."""
    settled = settled_on_grid(hours(100, 104), hours(90, 98, 104), np.array([0.1, 0.2, 0.4]))
    np.testing.assert_allclose(settled.cash, [0.0, 0.4], atol=1e-11)


@given(st.lists(st.floats(-5, 5) | st.just(NAN), max_size=60), st.integers(1, 12))
def test_smooth_is_the_mean_of_known_values(values: list[float], period: int) -> None:
    """The smoothed value is the plain mean of the last values, and NaN when one of them is unknown."""
    result = smooth(np.array(values, dtype=np.float64), period)
    for i in range(len(values)):
        window = values[i - period + 1 : i + 1] if i + 1 >= period else [NAN]
        np.testing.assert_allclose(result[i], np.mean(window), atol=1e-11)


@given(st.lists(st.floats(-5, 5), min_size=30, max_size=60), st.integers(0, 20))
def test_smooth_does_not_depend_on_where_the_series_begins(values: list[float], skipped: int) -> None:
    """To the last bit: older data in front changes nothing."""
    np.testing.assert_array_equal(smooth(np.array(values), 8)[skipped + 7 :], smooth(np.array(values[skipped:]), 8)[7:])
