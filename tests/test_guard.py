"""The guard's requests: each journalled before it leaves, sent once, and looked up when its answer is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal as D
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_venue import PAIR, FakeVenue

from freqtrade_fundhedge.config import FundHedgeConfig
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.controller import Controller
from freqtrade_fundhedge.core.entry import EntryPlan
from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.core.intents import State
from freqtrade_fundhedge.core.margin import liquidation_distances
from freqtrade_fundhedge.guard_answers import REREADS, GuardAnswers
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_rows import EventRow, HedgeRow, MarginRow, TransferRow
from freqtrade_fundhedge.venue.port import ZERO, Direction, MarginKind

QUANTITY = D("0.02")  # 1000 USDT, a third of it margin


@dataclass
class World:
    """One bot with one isolated short, on an account that does as it is told."""

    folder: Path
    now: float = 1_700_000_000.0
    trade: ShortLeg | None = None

    def start(self, spot: str = "5000", **margin: object) -> World:
        self.venue = FakeVenue(self.tick, {"USDT": D(spot)}, D(0), isolated=True)
        self.journal = Journal(f"sqlite:///{self.folder}/journal.sqlite", "bot")
        self.venue.journal = self.journal
        settings = FundHedgeConfig.model_validate({"margin": margin, "transfer": {"retry_delay_s": 0}})
        self.told: list[str] = []
        ctx = Context(self.venue, self.journal, settings, "USDT", clock=self.tick, tell=self.told.append)
        self.bot = Controller(ctx)
        self.venue.wallet = QUANTITY * self.venue.price / 3 + 1
        self.venue.open_short(QUANTITY, D(3))
        self.trade = ShortLeg(1, PAIR, self.now, QUANTITY, QUANTITY, True, D(333), D(333))
        self.loop(2)
        return self

    def tick(self) -> float:
        self.now += 0.001
        return self.now

    def legs(self, hedges: Sequence[HedgeRow]) -> Sequence[ShortLeg]:
        return [self.trade] if self.trade is not None else []

    def loop(self, count: int = 1) -> None:
        for _ in range(count):
            self.now += 5
            self.bot.converge(self.legs)

    def rise(self, factor: str) -> None:
        self.venue.price = (self.venue.price * D(factor)).quantize(D("0.01"))

    def steps(self) -> list[str]:
        kinds = ("margin_", "shrink_", "exit_")
        return [row.kind for row in reversed(self.journal.recent(EventRow)) if row.kind.startswith(kinds)]

    def distance(self) -> D:
        return liquidation_distances(self.venue.futures_account())[PAIR]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.journal.close()


def test_margin_comes_from_spot_within_one_loop(world: World) -> None:
    """Below the minimum: one transfer, one change of margin, and the target is reached; then nothing more is sent."""
    world.start().rise("1.17")
    assert world.distance() < D("0.15")
    before = sum(world.venue.sent.values())
    world.loop()
    assert D("0.24") < world.distance() < D("0.26")
    assert sum(world.venue.sent.values()) == before + 2
    (row,) = world.journal.recent(MarginRow)
    assert (row.state, row.kind, row.attempts) == (State.DONE, MarginKind.ADD, 1)
    assert D(row.arithmetic["distance"]) < D("0.15")
    assert D(row.arithmetic["equity"]) < D(row.arithmetic["needed"])
    assert world.steps() == ["margin_topped_up", "margin_added"]
    world.loop(5)
    assert sum(world.venue.sent.values()) == before + 2


def test_small_ticks_move_nothing(world: World) -> None:
    """Prices that waver around any threshold never make margin go back and forth."""
    world.start().rise("1.17")
    world.loop()
    before = sum(world.venue.sent.values())
    for factor in ("1.01", "0.985", "1.02", "0.98", "0.99", "1.015") * 3:
        world.rise(factor)
        world.loop()
    assert sum(world.venue.sent.values()) == before


def test_a_lost_answer_is_looked_up(world: World) -> None:
    """Margin whose answer was lost after it had arrived is found in the history and not added again."""
    world.start().rise("1.17")
    world.venue.faults = {"margin": ["lost_after"]}
    world.loop()
    (row,) = world.journal.open_margins()
    assert row.state is State.UNKNOWN
    assert world.bot.trouble
    world.loop()
    (row,) = world.journal.recent(MarginRow)
    assert (row.state, row.answer) == (State.DONE, "found in the history")
    assert world.venue.sent["margin"] == 1
    assert world.bot.trouble == ""


def test_margin_that_never_arrived_is_added_after_all(world: World) -> None:
    """Not in the history thrice over two minutes, and the position's margin unmoved: then it is sent once more."""
    world.start().rise("1.17")
    world.venue.faults = {"margin": ["lost"]}
    world.loop()
    world.loop(3)
    assert world.venue.sent["margin"] == 1
    assert [row.state for row in world.journal.recent(MarginRow)] == [State.UNKNOWN]
    world.now += 130
    world.loop(2)
    assert [row.state for row in world.journal.recent(MarginRow)] == [State.DONE, State.ABSENT]
    assert world.distance() > D("0.24")


