"""Shorts that Freqtrade does not know, and shorts that are smaller than it believes."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from fake_venue import PAIR, FakeVenue, Killed
from sqlalchemy import event

from freqtrade_fundhedge.config import FundHedgeConfig
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.controller import Controller
from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.core.intents import State
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_rows import CloseRow, HedgeRow, OrderRow
from freqtrade_fundhedge.venue.port import ZERO, Position

QUANTITY = D("0.020")
USER_COINS = D("0.5")
FLAT = (ZERO, ZERO, ZERO)


class World:
    """One bot whose Freqtrade is played by the test."""

    def __init__(self, folder: Path, orphans: str = "close") -> None:
        self.time = 1_700_000_000.0
        self.folder, self.orphans = folder, orphans
        self.venue = FakeVenue(self.now, {"USDT": D(10_000), "BTC": USER_COINS}, D(2_000))
        self.legs: list[ShortLeg] = []
        self.told: list[str] = []
        self.start()

    def now(self) -> float:
        self.time += 0.001
        return self.time

    def start(self) -> None:
        """A process that starts on the same journal."""
        settings = FundHedgeConfig.model_validate(
            {"hedge": {"orphans": self.orphans}, "margin": {"fund_entries": False}}
        )
        self.journal = Journal(f"sqlite:///{self.folder}/journal.sqlite", "bot")
        self.venue.journal = self.journal
        self.bot = Controller(
            Context(
                self.venue, self.journal, settings, "USDT", clock=self.now, sleep=lambda _s: None,
                tell=self.told.append,
            )
        )  # fmt: skip

    def loops(self, count: int, seconds: float = 5.0) -> None:
        for _ in range(count):
            self.time += seconds
            self.bot.converge(lambda _hedges: self.legs)

    def allow(self, quantity: D = QUANTITY) -> str:
        return self.bot.allow_entry(PAIR, quantity, self.venue.price)

    def lose_an_entry(self) -> None:
        """Freqtrade's order went through, the answer did not: Freqtrade keeps no trade."""
        self.loops(1)
        assert self.allow() == ""
        self.venue.open_short(QUANTITY, D(3))

    def hedge(self) -> None:
        """A hedge of an ordinary trade."""
        self.loops(1)
        assert self.allow() == ""
        self.venue.open_short(QUANTITY, D(3))
        stake = QUANTITY * self.venue.price / 3
        self.legs = [ShortLeg(1, PAIR, self.now(), QUANTITY, QUANTITY, True, stake, stake)]
        self.loops(2)
        assert abs(self.ours() - QUANTITY) < D("0.00002")

    def ours(self) -> D:
        return self.venue.spot["BTC"] - USER_COINS

    def short(self) -> D:
        return self.venue.shorts.get(PAIR, FLAT)[0]

    def closes(self) -> Sequence[CloseRow]:
        return self.journal.recent(CloseRow)

    def said(self, text: str) -> int:
        return sum(text in message for message in self.told)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.journal.close()


@pytest.fixture
def reporter(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, "report")
    yield made
    made.journal.close()


# --- a futures entry whose answer was lost


def test_lost_entry_is_closed_once(world: World) -> None:
    """A short of ours that Freqtrade does not know is bought back, once, after two account reads that show it."""
    world.lose_an_entry()
    assert "under way" in world.allow()
    world.loops(1)
    assert world.venue.sent["close"] == 0
    assert "does not know" in world.allow()
    world.loops(4)
    assert world.short() == ZERO
    assert world.venue.sent["close"] == 1
    assert [(row.state, row.amount, row.filled) for row in world.closes()] == [(State.DONE, QUANTITY, QUANTITY)]
    assert world.said("bought back") == 1
    assert world.venue.sent["order"] == 0
    assert world.allow() == ""


def test_lost_entry_is_recognised_after_a_restart(world: World) -> None:
    """What was allowed is in the journal, so the process that finds the short need not be the one that lost it."""
    world.lose_an_entry()
    world.start()
    world.loops(4)
    assert world.short() == ZERO
    assert world.venue.sent["close"] == 1


@pytest.mark.parametrize("fault", ["lost_after", "lost", "kill", "kill_after", "not_sent", "reject", "back_off"])
def test_close_with_a_fault_takes_effect_once(world: World, fault: str) -> None:
    """However the close's answer is lost, nothing more is sent until it is found out, and the short ends closed."""
    world.lose_an_entry()
    world.loops(1)
    world.venue.faults = {"close": [fault]}
    try:
        world.loops(1)
    except Killed:
        world.start()
    assert world.venue.sent["close"] == 1
    world.loops(60)
    assert world.short() == ZERO
    assert sum(world.venue.applied[row.intent_id] for row in world.closes()) == 1
    assert not world.journal.open_closes()
    assert world.bot.trouble == ""


