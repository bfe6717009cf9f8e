"""The one transfer that the wallets need: enough stays, nothing alternates, nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from freqtrade_fundhedge.core.intents import UNIQUE_ROOM, unique_amount
from freqtrade_fundhedge.core.margin import Stress
from freqtrade_fundhedge.core.treasury import (
    Movement,
    Needs,
    Rules,
    allocate,
    applied_by_balances,
    decide,
    reduced,
    stress_buffer,
)
from freqtrade_fundhedge.venue.port import Direction, FuturesAccount, Position

D = Decimal
ZERO = D(0)
STEP = D("0.00000001")


def money(most: int = 100_000) -> st.SearchStrategy[Decimal]:
    return st.decimals(min_value=ZERO, max_value=D(most), places=8)


@st.composite
def positions(draw: st.DrawFn) -> Position:
    notional = draw(money())
    return Position(
        pair="BTC/USDT:USDT",
        quantity=D(1),
        notional=notional,
        initial_margin=notional / draw(st.sampled_from([1, 2, 3, 10])),
        maintenance_margin=notional * draw(st.sampled_from([D("0.004"), D("0.01"), D("0.05")])),
        unrealised=draw(st.decimals(min_value=D(-1000), max_value=D(1000), places=4)),
    )


@st.composite
def accounts(draw: st.DrawFn) -> FuturesAccount:
    """A wallet as a venue reports it: free may count unrealised profit, withdrawable never exceeds it."""
    held = tuple(draw(st.lists(positions(), max_size=3)))
    free = draw(st.sampled_from([ZERO, D("0.5"), D(700)]) | money(2000))
    locked = sum((p.initial_margin for p in held), ZERO)
    wallet = max(ZERO, free + locked - sum((p.unrealised for p in held), ZERO))
    return FuturesAccount(wallet, free, min(free, wallet) * draw(st.sampled_from([D(1), D(1), D("0.9"), ZERO])), held)


RULES = st.builds(
    Rules,
    keep=st.sampled_from([ZERO, D(10), D("123.45")]),
    minimum=st.sampled_from([D("0.01"), D(1), D(25)]),
    stress=st.sampled_from([Stress(otherwise=D(move)) for move in ("0", "0.25", "1")]),
    cross=st.booleans(),
    fund_entries=st.booleans(),
)
NEEDS = st.builds(
    Needs,
    entry_margin=st.sampled_from([ZERO, D(300)]) | money(1000),
    freed=st.sampled_from([D(150), ZERO]) | money(1000),
    spot_free=st.sampled_from([D(2000), None]) | money(2000),
    spot_reserved=st.sampled_from([ZERO, D(900)]) | money(1000),
    guard=st.sampled_from([ZERO, ZERO, D(250)]),
)


def movement_of(account: FuturesAccount, rules: Rules, needs: Needs) -> Movement:
    """What is decided, where anything is."""
    movement = decide(account, rules, needs)
    assume(movement is not None)
    assert movement is not None
    return movement


def applied(
    movement: Movement, account: FuturesAccount, needs: Needs, serial: int | None
) -> tuple[FuturesAccount, Needs, Decimal]:
    """Both wallets after the transfer, of the whole amount or of one made unique by `serial`."""
    amount = movement.amount if serial is None else unique_amount(movement.amount, STEP, serial)
    inward = amount if movement.direction is Direction.TOP_UP else -amount
    after = replace(
        account,
        wallet=account.wallet + inward,
        free=account.free + inward,
        withdrawable=account.withdrawable + inward,
    )
    spot = needs.spot_free - inward if needs.spot_free is not None else None
    freed = needs.freed - amount if movement.direction is Direction.SWEEP else needs.freed
    return after, replace(needs, spot_free=spot, freed=max(ZERO, freed)), amount


SERIALS = st.none() | st.integers(min_value=0, max_value=10**6)
# Many situations call for no movement; those are drawn and dropped.
often = settings(max_examples=100, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])


@often
@given(accounts(), RULES, NEEDS, SERIALS)
def test_one_movement_is_enough(account: FuturesAccount, rules: Rules, needs: Needs, serial: int | None) -> None:
    """Without a change of state a sweep or top-up is followed by nothing: the two never alternate."""
    movement = movement_of(account, rules, needs)
    after, then, _ = applied(movement, account, needs, serial)
    assert decide(after, rules, then) is None


@often
@given(accounts(), RULES, NEEDS, SERIALS)
def test_no_movement_makes_or_loses_money(
    account: FuturesAccount, rules: Rules, needs: Needs, serial: int | None
) -> None:
    """The sum of both wallets stays, neither goes below zero, and no more leaves than may be withdrawn."""
    movement = movement_of(account, rules, needs)
    needs = replace(needs, spot_free=needs.spot_free if needs.spot_free is not None else ZERO)
    after, then, amount = applied(movement, account, needs, serial)
    assert needs.spot_free is not None
    assert then.spot_free is not None
    assert after.wallet + then.spot_free == account.wallet + needs.spot_free
    assert min(then.spot_free, after.withdrawable, after.free) >= 0
    if movement.direction is Direction.SWEEP:
        assert amount <= account.withdrawable


@often
@given(accounts(), RULES, NEEDS)
def test_what_is_moved_is_worth_moving(account: FuturesAccount, rules: Rules, needs: Needs) -> None:
    """No movement is below the user's minimum, and each tells the figures behind it in plain decimals."""
    movement = movement_of(account, rules, needs)
    assert movement.amount >= rules.minimum
    assert D(movement.arithmetic["free"]) == account.free
    assert all("E" not in text for text in movement.arithmetic.values())


