"""Sizes with which both legs of every slot fit."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import hypothesis.strategies as st
import pytest
from hypothesis import given

from freqtrade_fundhedge.core.margin import Stress
from freqtrade_fundhedge.core.sizing import (
    CENT,
    Capital,
    Terms,
    Wish,
    entry_margin,
    fits,
    largest_stake,
    needs,
    settle_stake,
    shown_margin,
)
from freqtrade_fundhedge.core.treasury import Needs, Rules, decide, stress_buffer
from freqtrade_fundhedge.venue.port import ZERO, Direction, FuturesAccount, Position

D = Decimal
PAIR = "BTC/USDT:USDT"


def money(most: int = 100_000) -> st.SearchStrategy[Decimal]:
    return st.decimals(min_value=ZERO, max_value=D(most), places=2)


TERMS = st.builds(
    Terms,
    pair=st.just(PAIR),
    leverage=st.integers(1, 20).map(D),
    spot=st.sampled_from(["0.98", "1.004", "1.006", "1.05"]).map(D),
    slack=st.sampled_from(["0", "0.003", "0.01"]).map(D),
    maintenance=st.sampled_from(["0.004", "0.01", "0.05"]).map(D),
)
RULES = st.builds(
    Rules,
    keep=st.sampled_from([ZERO, D(25)]),
    minimum=st.sampled_from([D("0.01"), D(1), D(50)]),
    stress=st.sampled_from([Stress(otherwise=D(move)) for move in ("0", "0.25", "1")]),
    cross=st.booleans(),
    fund_entries=st.just(True),
)


@st.composite
def capitals(draw: st.DrawFn) -> Capital:
    """Both wallets, with or without a short that is open, cross or isolated."""
    free, notional = draw(money()), draw(st.just(ZERO) | money(20_000))
    leverage = draw(st.sampled_from([1, 3, 10]))
    margin = notional / leverage
    isolated = margin if draw(st.booleans()) else None
    shorts = (Position("ETH/USDT:USDT", D(1), notional, margin, notional * D("0.005"), ZERO, True, isolated),)
    account = FuturesAccount(free + margin, free, free * draw(st.sampled_from([D(1), D("0.9"), ZERO])), shorts)
    ratio = draw(st.sampled_from(["0.5", "0.99", "1"]).map(D))
    own = draw(st.just(D("Infinity")) | money())
    return Capital(
        spot=draw(money()),
        account=replace(account, positions=shorts if notional else ()),
        stakes=margin,
        tied_up=margin + notional,
        ratio=D(1) if own.is_finite() else ratio,
        shown_ratio=D(1) if own.is_finite() else ratio,
        limit=own,
        stakes_left=own - margin if own.is_finite() else own,
        movable=draw(st.booleans()),
        pooled=draw(st.booleans()),
    )


SLOTS = st.integers(1, 10)


@given(capitals(), SLOTS, TERMS, RULES)
def test_both_sides_of_all_slots_are_within_what_there_is(
    capital: Capital, slots: int, terms: Terms, rules: Rules
) -> None:
    """What all slots take of both wallets, buffers, fees and float included, is there; so is what the user allows."""
    stake = largest_stake(slots, terms, capital, rules)
    assert stake >= 0
    if stake == 0:
        return
    futures, spot = needs(stake, slots, terms, capital, rules)
    assert futures + spot <= capital.free
    if not capital.movable and not capital.pooled:
        assert futures <= capital.account.free
        assert spot <= capital.spot
    both = stake * slots * (1 + terms.leverage * terms.spot)
    assert both + capital.tied_up <= min(capital.limit, (capital.free + capital.tied_up) * capital.ratio)
    assert stake * slots <= capital.stakes_left


@given(capitals(), SLOTS, TERMS, RULES)
def test_no_larger_stake_would_fit(capital: Capital, slots: int, terms: Terms, rules: Rules) -> None:
    """The largest stake is the largest: a cent more is too much, and everything below it fits."""
    stake = largest_stake(slots, terms, capital, rules)
    assert not fits(stake + CENT, slots, terms, capital, rules)
    if stake:
        assert fits((stake / 2).quantize(CENT), slots, terms, capital, rules)


@given(capitals(), SLOTS, TERMS, RULES)
def test_freqtrade_grants_the_stake(capital: Capital, slots: int, terms: Terms, rules: Rules) -> None:
    """With the planned margin free, Freqtrade's own formula leaves at least the stake available."""
    stake = largest_stake(slots, terms, capital, rules)
    free = entry_margin(stake, ZERO, terms, capital, rules.cross)
    available = min((capital.stakes + free) * capital.shown_ratio - capital.stakes, free)
    assert available >= stake - D("1e-20")
    assert free >= shown_margin(stake, capital)


