"""Fills that the exchange has told of before Freqtrade heard of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.venue.perpetuals import FundingQuote
from freqtrade_fundhedge.venue.port import ZERO, OrderFill


def ahead(leg: ShortLeg, fills: Iterable[OrderFill]) -> ShortLeg:
    """The short as it is once Freqtrade has heard of these fills.

    Parameters
    ----------
    fills : of orders of this trade, one an order; what Freqtrade knows already counts once
    """
    more = less = ZERO
    for fill in fills:
        news = max(ZERO, fill.filled - leg.heard.get(fill.order_id, ZERO))
        if fill.sells:
            more += news
        else:
            less += news
    if not leg.is_open or not (more or less):
        return leg
    filled = max(ZERO, leg.filled + more - less)
    return replace(leg, filled=filled, reachable=max(filled, leg.reachable - less))


def spot_price(price: Decimal, funding: FundingQuote | None, multiplier: Decimal) -> Decimal:
    """What the coin costs on spot by the price of the perpetual and the basis as last read; 0 when that is not known.

    Parameters
    ----------
    multiplier : spot base units in one of the perpetual's
    """
    if funding is None or funding.mark_price <= 0 or funding.index_price <= 0:
        return ZERO
    basis = Decimal(str(funding.index_price)) / Decimal(str(funding.mark_price))
    return price * basis / multiplier
