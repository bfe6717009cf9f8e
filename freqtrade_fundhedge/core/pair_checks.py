"""Pairs: whether both markets are there and open, and whether the planned stake is an order on each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from freqtrade_fundhedge.core.checks import Finding, fail, ok, warn
from freqtrade_fundhedge.market import SpotMarket, spot_market, spot_symbol
from freqtrade_fundhedge.venue.port import ZERO


@dataclass(frozen=True)
class PairFacts:
    """A whitelisted pair.

    Attributes
    ----------
    spot : its spot market, None without one
    futures_open : None where the exchange has no such perpetual
    futures_lot, futures_minimum : perpetual base units and quote; None: not told
    interval_h : hours between settlements, None when it was not read
    never : why nothing is ever entered in it, "" when something may be
    """

    pair: str
    spot: SpotMarket | None
    futures_open: bool | None
    futures_lot: Decimal | None = None
    futures_minimum: Decimal | None = None
    interval_h: float | None = None
    never: str = ""


def pair_facts(
    pair: str,
    markets: Mapping[str, Any],
    notional: Decimal | None = None,
    price: float = 0.0,
    interval_h: float | None = None,
) -> PairFacts:
    """What a ccxt market list says of a pair.

    Parameters
    ----------
    notional : planned value of one leg in quote, None when the stake takes what there is
    price : of the perpetual in quote, 0 when it was not read
    """
    perp = markets.get(pair)
    twin = spot_market(pair, markets) if spot_symbol(pair, markets) is not None else None
    if perp is None or not perp.get("swap"):
        return PairFacts(pair, twin, None, never="the exchange has no such perpetual")
    limits = perp.get("limits") or {}
    minimum = _number((limits.get("cost") or {}).get("min"))
    lot = _number((perp.get("precision") or {}).get("amount"))
    is_open = bool(perp.get("active", True))
    never = _never(pair, twin, is_open, minimum, notional) or _too_few(pair, twin, lot, notional, price)
    return PairFacts(pair, twin, is_open, lot, minimum, interval_h, never)


def _never(pair: str, twin: SpotMarket | None, is_open: bool, minimum: Decimal | None, notional: Decimal | None) -> str:
    if twin is None:
        return "no spot market"
    if not is_open:
        return "the perpetual is not open for trading"
    if not twin.active:
        return f"{twin.symbol} is not open for trading"
    if notional is None:
        return ""
    if minimum is not None and notional < minimum:
        return f"stake x leverage is {notional:,.2f}, the perpetual's minimum {minimum:,.2f}"
    if notional < twin.min_notional:
        return f"stake x leverage is {notional:,.2f}, the minimum of {twin.symbol} {twin.min_notional:,.2f}"
    return ""


def _too_few(pair: str, twin: SpotMarket | None, lot: Decimal | None, notional: Decimal | None, price: float) -> str:
    """Less than one lot on either side."""
    if notional is None or twin is None or price <= 0:
        return ""
    coins = notional / Decimal(str(price))
    if lot is not None and coins < lot:
        return f"stake x leverage buys {coins:.4g}, the perpetual's smallest lot is {lot.normalize():f}"
    if coins * twin.multiplier < twin.min_quantity:
        return f"stake x leverage is less than the smallest order of {twin.symbol}"
    return ""


def pair_findings(pairs: Sequence[PairFacts]) -> Iterator[Finding]:
    """One finding for each pair that is never entered, one for the others."""
    good = [facts for facts in pairs if not facts.never]
    for facts in pairs:
        if facts.never:
            remedy = "raise stake_amount" if facts.never.startswith("stake") else "take it off the list"
            yield warn(f"pair {facts.pair}", f"{facts.pair} is never entered: {facts.never}", remedy)
    if good:
        yield ok("pairs", f"{len(good)} of {len(pairs)} pairs can be hedged")
    else:
        yield fail("pairs", "no pair can be hedged", "list perpetuals that have a spot market in the stake currency")


def pair_line(facts: PairFacts) -> str:
    """One pair for people: markets, multiplier, interval, grids and minimums."""
    if facts.spot is None:
        return facts.pair
    spot = facts.spot
    interval = f", {facts.interval_h:g} h" if facts.interval_h is not None else ""
    multiplier = f"{spot.multiplier.normalize():f} x " if spot.multiplier != 1 else ""
    lots = f"lot {_shown(facts.futures_lot)}/{_shown(spot.lot)}"
    minimum = f"min {_shown(facts.futures_minimum)}/{_shown(spot.min_notional)} {spot.quote}"
    return f"{facts.pair} = {multiplier}{spot.symbol}{interval}, {lots}, {minimum}"


def _number(value: object) -> Decimal | None:
    return Decimal(str(value)) if value is not None else None


def _shown(value: Decimal | None) -> str:
    return f"{value.normalize():f}" if value is not None else "?"


def least(pairs: Sequence[PairFacts]) -> Decimal:
    """The largest of the minimums of all pairs that can be hedged, quote."""
    minimums = (max(p.futures_minimum or ZERO, p.spot.min_notional) for p in pairs if not p.never and p.spot)
    return max(minimums, default=ZERO)
