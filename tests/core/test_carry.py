"""The rule: account, costs, entry, exit, gates between candles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freqtrade_fundhedge.core.carry import (
    CarryParams,
    CarrySignals,
    breakeven_hours,
    carry_balance,
    entry_allowed,
    funding_turned,
    hedge_spans,
    signals,
)
from freqtrade_fundhedge.core.funding import settled_on_grid

HOUR = 3_600_000
NAN = float("nan")
PARAMS = CarryParams()
HALF = PARAMS.round_trip / 2
FLOOR = 0.0001
DAY = 24


def signals_of(rates: list[float], interval: int = 8, basis: np.ndarray | float = 0.0) -> CarrySignals:
    times = np.arange(len(rates), dtype=np.int64) * interval * HOUR
    grid = np.arange(len(rates) * interval, dtype=np.int64) * HOUR
    known = np.broadcast_to(np.asarray(basis, dtype=np.float64), grid.shape)
    return signals(settled_on_grid(grid, times, np.array(rates)), known, PARAMS)


def test_round_trip_is_four_orders() -> None:
    """Two fees and two slippages at entry, the same at exit."""
    assert CarryParams(spot_fee=0.001, futures_fee=0.0005, slippage=0.0).round_trip == pytest.approx(0.003)
    assert PARAMS.round_trip == pytest.approx(0.0034)


amounts = st.lists(st.floats(-0.01, 0.01), max_size=80)


@given(amounts, st.integers(1, 40), st.floats(0.0, 0.02))
def test_balance_is_the_sum_between_two_walls(cash: list[float], window: int, round_trip: float) -> None:
    """The doubling gives what adding one settlement after the other, held between the walls, gives."""
    result = carry_balance(np.array(cash), round_trip, window)
    for i in range(len(cash)):
        account = 0.0
        for amount in cash[max(0, i - window + 1) : i + 1]:
            account = min(max(account + amount, -round_trip / 2), round_trip / 2)
        assert result[i] == pytest.approx(account, abs=1e-12)


@given(amounts.filter(lambda values: len(values) > 20), st.integers(1, 10))
def test_balance_forgets(cash: list[float], skipped: int) -> None:
    """To the last bit, what lies before the window changes nothing."""
    full, late = carry_balance(np.array(cash), 0.003, 10), carry_balance(np.array(cash[skipped:]), 0.003, 10)
    np.testing.assert_array_equal(full[skipped + 9 :], late[9:])


def test_unknown_funding_is_an_unknown_balance() -> None:
    """NaN stays NaN, and counts as no funding afterwards."""
    balance = carry_balance(np.array([NAN, 0.001, NAN, 0.0005]), 0.01, 10)
    np.testing.assert_allclose(balance, [NAN, 0.001, NAN, 0.0015])


def test_floor_funding_opens_a_hedge_once() -> None:
    """Funding at the floor opens a hedge after the days in which it pays half a round trip, and never closes it."""
    result = signals_of([FLOOR] * 60)
    first = int(np.argmax(result.enter))
    assert first == pytest.approx(HALF / FLOOR * 8, abs=9)
    assert not result.leave.any()


@pytest.mark.parametrize("interval", [1, 2, 4, 8])
def test_same_money_same_answer(interval: int) -> None:
    """What the venue pays in 1, 2, 4 or 8 hour steps is judged by the money, not by the step."""
    days = 20 * DAY // interval
    result = signals_of([FLOOR * interval / 8] * days, interval)
    assert result.apr_smooth[-1] == pytest.approx(0.1095, abs=1e-9)
    assert int(np.argmax(result.enter)) == pytest.approx(HALF / FLOOR * 8, abs=9)


def test_short_bad_spell_is_sat_through() -> None:
    """Negative funding that costs less than leaving and coming back closes nothing."""
    result = signals_of([FLOOR] * 60 + [-PARAMS.round_trip / 5] * 4 + [FLOOR] * 20)
    assert not result.leave.any()


def test_long_bad_spell_is_left_when_it_has_cost_a_round_trip() -> None:
    """Negative funding closes the hedge with the settlement that completes a round trip."""
    bad = 60 * 8
    result = signals_of([FLOOR] * 60 + [-PARAMS.round_trip / 5] * 20)
    assert int(np.argmax(result.leave)) == bad + 4 * 8


def test_negative_funding_never_opens() -> None:
    """A pair that pays the longs' side all the time is never entered."""
    assert not signals_of([-FLOOR] * 120).enter.any()


def test_small_funding_does_not_open() -> None:
    """Funding that needs longer than `max_breakeven_hours` to pay the round trip is not worth a hedge."""
    assert not signals_of([0.00003] * 400).enter.any()


def test_cheap_perpetual_is_left() -> None:
    """A hedge whose perpetual falls far below spot is closed: waiting would give the gain back."""
    basis = np.zeros(60 * 8)
    basis[-24:] = -0.05
    result = signals_of([FLOOR] * 60, basis=basis)
    assert result.leave[-24:].all()
    assert not result.leave[:-24].any()
    assert not result.enter[-24:].any()


def test_dear_perpetual_opens_sooner() -> None:
    """A perpetual far above its usual basis is a gain to come, and opens the hedge at once."""
    basis = np.zeros(40 * 8)
    basis[80:] = 0.01
    plain, dear = signals_of([FLOOR] * 40), signals_of([FLOOR] * 40, basis=basis)
    assert np.argmax(dear.enter) < np.argmax(plain.enter)


