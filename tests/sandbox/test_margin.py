"""Margin arithmetic, on its own."""

from __future__ import annotations

import itertools
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from freqtrade_fundhedge.sandbox import margin
from freqtrade_fundhedge.sandbox.specs import COINS

BRACKETS = st.sampled_from([coin.perp.brackets for coin in COINS])
MONEY = st.decimals("0", "1000000", places=4)
SIGNED = st.decimals("-1000000", "1000000", places=4)
QUANTITY = st.decimals("0.001", "1000", places=3)
PRICE = st.decimals("1", "100000", places=2)


@given(BRACKETS)
def test_maintenance_is_continuous(brackets):
    """The maintenance margin does not jump where one bracket ends and the next begins."""
    for lower, upper in itertools.pairwise(brackets):
        assert lower.cap == upper.floor
        below = lower.cap * lower.maint_ratio - lower.cum
        assert below == upper.floor * upper.maint_ratio - upper.cum


@given(BRACKETS, MONEY, MONEY)
def test_maintenance_grows_with_notional(brackets, first, second):
    """A larger position never needs less maintenance margin."""
    small, large = sorted((first, second))
    assert margin.maintenance_margin(brackets, small) <= margin.maintenance_margin(brackets, large)


@given(BRACKETS, QUANTITY, st.booleans(), PRICE, st.integers(1, 20))
def test_liquidation_price_is_where_margin_meets_maintenance(brackets, size, short, entry, leverage):
    """At the liquidation price, wallet plus profit is exactly the maintenance margin."""
    quantity = -size if short else size
    wallet = size * entry / leverage
    price = margin.liquidation_price(brackets, quantity, entry, wallet)
    if price == 0:
        return
    left = wallet + (price - entry) * quantity
    maintenance = margin.maintenance_margin(brackets, size * price)
    assert abs(left - maintenance) <= Decimal("1e-12") * max(1, abs(left))


@given(BRACKETS, QUANTITY, PRICE, st.integers(2, 20))
def test_a_short_is_liquidated_above_its_entry(brackets, size, entry, leverage):
    """A short with margin to spare is liquidated by a rise, never by a fall."""
    wallet = size * entry / leverage
    if wallet <= margin.maintenance_margin(brackets, size * entry):
        return
    assert margin.liquidation_price(brackets, -size, entry, wallet) > entry


@given(SIGNED, SIGNED, MONEY, st.decimals("0", "1", places=2), MONEY)
def test_never_more_to_withdraw_than_available(wallet, pnl, initial, part, orders):
    """Unrealised profit raises what is available, but what can be withdrawn only up to wallet less maintenance."""
    maintenance = initial * part
    available = margin.available(wallet, pnl, initial, orders)
    withdrawable = margin.withdrawable(wallet, maintenance, orders, available)
    assert 0 <= withdrawable <= available
    assert withdrawable <= max(0, wallet - maintenance - orders)
    richer = margin.available(wallet, pnl + 1, initial, orders)
    assert richer >= available
    assert margin.withdrawable(wallet, maintenance, orders, richer) >= withdrawable


@given(MONEY, SIGNED, MONEY)
def test_removable_margin_leaves_the_initial_margin(wallet, pnl, initial):
    """What is taken out of an isolated position leaves its initial margin covered, and is at most its wallet."""
    amount = margin.removable(wallet, pnl, initial)
    assert 0 <= amount <= wallet
    assert amount == 0 or wallet - amount + pnl >= initial


@given(SIGNED, MONEY, MONEY, st.integers(1, 20))
def test_closing_orders_hold_no_margin(position, buys, sells, leverage):
    """An order that can only reduce a position holds no margin; any other holds at most its own."""
    held = margin.open_order_margin(position, buys, sells, leverage)
    assert 0 <= held <= max(buys, sells) / leverage
    if position < 0 and buys <= -2 * position:
        assert margin.open_order_margin(position, buys, Decimal(0), leverage) == 0


@given(PRICE, PRICE, st.one_of(st.just(Decimal(0)), PRICE))
def test_a_new_order_is_reckoned_at_no_better_than_its_price(last, mark, price):
    """Shorts are reckoned above mark, last and their own price; longs at their own price or above the market."""
    short = margin.assumed_price("SELL", price, last, mark)
    assert short >= max(mark, price)
    assert short > last
    assert margin.assumed_price("BUY", price, last, mark) == price or price == 0


@given(st.lists(st.tuples(PRICE, QUANTITY), max_size=4), PRICE)
def test_only_a_bad_price_is_an_open_loss(fills, mark):
    """What one side loses at once the other gains; a gain is no loss."""
    buy, sell = margin.open_loss("BUY", fills, mark), margin.open_loss("SELL", fills, mark)
    assert min(buy, sell) == 0
    assert max(buy, sell) == abs(sum((size * (price - mark) for price, size in fills), Decimal(0)))
