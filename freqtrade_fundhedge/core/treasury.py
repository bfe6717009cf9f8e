"""How much USDT the futures wallet should hold, and the one transfer that brings it there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from freqtrade_fundhedge.core.intents import UNIQUE_ROOM
from freqtrade_fundhedge.core.margin import Stress
from freqtrade_fundhedge.venue.port import ZERO, Direction, FuturesAccount

REDUCTIONS = (ZERO, Decimal("0.001"), Decimal("0.01"), Decimal("0.03"))
BAND = Decimal("0.1")
"""Part of what cross shorts require that price may add or take before USDT follows: about 2 % of price each way."""


@dataclass(frozen=True)
class Rules:
    """What the user asked for, amounts in USDT, and what open shorts have to live through."""

    keep: Decimal
    minimum: Decimal
    stress: Stress
    cross: bool
    fund_entries: bool


@dataclass(frozen=True)
class Needs:
    """What is about to happen.

    Attributes
    ----------
    entry_margin : free USDT that the next entry needs in the futures wallet
    guard : free USDT that is about to be added to isolated positions
    freed : USDT that exits gave back and no sweep has moved yet; without `fund_entries` no more than that is swept
    spot_free : free USDT on spot, None when it was not read
    spot_reserved : of it, what the spot leg of the entry needs
    spot_claimed : of it, what the spot legs of entries under way need
    """

    entry_margin: Decimal = ZERO
    freed: Decimal = ZERO
    spot_free: Decimal | None = None
    spot_reserved: Decimal = ZERO
    spot_claimed: Decimal = ZERO
    guard: Decimal = ZERO


@dataclass(frozen=True)
class Movement:
    """A transfer worth making, at most `amount`, and the figures that led to it."""

    direction: Direction
    amount: Decimal
    arithmetic: dict[str, str] = field(default_factory=dict)

    def applied_to(self, account: FuturesAccount) -> FuturesAccount:
        """The futures wallet as it must be after this, without asking again."""
        change = self.amount if self.direction is Direction.TOP_UP else -self.amount
        return replace(
            account,
            wallet=account.wallet + change,
            free=account.free + change,
            withdrawable=account.withdrawable + change,
        )


def stress_required(account: FuturesAccount, rules: Rules) -> Decimal:
    """Equity that cross-margin shorts need to live through their stress and the next funding; 0 for isolated ones.

    Isolated shorts carry their margin in the position. See `Stress.required`.
    """
    return sum((rules.stress.required(p) for p in account.positions), ZERO) if rules.cross else ZERO


def stress_buffer(account: FuturesAccount, rules: Rules) -> Decimal:
    """Free USDT that cross-margin shorts need: what is locked as initial margin can't leave anyway."""
    return max(ZERO, stress_required(account, rules) - _locked(account))


def _locked(account: FuturesAccount) -> Decimal:
    return account.wallet + sum((p.unrealised for p in account.positions), ZERO) - account.free


def wanted_free(account: FuturesAccount, rules: Rules, entry_margin: Decimal) -> Decimal:
    """Free USDT that the futures wallet should hold."""
    return stress_buffer(account, rules) + entry_margin + rules.keep


def least_free(account: FuturesAccount, rules: Rules, entry_margin: Decimal) -> Decimal:
    """Free USDT below which it is filled up: a part of the stress buffer is price's own."""
    buffer = stress_buffer(account, rules)
    return buffer - min(buffer, stress_required(account, rules) * BAND) + entry_margin + rules.keep


def decide(account: FuturesAccount, rules: Rules, needs: Needs) -> Movement | None:
    """The transfer that the wallets need now, or None.

    Price alone moves nothing while it stays in the band: the buffer is filled up again when a part of it is gone, and
    a surplus is swept when it is as large, or when an exit has freed it.

    Parameters
    ----------
    account : the futures wallet at one instant
    rules, needs : see there

    Returns
    -------
    Movement with an amount of at least `rules.minimum`, or None
    """
    required, buffer = stress_required(account, rules), stress_buffer(account, rules)
    wanted = wanted_free(account, rules, needs.entry_margin) + needs.guard
    figures = _figures(account, rules, needs, required, buffer)
    if rules.fund_entries and account.free < least_free(account, rules, needs.entry_margin) + needs.guard:
        return _top_up(wanted - account.free, rules, needs, figures)
    surplus = account.withdrawable - wanted
    if not rules.fund_entries:
        surplus = min(needs.freed, account.withdrawable - buffer - needs.guard)
    elif surplus < required * BAND and needs.freed < rules.minimum:
        return None  # what the price gave it may take again
    if surplus < rules.minimum:
        return None
    return Movement(Direction.SWEEP, surplus, _text(figures))


