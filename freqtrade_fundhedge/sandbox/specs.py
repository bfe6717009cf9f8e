"""The markets of the sandbox: filters, brackets and funding terms as Binance has them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from freqtrade_fundhedge.sandbox.numbers import places


@dataclass(frozen=True)
class SpotSpec:
    """Filters of one spot market against USDT."""

    symbol: str
    base: str
    tick: Decimal
    step: Decimal
    max_qty: Decimal
    market_max_qty: Decimal
    min_notional: Decimal = Decimal(5)
    quote: str = "USDT"

    @property
    def price_places(self) -> int:
        """Decimals of a price on the tick grid."""
        return places(self.tick)


@dataclass(frozen=True)
class Bracket:
    """One step of the leverage table: up to ``cap`` of notional, this leverage and maintenance ratio."""

    leverage: int
    floor: Decimal
    cap: Decimal
    maint_ratio: Decimal
    cum: Decimal


@dataclass(frozen=True)
class PerpSpec:
    """Filters, margin table and funding terms of one USDT perpetual."""

    symbol: str
    base: str
    price_places: int
    tick: Decimal
    qty_places: int
    step: Decimal
    max_qty: Decimal
    market_max_qty: Decimal
    min_notional: Decimal
    band: Decimal
    liquidation_fee: Decimal
    funding_hours: int
    funding_cap: Decimal
    brackets: tuple[Bracket, ...]
    quote: str = "USDT"


@dataclass(frozen=True)
class CoinSpec:
    """One coin: its reference price per spot unit, its perpetual and, mostly, its spot market."""

    coin: str
    price: Decimal
    multiplier: int
    hourly_move: float
    depth: Decimal
    spot: SpotSpec | None
    perp: PerpSpec


# leverage, maintenance ratio, notional cap in thousands of USDT
_BRACKET_ROWS: dict[str, tuple[tuple[int, str, int], ...]] = {
    "major": (
        (125, "0.004", 300),
        (100, "0.005", 800),
        (75, "0.0065", 3000),
        (50, "0.01", 12000),
        (25, "0.02", 70000),
        (10, "0.05", 150000),
        (5, "0.1", 250000),
        (2, "0.25", 500000),
        (1, "0.5", 1000000),
    ),
    "large": (
        (75, "0.0065", 20),
        (50, "0.01", 100),
        (40, "0.0125", 600),
        (25, "0.02", 2000),
        (20, "0.025", 4000),
        (10, "0.05", 20000),
        (5, "0.1", 40000),
        (2, "0.25", 80000),
        (1, "0.5", 120000),
    ),
    "small": (
        (50, "0.015", 10),
        (25, "0.02", 80),
        (20, "0.025", 200),
        (10, "0.05", 1000),
        (5, "0.1", 2500),
        (2, "0.25", 5000),
        (1, "0.5", 8000),
    ),
}


def _brackets(kind: str) -> tuple[Bracket, ...]:
    rows: list[Bracket] = []
    floor, cum, previous = Decimal(0), Decimal(0), Decimal(0)
    for leverage, ratio_text, thousands in _BRACKET_ROWS[kind]:
        ratio = Decimal(ratio_text)
        # The maintenance margin is continuous at every floor: cum grows by floor x change of ratio.
        cum += floor * (ratio - previous)
        cap = Decimal(thousands) * 1000
        rows.append(Bracket(leverage, floor, cap, ratio, cum))
        floor, previous = cap, ratio
    return tuple(rows)


# coin, price, multiplier, hourly move, depth per level | spot: tick, step, max, market max
# | perp: price places, tick, qty places, step, max, market max, min notional, band, fee, hours, cap, brackets
_ROWS = """
BTC 65000 1 0.004 60000 | 0.01 0.00001 9000 120 | 2 0.1 3 0.001 1000 120 50 0.05 0.0125 8 0.003 major
ETH 2500 1 0.005 60000 | 0.01 0.0001 9000 1500 | 2 0.01 3 0.001 10000 2000 20 0.05 0.0125 8 0.003 major
BNB 580 1 0.004 30000 | 0.01 0.001 90000 800 | 3 0.01 2 0.01 100000 2000 5 0.05 0.0125 8 0.0075 large
SOL 150 1 0.007 30000 | 0.01 0.001 90000 9000 | 4 0.01 2 0.01 1000000 80000 5 0.05 0.015 8 0.0075 large
XRP 1.1 1 0.006 30000 | 0.0001 0.1 9222449 500000 | 4 0.0001 1 0.1 10000000 2000000 5 0.05 0.0125 8 0.0075 large
DOGE 0.075 1 0.008 30000 | 0.00001 1 9000000 4000000 | 6 0.00001 0 1 300000000 30000000 5 0.1 0.015 8 0.0075 large
ADA 0.16 1 0.007 20000 | 0.0001 0.1 900000 700000 | 5 0.0001 0 1 30000000 3000000 5 0.05 0.0125 8 0.0075 large
LINK 8.4 1 0.007 20000 | 0.001 0.01 90000 40000 | 3 0.001 2 0.01 200000 50000 20 0.1 0.0125 8 0.0075 large
AVAX 6.7 1 0.007 20000 | 0.001 0.01 90000 60000 | 4 0.001 0 1 500000 50000 5 0.1 0.015 8 0.0075 large
LTC 45 1 0.006 20000 | 0.01 0.001 90000 8000 | 2 0.01 3 0.001 20000 5000 20 0.05 0.0125 8 0.0075 large
PEPE 0.0000028 1000 0.011 20000 | 0.00000001 1 92141578000 50000000000 |\
 7 0.0000001 0 1 800000000 100000000 5 0.15 0.015 8 0.02 small
