"""The margin guard's decisions: enough, in order, and never back and forth."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, assume, given, settings

from freqtrade_fundhedge.core.guard import Asks, Grid, Limits, Means, asks, excess_margin, low, missing_margin, needed
from freqtrade_fundhedge.core.margin import Stress, liquidation_distances, stands
from freqtrade_fundhedge.venue.port import ZERO, FuturesAccount, Position

RATE = D("0.005")
LIMITS = Limits(D("0.15"), Stress(otherwise=D("0.25")), D(1))
GRID = Grid(D("0.001"), D(10))
NOTHING = Means(ZERO, ZERO, True)
FRACTIONS = st.decimals("-0.05", "0.6", places=4)


def short(pair: str, notional: D, margin: D | None, leverage: int = 3, quantity: D = D(10)) -> Position:
    return Position(pair, quantity, notional, notional / leverage, notional * RATE, ZERO, isolated_margin=margin)


often = settings(suppress_health_check=[HealthCheck.filter_too_much])


@st.composite
def accounts(draw: st.DrawFn) -> FuturesAccount:
    """Up to three shorts, all isolated or all cross, anywhere between liquidated and safe."""
    isolated, held, free = draw(st.booleans()), [], draw(st.decimals(0, 2000, places=2))
    wallet = free
    for n in range(draw(st.integers(1, 3))):
        notional = draw(st.decimals(100, 10_000, places=2))
        margin = max(D("0.01"), round(notional * draw(FRACTIONS), 8))
        wallet += margin
        held.append(short(f"P{n}", notional, margin if isolated else None))
    return FuturesAccount(wallet, free, free, tuple(held))


def own(account: FuturesAccount) -> dict[str, Grid]:
    return {p.pair: GRID for p in account.positions}


def with_margin(account: FuturesAccount, changes: dict[str, D]) -> FuturesAccount:
    """After margin was added to, or taken from, isolated positions."""
    held = tuple(
        replace(p, isolated_margin=(p.isolated_margin or ZERO) + changes.get(p.pair, ZERO)) for p in account.positions
    )
    return replace(account, positions=held)


def shrunk(account: FuturesAccount, wanted: Asks, cost: D) -> tuple[FuturesAccount, D]:
    """After Freqtrade did what was asked, at today's price: the account, and what the spot leg brought."""
    held, proceeds, wallet = [], ZERO, account.wallet
    for p in account.positions:
        part = D(1) if p.pair in wanted.leave else min(D(1), wanted.shrink.get(p.pair, ZERO) / p.quantity)
        proceeds += p.notional * part * (1 - cost)
        if part < 1:
            left = 1 - part
            margin = p.isolated_margin * left if p.isolated_margin is not None else None
            held.append(
                replace(
                    p, quantity=p.quantity * left, notional=p.notional * left, isolated_margin=margin,
                    initial_margin=p.initial_margin * left, maintenance_margin=p.maintenance_margin * left,
                )
            )  # fmt: skip
    locked = sum((p.isolated_margin or ZERO for p in held), ZERO)
    free = wallet - locked if locked else account.free
    return FuturesAccount(wallet, free, free, tuple(held)), proceeds


@often
@given(accounts())
def test_added_margin_reaches_the_target_and_calls_for_nothing_more(account: FuturesAccount) -> None:
    """What is missing brings each isolated short well above the minimum; then nothing is added, taken or asked."""
    missing = missing_margin(account, own(account), LIMITS)
    assume(missing)
    after = with_margin(account, missing)
    distances = liquidation_distances(after)
    assert all(distances[pair] >= LIMITS.minimum * D("1.2") for pair in missing)
    assert missing_margin(after, own(after), LIMITS) == {}
    assert not set(excess_margin(after, own(after), LIMITS)) & set(missing)
    assert asks(after, own(after), NOTHING, LIMITS) == Asks({}, frozenset())


@often
@given(accounts())
def test_taking_back_calls_for_no_step_of_the_guard(account: FuturesAccount) -> None:
    """What is taken back leaves more than an entry's own margin and the target, so nothing has to be added again."""
    excess = excess_margin(account, own(account), LIMITS)
    assume(excess)
    after = with_margin(account, {pair: -amount for pair, amount in excess.items()})
    assert not set(missing_margin(after, own(after), LIMITS)) & set(excess)
    assert excess_margin(after, own(after), LIMITS) == {}
    for stand in stands(after):
        if stand.shorts[0].pair in excess:
            assert stand.equity >= max(stand.shorts[0].initial_margin, needed(stand, LIMITS))
            assert (stand.shorts[0].isolated_margin or ZERO) > 0


@given(accounts(), st.decimals(0, 3000, places=2), st.booleans())
def test_nothing_is_asked_for_what_money_can_mend(account: FuturesAccount, spot: D, movable: bool) -> None:
    """Shorts above two thirds of the minimum are left alone while there is enough to bring them to their target."""
    means = Means(account.withdrawable, spot, movable)
    wanted = asks(account, own(account), means, LIMITS)
    endangered = low(account, own(account), LIMITS)
    lacking = sum((needed(s, LIMITS) - s.equity for s in endangered), ZERO)
    usable = (means.free if all(s.isolated for s in endangered) else ZERO) + (spot if movable else ZERO)
    if all(s.distance >= D("0.1") for s in endangered) and usable >= lacking:
        assert wanted == Asks({}, frozenset())
    assert set(wanted.shrink) | wanted.leave <= {p.pair for s in endangered for p in s.shorts}
    assert not set(wanted.shrink) & wanted.leave