def _figures(
    account: FuturesAccount, rules: Rules, needs: Needs, required: Decimal, buffer: Decimal
) -> dict[str, Decimal]:
    """The arithmetic of a movement: buffer = required - locked; wanted = buffer + guard + entry margin + keep."""
    figures = {
        "withdrawable": account.withdrawable,
        "free": account.free,
        "wallet": account.wallet,
        "stress_buffer": buffer,
        "guard": needs.guard,
        "entry_margin": needs.entry_margin,
        "freed": needs.freed,
        "keep": rules.keep,
    }
    if required:
        figures |= {"stress_required": required, "locked": _locked(account), "band": required * BAND}
        for position in account.positions:
            figures[f"stress_move {position.pair}"] = rules.stress.move(position.pair)
            figures[f"next_funding {position.pair}"] = rules.stress.payments.get(position.pair, ZERO)
    return figures


def _top_up(missing: Decimal, rules: Rules, needs: Needs, figures: dict[str, Decimal]) -> Movement | None:
    if needs.spot_free is None:
        return None
    # Margin that keeps shorts alive outranks an entry that has not happened.
    spare = needs.spot_free - needs.spot_claimed - (needs.spot_reserved if needs.entry_margin else ZERO)
    figures |= {"spot_free": needs.spot_free, "spot_reserved": needs.spot_reserved + needs.spot_claimed}
    # A little more than is missing, so that what makes the amount unique does not leave the wallet short of it.
    amount = min(max(missing + UNIQUE_ROOM, rules.minimum), spare)
    if needs.entry_margin and amount < missing:
        without_entry = missing - needs.entry_margin
        needs = replace(needs, entry_margin=ZERO)
        return _top_up(without_entry, rules, needs, figures) if without_entry > 0 else None
    if amount < rules.minimum:
        return None
    return Movement(Direction.TOP_UP, amount, _text(figures))


def _text(figures: dict[str, Decimal]) -> dict[str, str]:
    return {name: f"{value.normalize():f}" for name, value in figures.items()}


def reduced(
    withdrawable: Decimal, intended: Decimal, attempt: int, reductions: Sequence[Decimal] = REDUCTIONS
) -> Decimal:
    """What to send on attempt `attempt` (0 = the first), given what can be withdrawn now.

    Each refusal takes a larger part off the smaller of the two: 0.1 %, 1 %, 3 %, and 3 % more from then on.
    """
    base = min(withdrawable, intended)
    cut = reductions[min(attempt, len(reductions) - 1)]
    extra = max(0, attempt - len(reductions) + 1)
    return max(ZERO, base * (1 - cut) * (1 - reductions[-1]) ** extra)


def allocate(amount: Decimal, outstanding: Sequence[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """Share a sweep of `amount` among hedges whose freed USDT it carries, oldest first; the rest is nobody's."""
    shares: dict[str, Decimal] = {}
    for hedge_id, freed in outstanding:
        share = min(amount, freed)
        if share > 0:
            shares[hedge_id] = share
            amount -= share
    return shares


def applied_by_balances(
    before: Decimal, after: Decimal, flows: Decimal, amount: Decimal, incoming: bool
) -> bool | None:
    """Second witness of a transfer: did the futures wallet change by it?

    Parameters
    ----------
    before, after : wallet balance (without unrealised P&L) when the transfer was planned and now
    flows : realised P&L, commissions and funding booked in between
    amount : of the transfer; `incoming` when it went into the futures wallet

    Returns
    -------
    True or False when the change fits the one or the other to a hundredth of the amount, else None
    """
    change = after - before - flows
    expected = amount if incoming else -amount
    tolerance = amount / 100
    if abs(change - expected) <= tolerance:
        return True
    return False if abs(change) <= tolerance else None
