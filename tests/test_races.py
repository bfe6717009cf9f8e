"""Threads, reloads, second processes and the user's own hand between a read and a send."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal as D
from pathlib import Path

import pytest
from fake_venue import PAIR, FakeVenue

from freqtrade_fundhedge.config import FundHedgeConfig
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.controller import Controller
from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.core.intents import State
from freqtrade_fundhedge.errors import JournalError
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_locks import SingleBot
from freqtrade_fundhedge.journal_rows import OrderRow, TransferRow
from freqtrade_fundhedge.venue.port import ZERO, Direction, Fill, FuturesAccount, OrderRequest, Side, TransferRequest

QUANTITY = D("0.020")
DUST = D("0.00002")


class SlowVenue(FakeVenue):
    """Sends that wait in the middle until they are let through; it fails when two are under way at once."""

    gate: threading.Event
    inside: threading.Event
    busy: threading.Lock

    def send_order(self, order: OrderRequest) -> Fill:
        with self._alone():
            return super().send_order(order)

    def send_transfer(self, transfer: TransferRequest) -> str:
        with self._alone():
            return super().send_transfer(transfer)

    def _alone(self) -> threading.Lock:
        self.inside.set()
        assert self.gate.wait(20)
        assert not self.busy.locked(), "two sends at once"
        return self.busy


class World:
    """Bots on one journal, and what their Freqtrade knows."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder}/journal.sqlite"
        self.ahead = 0.0
        self.venue = SlowVenue(self.now, {"USDT": D(10_000)}, D(2_000))
        self.venue.gate, self.venue.inside, self.venue.busy = threading.Event(), threading.Event(), threading.Lock()
        self.venue.gate.set()
        self.legs: list[ShortLeg] = []
        self.bots: list[Controller] = []

    def now(self) -> float:
        return time.time() + self.ahead

    def bot(self) -> Controller:
        """As a start or a reload makes it."""
        settings = FundHedgeConfig.model_validate({"margin": {"fund_entries": False}})
        made = Controller(Context(self.venue, Journal(self.url, "bot"), settings, "USDT", clock=self.now))
        self.bots.append(made)
        return made

    def loop(self, bot: Controller) -> bool:
        return bot.converge(lambda _hedges: self.legs)

    def enter(self, bot: Controller) -> ShortLeg:
        self.loop(bot)
        self.venue.open_short(QUANTITY, D(3))
        stake = QUANTITY * self.venue.price / 3
        self.legs = [ShortLeg(1, PAIR, self.now(), QUANTITY, QUANTITY, True, stake, stake)]
        self.loop(bot)
        return self.legs[0]

    def leave(self) -> ShortLeg:
        """The short is closed at the exchange and in Freqtrade's database."""
        self.venue.close_short_by(QUANTITY)
        self.legs = [replace(self.legs[0], filled=ZERO, reachable=ZERO, is_open=False, stake_left=ZERO)]
        return self.legs[0]

    def check(self, bot: Controller) -> None:
        """Flat, everything sent once, everything settled."""
        for _ in range(3):
            self.loop(bot)
        assert bot.trouble == ""
        assert ZERO <= self.venue.spot["BTC"] < DUST
        assert all(count == 1 for count in self.venue.applied.values())
        journal = bot.ctx.journal
        for row in (*journal.recent(OrderRow), *journal.recent(TransferRow)):
            assert (row.state, row.attempts) == (State.DONE, 1)
        assert not journal.unsettled()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.venue.gate.set()
    for bot in made.bots:
        bot.ctx.journal.close()


def test_force_exit_during_a_loop(world: World) -> None:
    """A fill that the API's thread announces while a loop has an order under way waits for it; all is sold once."""
    bot = world.bot()
    world.enter(bot)
    leg = world.leave()
    world.venue.gate.clear()
    world.venue.inside.clear()
    loop = threading.Thread(target=world.loop, args=(bot,))
    loop.start()
    assert world.venue.inside.wait(10)
    announced = [threading.Thread(target=bot.after_fill, args=(leg,)) for _ in range(4)]
    for thread in announced:
        thread.start()
    time.sleep(0.1)
    assert all(thread.is_alive() for thread in announced)
    world.venue.gate.set()
    for thread in (loop, *announced):
        thread.join(20)
    assert world.venue.sent["order"] == 2
    world.check(bot)
    assert world.venue.sent == {"order": 2, "transfer": 1}


def test_many_threads(world: World) -> None:
    """Loops, fills, pre-flight checks and plans from many threads: one send at a time, nothing twice."""
    bot = world.bot()
    world.enter(bot)
    leg = world.leave()
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for _ in range(5):
                if number % 3 == 0:
                    world.loop(bot)
                elif number % 3 == 1:
                    bot.after_fill(leg)
                else:
                    bot.refusal(PAIR, QUANTITY, world.venue.price)
                    bot.hedge_failed(PAIR)
        except BaseException as error:  # noqa: BLE001 - a thread's failure has to reach the test
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    world.check(bot)
    assert world.venue.sent == {"order": 2, "transfer": 1}


