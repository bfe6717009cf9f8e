"""Our side of a scenario: the real controller, journal and live venue, killed and started again."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.chaos.judge import Judge
from benchmarks.chaos.market import Freqtrade, Trade
from benchmarks.chaos.plan import Exit, Rule, Scenario
from benchmarks.chaos.stream import PREFIX, Stream
from benchmarks.chaos.world import Killed, World
from freqtrade_fundhedge.config import FundHedgeConfig
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.controller import Controller
from freqtrade_fundhedge.core.entry import EntryPlan
from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_rows import HedgeRow
from freqtrade_fundhedge.sandbox.errors import BinanceError
from freqtrade_fundhedge.venue.live import LiveVenue
from freqtrade_fundhedge.venue.port import TransferRequest

ENTRY_LOOPS = 60
QUIET_LOOPS = 80
STEPS_OF_A_LOOP = 50
PATIENT_LOOPS = 4
LONG_LOOP_S = 30.0
LONGEST_PAUSE_S = 61.0
MARGIN_IS_INSUFFICIENT = -2019
ANSWER_S = 0.1
Alter = Callable[[Controller], None]


def as_it_is(controller: Controller) -> None:
    """Change nothing."""


class MortalJournal(Journal):
    """A journal whose process may die before or after any of its calls."""

    world: World

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if name.startswith("_") or not callable(value) or name == "close":
            return value

        def called(*args: Any, **kwargs: Any) -> Any:
            self.world.step()
            answer = value(*args, **kwargs)
            self.world.step()
            return answer

        return called


class WatchedVenue(LiveVenue):
    """Tells the judge which intent a transfer is for."""

    concurrent = False  # one thread alone, for the same seed to give the same day

    judge: Judge

    def send_transfer(self, transfer: TransferRequest) -> str:
        """See `Venue.send_transfer`."""
        # Attempts of one intent have keys of their own that begin alike.
        self.judge.intent = "-".join(transfer.client_key.split("-")[:2])
        return super().send_transfer(transfer)


class Bot:
    """One bot through its lives.

    Parameters
    ----------
    stream : how the exchange's stream behaves
    template : a journal with tables and no rows, copied for each scenario
    alter : what to break in each new controller, to see whether the judge notices
    """

    def __init__(
        self,
        world: World,
        plan: Scenario,
        judge: Judge,
        freqtrade: Freqtrade,
        template: Path,
        alter: Alter,
        stream: str,
    ) -> None:
        self.world, self.plan, self.judge, self.freqtrade = world, plan, judge, freqtrade
        self.alter = alter
        self.path = template.with_name("journal.sqlite")
        for stale in self.path.parent.glob("journal.sqlite*"):
            stale.unlink()
        shutil.copyfile(template, self.path)
        transfer, margin = {"keep_usdt": str(plan.keep)}, {"fund_entries": plan.fund_entries}
        self.settings = FundHedgeConfig.model_validate({"transfer": transfer, "margin": margin})
        self.journal: MortalJournal | None = None
        self.stream = Stream(stream, world.clock.seconds, world.reader.parse_ws_order, plan.name)
        world.sandbox.desk.streams.join(self.stream)
        world.hear = self.hear
        self._news = self._free = False
        self._deaths: list[float] = []
        self._troubled = 0
        self.start()

    def start(self) -> None:
        """What a new process does: nothing is left but the journal's file."""
        if self.journal is not None:
            self.journal.close()
        self.world.new_process()
        clock = self.world.clock
        self.journal = MortalJournal(f"sqlite:///{self.path}", "chaos")
        self.journal.world = self.world
        venue = WatchedVenue(self.world.api, self.world.api, "USDT", clock.seconds)
        venue.judge = self.judge
        ctx = Context(
            venue, self.journal, self.settings, "USDT", self.plan.cross, clock=clock.seconds, sleep=clock.forward
        )
        self.controller = Controller(ctx)
        self.controller.early.prefix = PREFIX
        ctx.waiting = self._let_go(ctx.waiting)
        self.alter(self.controller)

    def close(self) -> None:
        """Let go of the journal."""
        if self.journal is not None:
            self.journal.close()

    def chaos(self, rules: Sequence[Rule], deaths: Sequence[float]) -> None:
        """From here on these faults hit, and the process dies so often."""
        for rule in rules:
            self.world.sandbox.desk.faults.add(**rule)
        self._deaths = list(deaths)
        self._arm()

    def calm(self) -> None:
        """Faults end."""
        self.world.sandbox.desk.faults.clear()
        self.world.death.lives, self._deaths = None, []

    def _arm(self) -> None:
        self.world.death.lives = int(self._deaths.pop(0) * STEPS_OF_A_LOOP) if self._deaths else None

    def _mortal(self, work: Callable[[], object]) -> None:
        """What the bot does; fills that the stream told of meanwhile are hedged right after it."""
        try:
            work()
            while self._news:
                self._news = False
                self.controller.on_fills()
        except Killed:
            self._free = self._news = False
            self.start()
            self._arm()

    def hear(self) -> None:
        """Take what the stream has told by now, as its thread does at any time."""
        self.world.sandbox.desk.streams.flush()
        for fill in self.stream.tell():
            self.controller.early.inbox.append(fill)
            self._news = self._news or fill.filled > 0
        if self._news and self._free:
            self._news = self._free = False
            self.controller.on_fills()

    def _let_go(
        self, waiting: Callable[[], AbstractContextManager[None]]
    ) -> Callable[[], AbstractContextManager[None]]:
        """While the loop only waits for an answer the stream's thread may hedge."""

        @contextmanager
        def free() -> Iterator[None]:
            with waiting():
                self._free = True
                try:
                    yield
                finally:
                    self._free = False

        return free

    def wait(self, seconds: float) -> None:
        """Time passes, and the stream tells when it has something."""
        clock, end = self.world.clock, self.world.clock.seconds() + seconds
        self.world.sandbox.desk.streams.flush()
        while self.stream.due <= end:
            clock.forward(max(0.0, self.stream.due - clock.seconds()))
            self._mortal(self.hear)
        clock.forward(max(0.0, end - clock.seconds()))

    def legs(self, hedges: Sequence[HedgeRow]) -> Sequence[ShortLeg]:
        """What Freqtrade's database says."""
        wanted = {hedge.trade_id for hedge in hedges}
        return [t.leg() for t in self.freqtrade.trades if t.leg().is_open or t.id in wanted]

    def loop(self, pause_s: float = 0.0) -> None:
        """One bot loop. A long wait for evidence is waited in longer steps, to spare the reader's time."""
        usual = self.plan.loop_s if self._troubled < PATIENT_LOOPS else LONG_LOOP_S
        self.wait(max(usual, pause_s))
        self._mortal(lambda: self.controller.converge(self.legs))
        self._troubled = self._troubled + 1 if self.controller.trouble else 0
        self._mortal(self._close_what_failed)
        for trade in self.freqtrade.trades:
            trade.poll()

    def between(self) -> None:
        """What the bot does while an order of Freqtrade's is filled."""
        if self.plan.parts == 1:
            self.wait(ANSWER_S)
            return
        self.wait(self.plan.gap_s)
        if self.plan.gap_s > self.plan.loop_s / 2:
            self.loop()

    def _close_what_failed(self) -> None:
        for trade in self.freqtrade.trades:
            if trade.quantity > 0 and trade.resting is None and self.controller.hedge_failed(trade.plan.pair):
                self.freqtrade.close(trade, Decimal(1))

    def enter(self, trade: Trade) -> bool:
        """Freqtrade's entry: when the margin is there and nothing speaks against it."""
        price = trade.market.path.price(self.world.clock())
        margin = trade.quantity * price / trade.plan.leverage * Decimal("1.015")
        self.judge.entry_margin = margin if self.plan.fund_entries else Decimal(0)
        expires = self.world.clock.seconds() + 7200
        plan = EntryPlan(trade.plan.pair, trade.quantity, price, margin, margin, expires)
        entered = self._taken(trade, plan)
        if entered is None:  # the guard gave its margin to another short: the user pays more in
            self.world.exchange.deposit("futures", "USDT", margin)
            entered = self._taken(trade, plan)
        if entered:
            self._mortal(lambda: self.controller.after_fill(trade.leg()))
        self.judge.entry_margin = Decimal(0)
        return bool(entered)

    def _taken(self, trade: Trade, plan: EntryPlan) -> bool | None:
        """Whether Freqtrade tried the entry; None when the exchange refused it for want of margin."""
        if not any(self._ready(plan) for _ in range(ENTRY_LOOPS)):
            return False
        quantity = trade.quantity
        try:
            self.freqtrade.open(trade, self.plan.parts, self.between)
        except BinanceError as refused:
            if refused.code != MARGIN_IS_INSUFFICIENT:
                raise
            trade.quantity = quantity
            return None
        return True

    def _ready(self, plan: EntryPlan) -> bool:
        self.loop()
        answers: list[bool] = []
        self._mortal(lambda: answers.append(self._may_enter(plan)))
        return answers == [True]

    def _may_enter(self, plan: EntryPlan) -> bool:
        ready = self.controller.ready_for(plan)
        return ready and not self.controller.allow_entry(plan.pair, plan.quantity, plan.price)

    def after_exit(self, trade: Trade, item: Exit) -> None:
        """What the bot does between this exit and the next."""
        if item.announced:
            self._mortal(lambda: self.controller.after_fill(trade.leg()))
        for _ in range(item.loops):
            self.loop()

    def hear_all(self) -> None:
        """Wait for whatever the stream still has to tell."""
        while self.stream.due < float("inf"):
            self.wait(self.stream.due - self.world.clock.seconds())

    def until_quiet(self) -> str:
        """Run until nothing moves any more, not even after the longest pause of the treasury. What is wrong then."""
        self.calm()
        books, still = self.world.exchange, 0
        for _ in range(QUIET_LOOPS):
            before = len(books.transfers.rows), len(books.spot.store.orders)
            self.loop(LONGEST_PAUSE_S if still and self.plan.faulty else 0.0)
            moved = before != (len(books.transfers.rows), len(books.spot.store.orders))
            moving = self.world.clock.seconds() < self.freqtrade.still_from
            still = 0 if moved or moving or self.controller.trouble else still + 1
            if still > self.plan.faulty:
                return ""
        return f"not quiet after {QUIET_LOOPS} loops: {self.controller.trouble or 'still moving'}"
