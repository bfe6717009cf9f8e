"""How far the price may rise before a short is liquidated."""

from __future__ import annotations

from decimal import Decimal

from freqtrade_fundhedge.venue.port import ZERO, FuturesAccount, Position


def liquidation_distances(account: FuturesAccount) -> dict[str, Decimal]:
    """Price rise to liquidation by pair, as a fraction, shorts only; negative = past it.

    An isolated short stands on its own margin. Cross shorts share the wallet, and are taken to rise together: that is
    what a market that hurts them does. Liquidation is where what is left equals the maintenance margin of the grown
    position: margin + unrealised - notional x d = maintenance x (1 + d).

    Parameters
    ----------
    account : positions with `isolated_margin` (None = cross), notional, maintenance margin and unrealised P&L in quote

    Source: Binance, "How to Calculate Liquidation Price of USDT-M Futures Contracts".
    """
    shorts = [p for p in account.positions if p.is_short and p.notional > 0]
    crossed = [p for p in shorts if p.isolated_margin is None]
    isolated = sum((p.isolated_margin or ZERO for p in account.positions), ZERO)
    shared = _distance(
        account.wallet - isolated + sum((p.unrealised for p in account.positions if p.isolated_margin is None), ZERO),
        crossed,
    )
    return {
        p.pair: shared if p.isolated_margin is None else _distance(p.isolated_margin + p.unrealised, [p])
        for p in shorts
    }


def _distance(equity: Decimal, shorts: list[Position]) -> Decimal:
    maintenance = sum((p.maintenance_margin for p in shorts), ZERO)
    grown = sum((p.notional for p in shorts), ZERO) + maintenance
    return (equity - maintenance) / grown if grown else Decimal("Infinity")
