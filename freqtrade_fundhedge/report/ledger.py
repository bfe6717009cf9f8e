"""One hedge from both sides: Freqtrade's short beside the journal's spot leg, and every step of what it earned."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from freqtrade_fundhedge.journal_history import SpotFill
from freqtrade_fundhedge.journal_rows import HedgeRow, epoch
from freqtrade_fundhedge.market import spot_symbol
from freqtrade_fundhedge.report.shorts import Short

SAME_MOMENT_S = 5.0  # the exchange's clock stamps one leg, ours the other


class PricePoint(NamedTuple):
    """Last known prices, quote per base unit of the perpetual and of the spot market; 0 = not known."""

    at: float
    perp: float
    spot: float


class Step(NamedTuple):
    """What a hedge earned at one moment, quote: both legs and funding less fees, and the same of the short alone."""

    at: float
    hedged: float
    naked: float


@dataclass
class Leg:
    """One side of a hedge: base units and quote in and out, positive both; `fees` in quote."""

    amount_in: float = 0.0
    value_in: float = 0.0
    amount_out: float = 0.0
    value_out: float = 0.0
    fees: float = 0.0

    @property
    def price_in(self) -> float | None:
        """Mean price of the entries."""
        return self.value_in / self.amount_in if self.amount_in else None

    @property
    def price_out(self) -> float | None:
        """Mean price of the exits, None before the first."""
        return self.value_out / self.amount_out if self.amount_out else None

    @property
    def closed_price_result(self) -> float:
        """What came out of the closed part less what it cost, at mean prices; for a short the other way round."""
        return self.value_out - self.amount_out * (self.price_in or 0.0)


@dataclass
class HedgeLedger:
    """A hedge's account, quote; short + spot + funding - fees = total.

    Attributes
    ----------
    row : the journal's
    short_known : Freqtrade's database has the trade; without it `short` is its result less its fees
    reason : why the short was closed, "" while it is open
    perp_price, spot_price : last known, of what is still held; 0 = none was ever known
    settlements : (seconds since 1970, quote) of each
    """

    row: HedgeRow
    multiplier: float
    short_known: bool
    reason: str
    stake: float
    funding: float
    short_leg: Leg
    spot_leg: Leg
    short: float
    spot: float
    perp_price: float
    spot_price: float
    settlements: list[tuple[float, float]]

    @property
    def is_open(self) -> bool:
        """Whether any of it still has to be closed."""
        return self.row.closed_at is None

    @property
    def opened(self) -> float:
        """Seconds since 1970."""
        return epoch(self.row.opened_at)

    @property
    def closed(self) -> float | None:
        """Seconds since 1970, None while it is open."""
        return epoch(self.row.closed_at) if self.row.closed_at is not None else None

    @property
    def fees(self) -> float:
        """Of both legs, positive = paid."""
        return self.short_leg.fees + self.spot_leg.fees

    @property
    def basis(self) -> float:
        """What both prices brought together."""
        return self.short + self.spot

    @property
    def total(self) -> float:
        """What the hedge earned, or would have if it were closed at the last known prices without fees."""
        return self.basis + self.funding - self.fees

    @property
    def notional(self) -> float:
        """Value of what was sold short."""
        return self.short_leg.value_in

    @property
    def capital(self) -> float:
        """What the coins cost and the short's margin took."""
        return self.spot_leg.value_in + self.stake

    def basis_at(self, perp: float | None, spot: float | None) -> float | None:
        """(perp - spot) / spot of two prices, None if one is not known."""
        return perp / (spot * self.multiplier) - 1.0 if perp and spot else None


def open_ledger(
    row: HedgeRow, short: Short | None, fills: Sequence[SpotFill], settled: Sequence[tuple[float, float]],
    prices: Sequence[PricePoint],
) -> tuple[HedgeLedger, list[Step]]:  # fmt: skip
    """Work out a hedge.

    Parameters
    ----------
    row : the journal's record of it
    short : Freqtrade's trade, None if its database has none
    fills : its spot orders, oldest first
    settled : funding that the journal saw coming in; what is missing of the trade's own sum counts at the end
    prices : the loop's readings while it was open, oldest first; index prices stand for spot

    Returns
    -------
    the account and the steps, oldest first, that add up to its total
    """
    found = spot_symbol(row.pair, {row.symbol: {}})
    short_leg, spot_leg = _short_leg(short), _spot_leg(fills, float(row.spot_fees))
    funding = float(row.funding) if short is None else short.funding
    end = epoch(row.closed_at) if row.closed_at else max([epoch(row.opened_at), *(f.at for f in fills)])
    settlements = _complete(settled, funding, end)
    steps, state = _walk(_merged(short, fills, settlements, prices))
    short_result = short_leg.value_in - short_leg.value_out - state.sold * state.perp
    if short is None:
        short_result = float(row.short_realised) - funding
    spot_result = float(row.spot_cash) + spot_leg.fees + float(row.held) * state.spot
    ledger = HedgeLedger(
        row, float(found[1]) if found else 1.0, short is not None, short.exit_reason if short else "",
        short.stake if short else 0.0, funding, short_leg, spot_leg, short_result, spot_result, state.perp, state.spot,
        settlements,
    )  # fmt: skip
    # Coins that somebody moved, fees in other coins: the account is right, and the last step brings the curve there.
    rest = ledger.total - sum(step.hedged for step in steps)
    naked = short_result + funding - short_leg.fees - sum(step.naked for step in steps)
    last = max([end, *(step.at for step in steps[-1:])])
    return ledger, [*steps, Step(last, rest, naked)]


