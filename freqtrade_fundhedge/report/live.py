"""What the hedges of a running bot earned: the journal's spot legs beside Freqtrade's shorts, and the wallets."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
from sqlalchemy import Engine

from freqtrade_fundhedge.core.funding import FloatArray
from freqtrade_fundhedge.journal_history import (
    Snapshot,
    SpotFill,
    funding_events,
    hedges_of,
    snapshots,
    spot_fills,
    transfers_of,
)
from freqtrade_fundhedge.journal_rows import HedgeRow, MarginRow, TransferRow, epoch
from freqtrade_fundhedge.journal_steps import GuardStep, guard_steps, margins_of
from freqtrade_fundhedge.journal_trail import Wish
from freqtrade_fundhedge.market import spot_symbol
from freqtrade_fundhedge.report.ledger import HedgeLedger, PricePoint, open_ledger, points_between
from freqtrade_fundhedge.report.shorts import Short, match
from freqtrade_fundhedge.report.wallets import Moved, Wallet, last_of_each, moved_by, wallet_points

DAY_S, HOUR_S = 86_400.0, 3600.0
# Up to this long a curve shows each step, each hour; else each day.
EACH_STEP_S, EACH_HOUR_S = 2 * DAY_S, 92 * DAY_S


class Curve(NamedTuple):
    """All that was earned by the end of each moment, quote; (n,) seconds since 1970 and twice (n,) float64."""

    at: FloatArray
    equity: FloatArray
    naked: FloatArray


@dataclass(frozen=True)
class LiveReport:
    """A bot's hedges seen from both legs.

    Attributes
    ----------
    bot : its name in the journal
    hedges : oldest first
    curve : their equity, open ones at the last known prices
    prices : the loop's readings by pair
    wallets : what both wallets held
    transfers : decided in the time reported, oldest first; none when one pair is looked at
    margins : changes of isolated positions' margin, `steps` all steps of the margin guard, oldest first
    strays : Freqtrade's shorts that no hedge of the journal belongs to
    end : the last moment of which anything is known, seconds since 1970
    """

    bot: str
    wish: Wish
    hedges: Sequence[HedgeLedger]
    curve: Curve
    prices: Mapping[str, Sequence[PricePoint]]
    wallets: Sequence[Wallet]
    transfers: Sequence[TransferRow]
    margins: Sequence[MarginRow]
    steps: Sequence[GuardStep]
    strays: int
    end: float

    @property
    def begin(self) -> float:
        """When the first of its hedges was opened; `end` without any."""
        return min((hedge.opened for hedge in self.hedges), default=self.end)

    @property
    def settlements(self) -> list[tuple[float, str, float]]:
        """(seconds since 1970, pair, quote) of each settlement, oldest first."""
        return sorted((at, hedge.row.pair, paid) for hedge in self.hedges for at, paid in hedge.settlements)

    @property
    def moves(self) -> Sequence[Moved]:
        """Transfers that took effect, oldest first."""
        return [moved for row in self.transfers if (moved := moved_by(row)) is not None]


def live_report(engine: Engine, bot: str, shorts: Sequence[Short], wish: Wish) -> LiveReport:
    """Read the journal and put both legs side by side.

    Parameters
    ----------
    engine : of the journal
    shorts : from `read_shorts`
    wish : since, until and pair; a hedge counts when it was closed, an open one always

    Raises
    ------
    JournalError : it can't be read
    """
    rows = hedges_of(engine, bot, wish)
    size = resolution(rows)
    readings, prices = _readings(snapshots(engine, bot, wish), rows, size)
    fills, all_fills = _by_hedge(spot_fills(engine, bot))
    settled = defaultdict(list)
    for event in funding_events(engine, bot):
        settled[event.hedge_id].append((event.at, event.amount))
    trade_of = match(shorts)
    ledgers, steps, matched = list[HedgeLedger](), array("d"), set[int]()
    for row in rows:
        short = trade_of(row.trade_id, row.pair, epoch(row.opened_at))
        matched |= {short.trade_id} if short is not None else set()
        points = list(_while_open(row, prices.get(row.pair, ())))
        ledger, own = open_ledger(row, short, fills.get(row.id, ()), settled.get(row.id, ()), points)
        ledgers.append(ledger)
        steps.extend(chain.from_iterable(own))
    moved = [] if wish.pair else list(transfers_of(engine, bot, wish))
    wallets = [] if wish.pair else last_of_each(wallet_points(readings, moved, all_fills), size)
    curve = _curve(steps)
    last = [*curve.at[-1:].tolist(), *(reading.at for reading in readings[-1:]), *(w.at for w in wallets[-1:])]
    strays = 0 if wish != Wish() else len(shorts) - len(matched)
    margins, guarded = list(margins_of(engine, bot, wish)), guard_steps(engine, bot, wish)
    end = max(last, default=0.0)
    return LiveReport(bot, wish, ledgers, curve, prices, wallets, moved, margins, guarded, strays, end)


def resolution(rows: Sequence[HedgeRow]) -> float:
    """How far apart readings have to be to matter: each step of two days, each hour of three months, else each day."""
    if not rows:
        return 0.0
    begun = min(row.opened_at for row in rows)
    span = epoch(max(row.closed_at or row.opened_at for row in rows)) - epoch(begun)
    return 0.0 if span <= EACH_STEP_S else HOUR_S if span <= EACH_HOUR_S else DAY_S


def _by_hedge(fills: Iterable[SpotFill]) -> tuple[Mapping[str, Sequence[SpotFill]], Sequence[SpotFill]]:
    found, every = defaultdict[str, list[SpotFill]](list), list[SpotFill]()
    for fill in fills:
        found[fill.hedge_id].append(fill)
        every.append(fill)
    return found, every


def _readings(
    found: Iterable[Snapshot], rows: Iterable[HedgeRow], size: float
) -> tuple[list[Wallet], Mapping[str, Sequence[PricePoint]]]:
    """Wallets, and prices of each pair with a hedge; the index price is the perpetual's, the coin's a part of it."""
    symbols = {row.pair: row.symbol for row in rows}
    multipliers = {pair: float((spot_symbol(pair, {s: {}}) or (s, 1))[1]) for pair, s in symbols.items()}
    wallets, prices = list[Wallet](), defaultdict[str, list[PricePoint]](list)
    for reading in found:
        wallets.append(Wallet(reading.at, reading.spot, reading.futures))
        for pair, (mark, index) in reading.prices.items():
            if pair in multipliers:
                points = prices[pair]
                if points and size and points[-1].at // size == reading.at // size:
                    points.pop()
                points.append(PricePoint(reading.at, mark, index / multipliers[pair]))
    return wallets, prices


def _while_open(row: HedgeRow, points: Sequence[PricePoint]) -> Iterator[PricePoint]:
    last = epoch(row.closed_at) if row.closed_at is not None else float("inf")
    return points_between(points, epoch(row.opened_at), last)


def _curve(steps: array[float]) -> Curve:
    """From (time, hedged, naked), one after the other."""
    table = np.frombuffer(steps, dtype=np.float64).reshape(-1, 3) if steps else np.empty((0, 3))
    table = table[np.argsort(table[:, 0], kind="stable")]
    return Curve(table[:, 0], np.cumsum(table[:, 1]), np.cumsum(table[:, 2]))