def test_a_margin_that_has_moved_is_not_called_absent(world: World) -> None:
    """While the position's margin speaks for the change, a late history proves nothing."""
    world.start().rise("1.17")
    world.venue.faults, world.venue.lag_s = {"margin": ["lost_after"]}, 1000.0
    world.loop()
    world.now += 130
    world.loop(5)
    assert [row.state for row in world.journal.recent(MarginRow)] == [State.UNKNOWN]
    world.now += 1000
    world.loop()
    assert [row.state for row in world.journal.recent(MarginRow)] == [State.DONE]
    assert world.venue.sent["margin"] == 1


def test_what_is_refused_as_too_much_is_asked_for_smaller(world: World) -> None:
    """Each refusal reads again and asks for a little less, each under an intent of its own."""
    world.start().rise("1.17")
    world.venue.faults = {"margin": ["shrink", "shrink"]}
    world.loop()
    rows = world.journal.recent(MarginRow)[::-1]
    assert [row.state for row in rows] == [State.REJECTED, State.REJECTED, State.DONE]
    assert rows[0].amount > rows[1].amount > rows[2].amount
    assert world.distance() > D("0.23")


def test_excess_goes_home_after_a_fall(world: World) -> None:
    """Margin that a fall has set free is taken back and swept, and what stays is more than an entry's own."""
    world.start().rise("1.17")
    world.loop()
    world.rise("0.7")
    world.loop(3)
    assert "margin_taken_back" in world.steps()
    position = world.venue.futures_account().positions[0]
    assert position.isolated_margin is not None
    assert position.isolated_margin + position.unrealised >= position.initial_margin
    assert world.venue.withdrawable() < 1
    assert world.journal.recent(TransferRow)[0].direction is Direction.SWEEP
    sent = sum(world.venue.sent.values())
    world.loop(4)
    assert sum(world.venue.sent.values()) == sent


def test_a_strict_exchange_gives_back_less(world: World) -> None:
    """Where less may be taken out than was reckoned, each refusal halves what is asked for."""
    world.start().rise("0.7")
    world.venue.faults = {"margin": ["shrink", "shrink"]}
    world.loop()
    amounts = [row.amount for row in world.journal.recent(MarginRow)[::-1]]
    assert [round(amounts[0] / amount) for amount in amounts] == [1, 2, 4]
    assert world.steps() == ["margin_taken_back"]


def test_a_float_of_the_users_serves_too(world: World) -> None:
    """Without `fund_entries` nothing leaves spot: isolated shorts get what the futures wallet has, then shrink."""
    world.start(fund_entries=False)
    world.venue._flow(D(5))
    world.rise("1.17")
    world.loop()
    assert world.venue.sent["transfer"] == 0
    assert world.venue.withdrawable() < 1
    quantity = world.bot.guard.shrink_now(PAIR)
    assert quantity is not None
    assert world.bot.guard.shrink_now(PAIR) is None
    assert world.steps() == ["margin_added", "shrink_asked"]


def test_nothing_waits_for_spot(world: World) -> None:
    """While spot's orders and books fail, margin is added all the same."""
    world.start()
    world.journal.begin_order(world.journal.unsettled()[0], "sell", D(1), D(1), world.now)  # type: ignore[arg-type]
    world.rise("1.17")
    world.venue.faults = {"order": ["lost"] * 5}
    world.loop()
    assert world.distance() > D("0.24")


def test_less_and_out_do_not_wait_for_what_is_unknown(world: World) -> None:
    """With the outcome of a transfer unknown a reduction is asked for once it gets urgent, and an exit at the edge."""
    world.start()
    world.venue.faults, world.venue.lag_s = {"transfer": ["lost"]}, 10_000.0
    world.rise("1.17")
    world.loop()
    assert (world.bot.guard.shrinks, world.bot.guard.leaves) == ({}, frozenset())
    world.rise("1.05")
    world.loop()
    assert PAIR in world.bot.guard.shrinks
    world.rise("1.05")
    world.loop()
    assert world.bot.guard.leaves == {PAIR}
    assert world.venue.sent["transfer"] == 1


def test_low_margin_keeps_entries_out_and_is_told_once(world: World) -> None:
    """Nothing is entered while a short is below the minimum; an exit that is asked for in each loop is one message."""
    world.start(fund_entries=False)
    world.rise("1.28")
    world.loop(3)
    assert all(world.bot.guard.leave_now(PAIR) for _ in range(3))
    assert world.steps().count("exit_asked") == 1
    assert len([text for text in world.told if "asked to close" in text]) == 1
    other = "ETH/USDT:USDT"
    assert "margin is low" in world.bot.refusal(other, D(1), D(3000))
    assert not world.bot.ready_for(EntryPlan(other, D(1), D(3000), ZERO, ZERO, world.now + 60))


