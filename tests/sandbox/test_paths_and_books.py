"""Price paths and the books made from them, on their own."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from freqtrade_fundhedge.sandbox.book import BookShape, make_book, take_quantity, take_quote, within
from freqtrade_fundhedge.sandbox.noise import seed_of, walk
from freqtrade_fundhedge.sandbox.numbers import on_grid
from freqtrade_fundhedge.sandbox.paths import PricePath
from freqtrade_fundhedge.sandbox.specs import COINS

MARKETS = [coin.spot for coin in COINS if coin.spot is not None] + [coin.perp for coin in COINS]
MOMENT = 1_790_000_000_000


def path(alive: bool = False) -> PricePath:
    return PricePath(MOMENT, Decimal(100), lambda minutes: 0.001 * walk(seed_of("test"), minutes), alive)


@given(
    st.sampled_from(MARKETS),
    st.decimals("0.01", "1000000", places=6),
    st.decimals("0", "200", places=1),
    st.decimals("10", "100000", places=0),
    st.integers(1, 50),
)
def test_books_are_on_the_grid_and_never_crossed(spec, ticks, spread, depth, levels):
    """Bids lie below asks, both sorted, on the price and lot grids."""
    book = make_book(ticks * spec.tick, spec.tick, spec.step, BookShape(depth, spread, Decimal(1), levels))
    for side in (book.bids, book.asks):
        assert len({price for price, _ in side}) == len(side) <= levels
        assert all(price > 0 and on_grid(price, spec.tick) and on_grid(size, spec.step) for price, size in side)
    assert sorted(book.bids, reverse=True) == book.bids
    assert sorted(book.asks) == book.asks
    if book.bids and book.asks:
        assert book.bids[0][0] < book.asks[0][0]


@given(st.decimals("0.001", "20", places=3), st.decimals("60000", "70000", places=1), st.sampled_from(["BUY", "SELL"]))
def test_a_taker_gets_no_more_than_it_asked_or_the_book_has(quantity, limit, side):
    """Fills never exceed the order, the levels within its price, or the quote it spends."""
    spec = COINS[0].perp
    book = make_book(Decimal(65000), spec.tick, spec.step, BookShape(Decimal(100_000)))
    levels = within(book.against(side), side, limit)
    fills = take_quantity(levels, quantity)
    assert sum(size for _, size in fills) == min(quantity, sum((size for _, size in levels), Decimal(0)))
    spent = take_quote(levels, quantity * 1000, spec.step)
    assert sum(price * size for price, size in spent) <= quantity * 1000


def test_the_past_joins_the_present():
    """A path is at its first level when it is born, and the past leads there without a jump."""
    prices = path().at_minutes(np.arange(MOMENT / 60_000 - 5, MOMENT / 60_000 + 0.001))
    assert abs(prices[-1] - 100) < 0.5
    assert np.abs(np.diff(prices)).max() < 1


def test_levels_and_ramps():
    """A set level holds to the digit; a ramp is straight; a new level ends a ramp."""
    steered = path()
    steered.set(MOMENT + 1000, Decimal("101.23456789"))
    assert steered.price(MOMENT + 999) == 100
    assert steered.price(MOMENT + 1000) == steered.price(MOMENT + 9999) == Decimal("101.23456789")
    steered.set(MOMENT + 10_000, Decimal("111.23456789"), 10_000)
    assert steered.price(MOMENT + 15_000) == Decimal("106.23456789")
    steered.set(MOMENT + 16_000, Decimal(50))
    assert steered.price(MOMENT + 30_000) == 50


def test_a_price_within_a_minute_is_in_its_candle():
    """A level that was set and left within one minute is in the minute's high and low."""
    steered = path()
    steered.set(MOMENT + 5_000, Decimal(120))
    steered.set(MOMENT + 6_000, Decimal(80))
    steered.set(MOMENT + 7_000, Decimal(100))
    first = MOMENT // 60_000
    _, high, low, close = steered.minutes(first, first, MOMENT + 8_000)[0].tolist()
    assert (high, low, close) == (120, 80, 100)


def test_an_alive_path_moves_around_its_level():
    """An alive path moves by itself and still goes where it is set."""
    steered = path(alive=True)
    steered.set(MOMENT + 1000, Decimal(200))
    assert abs(steered.price(MOMENT + 1000) - 200) < Decimal("1e-9")
    assert steered.price(MOMENT + 600_000) != 200
    assert abs(steered.price(MOMENT + 600_000) - 200) < 20
