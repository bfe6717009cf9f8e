"""When an entry may wait for the maker's fee, and when it is taken."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freqtrade_fundhedge.core.maker import Offer, Tries, missed_funding, next_try

HOUR = 3600.0
NOW = 1_700_000_000.0
OFFER = Offer(
    saved=0.0003, missed=0.0, basis_gain=0.0, notional=1500.0, smallest=5.0, slippage=0.003, rest_s=300.0,
    patience_s=HOUR,
)  # fmt: skip

SECONDS = st.integers(0, 40 * 3600)


@pytest.mark.parametrize(
    ("rate", "hours", "next_in", "rest_s", "missed"),
    [
        (0.0001, 8, 301, 300, 0.0),
        (0.0001, 8, 300, 300, 0.0001),
        (0.0001, 1, 60, 2 * HOUR, 0.0002),
        (0.0001, 8, -60, 300, 0.0),
        (0.0001, 1, -3540, 300, 0.0001),
        (0.0001, 1, 0, 300, 0.0),
        (-0.001, 8, 60, 300, 0.0),
        (nan, 8, 60, 300, inf),
        (0.0001, 0, 60, 300, inf),
        (0.0001, nan, 60, 300, inf),
        (0.0001, 8, inf, 300, inf),
        (0.0001, 8, 60, inf, inf),
    ],
)
def test_what_waiting_may_miss(rate: float, hours: float, next_in: float, rest_s: float, missed: float) -> None:
    """Each settlement that falls into the wait, as predicted now; a time that has passed is moved on, doubt is all."""
    assert missed_funding(rate, hours, NOW + next_in, NOW, rest_s) == pytest.approx(missed)


@given(st.sampled_from([1, 2, 4, 8]), SECONDS, SECONDS, SECONDS)
def test_settlements_are_counted_once(hours: int, next_in: int, rest_s: int, more_s: int) -> None:
    """A wait that goes on where another ended misses together what one long wait misses."""
    first = missed_funding(1.0, hours, next_in, 0.0, rest_s)
    second = missed_funding(1.0, hours, next_in, rest_s, more_s)
    assert first + second == missed_funding(1.0, hours, next_in, 0.0, rest_s + more_s)
    assert first == sum(0 < next_in + n * hours * HOUR <= rest_s for n in range(100))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, ""),
        ({"missed": 0.0003}, ""),
        ({"missed": 0.00031}, "waiting may miss 0.0310% to save 0.0300%"),
        ({"missed": inf}, "waiting may miss"),
        ({"basis_gain": 0.0004}, "waiting may miss 0.0400%"),
        ({"basis_gain": 0.0002, "missed": 0.0002}, "waiting may miss 0.0400%"),
        ({"basis_gain": -0.01, "missed": 0.0003}, ""),
        ({"basis_gain": nan}, ""),
        ({"saved": 0.0}, "saves no fee"),
        ({"saved": -0.0001}, "saves no fee"),
        ({"saved": nan}, "saves no fee"),
        ({"notional": 50.01}, ""),
        ({"notional": 49.99}, "least spot order of 5.00"),
        ({"smallest": 500.0}, "least spot order of 500.00"),
    ],
)
def test_the_smaller_regret_is_risked(changes: dict[str, float], why: str) -> None:
    """It waits while what it may miss is no more than the fee it may save, and spot can follow nearly all of it."""
    answer = next_try(replace(OFFER, **changes), None, NOW)
    if why:
        assert isinstance(answer, str)
        assert why in answer
    else:
        assert answer == Tries(NOW, NOW, changes.get("missed", 0.0))


def test_a_candle_of_tries_then_it_is_taken() -> None:
    """Orders follow each other for the length of a candle; an entry of much later begins anew."""
    tries = next_try(OFFER, None, NOW)
    for number in range(1, 12):
        assert isinstance(tries, Tries)
        tries = next_try(OFFER, tries, NOW + number * 300)
    assert isinstance(tries, Tries)
    assert tries.since == NOW
    assert next_try(OFFER, tries, NOW + HOUR + 1) == "it has waited for a candle"
    assert next_try(OFFER, tries, tries.last + HOUR + 301) == Tries(tries.last + HOUR + 301, tries.last + HOUR + 301)


@given(st.lists(st.tuples(st.floats(0, 600), st.floats(0, 0.0005), st.floats(-0.001, 0.001)), max_size=6))
def test_all_tries_together_never_miss_more_than_they_save(steps: list[tuple[float, float, float]]) -> None:
    """However an entry is tried again, waiting costs it at most the fee that it was about."""
    tries: Tries | None = None
    now, spent = NOW, 0.0
    for pause, missed, gain in steps:
        now += pause
        answer = next_try(replace(OFFER, missed=missed, basis_gain=gain), tries, now)
        if isinstance(answer, Tries):
            spent, tries = spent + missed, answer
    assert spent <= OFFER.saved + 1e-12
