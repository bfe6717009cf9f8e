"""Whether an entry may wait in the book for the maker's fee, or is taken at once.

Nothing is tuned: of two regrets the smaller one is risked. Who takes at once may regret the fee that a little patience
would have saved; who waits in vain may regret the funding that was settled meanwhile, and what a perpetual that is dear
beside spot would have paid. So an entry waits while all that it may miss is no more than what it may save, over all
its tries together: the worst case costs the fee once more, never twice. The same idea as in `carry`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import floor, inf, isfinite, isnan


@dataclass(frozen=True)
class Offer:
    """An order that could wait; rates are fractions of notional, amounts in quote.

    Attributes
    ----------
    saved : fee that a fill as maker saves
    missed : funding that may be settled before this order is filled or given up
    basis_gain : what closing to the usual basis would pay who sells now; NaN = unknown, taken for none
    notional : of the entry
    smallest : least order that the spot market takes: parts below it wait for more
    slippage : what a spot order may cost above the best price
    rest_s : longest time that this order rests
    patience_s : longest time for which orders are tried one after the other
    """

    saved: float
    missed: float
    basis_gain: float
    notional: float
    smallest: float
    slippage: float
    rest_s: float
    patience_s: float


@dataclass(frozen=True)
class Tries:
    """Orders of one entry that were to wait: the first, the last (seconds since 1970), the funding they may miss."""

    since: float
    last: float
    spent: float = 0.0


def missed_funding(rate: float, interval_h: float, next_at: float, now: float, rest_s: float) -> float:
    """Funding of the settlements that fall into the time for which an order rests.

    Parameters
    ----------
    rate : predicted, fraction of notional per interval; what a short would have to pay is nothing missed
    interval_h, next_at : hours between two settlements; the next one, seconds since 1970
    now, rest_s : seconds since 1970, seconds

    Returns
    -------
    fraction of notional, >= 0; inf when something is not known
    """
    if not all(map(isfinite, (rate, interval_h, next_at, rest_s))) or interval_h <= 0:
        return inf
    interval_s = interval_h * 3600
    gone = floor((now - next_at) / interval_s) + 1 if next_at <= now else 0
    first = next_at + gone * interval_s
    settlements = floor((now + rest_s - first) / interval_s) + 1 if first <= now + rest_s else 0
    return max(0.0, rate) * settlements


def next_try(offer: Offer, before: Tries | None, now: float) -> Tries | str:
    """The tries with this one added, or why the entry is taken instead.

    Parameters
    ----------
    before : earlier tries in the same pair; those of long ago were another entry's
    now : seconds since 1970
    """
    tries = before
    if tries is None or now - tries.last > offer.rest_s + offer.patience_s:
        tries = Tries(now, now)
    if not offer.saved > 0:
        return "waiting saves no fee here"
    if offer.notional * offer.saved < offer.smallest * offer.slippage:
        # The part that spot can't follow is naked: it must not be able to cost what waiting saves.
        return f"it is too small beside the least spot order of {offer.smallest:.2f}"
    if now - tries.since > offer.patience_s:
        return "it has waited for a candle"
    gain = 0.0 if isnan(offer.basis_gain) else max(0.0, offer.basis_gain)
    if (risk := tries.spent + offer.missed + gain) > offer.saved:
        return f"waiting may miss {risk:.4%} to save {offer.saved:.4%}"
    return replace(tries, last=now, spent=tries.spent + offer.missed)
