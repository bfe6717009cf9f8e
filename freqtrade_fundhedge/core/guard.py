"""The margin guard: what keeps shorts from being liquidated, in order. Margin first, then less of both legs, then out.

Thresholds form a band, so that no step calls for its own opposite: below the minimum distance a short is brought to
its target, well above the minimum; margin is taken back only from well above both the target and what an entry takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from freqtrade_fundhedge.core.margin import Stand, Stress, stands
from freqtrade_fundhedge.venue.port import ZERO, FuturesAccount, Position

TARGET_ABOVE_MINIMUM = Decimal("1.25")
URGENT = Decimal(2) / 3
"""Of the minimum: above it a transfer that does not get through has time."""
CRITICAL = Decimal(1) / 3
EXCESS_KEPT = Decimal("1.15")
EXCESS_FROM = Decimal("1.3")


@dataclass(frozen=True)
class Limits:
    """What the user asked for, and what a reduction costs.

    Attributes
    ----------
    minimum : distance to liquidation, as a fraction, below which is acted
    stress : what a short has to live through once it was acted
    least : smallest change of margin worth making, USDT
    cost : of a reduction of both legs, as a fraction of the notional that goes
    """

    minimum: Decimal
    stress: Stress
    least: Decimal
    cost: Decimal = Decimal("0.005")

    @property
    def reach(self) -> Stress:
        """Stress with no move so small that what follows a step would call for the next."""
        return self.stress.at_least(self.minimum * TARGET_ABOVE_MINIMUM)


@dataclass(frozen=True)
class Means:
    """USDT that could still come to a short's help.

    Attributes
    ----------
    free : in the futures wallet, for isolated positions
    spot : on spot, as far as it may be moved; also what a reduction of the spot leg would bring counts only with it
    movable : transfers from spot are possible at all
    adds : the venue lets margin be added to an isolated position
    held_up : pairs whose margin can't be changed just now
    """

    free: Decimal
    spot: Decimal
    movable: bool
    adds: bool = True
    held_up: frozenset[str] = frozenset()

    def shrinking_helps(self, stand: Stand) -> bool:
        """An isolated short takes its margin along: smaller, it is as near to liquidation until that is put back."""
        return not stand.isolated or (self.adds and stand.shorts[0].pair not in self.held_up)


@dataclass(frozen=True)
class Grid:
    """Of one pair: smallest reduction that both legs can make (perpetual base units), smallest notional to stay."""

    least: Decimal
    floor: Decimal


@dataclass(frozen=True)
class Asks:
    """What Freqtrade has to do: buy back so many perpetual base units, or close the short."""

    shrink: Mapping[str, Decimal]
    leave: frozenset[str]


def needed(stand: Stand, limits: Limits) -> Decimal:
    """Equity with which a stand is where a step should bring it.

    That is the stress; for an isolated short no more than it had at its entry, but always above the minimum.
    """
    reach = limits.reach
    if not stand.isolated:
        return sum((reach.required(p) for p in stand.shorts), ZERO)
    short = stand.shorts[0]
    at_entry = (short.initial_margin - short.maintenance_margin) / (short.notional + short.maintenance_margin)
    move = max(min(reach.move(short.pair), at_entry), limits.minimum * TARGET_ABOVE_MINIMUM)
    payments = limits.stress.payments
    return Stress({short.pair: move}, payments).required(short)


def low(account: FuturesAccount, own: Mapping[str, Grid], limits: Limits) -> list[Stand]:
    """Stands with a short of ours that are below the minimum, the most endangered first."""
    found = [s for s in stands(account) if s.distance < limits.minimum and any(p.pair in own for p in s.shorts)]
    return sorted(found, key=lambda stand: stand.distance)


def missing_margin(account: FuturesAccount, own: Mapping[str, Grid], limits: Limits) -> dict[str, Decimal]:
    """USDT to add to isolated positions that are below the minimum, the most endangered first."""
    return {
        stand.shorts[0].pair: max(limits.least, needed(stand, limits) - stand.equity)
        for stand in low(account, own, limits)
        if stand.isolated
    }


def excess_margin(account: FuturesAccount, own: Mapping[str, Grid], limits: Limits) -> dict[str, Decimal]:
    """USDT that isolated positions can do without: well above the target, and above what an entry takes now."""
    excess = {}
    for stand in stands(account):
        short = stand.shorts[0]
        if not stand.isolated or short.pair not in own or short.isolated_margin is None:
            continue
        keep = max(short.initial_margin, needed(stand, limits))
        # A position whose margin is all profit would look like a cross one.
        spare = min(stand.equity - keep * EXCESS_KEPT, short.isolated_margin - short.initial_margin / 10)
        if stand.equity > keep * EXCESS_FROM and spare >= limits.least:
            excess[short.pair] = spare
    return excess


def asks(account: FuturesAccount, own: Mapping[str, Grid], means: Means, limits: Limits) -> Asks:
    """What has to shrink or close because margin alone does not help, or does not get through in time."""
    shrink: dict[str, Decimal] = {}
    leave: set[str] = set()
    free, spot = means.free, means.spot if means.movable else ZERO
    for stand in low(account, own, limits):
        lacking = needed(stand, limits) - stand.equity
        has_time = stand.distance >= limits.minimum * URGENT
        usable = (spot + free if stand.isolated else spot) if has_time else ZERO
        if usable >= lacking:
            from_free = min(free, lacking) if stand.isolated else ZERO
            free, spot = free - from_free, spot - (lacking - from_free)
            continue
        ours = [p for p in stand.shorts if p.pair in own]
        helps = means.shrinking_helps(stand)
        if stand.distance < limits.minimum * (CRITICAL if helps or means.adds else URGENT):
            leave.update(p.pair for p in ours)
        if not helps or stand.distance < limits.minimum * CRITICAL:
            continue
        part = _part(stand, ours, lacking - usable, limits, means.movable and has_time)
        for position in ours:
            quantity = _reduction(position, part, own[position.pair])
            if quantity is None:
                leave.add(position.pair)
            else:
                shrink[position.pair] = quantity
        if has_time:
            free, spot = (ZERO, ZERO) if stand.isolated else (free, ZERO)
    return Asks(shrink, frozenset(leave))


def _part(stand: Stand, ours: list[Position], lacking: Decimal, limits: Limits, proceeds_help: bool) -> Decimal:
    """The part of our shorts without which the equity is enough for the rest.

    A reduction by s frees s x (required), and, where the spot leg's proceeds can follow, brings s x notional less cost.
    """
    notional = sum((p.notional for p in ours), ZERO)
    share = notional / sum((p.notional for p in stand.shorts), ZERO)
    relief = needed(stand, limits) * share + (notional * (1 - limits.cost) if proceeds_help else ZERO)
    return lacking / relief if relief > 0 else Decimal(1)


def _reduction(position: Position, part: Decimal, grid: Grid) -> Decimal | None:
    """Base units to buy back, None when what would stay is too small to be held."""
    quantity = max(position.quantity * part, grid.least)
    stays = position.notional * (1 - quantity / position.quantity)
    return quantity if stays > grid.floor and stays > 0 else None
