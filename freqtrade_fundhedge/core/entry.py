"""An entry that is about to be made."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class EntryPlan:
    """An entry that Freqtrade is about to make.

    Attributes
    ----------
    quantity : perpetual base units, at `price` in quote
    margin : free USDT that Freqtrade and the exchange want to see in the futures wallet for it
    stake : the stake that Freqtrade will use
    expires_at : end of the candle that gave the signal, seconds since 1970
    leverage : of the short leg
    spot_per_notional : USDT on spot per USDT of notional, price cap and fee included
    """

    pair: str
    quantity: Decimal
    price: Decimal
    margin: Decimal
    stake: Decimal
    expires_at: float
    leverage: Decimal = Decimal(1)
    spot_per_notional: Decimal = Decimal(1)

    @property
    def spot_cost(self) -> Decimal:
        """USDT that the spot leg will take."""
        return self.quantity * self.price * self.spot_per_notional
