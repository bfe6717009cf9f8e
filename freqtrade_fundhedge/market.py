"""Pairs, spot symbols, multipliers, lot grids and minimums, read from ccxt's market structures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from freqtrade_fundhedge.errors import ConfigError

MULTIPLIER_PREFIX = re.compile(r"^(10{3,7}|1M)(?=[A-Z0-9])")


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` that is not above `value` (step 0: `value`)."""
    return (value / step).to_integral_value(ROUND_FLOOR) * step if step else value


def ceil_to(value: Decimal, step: Decimal) -> Decimal:
    """The smallest multiple of `step` that is not below `value` (step 0: `value`)."""
    return (value / step).to_integral_value(ROUND_CEILING) * step if step else value


@dataclass(frozen=True)
class SpotMarket:
    """The spot side of a hedged pair.

    Attributes
    ----------
    pair, symbol : perpetual and spot symbol in ccxt's spelling
    multiplier : base units of spot in one unit of the perpetual's base
    lot, tick : steps of quantity (spot base units) and of price (quote)
    min_quantity, min_notional : smallest order, base units and quote
    taker_fee : fraction of what is received
    active : spot market open for trading
    """

    pair: str
    symbol: str
    base: str
    quote: str
    multiplier: Decimal
    lot: Decimal
    tick: Decimal
    min_quantity: Decimal
    min_notional: Decimal
    taker_fee: Decimal
    active: bool


def multiplier_and_base(perp_base: str) -> tuple[Decimal, str]:
    """Split a perpetual's base such as `1000PEPE` or `1MBABYDOGE` into multiplier and coin.

    A base without such a prefix has multiplier 1. Whether the unsplit name is a coin of its own (`1000SATS` is one
    on Binance spot) only the list of spot markets can say: see `spot_symbol`.
    """
    match = MULTIPLIER_PREFIX.match(perp_base)
    if match is None:
        return Decimal(1), perp_base
    text = match.group(1)
    return Decimal(1_000_000) if text == "1M" else Decimal(text), perp_base[len(text) :]


def spot_symbol(pair: str, markets: Mapping[str, Any]) -> tuple[str, Decimal] | None:
    """The spot symbol of a perpetual and its multiplier, or None where the venue lists none.

    Parameters
    ----------
    pair : `BASE/QUOTE:SETTLE`
    markets : ccxt's `markets`, spot and swap together; only the keys and `spot` are read
    """
    base, _, rest = pair.partition("/")
    quote = rest.split(":")[0]
    multiplier, coin = multiplier_and_base(base)
    for candidate, factor in ((base, Decimal(1)), (coin, multiplier)):
        symbol = f"{candidate}/{quote}"
        market = markets.get(symbol)
        if market is not None and market.get("spot", True):
            return symbol, factor
    return None


def spot_market(pair: str, markets: Mapping[str, Any]) -> SpotMarket:
    """Everything the spot leg of `pair` needs to know.

    Raises
    ------
    ConfigError : the venue has no spot market for the pair
    """
    found = spot_symbol(pair, markets)
    if found is None:
        quote = pair.partition("/")[2].split(":")[0]
        raise ConfigError(f"{pair}: no spot market in {quote} on this exchange; remove the pair from the whitelist")
    symbol, multiplier = found
    market = markets[symbol]
    limits = market.get("limits") or {}
    lot = _decimal((market.get("precision") or {}).get("amount"))
    return SpotMarket(
        pair=pair,
        symbol=symbol,
        base=str(market["base"]),
        quote=str(market["quote"]),
        multiplier=multiplier,
        lot=lot,
        tick=_decimal((market.get("precision") or {}).get("price")),
        min_quantity=max(_decimal((limits.get("amount") or {}).get("min")), lot),
        min_notional=_decimal((limits.get("cost") or {}).get("min")),
        taker_fee=_decimal(market.get("taker")),
        active=bool(market.get("active", True)),
    )


def _decimal(value: object) -> Decimal:
    """ccxt gives floats, text or None; a missing limit is none at all."""
    return Decimal(str(value)) if value is not None else Decimal(0)
