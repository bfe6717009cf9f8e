"""Worst days, replayed: does a hedge live through them, with both legs equal all the way?

`python -m benchmarks.squeeze DATADIR` plays, for each pair of a Freqtrade data folder, the 24 hours in which its
perpetual rose most and those in which it fell most, on the sandbox exchange in virtual time: real controller, journal
and ccxt, a loop every minute (`--loop`), where a bot has one every five seconds. Hours become 5-minute points: open,
the two extremes, close. Without DATADIR only a made-up squeeze is played: up 60 % in ten minutes against three shorts.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.chaos.market import Freqtrade, Trade
from benchmarks.chaos.plan import START_S, Short
from benchmarks.chaos.world import World
from freqtrade_fundhedge.config import FundHedgeConfig
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.controller import Controller
from freqtrade_fundhedge.core.entry import EntryPlan
from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_rows import EventRow, HedgeRow
from freqtrade_fundhedge.sandbox.books import books
from freqtrade_fundhedge.sandbox.exchange import Options
from freqtrade_fundhedge.sandbox.numbers import ZERO
from freqtrade_fundhedge.venue.live import LiveVenue

CAPITAL, LEVERAGE, POINT_S = Decimal(10_000), 3, 300
DEPLOYED = Decimal("0.7")
ENTRY_LOOPS = 40
# What `hedge.unhedged_timeout_s` lets pass.
LONGEST_ALONE_S = 30.0
BOT_LOOP_S = 5.0
WIDTH = 170
ON_SANDBOX = {"BTC/USDT:USDT", "ETH/USDT:USDT", "XRP/USDT:USDT", "1000PEPE/USDT:USDT"}
ELSEWHERE = "SOL/USDT:USDT"
# Before these days the marks of some pairs are made from other candles; their perpetual's own candles serve there.
MARK_FROM = {"BNB": "2024-12-31", "DOGE": "2024-12-31", "SOL": "2024-01-01"}
STEPS = ("margin_topped_up", "margin_added", "shrink_asked", "exit_asked", "margin_taken_back")


@dataclass(frozen=True)
class Path24:
    """Prices as multiples of the first: (n,) float64 each, one every `POINT_S`."""

    name: str
    pair: str
    spot: np.ndarray[tuple[int], np.dtype[np.float64]]
    perp: np.ndarray[tuple[int], np.dtype[np.float64]]


@dataclass
class Outcome:
    """What one replay came to.

    Attributes
    ----------
    unhedged_s : longest time in which the legs differed by a lot or more, looked at after every loop
    kept : part of the shorts that is still open at the end, their mean
    """

    name: str
    mode: str
    peak: float
    liquidated: bool = False
    unhedged_s: float = 0.0
    kept: Decimal = ZERO
    result: Decimal = ZERO
    steps: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def made_up(pairs: Sequence[str], rise: float = 0.6, minutes: int = 10) -> list[Path24]:
    """A straight rise for each of several pairs at once, and ten minutes of rest."""
    points = np.concatenate([np.linspace(1, 1 + rise, minutes * 60 // POINT_S + 1), np.full(2, 1 + rise)])
    return [Path24(f"+{rise:.0%} in {minutes} min", pair, points, points) for pair in pairs]


def worst_days(folder: Path) -> Iterator[Path24]:
    """The day up and the day down of each pair of which spot and perpetual are there."""
    for file in sorted(folder.glob("futures/*-1h-futures.feather")):
        base, quote = file.name.split("-")[0].split("_")[:2]
        spot_file = folder / f"{base.removeprefix('1000')}_{quote}-1h.feather"
        perp, spot = _hours(file), _hours(spot_file)
        mark = _hours(file.with_name(file.name.replace("-futures.", "-mark.")))
        perp.update(mark.loc[MARK_FROM.get(base, "2019") :])
        both = perp.index.intersection(spot.index)
        perp, spot = perp.loc[both], spot.loc[both]
        highest = perp.high.rolling(24).max().shift(-23) / perp.open
        lowest = perp.low.rolling(24).min().shift(-23) / perp.open
        for word, start in (("up", highest.idxmax()), ("down", lowest.idxmin())):
            hours = slice(start, start + pd.Timedelta(hours=23))
            name = f"{base} {word} {start:%Y-%m-%d}"
            yield Path24(name, f"{base}/{quote}:{quote}", points(spot.loc[hours]), points(perp.loc[hours]))


def points(hours: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Candles as points in time, relative to the first open: first the extreme that lies nearer to the open."""
    up_first = hours.close < hours.open
    first, second = hours.high.where(up_first, hours.low), hours.low.where(up_first, hours.high)
    knots = np.stack([hours.open, first, second, hours.close], axis=1).ravel()
    at = (np.arange(len(hours))[:, None] * 3600 + np.array([0, 1200, 2400, 3599])).ravel()
    grid = np.arange(0, len(hours) * 3600 + 1, POINT_S)
    values: np.ndarray[tuple[int], np.dtype[np.float64]] = np.interp(grid, at, knots) / knots[0]
    return values