def test_reload_in_the_middle_of_a_sweep(world: World) -> None:
    """The old strategy's clean-up waits for its sweep; the new one takes over journal and lock and sends no second."""
    single = SingleBot(world.url, "bot")
    single.acquire()
    old = world.bot()
    world.enter(old)
    leg = world.leave()
    world.venue.faults = {}
    sweeping = threading.Event()
    release = threading.Event()
    send = world.venue.send_transfer

    def slow(transfer: TransferRequest) -> str:
        sweeping.set()
        assert release.wait(20)
        return send(transfer)

    world.venue.send_transfer = slow  # type: ignore[method-assign]
    fill = threading.Thread(target=old.after_fill, args=(leg,))
    fill.start()
    assert sweeping.wait(10)

    def clean_up() -> None:
        old.close()
        single.release()

    closing = threading.Thread(target=clean_up)
    closing.start()
    again = SingleBot(world.url, "bot")
    # Freqtrade ends the old bot before it makes the new one; here the new one is even early.
    new = world.bot()
    loop = threading.Thread(target=world.loop, args=(new,))
    loop.start()
    time.sleep(0.2)
    assert closing.is_alive()
    assert loop.is_alive()
    assert world.venue.sent["transfer"] == 0
    release.set()
    for thread in (fill, closing, loop):
        thread.join(20)
    again.acquire()
    world.check(new)
    assert world.venue.sent == {"order": 2, "transfer": 1}
    assert old.allow_entry(PAIR, QUANTITY, world.venue.price) == "the bot is stopping"
    again.release()


def test_second_strategy_in_this_process(world: World) -> None:
    """The lock is the process's: the strategy that a reload makes may hold it beside the old one for a moment."""
    first, second = SingleBot(world.url, "bot"), SingleBot(world.url, "bot")
    first.acquire()
    second.acquire()
    first.release()
    second.release()


class Grabbing(FakeVenue):
    """The user moves USDT by hand between our read and our send."""

    grab = ZERO

    def futures_account(self) -> FuturesAccount:
        seen = super().futures_account()
        self.wallet -= self.grab
        self.spot["USDT"] += self.grab
        self.grab = ZERO
        return seen

    def spot_balances(self) -> Mapping[str, D]:
        return super().spot_balances()


@pytest.mark.parametrize("taken", [D("0.01"), D(150), D(250)])
def test_manual_transfer_between_read_and_send(tmp_path: Path, taken: D) -> None:
    """A sweep of what the user has just moved is refused and made smaller, or not at all; nothing is moved twice."""
    venue = Grabbing(lambda: clock[0], {"USDT": D(10_000)}, D(200) + taken)
    clock = [1_700_000_000.0]
    journal = Journal(f"sqlite:///{tmp_path}/journal.sqlite", "bot")
    venue.journal = journal
    bot = Controller(Context(venue, journal, FundHedgeConfig(), "USDT", clock=lambda: clock[0], sleep=lambda _s: None))
    venue.grab = taken
    for _ in range(30):
        clock[0] += 5
        bot.converge(lambda _hedges: [])
    assert bot.trouble == ""
    assert ZERO <= venue.wallet < 1
    assert venue.wallet + venue.spot["USDT"] == D(10_200) + taken
    assert all(count == 1 for count in venue.applied.values())
    assert not journal.open_transfers()
    journal.close()


@pytest.mark.parametrize("lost", ["lost", "lost_after"])
def test_manual_transfer_while_ours_is_unknown(tmp_path: Path, lost: str) -> None:
    """The user's own transfer is not taken for ours while the outcome of ours is unknown: amounts tell them apart."""
    clock = [1_700_000_000.0]
    venue = FakeVenue(lambda: clock[0], {"USDT": D(10_000)}, D(200))
    journal = Journal(f"sqlite:///{tmp_path}/journal.sqlite", "bot")
    bot = Controller(Context(venue, journal, FundHedgeConfig(), "USDT", clock=lambda: clock[0], sleep=lambda _s: None))
    venue.faults = {"transfer": [lost]}
    bot.converge(lambda _hedges: [])
    own = min(venue.wallet, D(50))
    if own:
        venue.send_transfer(TransferRequest("the user's", Direction.SWEEP, "USDT", own))
    for _ in range(60):
        clock[0] += 5
        bot.converge(lambda _hedges: [])
    states = [row.state for row in reversed(journal.recent(TransferRow))]
    assert venue.wallet < 1
    assert venue.wallet + venue.spot["USDT"] == D(10_200)
    if lost == "lost_after":
        assert states == [State.DONE]
    assert all(count == 1 for count in venue.applied.values())
    journal.close()


def test_coins_sold_by_hand(world: World) -> None:
    """Coins of ours that the user sold are owned up to; what is left is sold, and no coin is sold that is not there."""
    bot = world.bot()
    world.enter(bot)
    world.venue.spot["BTC"] /= 2
    world.leave()
    for _ in range(5):
        world.loop(bot)
    assert ZERO <= world.venue.spot["BTC"] < DUST
    assert bot.trouble == ""
    sales = [row for row in bot.ctx.journal.recent(OrderRow) if row.side is Side.SELL]
    assert [row.state for row in sales] == [State.DONE, State.REJECTED]


def test_closed_journal_sends_nothing(world: World) -> None:
    """A bot that has been told to stop allows nothing and is told so, whichever thread still asks."""
    bot = world.bot()
    world.loop(bot)
    bot.close()
    assert bot.allow_entry(PAIR, QUANTITY, world.venue.price) == "the bot is stopping"
    with pytest.raises(JournalError):
        Journal(f"{world.url}-nowhere/x", "bot")
