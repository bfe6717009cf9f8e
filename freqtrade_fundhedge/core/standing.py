"""How an open hedge stands at today's prices."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from freqtrade_fundhedge.core.fills import Fills, price

ZERO = Decimal(0)
YEAR_S = Decimal(365 * 86_400)


@dataclass(frozen=True)
class Earned:
    """So far, in quote: funding + basis - fees = total.

    Attributes
    ----------
    funding : received less paid
    basis : what the prices of both legs brought, the open part at today's prices
    fees : of both legs, paid so far; those of the exit are still to come
    apr : funding since the entry as a fraction of the short's value then, a year; None in the first hour
    """

    funding: Decimal
    basis: Decimal
    fees: Decimal
    apr: Decimal | None

    @property
    def total(self) -> Decimal:
        """All of it."""
        return self.funding + self.basis - self.fees


def earned(
    fills: Fills, mark: Decimal, bid: Decimal, held: Decimal,
    spot_cash: Decimal, spot_fees: Decimal, funding: Decimal, seconds: float,
) -> Earned:  # fmt: skip
    """What an open hedge has earned.

    Parameters
    ----------
    fills : of both legs so far
    mark : of the perpetual, quote per perpetual unit; bid : of spot, quote per coin
    held : coins on spot
    spot_cash, spot_fees : change of quote on spot after fees, and those fees in quote
    funding : of the short so far
    seconds : since the hedge was opened
    """
    short = fills.sold - fills.bought - fills.short * mark
    spot = spot_cash + spot_fees + held * bid
    notional = fills.short * price(fills.sold, fills.entered)
    apr = funding / notional * YEAR_S / Decimal(round(seconds)) if notional and seconds >= 3600 else None
    return Earned(funding, short + spot, spot_fees + fills.short_fees, apr)