def _hours(file: Path) -> pd.DataFrame:
    return pd.read_feather(file).set_index("date")[["open", "high", "low", "close"]].astype(float)


class Replay:
    """One bot, one exchange, some shorts that are all opened before the day begins."""

    def __init__(
        self, world: World, paths: Sequence[Path24], mode: str, journal: Path, guard: bool, loop_s: float
    ) -> None:
        self.world, self.paths, self.cross, self.loop_s = world, paths, mode == "cross", loop_s
        world.reset(Options(spot_usdt=CAPITAL), START_S, 0.05, 1)
        self.freqtrade = Freqtrade(world.exchange, self.cross)
        self.settings = FundHedgeConfig.model_validate({"margin": {"guard": guard}})
        clock = world.clock
        self.journal = Journal(f"sqlite:///{journal}", "squeeze")
        venue = LiveVenue(world.api, world.api, "USDT", clock.seconds)
        venue.concurrent = False  # the virtual world has one thread
        ctx = Context(venue, self.journal, self.settings, "USDT", self.cross, clock=clock.seconds, sleep=clock.forward)
        self.bot = Controller(ctx)
        self.outcome = Outcome(paths[0].name, mode, max(float(path.perp.max()) for path in paths) - 1)
        self._unhedged_since: float | None = None

    def legs(self, hedges: Sequence[HedgeRow]) -> Sequence[ShortLeg]:
        """What Freqtrade's database says."""
        wanted = {hedge.trade_id for hedge in hedges}
        return [t.leg() for t in self.freqtrade.trades if t.quantity > 0 or t.id in wanted]

    def play(self) -> Outcome:
        """Enter, live through the paths, sum up."""
        stake = CAPITAL * DEPLOYED / len(self.paths)
        trades = [self._enter(Short(path.pair, stake, LEVERAGE)) for path in self.paths]
        start_s = self.world.clock.seconds()
        first = [(t, self._levels(t)) for t in trades]
        for point in range(1, len(self.paths[0].perp)):
            for (trade, (index, perp)), path in zip(first, self.paths, strict=True):
                self._head_for(trade, index * Decimal(path.spot[point]), perp * Decimal(path.perp[point]))
            while (left := start_s + point * POINT_S - self.world.clock.seconds()) > 0:
                self.loop(min(left, self.loop_s))
            if self.freqtrade.liquidated():
                break
        self.outcome.kept = sum((self._short(trade) / trade.entered for trade in trades), ZERO) / len(trades)
        return self._summed_up()

    def _enter(self, short: Short) -> Trade:
        trade = self.freqtrade.planned(short)
        price = trade.market.path.price(self.world.clock())
        margin = trade.quantity * price / LEVERAGE * Decimal("1.015")
        plan = EntryPlan(short.pair, trade.quantity, price, margin, margin, self.world.clock.seconds() + 7200)
        for _ in range(ENTRY_LOOPS):
            self.loop(1.0)
            if self.bot.ready_for(plan) and not self.bot.refusal(short.pair, trade.quantity, price):
                self.freqtrade.open(trade)
                self.bot.after_fill(trade.leg())
                return trade
        raise RuntimeError(f"{short.pair} could not be entered: {self.bot.trouble}")

    def _levels(self, trade: Trade) -> tuple[Decimal, Decimal]:
        now = self.world.clock()
        return self.world.exchange.markets.index[trade.symbol].price(now), trade.market.path.price(now)

    def _head_for(self, trade: Trade, index: Decimal, perp: Decimal) -> None:
        now = self.world.clock()
        self.world.exchange.markets.index[trade.symbol].set(now, index, POINT_S * 1000)
        trade.market.path.set(now, perp, POINT_S * 1000)

    def loop(self, pause_s: float) -> None:
        """Time passes, then everything that Freqtrade does in a loop."""
        self.world.clock.forward(pause_s)
        self.world.exchange.advance()
        self.bot.converge(self.legs)
        for trade in self.freqtrade.trades:
            if trade.quantity > 0:
                self._ask(trade)
        self._look()

    def _ask(self, trade: Trade) -> None:
        pair, guard = trade.plan.pair, self.bot.guard
        if self.bot.hedge_failed(pair) or guard.leave_now(pair):
            self.freqtrade.close(trade, Decimal(1))
        elif (quantity := guard.shrink_now(pair)) is not None:
            self.freqtrade.close(trade, min(Decimal(1), quantity / trade.quantity))
        else:
            return
        self.bot.after_fill(trade.leg())

    def _look(self) -> None:
        now = self.world.clock.seconds()
        if all(self._hedged(trade) for trade in self.freqtrade.trades):
            self._unhedged_since = None
            return
        self._unhedged_since = self._unhedged_since if self._unhedged_since is not None else now
        self.outcome.unhedged_s = max(self.outcome.unhedged_s, now - self._unhedged_since)

    def _hedged(self, trade: Trade) -> bool:
        exchange, coin = self.world.exchange, trade.market.coin
        if coin.spot is None:
            return False
        held = exchange.ledger.balance("spot", coin.spot.base)
        return abs(held - self._short(trade) * coin.multiplier) < coin.spot.step

    def _short(self, trade: Trade) -> Decimal:
        return abs(self.world.exchange.futures.account.position(trade.symbol).quantity)

    def _summed_up(self) -> Outcome:
        exchange, outcome = self.world.exchange, self.outcome
        outcome.liquidated = self.freqtrade.liquidated()
        equity = books(exchange)["equity"]
        outcome.result, outcome.faults = Decimal(equity["total"]) - CAPITAL, list(equity["faults"])
        events: list[EventRow] = list(self.journal.recent(EventRow, 100_000))
        outcome.steps = [event.kind for event in reversed(events) if event.kind in STEPS]
        return outcome

    def close(self) -> None:
        """Let go of the journal."""
        self.bot.close()


