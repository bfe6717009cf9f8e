"""Which pairs come first when more of them pay than there is room for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import inf, isnan


def best_first(net_carry: Mapping[str, float], later: Collection[str] = ()) -> list[str]:
    """Order pairs by what a hedge in them is expected to earn.

    Parameters
    ----------
    net_carry : by pair, fraction of notional over the same horizon; NaN = not known, and so not in the answer
    later : pairs that had their turn and did not use it; they come behind all others

    Returns
    -------
    pairs, best first; equal ones by name, so that the answer depends on nothing but the arguments
    """
    known = [pair for pair, value in net_carry.items() if not isnan(value)]
    return sorted(known, key=lambda pair: (pair in later, -net_carry[pair], pair))


def known_first(net_carry: Mapping[str, float], promise: Mapping[str, float]) -> list[str]:
    """Order pairs by net carry; those without one follow, by what they promise.

    Parameters
    ----------
    net_carry : by pair, fraction of notional over the same horizon; a pair may be missing or NaN
    promise : by pair, of all pairs, any unit; NaN = not known, last of all

    Returns
    -------
    pairs, best first; equal ones by name
    """

    def key(pair: str) -> tuple[bool, float, str]:
        carry = net_carry.get(pair, float("nan"))
        value = promise[pair] if isnan(carry) else carry
        return isnan(carry), inf if isnan(value) else -value, pair

    return sorted(promise, key=key)