def entered(capital: Capital, stake: Decimal, terms: Terms, rules: Rules) -> Capital:
    """One entry, step by step as the bot makes it, each cost at its worst: top-up, short, spot leg."""
    margin = entry_margin(stake, ZERO, terms, capital, rules.cross)
    notional = stake * terms.leverage
    movement = decide(
        capital.account, rules,
        Needs(entry_margin=margin, spot_free=capital.spot, spot_reserved=notional * terms.spot),
    )  # fmt: skip
    account, spot = capital.account, capital.spot
    if movement is not None:
        moved = movement.amount if movement.direction is Direction.TOP_UP else -movement.amount
        account = replace(
            account, wallet=account.wallet + moved, free=account.free + moved, withdrawable=account.withdrawable + moved
        )
        spot -= moved
    assert account.free >= margin, "the margin of the entry is not there"
    lost = notional * terms.slack
    short = Position(terms.pair, D(1), notional, stake, notional * terms.maintenance, ZERO)
    free = account.free - stake - lost
    spot -= notional * terms.spot
    assert min(free, spot) >= 0, "a leg that was planned does not fit"
    account = FuturesAccount(account.wallet - lost, free, free, (*account.positions, short))
    return replace(
        capital, account=account, spot=spot, stakes=capital.stakes + stake, tied_up=capital.tied_up + stake + notional
    )


@given(money().filter(lambda x: x > 50), SLOTS, TERMS, RULES, st.sampled_from(["0.5", "0.99", "1"]).map(D))
def test_slot_after_slot_gets_its_share(total: Decimal, slots: int, terms: Terms, rules: Rules, ratio: Decimal) -> None:
    """From USDT that is all on spot every slot is filled in turn: none gets less than the first, none lacks a leg."""
    empty = FuturesAccount(ZERO, ZERO, ZERO)
    capital = Capital(total, empty, ratio=ratio, shown_ratio=ratio)
    first = largest_stake(slots, terms, capital, rules)
    for left in range(slots, 0, -1):
        stake = largest_stake(left, terms, capital, rules)
        assert stake >= first - CENT
        if stake <= 1:
            return
        capital = entered(capital, stake, terms, rules)
    buffer = stress_buffer(capital.account, replace(rules, cross=True))
    have = capital.account.free if rules.cross else capital.spot
    assert have + (capital.spot if rules.cross else ZERO) >= buffer


@pytest.mark.parametrize("cross", [False, True])
@pytest.mark.parametrize("ratio", ["0.99", "1"])
def test_most_of_the_capital_works(cross: bool, ratio: str) -> None:
    """10,000 USDT, three slots, leverage 3, a price cap of 0.3 %: at least 70 % are notional on each leg."""
    rules = Rules(ZERO, D(1), Stress(otherwise=D("0.25")), cross, True)
    terms = Terms(PAIR, D(3), D("1.006"), D("0.003"), D("0.004"))
    capital = Capital(D(10_000), FuturesAccount(ZERO, ZERO, ZERO), ratio=D(ratio), shown_ratio=D(ratio))
    assert largest_stake(3, terms, capital, rules) * 3 * 3 >= 7_000


CAPITAL = Capital(D(1_000), FuturesAccount(ZERO, ZERO, ZERO))
PLAIN = Rules(ZERO, D(1), Stress(otherwise=D("0.25")), False, True)
TRIPLE = Terms(PAIR, D(3), D(1), ZERO, ZERO, least=D(10))


@pytest.mark.parametrize(
    ("wish", "terms", "stake", "why"),
    [
        # 200 + 600 are there; 300 + 900 are not
        (Wish(D(200)), TRIPLE, "200", ""),
        (Wish(D(300)), TRIPLE, "0", "takes 1200.00 with its spot leg, more than there is"),
        # 249.74 x 4 and the least transfer are: enough for half of 300, not for 0.9 of it
        (Wish(D(300), reducible_to=D("0.5")), TRIPLE, "249.74", ""),
        (Wish(D(300), reducible_to=D("0.9")), TRIPLE, "0", "more than there is"),
        # below the exchange's minimum: raised a little, as Freqtrade does, or not entered
        (Wish(D(8)), TRIPLE, "10", ""),
        (Wish(D(7)), TRIPLE, "0", "below the least that the exchange takes on both legs, 10.00 at leverage 3"),
        (Wish(D(300), reducible_to=D("0.5")), replace(TRIPLE, least=D(260)), "0", "more than there is"),
        # above what the tier of the leverage takes
        (Wish(D(200)), replace(TRIPLE, most=D(150)), "150", ""),
        # Freqtrade wants to see 500 free before it makes an entry of 200: 500 + 600 are not there
        (Wish(D(200), shown=D(500)), TRIPLE, "0", "more than there is"),
        (Wish(D(100), shown=D(500)), TRIPLE, "100", ""),
    ],
)
def test_stakes_worked_by_hand(wish: Wish, terms: Terms, stake: str, why: str) -> None:
    """The figures of each case are in its comment."""
    found, reason = settle_stake(wish, terms, CAPITAL, PLAIN)
    assert found == D(stake)
    assert why in reason
    assert bool(reason) == (found == 0)
