"""How large an entry may be so that both of its legs fit, and those of every other free slot with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from freqtrade_fundhedge.core.intents import UNIQUE_ROOM
from freqtrade_fundhedge.core.treasury import Rules, stress_buffer
from freqtrade_fundhedge.venue.port import ZERO, FuturesAccount, Position

ONE = Decimal(1)
CENT = Decimal("0.01")
# Freqtrade raises a stake below the exchange's minimum by itself, up to this factor.
RAISED_BY_FREQTRADE = Decimal("1.3")


@dataclass(frozen=True)
class Terms:
    """What an entry in `pair` costs.

    Attributes
    ----------
    leverage : of the short leg, >= 1
    spot : USDT on spot per USDT of the short's notional, price cap and fee included
    slack : fee of the short leg and what the market may do until it is filled, fraction of notional
    maintenance : maintenance margin, fraction of notional
    least, most : stakes between which the exchange takes the order of either leg
    """

    pair: str
    leverage: Decimal
    spot: Decimal
    slack: Decimal
    maintenance: Decimal = ZERO
    least: Decimal = ZERO
    most: Decimal = Decimal("Infinity")


@dataclass(frozen=True)
class Capital:
    """What there is, USDT.

    Attributes
    ----------
    spot : free on spot, less what allowed entries have a claim on
    account : the futures wallet
    stakes, tied_up : margin of Freqtrade's open trades; both of their legs
    ratio : of the capital that the bot may use, > 0
    shown_ratio : of the futures wallet, that Freqtrade believes it may use; 1 with `available_capital`
    limit : most that all hedges together may take, both legs
    stakes_left : most that further stakes may take by Freqtrade's own count
    movable : USDT can go from either wallet to the other
    pooled : both wallets are one
    """

    spot: Decimal
    account: FuturesAccount
    stakes: Decimal = ZERO
    tied_up: Decimal = ZERO
    ratio: Decimal = ONE
    shown_ratio: Decimal = ONE
    limit: Decimal = Decimal("Infinity")
    stakes_left: Decimal = Decimal("Infinity")
    movable: bool = True
    pooled: bool = False

    @property
    def free(self) -> Decimal:
        """Free USDT in both wallets; of one pool, what no entry has a claim on."""
        return min(self.spot, self.account.free) if self.pooled else self.spot + self.account.free

    @property
    def usable(self) -> Decimal:
        """What further hedges may take, both legs."""
        return min((self.free + self.tied_up) * self.ratio, self.limit) - self.tied_up


@dataclass(frozen=True)
class Wish:
    """The stake that is asked for.

    Attributes
    ----------
    shown : stake that Freqtrade wants to see free before it asks anybody, 0 when it takes what there is
    reducible_to : least part of the wish that is worth an entry; 1 when it may not be reduced
    """

    stake: Decimal
    shown: Decimal = ZERO
    reducible_to: Decimal = ONE


def shown_margin(stake: Decimal, capital: Capital) -> Decimal:
    """Free USDT in the futures wallet for which Freqtrade grants `stake`: (open + free) x ratio - open >= stake."""
    ratio = capital.shown_ratio
    return stake + (capital.stakes + stake) * (ONE - ratio) / ratio


def entry_margin(stake: Decimal, shown: Decimal, terms: Terms, capital: Capital, cross: bool) -> Decimal:
    """Free USDT that the next entry needs in the futures wallet, stress buffer and float aside."""
    at_risk = stake * terms.leverage
    if cross:
        # What open shorts lose while the entry is on its way is gone from the same wallet.
        at_risk += sum((p.notional for p in capital.account.positions), ZERO)
    return shown_margin(max(stake, shown), capital) + at_risk * terms.slack


def needs(
    stake: Decimal, slots: int, terms: Terms, capital: Capital, rules: Rules, shown: Decimal = ZERO
) -> tuple[Decimal, Decimal]:
    """USDT that `slots` entries of `stake` each take from the futures wallet and from spot, until all are made.

    The buffer that the treasury will want behind the shorts is counted in: with cross margin in the futures wallet,
    with isolated margin on spot, where the margin guard finds it.
    """
    account, earlier = capital.account, stake * (slots - 1)
    all_slots = _with_short(account, earlier + stake, terms)
    buffer = stress_buffer(all_slots, replace(rules, cross=True))
    last = replace(capital, stakes=capital.stakes + earlier, account=_with_short(account, earlier, terms))
    futures = earlier * (ONE + terms.leverage * terms.slack) + rules.keep
    futures += entry_margin(stake, shown, terms, last, rules.cross)
    spot = stake * slots * terms.leverage * terms.spot
    return futures + buffer * rules.cross, spot + buffer * (not rules.cross)


def _with_short(account: FuturesAccount, margin: Decimal, terms: Terms) -> FuturesAccount:
    notional = margin * terms.leverage
    short = Position(terms.pair, ONE, notional, margin, notional * terms.maintenance, ZERO)
    return replace(account, free=account.free - margin, positions=(*account.positions, short))


def fits(stake: Decimal, slots: int, terms: Terms, capital: Capital, rules: Rules, shown: Decimal = ZERO) -> bool:
    """Whether `slots` entries of `stake` each can be made with what there is."""
    futures, spot = needs(stake, slots, terms, capital, rules, shown)
    both_legs = stake * slots * (ONE + terms.leverage * (max(terms.spot, ONE) + terms.slack))
    if both_legs > capital.usable or stake * slots > capital.stakes_left:
        return False
    if capital.pooled:
        return futures + spot <= capital.free
    missing = futures - capital.account.free
    if not capital.movable:
        return missing <= 0 and spot <= capital.spot
    if missing > 0:
        # Each top-up rounds up a little, and the last one may have to be of the least amount.
        return spot + missing + UNIQUE_ROOM * slots + rules.minimum <= capital.spot
    surplus = min(-missing, capital.account.withdrawable)
    # A surplus too small for a transfer stays where it is.
    return spot <= capital.spot + (surplus - UNIQUE_ROOM if surplus >= rules.minimum else ZERO)


def largest_stake(slots: int, terms: Terms, capital: Capital, rules: Rules, shown: Decimal = ZERO) -> Decimal:
    """The largest stake, in whole cents, of which `slots` fit; 0 when none does."""
    low, high = 0, max(0, int(min(capital.free, terms.most) / CENT))
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle * CENT, slots, terms, capital, rules, shown):
            low = middle
        else:
            high = middle - 1
    return low * CENT


def settle_stake(wish: Wish, terms: Terms, capital: Capital, rules: Rules) -> tuple[Decimal, str]:
    """The stake of the next entry, or 0 and why it has to wait.

    Parameters
    ----------
    wish : configured, or a share of the capital, or the answer of a strategy's own `custom_stake_amount`
    """
    stake = min(wish.stake, terms.most)
    if stake < terms.least <= stake * RAISED_BY_FREQTRADE:
        stake = terms.least
    if stake < terms.least:
        return ZERO, (
            f"a stake of {stake:.2f} is below the least that the exchange takes on both legs, {terms.least:.2f} at "
            f"leverage {terms.leverage.normalize():f}; raise stake_amount or the capital, or lower max_open_trades"
        )
    if fits(stake, 1, terms, capital, rules, wish.shown):
        return stake, ""
    room = largest_stake(1, terms, capital, rules)
    if wish.reducible_to < ONE and room > stake * wish.reducible_to and room >= terms.least:
        return min(room, stake), ""
    return ZERO, (
        f"a stake of {stake:.2f} at leverage {terms.leverage.normalize():f} takes "
        f"{stake * (ONE + terms.leverage * terms.spot):.2f} with its spot leg, more than there is for it"
    )
