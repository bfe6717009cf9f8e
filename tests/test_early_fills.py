"""Fills that the exchange tells before Freqtrade has heard: hedged at once, and only where they are ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal as D
from pathlib import Path

import pytest
from fake_venue import PAIR, FakeVenue, Killed
from sqlalchemy import event

from freqtrade_fundhedge.config import FundHedgeConfig
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.controller import Controller
from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_closes import EARLY
from freqtrade_fundhedge.journal_rows import HedgeRow, OrderRow
from freqtrade_fundhedge.venue.port import ZERO, Fill, FuturesAccount, OrderFill, OrderRequest, Position

QUANTITY, FIFTH = D("0.020"), D("0.004")
USER_COINS = D("0.5")
NEAR = D("0.00002")
MINE = "x-cvBPrNm9"


class World:
    """One bot whose Freqtrade and whose stream are played by the test."""

    def __init__(self, folder: Path) -> None:
        self.time = 1_700_000_000.0
        self.folder = folder
        self.venue = FakeVenue(self.now, {"USDT": D(10_000), "BTC": USER_COINS}, D(2_000))
        self.legs: list[ShortLeg] = []
        self.told: list[str] = []
        self.start()

    def now(self) -> float:
        self.time += 0.001
        return self.time

    def start(self) -> None:
        """A process that starts on the same journal."""
        settings = FundHedgeConfig.model_validate({"margin": {"fund_entries": False}})
        self.journal = Journal(f"sqlite:///{self.folder}/journal.sqlite", "bot")
        self.venue.journal = self.journal
        ctx = Context(self.venue, self.journal, settings, "USDT", clock=self.now, tell=self.told.append)
        self.bot = Controller(ctx)
        self.bot.early.prefix = MINE

    def loops(self, count: int = 1, seconds: float = 5.0) -> None:
        for _ in range(count):
            self.time += seconds
            self.bot.converge(lambda _hedges: self.legs)

    def allow(self) -> None:
        self.loops()
        assert self.bot.allow_entry(PAIR, QUANTITY, self.venue.price) == ""

    def tell(
        self, order: str, filled: D, sells: bool = True, client: str = MINE, at: float | None = None,
        quantity: D = QUANTITY,
    ) -> None:  # fmt: skip
        """The exchange tells of an order."""
        fill = OrderFill(
            order, client, PAIR, sells, not sells, quantity, filled, self.venue.price, self.time if at is None else at
        )
        self.bot.early.inbox.append(fill)
        self.bot.on_fills()

    def trade(self, filled: D, number: int = 1, reachable: D | None = None, **heard: D) -> ShortLeg:
        """The trade as Freqtrade has it."""
        opened = self.legs[0].opened_at if self.legs else self.now()
        stake = filled * self.venue.price / 3
        reachable = filled if reachable is None else reachable
        leg = ShortLeg(number, PAIR, opened, filled, reachable, True, stake, stake, heard=heard or {"1": filled})
        self.legs = [leg]
        return leg

    def ours(self) -> D:
        return self.venue.spot["BTC"] - USER_COINS

    def hedges(self) -> list[HedgeRow]:
        return list(self.journal.recent(HedgeRow))

    def buys(self) -> int:
        return len([row for row in self.journal.recent(OrderRow) if row.side == "buy"])

    def enter(self) -> ShortLeg:
        """A market entry that the exchange tells of first."""
        self.allow()
        self.venue.open_short(QUANTITY, D(3))
        self.tell("1", QUANTITY)
        leg = self.trade(QUANTITY)
        self.bot.after_fill(leg)
        return leg


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.journal.close()


def test_a_market_entry_is_hedged_before_its_trade_exists(world: World) -> None:
    """The coins are bought on the exchange's word; the trade that appears takes the hedge over and finds it whole."""
    world.allow()
    world.venue.open_short(QUANTITY, D(3))
    world.tell("1", ZERO)
    assert world.buys() == 0
    world.tell("1", QUANTITY)
    assert abs(world.ours() - QUANTITY) < NEAR
    assert [hedge.trade_id for hedge in world.hedges()] == [EARLY]
    world.bot.after_fill(world.trade(QUANTITY, 7))
    world.loops(2)
    (hedge,) = world.hedges()
    assert (hedge.trade_id, hedge.held, world.buys()) == (7, world.ours(), 1)
    assert [row.hedge_id for row in world.journal.recent(OrderRow)] == [hedge.id]