def test_dear_perpetual_does_not_open_against_negative_funding() -> None:
    """Basis alone opens nothing while funding is below `entry_apr`."""
    basis = np.zeros(60 * 8)
    basis[80:] = 0.02
    assert not signals_of([-FLOOR] * 60, basis=basis).enter.any()


def test_unknown_basis_neither_opens_nor_closes() -> None:
    """Without a trusted basis no hedge opens, and one that earns stays."""
    result = signals_of([FLOOR] * 60, basis=NAN)
    assert not result.enter.any()
    assert not result.leave.any()


def test_bad_funding_closes_although_the_basis_is_unknown() -> None:
    """A hedge that costs money is left even while spot prices are missing."""
    assert signals_of([FLOOR] * 30 + [-0.001] * 10, basis=NAN).leave[-1]


def test_overdue_funding_opens_nothing() -> None:
    """When settlements stop arriving, no hedge opens after the last one has aged."""
    times = np.arange(40, dtype=np.int64) * 8 * HOUR
    grid = np.arange(40 * 8 + 100, dtype=np.int64) * HOUR
    result = signals(settled_on_grid(grid, times, np.full(40, FLOOR)), np.zeros(len(grid)), PARAMS)
    assert result.enter[39 * 8]
    assert not result.enter[39 * 8 + 10 :].any()
    assert not result.leave.any()


@given(st.lists(st.floats(-0.005, 0.005), min_size=10, max_size=200), st.integers(0, 2**32 - 1))
def test_never_both(rates: list[float], seed: int) -> None:
    """No candle asks to open and to close."""
    basis = np.random.default_rng(seed).normal(0, 0.003, len(rates) * 8)
    result = signals_of(rates, basis=basis)
    assert not (result.enter & result.leave).any()


@given(st.lists(st.floats(-0.005, 0.005), min_size=30, max_size=120), st.integers(0, 2**32 - 1), st.integers(20, 900))
def test_future_changes_no_past_signal(rates: list[float], seed: int, cut: int) -> None:
    """Whatever happens later, the answer for a candle is the one that was given when it closed."""
    basis = np.random.default_rng(seed).normal(0, 0.003, len(rates) * 8)
    cut = min(cut, len(rates) * 8 - 1)
    full = signals_of(rates, basis=basis)
    grid = np.arange(cut, dtype=np.int64) * HOUR
    times = np.arange(len(rates), dtype=np.int64) * 8 * HOUR
    seen = times < cut * HOUR
    past = signals(settled_on_grid(grid, times[seen], np.array(rates)[seen]), basis[:cut], PARAMS)
    for name in ("apr_smooth", "balance", "basis_gain", "net_carry", "breakeven_h", "enter", "leave"):
        np.testing.assert_array_equal(getattr(past, name), getattr(full, name)[:cut], err_msg=name)


@pytest.mark.parametrize(
    ("apr", "cost", "hours"),
    [(0.1, 0.003, 262.8), (0.1, 0.0, 0.0), (0.1, -0.01, 0.0), (-0.1, 0.003, float("inf")), (NAN, 0.003, NAN)],
)
def test_breakeven(apr: float, cost: float, hours: float) -> None:
    """Costs over earnings; never when nothing is earned, at once when nothing is left to earn."""
    np.testing.assert_allclose(breakeven_hours(np.array([apr]), np.array([cost])), [hours])


def test_spans_follow_the_signals() -> None:
    """A hedge is held from the candle that opens it up to the one that closes it."""
    enter = np.array([False, True, True, False, False, False, True])
    leave = np.array([True, False, False, False, True, True, False])
    np.testing.assert_array_equal(hedge_spans(enter, leave), [False, True, True, True, False, False, True])


@pytest.mark.parametrize(
    ("rate", "interval", "gain", "allowed", "reason"),
    [
        (0.0001, 8, 0.0, True, ""),
        (0.00005, 4, 0.0, True, ""),
        (0.00003, 8, 0.0, False, "entry_apr"),
        (-0.0001, 8, 0.0, False, "entry_apr"),
        (NAN, 8, 0.0, False, "unknown"),
        (0.0001, 8, NAN, False, "unknown"),
        (0.0001, 8, -0.02, False, "break-even"),
        (0.0001, 8, 0.02, True, ""),
    ],
)
def test_entry_gate(rate: float, interval: float, gain: float, allowed: bool, reason: str) -> None:
    """Between candles a hedge may still open only while the predicted rate pays for it."""
    verdict = entry_allowed(rate, interval, PARAMS, gain)
    assert verdict.allowed is allowed
    assert reason in verdict.reason


@pytest.mark.parametrize(
    ("rate", "balance", "gain", "turned"),
    [
        (0.0001, HALF, 0.0, False),
        (-0.0001, HALF, 0.0, False),
        (-PARAMS.round_trip / 2, HALF, 0.0, True),
        (-PARAMS.round_trip / 2, NAN, NAN, True),
        (-PARAMS.round_trip / 2.1, HALF, 0.0, False),
        (-0.0001, -HALF, 0.0, True),
        (-0.0001, HALF, -PARAMS.round_trip, True),
        (0.0001, HALF, -PARAMS.round_trip, False),
        (NAN, -HALF, 0.0, False),
    ],
)
def test_exit_gate(rate: float, balance: float, gain: float, turned: bool) -> None:
    """Between candles a hedge is left when what is about to be paid completes a round trip, not before."""
    assert funding_turned(rate, 8, balance, PARAMS, gain) is turned


def test_exit_gate_respects_exit_apr() -> None:
    """A rate that the user accepts turns nothing out."""
    assert not funding_turned(-0.002, 8, HALF, replace(PARAMS, exit_apr=-3.0))