@often
@given(accounts(), RULES, NEEDS)
def test_a_sweep_leaves_what_is_needed(account: FuturesAccount, rules: Rules, needs: Needs) -> None:
    """After a sweep the stress buffer, the next entry's margin and the float are still free."""
    movement = movement_of(account, rules, needs)
    assume(movement.direction is Direction.SWEEP)
    after, _, _ = applied(movement, account, needs, None)
    wanted = stress_buffer(after, rules) + needs.guard
    wanted += needs.entry_margin + rules.keep if rules.fund_entries else ZERO
    assert after.free >= wanted


@often
@given(accounts(), RULES, NEEDS, SERIALS)
def test_a_top_up_for_an_entry_is_enough_for_it(
    account: FuturesAccount, rules: Rules, needs: Needs, serial: int | None
) -> None:
    """Where spot can spare it, a top-up covers all that is wanted, although its amount was made unique."""
    rules = replace(rules, fund_entries=True)
    needs = replace(needs, spot_free=D(10**7))
    movement = movement_of(account, rules, needs)
    assume(movement.direction is Direction.TOP_UP)
    after, _, _ = applied(movement, account, needs, serial)
    wanted = stress_buffer(account, rules) + needs.entry_margin + needs.guard + rules.keep
    assert wanted <= after.free <= wanted + max(rules.minimum, UNIQUE_ROOM)


@often
@given(accounts(), RULES, NEEDS)
def test_an_entry_never_takes_what_its_spot_leg_needs(account: FuturesAccount, rules: Rules, needs: Needs) -> None:
    """A top-up that pays for an entry leaves the spot leg's USDT on spot, or is not made."""
    movement = movement_of(account, rules, needs)
    assume(movement.direction is Direction.TOP_UP)
    assert needs.spot_free is not None
    without_entry = stress_buffer(account, rules) + rules.keep + needs.guard - account.free
    pays_entry = movement.amount > max(without_entry + UNIQUE_ROOM, rules.minimum)
    assert not pays_entry or needs.spot_free - movement.amount >= needs.spot_reserved


@often
@given(accounts(), RULES, NEEDS)
def test_a_float_of_the_user_is_never_touched(account: FuturesAccount, rules: Rules, needs: Needs) -> None:
    """Without fund_entries nothing is topped up, and no more is swept than exits have freed."""
    movement = movement_of(account, replace(rules, fund_entries=False), needs)
    assert movement.direction is Direction.SWEEP
    assert movement.amount <= needs.freed


def cross_account(prices: list[Decimal], shorts: list[tuple[Decimal, Decimal]], wallet: Decimal) -> FuturesAccount:
    """Cross shorts of (quantity, entry price) at leverage 5, as Binance would report them at these prices."""
    held = tuple(
        Position(f"P{n}", q, q * p, q * p / 5, q * p * D("0.005"), q * (entry - p))
        for n, (p, (q, entry)) in enumerate(zip(prices, shorts, strict=True))
    )
    initial = sum((p.initial_margin for p in held), ZERO)
    equity = wallet + sum((p.unrealised for p in held), ZERO)
    free = max(ZERO, equity - initial)
    kept = sum((p.maintenance_margin for p in held), ZERO)
    return FuturesAccount(wallet, free, max(ZERO, min(wallet - kept, free)), held)


WALKS = st.lists(st.tuples(st.integers(0, 1), st.integers(-400, 400)), min_size=5, max_size=40)


