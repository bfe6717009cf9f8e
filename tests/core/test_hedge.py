"""The spot leg's one order: on the grid, within the cap, never more than is held, legs equal to a lot."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from freqtrade_fundhedge.core.hedge import (
    Dust,
    ShortLeg,
    SpotOrder,
    entry_obstacle,
    fillable,
    next_order,
    price_cap,
    real_short,
    wanted_quantity,
    widened,
)
from freqtrade_fundhedge.market import SpotMarket
from freqtrade_fundhedge.venue.port import Quote, Side

D = Decimal
BTC = SpotMarket(
    pair="BTC/USDT:USDT",
    symbol="BTC/USDT",
    base="BTC",
    quote="USDT",
    multiplier=D(1),
    lot=D("0.00001"),
    tick=D("0.01"),
    min_quantity=D("0.00001"),
    min_notional=D(5),
    taker_fee=D("0.001"),
    active=True,
)
PEPE = replace(
    BTC,
    pair="1000PEPE/USDT:USDT",
    symbol="PEPE/USDT",
    base="PEPE",
    multiplier=D(1000),
    lot=D(1),
    tick=D("0.00000001"),
    min_quantity=D(1),
    min_notional=D(1),
)
SLIP = D("0.003")


def quote(bid: str, ask: str, depth: str = "1E+9", symbol: str = "BTC/USDT") -> Quote:
    return Quote(symbol, ((D(bid), D(depth)),), ((D(ask), D(depth)),), 0.0)


MARKETS = st.builds(
    replace,
    st.sampled_from([BTC, PEPE]),
    lot=st.sampled_from([D("0.00001"), D("0.001"), D("0.1"), D(1)]),
    tick=st.sampled_from([D("0.00000001"), D("0.0001"), D("0.01")]),
    min_notional=st.sampled_from([D(0), D(1), D(5), D(100)]),
    taker_fee=st.sampled_from([D(0), D("0.00075"), D("0.001"), D("0.01")]),
)
QUANTITIES = st.decimals(min_value=D(0), max_value=D(10**6), places=8)
SLIPS = st.decimals(min_value=D("0.0001"), max_value=D("0.05"), places=4)


@st.composite
def quotes(draw: st.DrawFn) -> Quote:
    bid = draw(st.decimals(min_value=D("0.0001"), max_value=D(100_000), places=4))
    spread = draw(st.decimals(min_value=D(0), max_value=bid / 100, places=4))
    return Quote("X/USDT", ((bid, D(10)),), ((bid + spread, D(10)),), 0.0)


def held_after(order: SpotOrder, held: Decimal, fee: Decimal) -> Decimal:
    """What a full fill leaves, with a buy's fee taken in the coin."""
    return held + order.quantity * (1 - fee) if order.side is Side.BUY else held - order.quantity


@given(QUANTITIES, QUANTITIES, MARKETS, quotes(), SLIPS, st.booleans())
def test_a_fill_makes_the_legs_equal(
    wanted: Decimal, held: Decimal, market: SpotMarket, book: Quote, slip: Decimal, in_coin: bool
) -> None:
    """After the order, net of its fee, spot and short differ by less than one lot."""
    order = next_order(wanted, held, market, book, slip, in_coin)
    assume(isinstance(order, SpotOrder))
    assert isinstance(order, SpotOrder)
    fee = market.taker_fee if in_coin else D(0)
    assert abs(held_after(order, held, fee) - wanted) < market.lot + D("1E-20")
    assert order.side is (Side.BUY if wanted > held else Side.SELL)