def test_lost_entry_is_reported_once(reporter: World) -> None:
    """With `orphans: report` the short stays, a person is called once, and the pair is not entered."""
    reporter.lose_an_entry()
    reporter.loops(10)
    assert reporter.short() == QUANTITY
    assert reporter.venue.sent["close"] == 0
    assert reporter.said("lost track of") == len(reporter.told) == 1
    assert "does not know" in reporter.allow()


# --- a short that Freqtrade takes for closed


def half_closed(world: World) -> None:
    """Freqtrade counts the fill of one half twice: its trade is closed, the exchange still has the other half."""
    world.hedge()
    world.venue.close_short_by(QUANTITY / 2)
    world.legs = [replace(world.legs[0], filled=ZERO, reachable=ZERO, is_open=False, stake_left=ZERO)]


def test_what_a_closed_trade_left_is_bought_back(world: World) -> None:
    """Once, as soon as neither side can merely be late; the coins are sold and nobody else's are."""
    half_closed(world)
    world.loops(3)
    assert world.venue.sent["close"] == 0
    assert "does not know" in world.allow()
    world.loops(6)
    assert world.short() == ZERO
    assert world.venue.sent["close"] == 1
    assert [(row.state, row.filled) for row in world.closes()] == [(State.DONE, QUANTITY / 2)]
    assert world.ours() < D("0.00002")
    assert world.said("lost track of") == 1
    assert world.said("does not know") == 0


def test_what_a_closed_trade_left_is_reported(reporter: World) -> None:
    """With `orphans: report` a person is called once instead."""
    half_closed(reporter)
    reporter.loops(12)
    assert reporter.short() == QUANTITY / 2
    assert reporter.venue.sent["close"] == 0
    assert reporter.said("lost track of") == 1


def test_somebodys_short_in_the_place_of_ours(world: World) -> None:
    """Sold after our trade had closed, it is not ours, however small; reported once."""
    world.hedge()
    world.venue.close_short_by(QUANTITY)
    world.legs = [replace(world.legs[0], filled=ZERO, reachable=ZERO, is_open=False, stake_left=ZERO)]
    world.time += 8
    world.venue.open_short(QUANTITY / 2, D(3))
    world.loops(20)
    assert world.short() == QUANTITY / 2
    assert world.venue.sent["close"] == 0
    assert world.said("does not know") == 1


def test_somebodys_short_beside_ours(world: World) -> None:
    """What was there beside ours all the time stays when ours is closed."""
    world.hedge()
    world.venue.open_short(QUANTITY / 2, D(3))
    world.loops(3)
    world.venue.close_short_by(QUANTITY)
    world.legs = [replace(world.legs[0], filled=ZERO, reachable=ZERO, is_open=False, stake_left=ZERO)]
    world.loops(20)
    assert world.short() == QUANTITY / 2
    assert world.venue.sent["close"] == 0
    assert world.said("does not know") == 1


def test_somebodys_own_short_is_left_alone(world: World) -> None:
    """A short that we allowed no entry for is never touched, and reported once."""
    world.loops(1)
    world.venue.open_short(QUANTITY, D(3))
    world.loops(10)
    assert world.short() == QUANTITY
    assert world.venue.sent["close"] == 0
    assert world.said("Freqtrade does not know") == 1


def test_own_short_long_after_a_refused_entry(world: World) -> None:
    """An entry that was allowed and came to nothing does not make a later short of the user's ours."""
    world.loops(1)
    assert world.allow() == ""
    world.loops(20)
    world.venue.open_short(QUANTITY / 2, D(3))
    world.loops(10)
    assert world.short() == QUANTITY / 2
    assert world.venue.sent["close"] == 0


def test_larger_short_than_allowed_is_left_alone(world: World) -> None:
    """A position beyond what was allowed has a part that is not ours: nothing of it is touched."""
    world.lose_an_entry()
    world.venue.open_short(D("0.001"), D(3))
    world.loops(10)
    assert world.short() == QUANTITY + D("0.001")
    assert world.venue.sent["close"] == 0


def test_own_short_after_ours_was_closed(world: World) -> None:
    """Once the lost entry is closed, a short of the user's in the same pair is the user's."""
    world.lose_an_entry()
    world.loops(3)
    assert world.short() == ZERO
    world.venue.open_short(QUANTITY, D(3))
    world.loops(10)
    assert world.short() == QUANTITY
    assert world.venue.sent["close"] == 1


def test_own_long_is_left_alone(world: World) -> None:
    """A long position is nobody's hedge: it is reported, never sold."""
    world.loops(1)
    assert world.allow() == ""
    world.venue.foreign = (Position(PAIR, QUANTITY, D(1000), D(300), D(4), ZERO, is_short=False),)
    world.loops(5)
    assert world.venue.sent["close"] == 0
    assert world.said("Freqtrade does not know") == 1


