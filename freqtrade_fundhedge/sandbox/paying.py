"""A market in which hedges pay: what the first evening with a sandbox wants to see."""

from __future__ import annotations

from typing import Final

from freqtrade_fundhedge.sandbox.control import set_basis, set_funding
from freqtrade_fundhedge.sandbox.views import Desk

# Per 8 hours; the pairs of `freqtrade_config`, best first.
RATES: Final = {"BTCUSDT": "0.0004", "ETHUSDT": "0.00035", "1000PEPEUSDT": "0.0003"}
# PEPE's spot price has three digits: rounding alone moves its basis by more than a thousandth.
BASIS: Final = {"BTCUSDT": "0.001", "ETHUSDT": "0.001", "1000PEPEUSDT": "0.004"}
PAST_H: Final = 24 * 60
NOW_H: Final = 6


def make_funding_pay(desk: Desk) -> None:
    """Two months of high funding behind us, more to come, and a basis a little above its usual level."""
    for symbol, rate in RATES.items():
        set_funding(desk, {"symbol": symbol, "rate": rate, "past": rate, "hours": PAST_H})
        set_basis(desk, {"symbol": symbol, "basis": "0", "past_hours": PAST_H})
        set_basis(desk, {"symbol": symbol, "basis": BASIS[symbol], "past_hours": NOW_H})