@given(QUANTITIES, QUANTITIES, MARKETS, quotes(), SLIPS)
def test_an_order_is_one_that_the_venue_takes(
    wanted: Decimal, held: Decimal, market: SpotMarket, book: Quote, slip: Decimal
) -> None:
    """Quantity on the lot grid and above the minimums, price within the cap; a sale never exceeds what is held."""
    order = next_order(wanted, held, market, book, slip)
    assume(isinstance(order, SpotOrder))
    assert isinstance(order, SpotOrder)
    assert order.quantity > 0
    assert order.quantity % market.lot == 0
    assert order.quantity >= market.min_quantity
    assert order.quantity * order.price >= market.min_notional
    if order.side is Side.SELL:
        assert order.quantity <= held
        assert order.price <= book.best(Side.SELL)
        assert order.price >= book.best(Side.SELL) * (1 - slip)
    else:
        assert order.price >= book.best(Side.BUY)
        assert order.price <= book.best(Side.BUY) * (1 + slip)


@given(QUANTITIES, QUANTITIES, MARKETS, quotes(), SLIPS)
def test_one_order_is_enough(wanted: Decimal, held: Decimal, market: SpotMarket, book: Quote, slip: Decimal) -> None:
    """After a full fill nothing more is ordered: what is left is dust or nothing."""
    order = next_order(wanted, held, market, book, slip)
    assume(isinstance(order, SpotOrder))
    assert isinstance(order, SpotOrder)
    left = held_after(order, held, market.taker_fee)
    assert not isinstance(next_order(wanted, left, market, book, slip), SpotOrder)


@given(QUANTITIES, QUANTITIES, MARKETS, quotes(), SLIPS)
def test_what_is_not_ordered_is_told(
    wanted: Decimal, held: Decimal, market: SpotMarket, book: Quote, slip: Decimal
) -> None:
    """Without an order the difference is shown as dust, exactly, and it is nothing only when the legs are equal."""
    answer = next_order(wanted, held, market, book, slip)
    if isinstance(answer, Dust):
        assert answer.delta == held - wanted
        assert answer.delta != 0
    elif answer is None:
        assert wanted == held


@pytest.mark.parametrize(
    ("wanted", "held", "expected"),
    [
        ("0.5", "0", SpotOrder(Side.BUY, D("0.50051"), D("50150.30"))),
        ("0", "0.5", SpotOrder(Side.SELL, D("0.50000"), D("49840.03"))),
        ("0.2", "0.5", SpotOrder(Side.SELL, D("0.30000"), D("49840.03"))),
        ("0", "0.500509", SpotOrder(Side.SELL, D("0.50050"), D("49840.03"))),
        ("0.5", "0.5", None),
        ("0.5", "0.499995", Dust(D("-0.000005"))),
        ("0", "0.00009", Dust(D("0.00009"))),
        ("0.00008", "0", Dust(D("-0.00008"))),
    ],
)
def test_orders_worked_by_hand(wanted: str, held: str, expected: SpotOrder | Dust | None) -> None:
    """Bid 49990, ask 50000.3, fee 0.1 %, lot 0.00001, minimum 5 USDT, cap 0.3 %."""
    assert next_order(D(wanted), D(held), BTC, quote("49990", "50000.30"), SLIP) == expected


def test_an_empty_book_gives_no_order() -> None:
    """Without a price there is nothing to send and nothing to call dust."""
    empty = Quote("BTC/USDT", (), (), 0.0)
    assert next_order(D(1), D(0), BTC, empty, SLIP) is None
    assert next_order(D(0), D(1), BTC, empty, SLIP) is None


def test_a_coarse_tick_does_not_push_the_cap_to_the_wrong_side() -> None:
    """Where one tick is more than the slippage allowed, the best price itself is the cap."""
    assert price_cap(Side.BUY, quote("9", "10"), SLIP, D(1)) == 10
    assert price_cap(Side.SELL, quote("9", "10"), SLIP, D(1)) == 9


@given(SLIPS, st.integers(min_value=0, max_value=100))
def test_a_sale_widens_up_to_a_limit(slip: Decimal, misses: int) -> None:
    """Each miss may cost more than the one before, never more than 5 %, never less than was configured."""
    assert slip <= widened(slip, misses) <= max(slip, D("0.05"))
    assert widened(slip, misses) <= widened(slip, misses + 1)