@given(WALKS, st.sampled_from([D("0.2"), D("0.25"), D("0.6")]), st.decimals(0, 20_000, places=2))
@example([(0, 1), (0, -1)] * 20, D("0.25"), D(5000))
def test_price_alone_makes_no_flapping(walk: list[tuple[int, int]], stress: Decimal, free: Decimal) -> None:
    """A sweep follows a top-up, or a top-up a sweep, only after price has moved by more than a per cent in between,
    and both wallets together have the same after each."""
    rules = replace(CROSS, stress=Stress(otherwise=stress))
    shorts = [(D(1), D(10_000)), (D(50), D(100))]
    prices, spot, wallet = [D(10_000), D(100)], D(50_000), D(3000) + free
    last: tuple[Direction, list[Decimal]] | None = None
    for which, change in walk:
        prices[which] = round(prices[which] * (1 + D(change) / 10_000), 8)
        account = cross_account(prices, shorts, wallet)
        movement = decide(account, rules, Needs(spot_free=spot))
        if movement is None:
            continue
        amount = round(movement.amount, 8)
        inward = amount if movement.direction is Direction.TOP_UP else -amount
        before = wallet + spot
        wallet, spot = wallet + inward, spot - inward
        assert wallet + spot == before
        if last is not None and last[0] is not movement.direction:
            assert max(abs(now / then - 1) for now, then in zip(prices, last[1], strict=True)) > D("0.01")
        last = movement.direction, list(prices)
        again = decide(cross_account(prices, shorts, wallet), rules, Needs(spot_free=spot))
        assert again is None or again.direction is movement.direction


@given(accounts(), RULES)
def test_isolated_shorts_need_no_buffer(account: FuturesAccount, rules: Rules) -> None:
    """Isolated margin is locked in its position; cross shorts need more for a harder stress."""
    assert stress_buffer(account, replace(rules, cross=False)) == 0
    softer, harder = (
        stress_buffer(account, replace(rules, cross=True, stress=Stress(otherwise=move)))
        for move in (D("0.1"), D("0.5"))
    )
    assert 0 <= softer <= harder


ISOLATED = Rules(keep=ZERO, minimum=D(1), stress=Stress(otherwise=D("0.25")), cross=False, fund_entries=True)
CROSS = replace(ISOLATED, cross=True)
HARD = replace(CROSS, stress=Stress(otherwise=D("0.5")))
SHORT = Position("BTC/USDT:USDT", D(1), D(3000), D(1000), D(30), ZERO)


def wallet(wallet: str, free: str, withdrawable: str, *held: Position) -> FuturesAccount:
    return FuturesAccount(D(wallet), D(free), D(withdrawable), held)


@pytest.mark.parametrize(
    ("account", "rules", "needs", "expected"),
    [
        # everything freed goes home
        (wallet("500", "500", "500"), ISOLATED, Needs(), (Direction.SWEEP, "500")),
        # but not the float, nor the margin of the next entry
        (wallet("500", "500", "500"), replace(ISOLATED, keep=D(50)), Needs(), (Direction.SWEEP, "450")),
        (wallet("500", "500", "500"), ISOLATED, Needs(entry_margin=D(200)), (Direction.SWEEP, "300")),
        # unrealised profit is free, and can't be withdrawn
        (wallet("1000", "150", "100", SHORT), ISOLATED, Needs(), (Direction.SWEEP, "100")),
        # below the minimum nothing moves
        (wallet("0.99", "0.99", "0.99"), ISOLATED, Needs(), None),
        # cross: 3000 x 0.25 + 30 x 1.25 = 787.50 must survive; 1000 are locked as margin, so all of the rest may go
        (wallet("1500", "500", "500", SHORT), CROSS, Needs(), (Direction.SWEEP, "500")),
        # at twice the move: 1500 + 45 = 1545, less 1000 that are locked: 545 have to stay
        (wallet("1800", "800", "800", SHORT), HARD, Needs(), (Direction.SWEEP, "255")),
        # 154.50 either way are price's own: less than that above or below moves nothing
        (wallet("1600", "600", "600", SHORT), HARD, Needs(), None),
        (wallet("1500", "500", "500", SHORT), HARD, Needs(spot_free=D(1000)), None),
        (wallet("1390", "390", "390", SHORT), HARD, Needs(spot_free=D(1000)), (Direction.TOP_UP, "155.002")),
        # but after an exit all that is not needed goes home
        (wallet("1600", "600", "600", SHORT), HARD, Needs(freed=D(40)), (Direction.SWEEP, "55")),
        # what the guard is about to add to a position is not swept, and fetched if it is not there
        (wallet("500", "500", "500"), ISOLATED, Needs(guard=D(300)), (Direction.SWEEP, "200")),
        (
            wallet("500", "500", "500"),
            ISOLATED,
            Needs(D(90), spot_free=D(150), guard=D(600)),
            (Direction.TOP_UP, "100.002"),
        ),
        (
            wallet("9", "9", "9"),
            replace(ISOLATED, fund_entries=False),
            Needs(freed=D(9), guard=D(5)),
            (Direction.SWEEP, "4"),
        ),
        # an entry: what is missing, and only if spot keeps its own part of it
        (wallet("0", "0", "0"), ISOLATED, Needs(D(100), ZERO, D(500), D(300)), (Direction.TOP_UP, "100.002")),
        (wallet("99.5", "99.5", "99.5"), ISOLATED, Needs(D(100), ZERO, D(500), D(300)), (Direction.TOP_UP, "1")),
        (wallet("0", "0", "0"), ISOLATED, Needs(D(100), ZERO, D(350), D(300)), None),
        (wallet("0", "0", "0"), ISOLATED, Needs(D(100)), None),
        # an entry that can't be paid does not keep the buffer from being filled
        (
            wallet("1300", "300", "300", SHORT),
            HARD,
            Needs(D(100), ZERO, D(270), D(50)),
            (Direction.TOP_UP, "245.002"),
        ),
        # the user's own float stays, whatever it is
        (
            wallet("800", "800", "800"),
            replace(ISOLATED, fund_entries=False),
            Needs(freed=D("123.4")),
            (Direction.SWEEP, "123.4"),
        ),
        (wallet("0", "0", "0"), replace(ISOLATED, fund_entries=False), Needs(D(100), ZERO, D(500)), None),
    ],
)
def test_movements_worked_by_hand(
    account: FuturesAccount, rules: Rules, needs: Needs, expected: tuple[Direction, str] | None
) -> None:
    """The figures of each case are in its comment."""
    movement = decide(account, rules, needs)
    assert (None if movement is None else (movement.direction, movement.amount)) == (
        None if expected is None else (expected[0], D(expected[1]))
    )


