"""What settled funding alone promises."""

from __future__ import annotations

import math

import numpy as np
import pytest

from freqtrade_fundhedge.core.carry import CarryParams
from freqtrade_fundhedge.core.outlook import history_since, outlook

NOW_MS = 1_760_000_400_000 // 3_600_000 * 3_600_000
PARAMS = CarryParams()


def every(hours: int, count: int, rate: float) -> tuple[np.ndarray, np.ndarray]:
    times = NOW_MS - np.arange(count - 1, -1, -1, dtype=np.int64) * hours * 3_600_000
    return times, np.full(count, rate)


@pytest.mark.parametrize(("hours", "count"), [(8, 130), (4, 250), (1, 990)])
def test_steady_funding_is_carried_forward(hours: int, count: int) -> None:
    """A steady rate promises a month of itself less the round trip, whatever the interval."""
    result = outlook(*every(hours, count, 0.00005 * hours), NOW_MS, PARAMS)
    apr = 0.00005 * 8760
    assert result.apr_smooth == pytest.approx(apr)
    assert result.net_carry == pytest.approx(apr * 720 / 8760 - PARAMS.round_trip)
    assert result.breakeven_h == pytest.approx(PARAMS.round_trip / apr * 8760)


def test_negative_funding_never_breaks_even() -> None:
    """What only costs has no break-even."""
    result = outlook(*every(8, 130, -0.0001), NOW_MS, PARAMS)
    assert result.net_carry < -PARAMS.round_trip
    assert result.breakeven_h == math.inf


def test_without_current_settlements_nothing_is_promised() -> None:
    """No history, or one that ended long ago, promises nothing."""
    times, rates = every(8, 130, 0.0001)
    nothing, stopped = np.empty(0, dtype=np.int64), times - 7 * 86_400_000
    for result in (outlook(nothing, np.empty(0), NOW_MS, PARAMS), outlook(stopped, rates, NOW_MS, PARAMS)):
        assert math.isnan(result.apr_smooth)
        assert math.isnan(result.net_carry)


def test_later_settlements_are_not_looked_at() -> None:
    """What is settled after `now` changes nothing."""
    times, rates = every(8, 130, 0.0001)
    later = np.append(times, NOW_MS + 8 * 3_600_000), np.append(rates, 0.01)
    assert outlook(*later, NOW_MS, PARAMS) == outlook(times, rates, NOW_MS, PARAMS)


def test_the_history_fits_into_one_request() -> None:
    """Hourly settlements of the whole look-back are fewer than the thousand that one answer holds."""
    assert (NOW_MS - history_since(NOW_MS)) / 3_600_000 < 1000