@often
@given(accounts(), st.decimals(0, 500, places=2), st.booleans())
def test_what_is_asked_is_enough(account: FuturesAccount, spot: D, movable: bool) -> None:
    """Every endangered short leaves, or shrinks so far that what is then there brings the rest to its target."""
    means = Means(account.withdrawable, spot, movable)
    wanted = asks(account, own(account), means, LIMITS)
    assume(wanted.shrink)
    after, proceeds = shrunk(account, wanted, LIMITS.cost)
    usable = spot + proceeds if movable else ZERO
    endangered = [s for s in stands(after) if s.distance < LIMITS.minimum]
    if any(s.distance < D("0.1") for s in stands(account)):
        return  # there what transfers bring was not counted on, and the next loop looks again
    isolated = all(s.isolated for s in endangered)
    usable += after.withdrawable if isolated else ZERO
    # Several stands share what is there: each asks for itself, so together they ask for more, never for less.
    assert sum((needed(s, LIMITS) - s.equity for s in endangered), ZERO) <= usable + D("0.01")


@given(accounts(), st.decimals(0, 500, places=2), st.decimals("0.001", "0.2", places=3))
def test_a_worse_position_is_never_asked_for_less(account: FuturesAccount, spot: D, loss: D) -> None:
    """With less equity behind it, a lone short is asked to shrink by no less, up to leaving."""
    account = replace(account, positions=account.positions[:1])
    worse = replace(account, positions=tuple(replace(p, unrealised=-p.notional * loss) for p in account.positions))
    pair = account.positions[0].pair

    def asked(held: FuturesAccount) -> D:
        wanted = asks(held, own(held), Means(ZERO, spot, False), LIMITS)
        return D(10) if pair in wanted.leave else wanted.shrink.get(pair, ZERO)

    assert asked(worse) >= asked(account)


@pytest.mark.parametrize(
    ("margin", "means", "expected"),
    [
        # 25 % of 1000, 0.5 % maintenance grown by a quarter: 256.25 are needed; 150 are there; d = 14.43 %
        ("150", Means(ZERO, D(107), True), Asks({}, frozenset())),
        # nothing anywhere: s x (256.25 + 995) = 106.25
        ("150", NOTHING, Asks({"P0": D("0.8491508491508491508491508492")}, frozenset())),
        # spot can't be moved: only the released margin helps: 106.25 / 256.25
        ("150", Means(ZERO, D(5000), False), Asks({"P0": D("4.146341463414634146341463415")}, frozenset())),
        # below 10 % money that is there has not come through: it is not counted on
        ("100", Means(ZERO, D(5000), True), Asks({"P0": D("6.097560975609756097560975610")}, frozenset())),
        # below 5 % there is no time
        ("50", Means(ZERO, D(5000), True), Asks({}, frozenset({"P0"}))),
    ],
)
def test_steps_worked_by_hand(margin: str, means: Means, expected: Asks) -> None:
    """The figures of each case are in its comment."""
    account = FuturesAccount(D(margin), ZERO, ZERO, (short("P0", D(1000), D(margin)),))
    wanted = asks(account, {"P0": GRID}, means, LIMITS)
    assert wanted.leave == expected.leave
    assert set(wanted.shrink) == set(expected.shrink)
    assert all(abs(wanted.shrink[pair] - quantity) < D("1e-6") for pair, quantity in expected.shrink.items())


def test_what_would_be_too_small_to_stay_leaves() -> None:
    """A rest below the smallest order could never be closed in time: the whole short goes."""
    account = FuturesAccount(D(2), ZERO, ZERO, (short("P0", D("10.5"), D("1.5")),))
    assert asks(account, {"P0": GRID}, NOTHING, LIMITS).leave == {"P0"}


def test_the_users_own_shorts_are_left_alone() -> None:
    """No margin, no reduction and no exit for a position that no hedge of ours explains."""
    account = FuturesAccount(D(60), ZERO, ZERO, (short("P0", D(1000), D(60)),))
    assert missing_margin(account, {}, LIMITS) == {}
    assert asks(account, {}, NOTHING, LIMITS) == Asks({}, frozenset())


def test_high_leverage_is_held_above_the_minimum_too() -> None:
    """At leverage 10 an entry stands below the minimum from the start: it is brought above it, not to it."""
    account = FuturesAccount(D(100), ZERO, ZERO, (short("P0", D(1000), D(100), leverage=10),))
    missing = missing_margin(account, {"P0": GRID}, LIMITS)["P0"]
    distance = liquidation_distances(with_margin(account, {"P0": missing}))["P0"]
    assert D("0.185") < distance < D("0.19")


def test_one_that_can_wait_does_not_shrink_with_one_that_can_not() -> None:
    """A short that is urgent uses nothing of what could still come: another has the time that it needs."""
    account = FuturesAccount(D(200), ZERO, ZERO, (short("P0", D(1000), D(80)), short("P1", D(1000), D(140))))
    asked = asks(account, own(account), Means(ZERO, D(5000), True), LIMITS)
    assert (set(asked.shrink), asked.leave) == ({"P0"}, frozenset())


@pytest.mark.parametrize(("margin", "adds", "leaves"), [(80, True, False), (40, True, True), (80, False, True)])
def test_no_reduction_that_does_not_help(margin: int, adds: bool, leaves: bool) -> None:
    """An isolated short whose margin can't be changed is not shrunk; it closes at the edge, or if nothing can help."""
    account = FuturesAccount(D(200), ZERO, ZERO, (short("P0", D(1000), D(margin)),))
    means = Means(ZERO, ZERO, True, adds, frozenset({"P0"}))
    assert asks(account, own(account), means, LIMITS) == Asks({}, frozenset({"P0"} if leaves else ()))