def _short_leg(short: Short | None) -> Leg:
    leg = Leg()
    for fill in short.fills if short is not None else ():
        leg.fees += fill.fee
        if fill.sold > 0:
            leg.amount_in += fill.sold
            leg.value_in += fill.sold * fill.price
        else:
            leg.amount_out -= fill.sold
            leg.value_out -= fill.sold * fill.price
    return leg


def _spot_leg(fills: Iterable[SpotFill], fees: float) -> Leg:
    leg = Leg(fees=fees)
    for fill in fills:
        if fill.buys:
            leg.amount_in += fill.quantity
            leg.value_in += fill.quote
        else:
            leg.amount_out += fill.quantity
            leg.value_out += fill.quote
    return leg


def _complete(settled: Sequence[tuple[float, float]], funding: float, end: float) -> list[tuple[float, float]]:
    missing = funding - sum(amount for _, amount in settled)
    return [*settled, (end, missing)] if abs(missing) > 1e-9 else list(settled)


class _Change(NamedTuple):
    """Sold and bought base units, the cash that they brought, and prices from then on (0: as before)."""

    at: float
    sold: float
    naked_cash: float
    bought: float
    cash: float
    perp: float
    spot: float


def _merged(
    short: Short | None, fills: Iterable[SpotFill], settled: Iterable[tuple[float, float]], prices: Iterable[PricePoint]
) -> list[_Change]:
    changes = [_Change(p.at, 0.0, 0.0, 0.0, 0.0, p.perp, p.spot) for p in prices]
    changes += [_Change(at, 0.0, amount, 0.0, 0.0, 0.0, 0.0) for at, amount in settled]
    if short is not None:
        changes += [_Change(f.at, f.sold, f.sold * f.price - f.fee, 0.0, 0.0, f.price, 0.0) for f in short.fills]
    for fill in fills:
        sign = 1.0 if fill.buys else -1.0
        amount, cash = sign * fill.quantity - fill.fee_base, -sign * fill.quote - fill.fee_quote
        changes.append(_Change(fill.at, 0.0, 0.0, amount, cash, 0.0, fill.quote / fill.quantity))
    return sorted(changes, key=lambda change: change.at)


@dataclass
class _State:
    sold: float = 0.0
    held: float = 0.0
    naked_cash: float = 0.0
    cash: float = 0.0
    perp: float = 0.0
    spot: float = 0.0
    spot_at: float = float("-inf")

    def prices(self, change: _Change) -> None:
        """Take over what a change says of prices.

        The short is closed a moment before its coins are: until their price is known, the basis stays as it was.
        """
        if change.spot:
            self.spot, self.spot_at = change.spot, change.at
        elif change.perp and self.perp and change.at - self.spot_at > SAME_MOMENT_S:
            self.spot *= change.perp / self.perp
        self.perp = change.perp or self.perp

    def worth(self) -> tuple[float, float]:
        naked = self.naked_cash - self.sold * self.perp
        return naked + self.cash + self.held * self.spot, naked


def _walk(changes: Iterable[_Change]) -> tuple[list[Step], _State]:
    state, steps, before = _State(), list[Step](), (0.0, 0.0)
    for change in changes:
        state.sold += change.sold
        state.held += change.bought
        state.naked_cash += change.naked_cash
        state.cash += change.cash
        state.prices(change)
        worth = state.worth()
        steps.append(Step(change.at, worth[0] - before[0], worth[1] - before[1]))
        before = worth
    return steps, state


def points_between(points: Sequence[PricePoint], first: float, last: float) -> Iterator[PricePoint]:
    """Readings of a pair within a time, both ends included; `points` oldest first."""
    for number in range(bisect_left(points, (first,)), len(points)):
        if points[number].at > last:
            return
        yield points[number]