@pytest.mark.parametrize("leaves", [False, True])
def test_one_write_before_the_order(world: World, monkeypatch: pytest.MonkeyPatch, leaves: bool) -> None:
    """Hedge and intent are on disk together when the order leaves; nothing else is written before it."""
    if leaves:
        world.enter()
        world.venue.close_short_by(FIFTH)
    else:
        world.allow()
        world.venue.open_short(QUANTITY, D(3))
    commits: list[object] = []
    before: list[int] = []
    send = world.venue.send_order

    def sending(order: OrderRequest) -> Fill:
        before.append(len(commits))
        assert [row.intent_id for row in world.journal.open_orders()] == [order.client_id]
        return send(order)

    monkeypatch.setattr(world.venue, "send_order", sending)
    event.listen(world.journal.engine, "commit", commits.append)
    world.tell("2" if leaves else "1", FIFTH if leaves else QUANTITY, sells=not leaves)
    assert before == [1]
    assert len(commits) > 1


def test_a_fill_while_a_loop_reads_the_account(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is hedged before the loop goes on, which then reads again: what it read before would have it sold."""
    world.allow()
    world.trade(ZERO, reachable=QUANTITY, **{"1": ZERO})
    world.loops(4)
    read, reads = world.venue.futures_account, 0

    def reading() -> FuturesAccount:
        nonlocal reads
        reads, account = reads + 1, read()
        if reads == 1:
            world.venue.open_short(FIFTH, D(3))
            fill = OrderFill("1", MINE, PAIR, True, False, QUANTITY, FIFTH, world.venue.price, world.time)
            world.bot.early.inbox.append(fill)
        else:
            assert abs(world.ours() - FIFTH) < NEAR
        return account

    monkeypatch.setattr(world.venue, "futures_account", reading)
    world.loops()
    assert reads == 2
    world.loops()
    assert reads == 3
    assert [row.side for row in world.journal.recent(OrderRow)] == ["buy"]


def test_told_twice_late_or_out_of_order(world: World) -> None:
    """Repeated, outdated and late news changes nothing, also after the trade has closed and another was opened."""
    first = world.enter()
    at = world.time
    for filled in (QUANTITY, FIFTH, ZERO, QUANTITY):
        world.tell("1", filled)
    assert world.buys() == 1
    profit = world.venue.close_short_by(QUANTITY)
    world.tell("2", QUANTITY, sells=False)
    assert world.ours() < NEAR
    world.legs = [replace(first, filled=ZERO, reachable=ZERO, is_open=False, realised=profit, stake_left=ZERO,
                          heard={"1": QUANTITY, "2": QUANTITY})]  # fmt: skip
    world.bot.after_fill(world.legs[0])
    world.loops(2)
    assert [hedge.state for hedge in world.hedges()] == ["closed"]
    world.legs = []
    world.loops(5)
    world.allow()
    for order, sells in (("1", True), ("2", False), ("9", True)):
        world.tell(order, QUANTITY, sells=sells, at=at)
    assert world.buys() == 1
    world.venue.open_short(QUANTITY, D(3))
    world.tell("3", QUANTITY)
    world.tell("2", QUANTITY, sells=False, at=at)
    world.bot.after_fill(world.trade(QUANTITY, 2, **{"3": QUANTITY}))
    world.tell("2", QUANTITY, sells=False, at=at)
    world.tell("8", QUANTITY, sells=False, at=at)
    assert abs(world.ours() - QUANTITY) < NEAR
    assert world.buys() == 2


@pytest.mark.parametrize(
    "foreign",
    [
        {"client": "web_abc"},
        {"client": "fh-00000000000000000000000000"},
        {"quantity": D("0.021"), "filled": D("0.021")},
        {"at": 1_600_000_000.0},
    ],
)
def test_a_short_of_somebody_elses_is_not_hedged(world: World, foreign: dict[str, object]) -> None:
    """By hand, by another program, larger than allowed or at another time: nothing is bought for it."""
    world.allow()
    world.tell("1", **{"filled": QUANTITY, **foreign})  # type: ignore[arg-type]
    assert world.venue.sent["order"] == 0
    assert world.hedges() == []


def test_without_an_allowed_entry_nothing_is_bought(world: World) -> None:
    """The stream alone opens no hedge."""
    world.tell("1", QUANTITY)
    world.loops()
    world.tell("2", QUANTITY)
    assert world.hedges() == []


def test_each_part_of_a_resting_order(world: World) -> None:
    """Five parts are five purchases, none of them waits for a loop, and the loop finds nothing left to do."""
    world.allow()
    world.trade(ZERO, reachable=QUANTITY, **{"1": ZERO})
    world.loops(4)
    for part in range(1, 6):
        world.venue.open_short(FIFTH, D(3))
        world.tell("1", FIFTH * part)
        assert abs(world.ours() - FIFTH * part) < NEAR
        if part == 3:
            world.trade(FIFTH, reachable=QUANTITY, **{"1": FIFTH})  # Freqtrade hears later, and less
            world.loops()
            assert abs(world.ours() - FIFTH * part) < NEAR
    world.bot.after_fill(world.trade(QUANTITY))
    world.loops(2)
    assert world.buys() == 5
    assert len(world.hedges()) == 1


def test_late_news_never_turns_back(world: World) -> None:
    """What a loop has bought or sold already by the exchange's position stays so, however late the parts are told."""
    world.allow()
    world.trade(ZERO, reachable=QUANTITY, **{"1": ZERO})
    world.loops(4)
    for _ in range(2):
        world.venue.open_short(FIFTH, D(3))
        world.loops(1, 11.0)
    held = FIFTH * 2
    assert abs(world.ours() - held) < NEAR
    world.tell("1", FIFTH, at=world.time - 20)
    assert abs(world.ours() - held) < NEAR
    world.bot.after_fill(world.trade(held))
    for _ in range(2):
        world.venue.close_short_by(FIFTH / 2)
        world.loops(1, 11.0)
    world.tell("2", FIFTH / 2, sells=False, at=world.time - 20, quantity=FIFTH)
    world.tell("1", held, at=world.time - 60)
    assert abs(world.ours() - FIFTH) < NEAR
    assert sorted(row.side for row in world.journal.recent(OrderRow)) == ["buy", "buy", "sell", "sell"]


def test_sold_before_a_restart_stays_sold(world: World) -> None:
    """A new process that cannot read the account buys nothing back for an exit that only the old one had heard of."""
    world.enter()
    world.loops()
    world.venue.close_short_by(FIFTH)
    world.tell("2", FIFTH, sells=False)
    world.start()
    world.venue.faults = {"read": ["not_sent"]}
    world.loops(2)
    assert abs(world.ours() - (QUANTITY - FIFTH)) < NEAR
    world.loops(4)
    assert abs(world.ours() - (QUANTITY - FIFTH)) < NEAR
    assert len(world.journal.recent(OrderRow)) == 2


def test_an_exit_that_cannot_be_ours(world: World) -> None:
    """Larger than the short, or in another pair, where order ids may be the same: nothing is sold."""
    world.enter()
    world.loops()
    world.tell("5", FIFTH, sells=False, quantity=QUANTITY * 2)
    other = OrderFill("1", MINE, "ETH/USDT:USDT", False, True, FIFTH, FIFTH, world.venue.price, world.time)
    world.bot.early.inbox.append(other)
    world.bot.on_fills()
    world.bot.after_fill(world.legs[0])
    assert abs(world.ours() - QUANTITY) < NEAR
    assert len(world.journal.recent(OrderRow)) == 1


def test_a_loop_that_cannot_read_the_account_keeps_what_was_bought(world: World) -> None:
    """While Freqtrade has not heard and nobody can ask, what the exchange told still counts."""
    world.allow()
    world.trade(ZERO, reachable=QUANTITY, **{"1": ZERO})
    world.loops(4)
    world.venue.open_short(FIFTH, D(3))
    world.tell("1", FIFTH)
    world.venue.faults = {"read": ["not_sent"]}
    world.loops(2)
    assert abs(world.ours() - FIFTH) < NEAR
    assert world.buys() == 1
    assert [row for row in world.journal.recent(OrderRow) if row.side == "sell"] == []


def test_an_exit_sells_at_once(world: World) -> None:
    """A partial exit and the rest of it are sold on the exchange's word, and once."""
    leg = world.enter()
    world.loops()
    world.venue.close_short_by(FIFTH)
    world.tell("2", FIFTH, sells=False)
    assert abs(world.ours() - (QUANTITY - FIFTH)) < NEAR
    left = QUANTITY - FIFTH
    world.bot.after_fill(replace(leg, filled=left, reachable=left, heard={"1": QUANTITY, "2": FIFTH}))
    assert abs(world.ours() - left) < NEAR
    assert len(world.journal.recent(OrderRow)) == 2


@pytest.mark.parametrize("hand", ["web", "same prefix"])
def test_a_purchase_that_may_be_somebody_elses(world: World, hand: str) -> None:
    """By hand, or where the exchange has a larger short than ours: the coins stay until the loop knows more."""
    world.enter()
    if hand == "same prefix":
        world.venue.foreign = (Position(PAIR, FIFTH, ZERO, ZERO, ZERO, ZERO),)
    world.loops()
    world.tell("5", FIFTH, sells=False, client="web_1" if hand == "web" else MINE)
    assert abs(world.ours() - QUANTITY) < NEAR
    world.venue.foreign = ()
    world.loops(2)
    assert abs(world.ours() - QUANTITY) < NEAR
    assert world.buys() == 1


@pytest.mark.parametrize("when", ["kill", "kill_after"])
def test_killed_while_it_buys(world: World, when: str) -> None:
    """Dead around the order: the next life finds it, and the trade that Freqtrade did keep takes the hedge over."""
    world.allow()
    world.venue.open_short(QUANTITY, D(3))
    world.venue.faults = {"order": [when]}
    with pytest.raises(Killed):
        world.tell("1", QUANTITY)
    world.venue.faults = {}
    world.start()
    world.trade(QUANTITY)
    world.loops(8, 10.0)
    (hedge,) = world.hedges()
    assert hedge.trade_id == 1
    assert abs(world.ours() - QUANTITY) < NEAR
    assert sum(world.venue.applied.values()) == 1


def test_freqtrade_never_gets_its_trade(world: World) -> None:
    """An entry whose answer is lost was hedged meanwhile: its short is bought back, then its coins are sold."""
    world.allow()
    world.venue.open_short(QUANTITY, D(3))
    world.tell("1", QUANTITY)
    world.loops()
    assert abs(world.ours() - QUANTITY) < NEAR
    world.start()
    world.loops(8, 6.0)
    assert world.venue.shorts == {}
    assert world.ours() < NEAR
    assert [hedge.state for hedge in world.hedges()] == ["closed"]
    assert any("bought back" in text for text in world.told)
    world.allow()


@pytest.mark.parametrize("lag", [2.0, 7.0])
@pytest.mark.parametrize("stream", [True, False])
def test_positions_behind_the_fills(world: World, lag: float, stream: bool) -> None:
    """An account that shows a position some seconds late has nothing sold and bought again: entry, parts, exit."""
    world.venue.positions_lag_s = lag
    world.allow()
    world.trade(ZERO, reachable=QUANTITY, **{"1": ZERO})
    world.loops(4)
    for part in (1, 2):
        world.venue.open_short(FIFTH * part, D(3))
        if stream:
            world.tell("1", FIFTH * (2 * part - 1))
            assert abs(world.ours() - FIFTH * (2 * part - 1)) < NEAR
        else:
            world.bot.after_fill(world.trade(FIFTH * (2 * part - 1), reachable=QUANTITY))
        world.loops(2, 3.0)
    held = FIFTH * 3
    world.bot.after_fill(world.trade(held))
    world.loops(3, 2.0)
    world.venue.close_short_by(FIFTH)
    if stream:
        world.tell("2", FIFTH, sells=False)
        world.loops(1, 1.0)
    left = held - FIFTH
    world.bot.after_fill(world.trade(left, **{"1": held, "2": FIFTH}))
    world.loops(4, 3.0)
    assert abs(world.ours() - left) < NEAR
    assert sorted(row.side for row in world.journal.recent(OrderRow)) == ["buy", "buy", "sell"]


def test_a_short_that_is_gone_is_no_lag(world: World) -> None:
    """Liquidated right after its entry: its coins are sold all the same, a few loops later."""
    world.enter()
    world.venue.close_short_by(QUANTITY)
    world.loops(4)
    assert world.ours() < NEAR


def test_an_early_hedge_waits_for_its_trade(world: World) -> None:
    """The account may show a new position late; a loop in between does not sell what was bought for it."""
    world.allow()
    world.tell("1", QUANTITY)
    world.loops(2)
    assert abs(world.ours() - QUANTITY) < NEAR
    world.loops(6)
    assert world.ours() < NEAR


def test_nothing_before_the_first_loop(world: World) -> None:
    """What Freqtrade knows has to be known first; what came meanwhile is not lost."""
    world.allow()
    world.venue.open_short(QUANTITY, D(3))
    world.start()
    world.tell("1", QUANTITY)
    assert world.hedges() == []
    world.trade(QUANTITY)
    world.loops()
    assert abs(world.ours() - QUANTITY) < NEAR
    assert [hedge.trade_id for hedge in world.hedges()] == [1]


def test_a_short_that_went_while_the_bot_was_down_is_no_lag(world: World) -> None:
    """What the journal knows of is old news to a new process: nothing waits for a read to catch up."""
    world.enter()
    world.loops(2)
    world.journal.close()
    world.time += 60
    world.venue.close_short_by(QUANTITY)
    world.start()
    world.loops(3, seconds=1)
    assert abs(world.ours()) < NEAR
    assert not world.bot.positions.behind


def test_a_short_that_grew_while_the_bot_was_down_may_be_shown_late(world: World) -> None:
    """More than the journal knows of has just been filled: a read without it is no reason to sell."""
    world.allow()
    world.venue.open_short(FIFTH, D(3))
    world.tell("1", FIFTH)
    world.trade(FIFTH, reachable=QUANTITY)
    world.loops(3)
    world.journal.close()
    world.venue.positions_lag_s = 3.0
    world.venue.open_short(QUANTITY - FIFTH, D(3))
    world.start()
    world.trade(QUANTITY)
    world.loops(2, seconds=1)
    assert world.bot.positions.behind
    world.loops(3)
    assert abs(world.ours() - QUANTITY) < NEAR
    assert all(row.side == "buy" for row in world.journal.recent(OrderRow))
