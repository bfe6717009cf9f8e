"""Margin arithmetic of USD-M futures, free of state: brackets, maintenance, liquidation, room to withdraw."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from freqtrade_fundhedge.sandbox.numbers import ZERO
from freqtrade_fundhedge.sandbox.specs import Bracket

_SHORT_MARKUP = Decimal("1.0015")
_LONG_MARKUP = Decimal("1.0005")


def bracket_for(brackets: Sequence[Bracket], notional: Decimal) -> Bracket:
    """Find the bracket of a position's notional; beyond the last cap, the last."""
    size = abs(notional)
    for bracket in brackets:
        if size <= bracket.cap:
            return bracket
    return brackets[-1]


def maintenance_margin(brackets: Sequence[Bracket], notional: Decimal) -> Decimal:
    """Margin below which a position of this notional is liquidated."""
    bracket = bracket_for(brackets, notional)
    return abs(notional) * bracket.maint_ratio - bracket.cum


def max_notional(brackets: Sequence[Bracket], leverage: int) -> Decimal:
    """Largest notional that a leverage allows."""
    return max((bracket.cap for bracket in brackets if bracket.leverage >= leverage), default=ZERO)


def liquidation_price(brackets: Sequence[Bracket], quantity: Decimal, entry: Decimal, wallet: Decimal) -> Decimal:
    """Price at which margin meets maintenance.

    Parameters
    ----------
    brackets : of the symbol
    quantity : signed, base units; short is negative
    entry : entry price
    wallet : the position's own wallet (isolated), or the cross wallet plus profit and less maintenance of
        every other cross position

    Returns
    -------
    The price, or zero where no price liquidates.

    Source: Binance, "How to Calculate Liquidation Price of USD-M Futures Contracts".
    """
    if quantity == ZERO:
        return ZERO
    candidates: list[Decimal] = []
    for bracket in brackets:
        divisor = abs(quantity) * bracket.maint_ratio - quantity
        if divisor == ZERO:
            continue
        price = (wallet + bracket.cum - quantity * entry) / divisor
        notional = abs(quantity) * price
        # Nothing comes after the last bracket: a position that has grown beyond its cap is still in it.
        within = bracket.floor <= notional and (notional <= bracket.cap or bracket is brackets[-1])
        if price > ZERO and within:
            candidates.append(price)
    if not candidates:
        return ZERO
    return min(candidates) if quantity < ZERO else max(candidates)


def open_order_margin(position: Decimal, buys: Decimal, sells: Decimal, leverage: int) -> Decimal:
    """Initial margin for what open orders could add to a position.

    Parameters
    ----------
    position : signed notional held
    buys, sells : notional of open orders on each side, >= 0
    leverage : of the symbol
    """
    worst = max(abs(position + buys), abs(position - sells), abs(position))
    return (worst - abs(position)) / leverage


def assumed_price(side: str, price: Decimal, last: Decimal, mark: Decimal) -> Decimal:
    """Price at which the initial margin of a new order is reckoned; shorts are reckoned above the market.

    Parameters
    ----------
    side : BUY or SELL
    price : of a limit order; zero for a market order
    last, mark : last and mark price

    Source: Binance, "How to Calculate Cost Required to Open a Position in Perpetual Futures Contracts".
    """
    if side == "SELL":
        return max(last * _SHORT_MARKUP, mark, price)
    return price or last * _LONG_MARKUP


def open_loss(side: str, fills: Sequence[tuple[Decimal, Decimal]], mark: Decimal) -> Decimal:
    """Loss that an order's fills (price, quantity) would show at mark at once; it is part of the order's cost."""
    direction = 1 if side == "BUY" else -1
    return max(ZERO, sum((quantity * (price - mark) * direction for price, quantity in fills), ZERO))


def available(cross_wallet: Decimal, cross_pnl: Decimal, cross_initial: Decimal, orders: Decimal) -> Decimal:
    """Margin for new positions: unrealised profit counts.

    Parameters
    ----------
    cross_wallet : wallet balance that no isolated position has locked
    cross_pnl : unrealised profit of cross positions
    cross_initial : initial margin of cross positions
    orders : initial margin of open orders
    """
    return max(ZERO, cross_wallet + cross_pnl - cross_initial - orders)


def withdrawable(cross_wallet: Decimal, cross_maintenance: Decimal, isolated_orders: Decimal, free: Decimal) -> Decimal:
    """What can leave the futures wallet now.

    Two bounds hold: the wallet less maintenance margin, which unrealised profit does not raise; and what is
    available, which unrealised loss lowers.

    Parameters
    ----------
    cross_wallet : wallet balance that no isolated position has locked
    cross_maintenance : maintenance margin of cross positions
    isolated_orders : initial margin of open orders in isolated symbols
    free : from :func:`available`

    Source: Binance, "How to Adjust Margin Balance in Isolated Margin Mode", maximum withdrawal amount.
    """
    return max(ZERO, min(cross_wallet - isolated_orders - cross_maintenance, free))


def removable(wallet: Decimal, pnl: Decimal, initial: Decimal) -> Decimal:
    """Margin that can be taken out of an isolated position.

    Source: Binance, "How to Adjust Margin Balance in Isolated Margin Mode", maximum removable amount.
    """
    return max(ZERO, min(wallet, wallet + pnl - initial))