def test_nothing_is_allowed_without_a_record(world: World) -> None:
    """An entry that can't be put on record is not allowed."""
    world.loops(1)
    world.journal.engine.dispose()
    event.listen(world.journal.engine, "connect", lambda db, _record: db.execute("PRAGMA query_only=ON"))
    assert "the journal can't record an event" in world.allow()


# --- shorts that shrank or whose trade is gone


@pytest.mark.parametrize("left", [ZERO, D("0.005")])
def test_surplus_spot_is_sold(world: World, left: D) -> None:
    """A short that was liquidated, deleveraged or closed by hand has the surplus on spot sold, and it is told."""
    world.hedge()
    world.venue.close_short_by(QUANTITY - left)
    world.loops(3)
    assert abs(world.ours() - left) < D("0.00002")
    assert world.said("Freqtrade believes in") == 1
    assert world.venue.sent["order"] == 2


@pytest.mark.parametrize("left", [ZERO, D("0.005")])
def test_surplus_spot_is_reported(reporter: World, left: D) -> None:
    """With `orphans: report` the surplus stays on spot and is told once, until Freqtrade closes the trade."""
    reporter.hedge()
    held = reporter.ours()
    reporter.venue.close_short_by(QUANTITY - left)
    reporter.loops(10)
    assert reporter.ours() == held
    assert reporter.said("Freqtrade believes in") == 1
    if left:
        reporter.venue.close_short_by(left)
    reporter.legs = [replace(reporter.legs[0], filled=ZERO, reachable=ZERO, is_open=False, stake_left=ZERO)]
    reporter.loops(3)
    assert reporter.ours() < D("0.00002")


def test_deleted_trade_stays_hedged(world: World) -> None:
    """A trade that was deleted leaves its short on the exchange: it stays hedged, and a person is called once."""
    world.hedge()
    held, world.legs = world.ours(), []
    world.loops(10)
    assert world.ours() == held
    assert world.said("stays hedged") == 1
    assert world.venue.sent["close"] == 0
    assert "not finished" in world.allow()
    world.venue.close_short_by(QUANTITY)
    world.loops(3)
    assert world.ours() < D("0.00002")
    assert world.said("are sold") == 1


def test_deleted_trade_without_short_is_reported(reporter: World) -> None:
    """With `orphans: report` the coins of a trade that is gone with its short stay on spot, and are told once."""
    reporter.hedge()
    held, reporter.legs = reporter.ours(), []
    reporter.venue.close_short_by(QUANTITY)
    reporter.loops(10)
    assert reporter.ours() == held
    assert reporter.said("stay on spot") == 1
    reporter.start()
    reporter.orphans = "close"
    reporter.start()
    reporter.loops(3)
    assert reporter.ours() < D("0.00002")


def test_fills_while_down_are_hedged(world: World) -> None:
    """Entries and exits that happened while no bot ran are balanced by the next one's first loop."""
    world.hedge()
    world.venue.open_short(QUANTITY, D(3))
    world.legs = [replace(world.legs[0], filled=2 * QUANTITY, reachable=2 * QUANTITY)]
    world.start()
    world.loops(1)
    assert abs(world.ours() - 2 * QUANTITY) < D("0.00002")
    world.venue.close_short_by(2 * QUANTITY)
    world.legs = [replace(world.legs[0], filled=ZERO, reachable=ZERO, is_open=False, stake_left=ZERO)]
    world.start()
    world.loops(1)
    assert world.ours() < D("0.00002")
    assert [row.state for row in world.journal.recent(HedgeRow)] == ["closed"]
    assert all(row.state is State.DONE for row in world.journal.recent(OrderRow))


def test_half_closed_hedge_finishes(world: World) -> None:
    """A sale that was cut short when the bot died is finished by the next one, without selling twice."""
    world.hedge()
    world.venue.close_short_by(QUANTITY)
    world.legs = [replace(world.legs[0], filled=ZERO, reachable=ZERO, is_open=False, stake_left=ZERO)]
    world.venue.faults = {"order": ["kill_after"]}
    with pytest.raises(Killed):
        world.loops(1)
    world.start()
    world.loops(3)
    assert ZERO <= world.ours() < D("0.00002")
    assert world.venue.sent["order"] == 2


def test_calls_for_a_person_are_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """What is told is also in the log and in the journal, once."""
    with caplog.at_level(logging.WARNING):
        world.loops(1)
        world.venue.open_short(QUANTITY, D(3))
        world.loops(5)
    lines: list[Any] = [r for r in caplog.records if "does not know" in r.getMessage()]
    assert len(lines) == 1
