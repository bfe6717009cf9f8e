"""What both legs of a hedge have filled so far, in sums that can be compared with earlier ones."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True)
class Fills:
    """Sums over all fills of a hedge; a later state less an earlier one is what happened in between.

    Attributes
    ----------
    entered, exited : perpetual base units sold short and bought back
    sold, bought : their quote
    short_fees : of both, quote
    coins_bought, coins_sold : spot base units, before fees
    spent, earned : their quote, before fees
    """

    entered: Decimal = ZERO
    exited: Decimal = ZERO
    sold: Decimal = ZERO
    bought: Decimal = ZERO
    short_fees: Decimal = ZERO
    coins_bought: Decimal = ZERO
    coins_sold: Decimal = ZERO
    spent: Decimal = ZERO
    earned: Decimal = ZERO

    @property
    def short(self) -> Decimal:
        """Perpetual base units that are short now."""
        return self.entered - self.exited

    def since(self, earlier: Fills) -> Fills:
        """What was filled after `earlier`."""
        return Fills(*(getattr(self, f.name) - getattr(earlier, f.name) for f in fields(self)))


@dataclass(frozen=True)
class Result:
    """What a closed hedge brought, in quote. short + spot + funding - fees = total.

    Attributes
    ----------
    short, spot : by the price of each leg; with coins left over, what they cost is in `spot`
    funding : received less paid
    fees : of both legs in base or quote, positive = paid
    other_fees : of the spot leg in any other coin, by coin; in no sum
    """

    short: Decimal
    spot: Decimal
    funding: Decimal
    fees: Decimal
    total: Decimal
    other_fees: dict[str, Decimal] = field(default_factory=dict)


def price(quote: Decimal, quantity: Decimal) -> Decimal:
    """Quote for one unit, 0 where nothing was filled."""
    return quote / quantity if quantity else ZERO


def result(fills: Fills, realised: Decimal, funding: Decimal, spot_cash: Decimal, spot_fees: Decimal) -> Result:
    """Split what a closed hedge made into its causes.

    Parameters
    ----------
    fills : of the whole hedge; nothing is short any more
    realised : profit of the short, its funding and fees included
    funding : of it, funding
    spot_cash : change of quote on spot, after fees
    spot_fees : fees of the spot leg, valued in quote
    """
    short = fills.sold - fills.bought
    short_fees = short + funding - realised
    return Result(short, spot_cash + spot_fees, funding, short_fees + spot_fees, realised + spot_cash)