@given(money(), money(), st.integers(min_value=0, max_value=9))
def test_each_refusal_asks_for_less(withdrawable: Decimal, intended: Decimal, attempt: int) -> None:
    """No attempt exceeds what may be withdrawn or was meant, and the next one is smaller."""
    now, following = reduced(withdrawable, intended, attempt), reduced(withdrawable, intended, attempt + 1)
    assert 0 <= now <= min(withdrawable, intended)
    assert following < now or now == 0


@given(money(), money(), money(), st.integers(min_value=0, max_value=9))
def test_less_to_withdraw_is_never_more_to_send(one: Decimal, other: Decimal, intended: Decimal, attempt: int) -> None:
    """What is asked for grows with what can be withdrawn, and with nothing else."""
    less, more = sorted((one, other))
    assert reduced(less, intended, attempt) <= reduced(more, intended, attempt)


def test_the_reductions_are_those_of_the_design() -> None:
    """All, then 0.1 %, 1 % and 3 % less, then 3 % less again; a wallet in debt gives nothing."""
    sent = [reduced(D(1000), D(2000), attempt) for attempt in range(5)]
    assert sent == [D(1000), D(999), D(990), D(970), D("940.9")]
    assert reduced(D(-5), D(10), 0) == 0


SHARES = st.lists(
    st.tuples(st.text(min_size=1, max_size=4), st.decimals(-100, 1000, places=4)), unique_by=lambda s: s[0]
)


@given(money(2000), SHARES)
def test_a_sweep_is_shared_out_once(amount: Decimal, outstanding: list[tuple[str, Decimal]]) -> None:
    """No hedge gets more than it is owed, all together no more than was swept, and the oldest is served first."""
    shares = allocate(amount, outstanding)
    owed = [(name, freed) for name, freed in outstanding if freed > 0]
    assert all(0 < shares[name] <= dict(outstanding)[name] for name in shares)
    assert sum(shares.values(), ZERO) == min(amount, sum((freed for _, freed in owed), ZERO))
    complete = [shares.get(name) == freed for name, freed in owed]
    assert complete == sorted(complete, reverse=True)


@given(money(), money(), st.decimals(min_value=D("0.01"), max_value=D(1000), places=8), st.booleans())
def test_the_balance_tells_whether_a_transfer_took_effect(
    before: Decimal, flows: Decimal, amount: Decimal, incoming: bool
) -> None:
    """A wallet that changed by the amount, and by nothing but booked flows, says yes; one that did not says no."""
    moved = amount if incoming else -amount
    assert applied_by_balances(before, before + flows + moved, flows, amount, incoming) is True
    assert applied_by_balances(before, before + flows, flows, amount, incoming) is False


@given(money(), money(), st.decimals(min_value=D("0.01"), max_value=D(1000), places=8), st.booleans())
def test_any_other_change_of_the_balance_tells_nothing(
    before: Decimal, flows: Decimal, amount: Decimal, incoming: bool
) -> None:
    """Half the amount, twice it, or its opposite fits neither story, so it is no evidence."""
    moved = amount if incoming else -amount
    for part in (D("0.5"), D(2), D(-1)):
        assert applied_by_balances(before, before + flows + moved * part, flows, amount, incoming) is None