def test_switched_off_it_only_tells(world: World) -> None:
    """With `guard: false` nothing is sent and nothing asked; a person is called."""
    world.start(guard=False).rise("1.17")
    before = sum(world.venue.sent.values())
    world.loop(2)
    assert sum(world.venue.sent.values()) == before
    assert (world.bot.guard.shrinks, world.bot.guard.leaves) == ({}, frozenset())
    assert len([text for text in world.told if "less than 15%" in text]) == 1


def test_where_positions_have_no_price_it_only_tells(world: World) -> None:
    """In a dry-run, where a position's margin is that of its entry for ever, nothing is sent, asked or refused."""
    world.start()
    world.venue.values_positions = False
    world.rise("1.28")
    before = sum(world.venue.sent.values())
    world.loop(2)
    assert sum(world.venue.sent.values()) == before
    assert (world.bot.guard.shrinks, world.bot.guard.leaves, world.bot.guard.refusal()) == ({}, frozenset(), "")


def test_shorts_that_are_not_ours_are_left_alone(world: World) -> None:
    """A short that no hedge explains gets no margin; a person is called."""
    world.start()
    world.trade = None
    world.journal.note_hedge(world.journal.unsettled()[0].id, state="closed", settled=True)
    world.rise("1.17")
    before = world.venue.sent["margin"]
    world.loop(2)
    assert world.venue.sent["margin"] == before
    assert world.bot.guard.leaves == frozenset()
    assert any("margin is low" in text for text in world.told)


def test_a_short_is_not_shrunk_again_and_again_while_its_margin_is_unknown(world: World) -> None:
    """A smaller isolated short is as near to liquidation until margin can be added: it waits for that, then once."""
    world.start(spot="1012").rise("1.17")
    world.venue.faults = {"margin": ["lost"]}
    world.loop()
    world.rise("1.05")
    shrunk = 0
    for _ in range(30):
        world.loop()
        quantity = world.bot.guard.shrink_now(PAIR)
        if quantity is None or world.trade is None:
            continue
        assert not world.journal.open_margins()
        shrunk += 1
        world.venue.close_short_by(quantity)
        left = world.trade.filled - quantity
        world.trade = replace(world.trade, filled=left, reachable=left, stake_left=D(333) * left / QUANTITY)
        world.bot.after_fill(world.trade)
    assert shrunk == 1
    assert world.distance() > D("0.24")
    assert world.bot.guard.leaves == frozenset()


def test_a_fill_ends_what_was_asked_for(world: World) -> None:
    """A reduction that was asked for before a fill is not asked for after it, when the account can't be read."""
    world.start(fund_entries=False)
    world.venue._flow(D(5))
    world.rise("1.17")
    world.loop()
    assert world.trade is not None
    quantity = world.bot.guard.shrinks[PAIR]
    world.venue.close_short_by(quantity)
    world.trade = replace(world.trade, filled=QUANTITY - quantity, reachable=QUANTITY - quantity)
    world.venue.faults = {"read": ["lost"] * 9}
    world.bot.after_fill(world.trade)
    assert world.bot.guard.shrinks == {}


def test_a_short_that_goes_while_its_margin_is_refused(world: World) -> None:
    """Closed or liquidated between a refusal and the next attempt: its coins are sold in the same loop."""
    world.start().rise("1.17")
    change = world.venue.change_margin

    def gone(pair: str, kind: MarginKind, amount: D) -> None:
        world.venue.faults = {"margin": ["shrink"]}
        try:
            change(pair, kind, amount)
        finally:
            world.venue.shorts.clear()

    world.venue.change_margin = gone  # type: ignore[method-assign]
    world.loop(2)
    assert world.venue.spot["BTC"] < D("0.001")


def test_liquidation_prices_are_read_again_after_a_restart(world: World) -> None:
    """A bot that stopped between a change of margin and Freqtrade's read of the price has it read at its start."""
    world.start().rise("1.17")
    world.loop()
    assert Controller(world.bot.ctx).guard.desk.changed == {PAIR}


def test_a_liquidation_price_that_stays_the_same_is_read_again(world: World) -> None:
    """Freqtrade swallows a failed read: it is asked again in the next loops, but not for ever."""
    world.start().rise("1.17")
    world.loop()
    trade = SimpleNamespace(pair=PAIR, has_open_position=True, liquidation_price=1.0)
    strategy = GuardAnswers()
    strategy.dp, strategy.wallets = SimpleNamespace(_exchange=None), None
    strategy.config = {"stake_currency": "USDT", "dry_run": False}
    reads: list[str] = []

    def update(_trade: object, **_settings: object) -> None:
        reads.append(PAIR)
        trade.liquidation_price = 2.0 if len(reads) == 2 else trade.liquidation_price

    bot: Any = SimpleNamespace(controller=world.bot)
    for _ in range(4):
        strategy._true_liquidation_prices(bot, lambda: [trade], update)
    assert len(reads) == 2
    world.bot.guard.desk.changed = {PAIR}
    for _ in range(9):
        strategy._true_liquidation_prices(bot, lambda: [trade], update)
    assert len(reads) == 2 + REREADS