def replay(world: World, paths: Sequence[Path24], mode: str, guard: bool = True, loop_s: float = 60.0) -> Outcome:
    """Play paths, all at once, with "isolated" or "cross" margin, until their end or a liquidation."""
    on_sandbox = [p if p.pair in ON_SANDBOX else Path24(p.name, ELSEWHERE, p.spot, p.perp) for p in paths]
    with tempfile.TemporaryDirectory() as folder:
        play = Replay(world, on_sandbox, mode, Path(folder) / "journal.sqlite", guard, loop_s)
        try:
            return play.play()
        finally:
            play.close()


def main() -> int:
    """Play everything and print one table. 0 when no short was liquidated and no leg was alone for too long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datadir", nargs="?", type=Path)
    parser.add_argument("--loop", type=float, default=60.0, help="seconds from loop to loop")
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    days = [made_up(["BTC/USDT:USDT", "ETH/USDT:USDT", "XRP/USDT:USDT"])]
    days += [[path] for path in worst_days(asked.datadir)] if asked.datadir else []
    table = Table("day", "margin", "peak", "guard", "liquidated", "alone", "kept", "USDT", "steps", title="Worst days")
    bad = 0
    with World() as world, Progress(console=Console(stderr=True)) as progress:
        for paths in progress.track(days):
            loop_s = asked.loop if len(paths) == 1 else min(asked.loop, BOT_LOOP_S)
            for mode in ("isolated", "cross"):
                for guard in (True, False) if " down " not in paths[0].name else (True,):
                    outcome = replay(world, paths, mode, guard, loop_s)
                    alone = outcome.unhedged_s > LONGEST_ALONE_S
                    bad += guard and (outcome.liquidated or alone or bool(outcome.faults))
                    _add(table, outcome, "on" if guard else "off")
    Console(width=WIDTH).print(table)
    return 1 if bad else 0


def _add(table: Table, outcome: Outcome, guard: str) -> None:
    steps = ", ".join(f"{count} {kind}" for kind, count in Counter(outcome.steps).items())
    table.add_row(
        outcome.name, outcome.mode, f"{outcome.peak:+.0%}", guard, "yes" if outcome.liquidated else "no",
        f"{outcome.unhedged_s:.0f} s", f"{outcome.kept:.0%}", f"{outcome.result:+.2f}", steps,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
