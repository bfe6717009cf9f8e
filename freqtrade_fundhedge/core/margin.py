"""How far the price may rise before a short is liquidated, and what it takes to live through a rise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal

from freqtrade_fundhedge.venue.port import ZERO, FuturesAccount, Position

CALMEST_MOVE = Decimal("0.2")
"""Least stress of any pair: quiet weeks are what squeezes begin in."""
UNKNOWN_MOVE = Decimal("0.25")
WIDEST_MOVE = Decimal(1)
RANGES = 4.0
DAY_H = 24.0


@dataclass(frozen=True)
class Stress:
    """What open shorts have to live through, by pair.

    Attributes
    ----------
    moves : price rise, as a fraction
    payments : what the next funding settlement takes from the short, as a fraction of notional, >= 0
    otherwise : the rise for a pair that is not listed
    """

    moves: Mapping[str, Decimal] = field(default_factory=dict)
    payments: Mapping[str, Decimal] = field(default_factory=dict)
    otherwise: Decimal = UNKNOWN_MOVE

    def move(self, pair: str) -> Decimal:
        """The rise for a pair."""
        return self.moves.get(pair, self.otherwise)

    def required(self, position: Position) -> Decimal:
        """Equity that carries a position through its rise and the next funding, maintenance margin to spare."""
        move, payment = self.move(position.pair), self.payments.get(position.pair, ZERO)
        return position.notional * (move + payment) + position.maintenance_margin * (1 + move)

    def at_least(self, move: Decimal) -> Stress:
        """The same, no rise below `move`."""
        moves = {pair: max(move, own) for pair, own in self.moves.items()}
        return Stress(moves, self.payments, max(move, self.otherwise))


def same_for_all(fixed: Decimal | None) -> Stress:
    """The configured rise for every pair; None: what holds until volatility is known."""
    return Stress() if fixed is None else Stress(otherwise=fixed)


def stress_of(natr: float, candle_h: float) -> Decimal:
    """The rise that a pair of this volatility must be able to make, in hundredths.

    Four times the range that a day has at this volatility: a day is what a person may need to see to a bot that
    can't act, and ranges grow with the square root of time.

    Parameters
    ----------
    natr : TA-Lib's NATR, per cent of the price per candle; NaN when it is not known
    candle_h : length of the candles, hours, > 0
    """
    if not math.isfinite(natr) or natr <= 0:
        return UNKNOWN_MOVE
    move = Decimal(repr(natr / 100 * RANGES * math.sqrt(DAY_H / candle_h)))
    return min(WIDEST_MOVE, max(CALMEST_MOVE, move.quantize(Decimal("0.01"), ROUND_CEILING)))


@dataclass(frozen=True)
class Stand:
    """Shorts that live and die together, one isolated or all that are cross, and the equity behind them, in quote."""

    shorts: tuple[Position, ...]
    equity: Decimal
    isolated: bool

    @property
    def distance(self) -> Decimal:
        """Price rise to liquidation, as a fraction, if all of them rise together; negative = past it."""
        maintenance = notional = ZERO
        for short in self.shorts:
            maintenance, notional = maintenance + short.maintenance_margin, notional + short.notional
        grown = notional + maintenance
        return (self.equity - maintenance) / grown if grown else Decimal("Infinity")


def stands(account: FuturesAccount) -> list[Stand]:
    """The account's shorts by what stands behind them.

    An isolated short stands on its own margin. Cross shorts share the wallet, and are taken to rise together: that is
    what a market that hurts them does. Liquidation is where what is left equals the maintenance margin of the grown
    position: margin + unrealised - notional x d = maintenance x (1 + d).

    Parameters
    ----------
    account : positions with `isolated_margin` (None = cross), notional, maintenance margin and unrealised P&L in quote

    Source: Binance, "How to Calculate Liquidation Price of USDT-M Futures Contracts".
    """
    shorts = [p for p in account.positions if p.is_short and p.notional > 0]
    crossed = tuple(p for p in shorts if p.isolated_margin is None)
    alone = [Stand((p,), p.isolated_margin + p.unrealised, True) for p in shorts if p.isolated_margin is not None]
    if not crossed:
        return alone
    isolated = sum((p.isolated_margin or ZERO for p in account.positions), ZERO)
    unrealised = sum((p.unrealised for p in account.positions if p.isolated_margin is None), ZERO)
    return [*alone, Stand(crossed, account.wallet - isolated + unrealised, False)]


def liquidation_distances(account: FuturesAccount) -> dict[str, Decimal]:
    """Price rise to liquidation by pair, as a fraction, shorts only; negative = past it. See `stands`."""
    return {p.pair: stand.distance for stand in stands(account) for p in stand.shorts}