def test_depth_counts_what_the_cap_reaches() -> None:
    """Only levels at the limit or better are there for a taker."""
    book = Quote("X", ((D(9), D(1)), (D(8), D(2))), ((D(10), D(3)), (D(11), D(4)), (D(12), D(5))), 0.0)
    assert fillable(book, Side.BUY, D(11)) == 7
    assert fillable(book, Side.SELL, D(9)) == 1
    assert fillable(book, Side.BUY, D("9.9")) == 0


def leg(filled: str, reachable: str, stake_in: str = "0", stake_left: str = "0", realised: str = "0") -> ShortLeg:
    return ShortLeg(1, "BTC/USDT:USDT", 0.0, D(filled), D(reachable), True, D(stake_in), D(stake_left), D(realised))


@pytest.mark.parametrize(
    ("short", "on_exchange", "real"),
    [
        (None, None, "0"),
        (None, "2", "2"),
        (leg("1", "1"), None, "1"),
        (leg("1", "1"), "1", "1"),
        (leg("1", "1"), "0.4", "0.4"),
        (leg("1", "1"), "0", "0"),
        (leg("1", "3"), "2", "2"),
        (leg("1", "3"), "5", "3"),
        (leg("1", "1"), "5", "1"),
    ],
)
def test_the_short_is_what_is_really_there(short: ShortLeg | None, on_exchange: str | None, real: str) -> None:
    """Less on the exchange wins; more counts only as far as open entry orders explain it."""
    assert real_short(short, D(on_exchange) if on_exchange is not None else None) == D(real)


@given(QUANTITIES, QUANTITIES, QUANTITIES)
def test_the_short_is_never_more_than_both_know(filled: Decimal, more: Decimal, on_exchange: Decimal) -> None:
    """Coins are bought only for a short that the exchange shows and that Freqtrade can have."""
    real = real_short(leg(str(filled), str(filled + more)), on_exchange)
    assert 0 <= real <= on_exchange
    assert real <= filled + more


def test_the_multiplier_scales_the_spot_leg() -> None:
    """Two units of 1000PEPE are two thousand PEPE."""
    assert wanted_quantity(D(2), PEPE) == 2000


def test_freed_margin_is_never_negative() -> None:
    """A loss larger than the margin that came back frees nothing; a profit is freed with it."""
    assert leg("0", "0", "100", "0", "7").freed == 107
    assert leg("1", "1", "100", "50", "-20").freed == 30
    assert leg("0", "0", "100", "0", "-120").freed == 0


BOOK = quote("49990", "50000", "2")


@pytest.mark.parametrize(
    ("quantity", "perp", "market", "book", "free", "told"),
    [
        ("1", "50100", BTC, BOOK, "60000", ""),
        ("1", "50100", replace(BTC, active=False), BOOK, "60000", "not open for trading"),
        ("1", "50100", BTC, Quote("BTC/USDT", (), (), 0.0), "60000", "no asks"),
        ("0.00001", "50100", BTC, BOOK, "60000", "0.00001 BTC is below the minimum order"),
        ("0.000001", "50100", BTC, BOOK, "60000", "below the minimum order"),
        ("1", "80000", BTC, BOOK, "60000", "apart"),
        ("1", "50100", BTC, BOOK, "50000", "needed on spot, 50000.00 free"),
        ("2", "50100", BTC, BOOK, "600000", "offers 2 within 0.30%"),
        ("100", "0.0101", PEPE, quote("0.00001", "0.0000101", "1E+6", "PEPE/USDT"), "5", ""),
        ("100", "0.0000101", PEPE, quote("0.00001", "0.0000101", "1E+6", "PEPE/USDT"), "5", "not the same asset"),
    ],
)
def test_an_entry_that_cannot_be_hedged_is_told(
    quantity: str, perp: str, market: SpotMarket, book: Quote, free: str, told: str
) -> None:
    """Each reason why the spot leg could not be filled now is a sentence; none means that it could."""
    obstacle = entry_obstacle(D(quantity), D(perp), market, book, D(free), SLIP)
    assert told in obstacle
    assert bool(told) is bool(obstacle)
