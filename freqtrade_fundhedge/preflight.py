"""Whether the spot leg of an entry could be filled now."""

from __future__ import annotations

from decimal import Decimal

from freqtrade_fundhedge.claims import Claims
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.core.hedge import entry_obstacle
from freqtrade_fundhedge.purse import Purse
from freqtrade_fundhedge.venue.port import Side

JUST_READ_S = 1.0


def spot_obstacle(ctx: Context, purse: Purse, claims: Claims, pair: str, quantity: Decimal, price: Decimal) -> str:
    """Why it could not, or "". Reads the spot balance and book, unless the entry's size has just done so.

    Parameters
    ----------
    quantity : the perpetual's base units about to be shorted, at `price` in quote
    """
    market = ctx.venue.market(pair)
    ctx.meanwhile()
    known, quote = ctx.both(purse.spot, lambda: ctx.quote(market.symbol, JUST_READ_S))
    if known is None:
        return "the spot balance could not be read"
    free = known - claims.total(besides=pair)
    if not ctx.venue.separate_wallets:
        # The short's margin comes out of the same pool.
        free -= quantity * price / int(ctx.settings.margin.leverage)
    if quote.best(Side.BUY) <= 0:
        return f"{market.symbol} has no asks"
    return entry_obstacle(quantity, price, market, quote, free, ctx.settings.hedge.max_slippage)