ORCA 1.2 1 0.012 8000 | 0.001 0.01 900000 90000 | 7 0.001 1 0.1 1000000 70000 5 0.15 0.015 4 0.02 small
SUI 0.75 1 0.009 15000 | 0.0001 0.1 900000 400000 | 6 0.0001 1 0.1 10000000 600000 5 0.15 0.015 1 0.02 small
FARTCOIN 0.15 1 0.015 5000 | - | 7 0.0001 1 0.1 15000000 1500000 5 0.15 0.025 4 0.02 small
"""


def _spot(coin: str, words: list[str]) -> SpotSpec | None:
    if words == ["-"]:
        return None
    tick, step, most, market_most = (Decimal(word) for word in words)
    return SpotSpec(f"{coin}USDT", coin, tick, step, most, market_most)


def _perp(base: str, words: list[str]) -> PerpSpec:
    numbers = [Decimal(word) for word in words[:-1]]
    price_places, tick, qty_places, step, most, market_most, notional, band, fee, hours, cap = numbers
    return PerpSpec(
        symbol=f"{base}USDT",
        base=base,
        price_places=int(price_places),
        tick=tick,
        qty_places=int(qty_places),
        step=step,
        max_qty=most,
        market_max_qty=market_most,
        min_notional=notional,
        band=band,
        liquidation_fee=fee,
        funding_hours=int(hours),
        funding_cap=cap,
        brackets=_brackets(words[-1]),
    )


def _coin(row: str) -> CoinSpec:
    head, spot, perp = (part.split() for part in row.split("|"))
    coin, price, multiplier, move, depth = head
    base = coin if multiplier == "1" else multiplier + coin
    return CoinSpec(
        coin=coin,
        price=Decimal(price),
        multiplier=int(multiplier),
        hourly_move=float(move),
        depth=Decimal(depth),
        spot=_spot(coin, spot),
        perp=_perp(base, perp),
    )


COINS: tuple[CoinSpec, ...] = tuple(_coin(row) for row in _ROWS.strip().splitlines())


def made_up(count: int) -> tuple[CoinSpec, ...]:
    """So many more coins, M000, M001 ..., all alike: for bots with many pairs."""
    terms = "0.01 0.001 90000 8000 | 2 0.01 3 0.001 20000 5000 5 0.05 0.0125 8 0.0075 large"
    return tuple(_coin(f"M{number:03} {50 + number % 50} 1 0.006 30000 | {terms}") for number in range(count))
