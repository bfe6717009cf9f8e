"""The controller, the journal and a venue that fails in every way, with deaths between any two steps."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal as D
from pathlib import Path
from random import Random
from typing import Any

import hypothesis.strategies as st
import pytest
from fake_venue import MARKET, PAIR, FakeVenue, Killed
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from freqtrade_fundhedge.config import FundHedgeConfig
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.controller import Controller
from freqtrade_fundhedge.core.entry import EntryPlan
from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.core.intents import State
from freqtrade_fundhedge.core.margin import liquidation_distances
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_rows import CloseRow, HedgeRow, MarginRow, OrderRow, TransferRow
from freqtrade_fundhedge.venue.port import ZERO, OrderFill

WALKS = int(os.environ.get("FUNDHEDGE_MODEL_WALKS", "160"))
EXAMPLES = int(os.environ.get("FUNDHEDGE_MODEL_EXAMPLES", "20"))
LOOP_S = 5.0
LOOPS_TO_CONVERGE = 60
QUIET_LOOPS = 15  # longer than the pause after a refused transfer
USER_COINS = D("0.5")
LEVERAGE = D(3)

SENDS = ["", "not_sent", "lost", "lost_after", "lost_after", "reject", "back_off", "kill", "kill_after"]
FAULTS = st.fixed_dictionaries(
    {
        "read": st.lists(st.sampled_from(["", "", "", "", "", "not_sent", "lost", "back_off", "kill"]), max_size=6),
        "order": st.lists(st.sampled_from([*SENDS, "partial"]), max_size=3),
        "transfer": st.lists(st.sampled_from([*SENDS, "shrink"]), max_size=3),
        "margin": st.lists(st.sampled_from([*SENDS, "shrink"]), max_size=3),
    }
)
Faults = dict[str, list[str]]
HEARD = st.lists(st.integers(0, 6), max_size=4)
DEATHS = st.sampled_from([None] * 40 + list(range(40)))


class MortalJournal(Journal):
    """A journal whose process may die before or after any of its calls."""

    lives: int | None = None

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if name.startswith("_") or not callable(value) or name in ("close",):
            return value

        def called(*args: Any, **kwargs: Any) -> Any:
            self._step()
            answer = value(*args, **kwargs)
            self._step()
            return answer

        return called

    def _step(self) -> None:
        if self.lives is not None:
            self.lives -= 1
            if self.lives < 0:
                raise Killed


class Hedging(RuleBasedStateMachine):
    """One bot, one pair, one account; Freqtrade's part is played by the rules."""

    @initialize(fund_entries=st.booleans(), lag=st.sampled_from([0.0, 30.0]), isolated=st.booleans())
    def begin(self, fund_entries: bool, lag: float, isolated: bool) -> None:
        shared = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(dir=shared if shared.is_dir() else None))
        self.time = 1_700_000_000.0
        self.settings = FundHedgeConfig.model_validate({"margin": {"fund_entries": fund_entries, "guard": isolated}})
        self.float = ZERO if fund_entries else D(2_000)
        self.venue = FakeVenue(self.tick, {"USDT": D(10_000), "BTC": USER_COINS}, self.float, lag_s=lag)
        self.venue.isolated = isolated
        self.trade: ShortLeg | None = None
        self.closed: dict[int, ShortLeg] = {}
        self.news: list[OrderFill] = []
        self.ids = 0
        self.calm = True
        self.start()

    def tick(self) -> float:
        """Time passes with every call."""
        self.time += 0.001
        return self.time

    def journal_url(self) -> str:
        return f"sqlite:///{self.folder}/journal.sqlite"

    def start(self) -> None:
        self.journal = MortalJournal(self.journal_url(), "model")
        self.venue.journal = Journal(self.journal.url, "model", read_only=True)
        ctx = Context(
            self.venue, self.journal, self.settings, "USDT", clock=self.tick, sleep=lambda _s: None,
            request_timeout_s=10.0,
        )  # fmt: skip
        self.bot = Controller(ctx)
        self.bot.early.prefix = "x-"

    def mortal(self, work: Any, faults: Faults, lives: int | None) -> bool:
        """Run a step that may die; a dead bot is started again. True if it lives."""
        self.venue.faults, self.journal.lives = {kind: list(items) for kind, items in faults.items()}, lives
        try:
            work()
        except Killed:
            self.start()
            return False
        finally:
            self.venue.faults, self.journal.lives = {}, None
        return True

    def filled(self, sells: bool, quantity: D, client: str = "x-1") -> str:
        """An order is filled, and the exchange has something to tell; the order's id."""
        order, mark = f"o{len(self.news)}", self.venue.price
        self.news.append(OrderFill(order, client, PAIR, sells, not sells, quantity, quantity, mark, self.time))
        return order

    def hear(self, heard: Sequence[int], faults: Faults, lives: int | None) -> bool:
        """The stream tells of these orders: the latest is 0; each as often and in what order it likes."""
        for back in heard:
            if back < len(self.news):
                self.bot.early.inbox.append(self.news[-1 - back])
        return self.mortal(self.bot.on_fills, faults, lives)

    def legs(self, hedges: Sequence[HedgeRow]) -> Sequence[ShortLeg]:
        wanted = {hedge.trade_id for hedge in hedges}
        mine = [self.trade] if self.trade is not None else []
        return [*mine, *(leg for key, leg in self.closed.items() if key in wanted)]

    # --- what Freqtrade and the world do

    @precondition(lambda self: self.trade is None)
    @rule(lots=st.integers(5, 60), faults=FAULTS, lives=DEATHS, announced=st.booleans(), heard=HEARD)
    def enter(self, lots: int, faults: Faults, lives: int | None, announced: bool, heard: Sequence[int] = ()) -> None:
        """Freqtrade enters if the pre-flight says yes; the exchange may tell of it before Freqtrade has a trade, and
        the fill may or may not be announced."""
        quantity = D(lots) / 1000
        margin = quantity * self.venue.price / LEVERAGE * D("1.01")
        plan = EntryPlan(PAIR, quantity, self.venue.price, margin, margin, self.time + 3600)
        for chance in ({}, faults, {}, {}):
            self.time += LOOP_S
            self.mortal(lambda: self.bot.converge(self.legs), chance, lives if chance else None)
            if self.bot.ready_for(plan):
                break
        if self.venue.withdrawable() < quantity * self.venue.price / LEVERAGE * D("1.002"):
            return
        if self.bot.allow_entry(PAIR, quantity, self.venue.price):
            return
        self.venue.open_short(quantity, LEVERAGE)
        order = self.filled(True, quantity)
        if not self.hear(heard, faults if heard else {}, lives if heard else None):
            return  # Freqtrade is one process with us: it dies before it has written its trade down
        self.ids += 1
        stake = quantity * self.venue.price / LEVERAGE
        heard_of = {order: quantity}
        self.trade = ShortLeg(self.ids, PAIR, self.time, quantity, quantity, True, stake, stake, heard=heard_of)
        self.announce(announced, faults, lives)

    def announce(self, announced: bool, faults: Faults, lives: int | None) -> None:
        leg = self.trade or self.closed[self.ids]
        if announced:
            self.mortal(lambda: self.bot.after_fill(leg), faults, lives)

    @precondition(lambda self: self.trade is not None)
    @rule(part=st.integers(1, 4), faults=FAULTS, lives=DEATHS, announced=st.booleans(), heard=HEARD)
    def leave(self, part: int, faults: Faults, lives: int | None, announced: bool, heard: Sequence[int] = ()) -> None:
        """Freqtrade closes a quarter, half, three quarters or all; the exchange may tell of it first."""
        trade = self.trade
        assert trade is not None
        held = self.venue.shorts.get(PAIR, (ZERO, ZERO, ZERO))[0]
        if not held:
            return
        quantity = held if part == 4 else max(D("0.001"), round(trade.filled * part / 4, 3))
        self.buy_back(min(quantity, held), heard, faults, lives)
        self.announce(announced, faults, lives)

    def buy_back(
        self, quantity: D, heard: Sequence[int] = (), faults: Faults | None = None, lives: int | None = None
    ) -> None:
        trade = self.trade
        assert trade is not None
        entry_fee = trade.stake_in * LEVERAGE * D("0.0005") * quantity / trade.filled
        profit = self.venue.close_short_by(quantity) - entry_fee
        order = self.filled(False, quantity)
        self.hear(heard, faults if heard and faults else {}, lives if heard else None)
        left = trade.filled - quantity
        share = trade.stake_left * left / trade.filled
        trade = replace(
            trade, filled=left, reachable=left, is_open=left > 0, stake_left=share, realised=trade.realised + profit,
            heard={**trade.heard, order: quantity},
        )  # fmt: skip
        self.trade = trade if trade.is_open else None
        if not trade.is_open:
            self.closed[trade.trade_id] = trade

    def obey(self, faults: Faults, lives: int | None) -> None:
        """Freqtrade asks after each loop whether margin calls for an exit or a reduction, and sends it."""
        held = self.venue.shorts.get(PAIR, (ZERO, ZERO, ZERO))[0]
        if self.trade is None or not held:
            return
        leaves, asked = self.bot.guard.leave_now(PAIR), self.bot.guard.shrink_now(PAIR)
        if not leaves and asked is None:
            return
        quantity = held if leaves or asked is None else min(held, asked.quantize(D("0.001"), "ROUND_CEILING"))
        self.buy_back(quantity)
        self.announce(True, faults, lives)

    @precondition(lambda self: self.trade is not None)
    @rule(percent=st.integers(10, 100))
    def reduced_by_the_exchange(self, percent: int) -> None:
        """ADL, a liquidation or the user's hand: Freqtrade does not hear of it."""
        held = self.venue.shorts.get(PAIR, (ZERO, ZERO, ZERO))[0]
        quantity = round(held * percent / 100, 3)
        if quantity:
            self.venue.close_short_by(quantity)
            self.filled(False, quantity, "adl_autoclose")

    @rule(heard=HEARD, faults=FAULTS, lives=DEATHS)
    def the_stream_tells(self, heard: Sequence[int], faults: Faults, lives: int | None) -> None:
        """Anything that ever happened, again, late, and in any order."""
        self.hear(heard, faults, lives)

    @rule(move=st.integers(-300, 300))
    def price_moves(self, move: int) -> None:
        self.venue.price = max(D(40_000), self.venue.price * (10_000 + move) / 10_000)
        self.venue.liquidate()

    @rule(percent=st.integers(-15, 15))
    def price_jumps(self, percent: int) -> None:
        self.price_moves(percent * 100)

    @rule(faults=FAULTS, lives=DEATHS)
    def loop(self, faults: Faults, lives: int | None) -> None:
        self.time += LOOP_S
        self.mortal(lambda: self.bot.converge(self.legs), faults, lives)
        self.obey(faults, lives)

    @precondition(lambda self: self.trade is not None and self.venue.isolated)
    @rule()
    def a_clean_loop_keeps_the_short_alive(self) -> None:
        """With nothing unknown and the exchange well, margin suffices soon, or the short is smaller or gone."""
        pauses = 0
        while self.journal.open_transfers() or self.journal.open_margins() or self.journal.open_orders():
            self.time, pauses = self.time + 60, pauses + 1
            assert pauses < 20
            self.bot.converge(self.legs)
        self.time += 700  # longer than any pause after refusals
        for _ in range(3):
            self.time += LOOP_S
            self.bot.converge(self.legs)
            self.obey({}, None)
        distances = liquidation_distances(self.venue.futures_account())
        assert all(distance >= D("0.15") for distance in distances.values()), self.bot.trouble

    @rule()
    def the_bot_is_killed(self) -> None:
        self.start()

    # --- what must hold

    @invariant()
    def nothing_takes_effect_twice(self) -> None:
        """No intent is applied more than once."""
        assert all(count == 1 for count in self.venue.applied.values()) if hasattr(self, "venue") else True

    @invariant()
    def the_journal_tells_the_truth(self) -> None:
        """What the journal calls settled is so at the exchange: done took effect, anything else did not."""
        if not hasattr(self, "venue"):
            return
        journal = self.venue.journal
        assert journal is not None
        rows = [row for kind in (OrderRow, TransferRow, MarginRow) for row in journal.recent(kind, 1000)]
        for row in rows:
            took_effect = self.venue.applied[row.intent_id] == 1
            if row.state not in (State.SENT, State.UNKNOWN):
                assert took_effect == (row.state is State.DONE), f"{row.intent_id} is {row.state}"

    @invariant()
    def the_users_own_stays(self) -> None:
        """Coins and USDT that the journal does not know are never touched."""
        if hasattr(self, "venue"):
            assert self.venue.spot["BTC"] >= USER_COINS

    def teardown(self) -> None:
        if not hasattr(self, "venue"):
            return
        try:
            quiet = 0
            for _ in range(LOOPS_TO_CONVERGE):
                before = sum(self.venue.sent.values())
                self.time += LOOP_S
                clean = self.bot.converge(self.legs)
                self.obey({}, None)
                quiet = quiet + 1 if clean and sum(self.venue.sent.values()) == before else 0
                if quiet == QUIET_LOOPS:
                    break
            self.check_end()
        finally:
            self.journal.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def check_end(self) -> None:
        """With faults over, both legs are equal, nothing is unknown, and USDT is where it belongs."""
        assert self.bot.trouble == ""
        assert not self.journal.open_orders()
        assert not self.journal.open_transfers()
        assert not self.journal.open_margins()
        short = self.venue.shorts.get(PAIR, (ZERO, ZERO, ZERO))[0]
        ours = self.venue.spot["BTC"] - USER_COINS
        held = sum((hedge.held for hedge in self.journal.recent(HedgeRow)), ZERO)
        assert ours == held, "the journal and the wallet disagree about our coins"
        failed = any(hedge.state == "failed" for hedge in self.journal.unsettled())
        dust = MARKET.min_notional / self.venue.price + MARKET.lot
        if not failed:
            closed = sum((h.held for h in self.journal.recent(HedgeRow) if h.state == "closed"), ZERO)
            assert abs(ours - closed - short) <= dust
        self.check_money()

    def check_money(self) -> None:
        surplus = self.venue.withdrawable()
        if self.settings.margin.fund_entries:
            plan = self.bot.plan.margin if self.bot.plan is not None else ZERO
            assert surplus < self.settings.transfer.min_usdt + plan
        rows = [self.journal.recent(kind, 1000) for kind in (OrderRow, TransferRow, CloseRow, MarginRow)]
        assert sum(self.venue.sent.values()) <= sum(row.attempts for group in rows for row in group)


def random_faults(random: Random) -> Faults:
    """Faults where they hurt: mostly on what is sent."""
    kinds = {
        "read": ["", "", "", "", "not_sent", "lost", "kill"],
        "order": [*SENDS, "partial"],
        "transfer": [*SENDS, "shrink"],
        "margin": [*SENDS, "shrink"],
    }
    return {kind: random.choices(names, k=random.randint(0, 3)) for kind, names in kinds.items()}


def random_news(random: Random, seed: int) -> list[int]:
    """Nothing, the latest, or any four of the last; in a quarter of the scenarios there is no stream."""
    return random.choice([[], [0], [0, 0, 1], random.choices(range(7), k=4)]) if seed % 4 else []


def random_walk(seed: int, machine: Callable[[], Hedging] = Hedging) -> Hedging:
    """One scenario of twenty steps, every invariant checked after each."""
    random = Random(seed)
    model = machine()
    model.begin(fund_entries=random.random() < 0.5, lag=random.choice([0.0, 30.0]), isolated=seed % 2 == 0)
    model.venue.keyed = seed % 3 == 0
    for _ in range(20):
        lives = random.choice([None, None, None, random.randint(0, 30)])
        step, faults, told = random.random(), random_faults(random), random.random() < 0.7
        heard = random_news(random, seed)
        if step < 0.35:
            model.the_stream_tells(heard, faults, lives)
            model.loop(faults, lives)
        elif step < 0.8:
            if model.trade is None:
                model.enter(random.randint(5, 60), faults, lives, told, heard)
            else:
                model.leave(random.choice([1, 2, 4, 4]), faults, lives, told, heard)
        elif step < 0.86:
            model.price_moves(random.randint(-300, 300))
        elif step < 0.9:
            model.price_jumps(random.randint(-15, 15))
            if model.trade is not None and model.venue.isolated and random.random() < 0.5:
                model.a_clean_loop_keeps_the_short_alive()
        elif step < 0.95:
            model.the_bot_is_killed()
        elif model.trade is not None:
            model.reduced_by_the_exchange(random.randint(10, 100))
        model.nothing_takes_effect_twice()
        model.the_journal_tells_the_truth()
        model.the_users_own_stays()
    return model


@pytest.mark.parametrize("block", range(8))
def test_random_walks(block: int) -> None:
    """However it is cut short, refused or left without answers, the bot ends where it should be."""
    for seed in range(block * WALKS // 8, (block + 1) * WALKS // 8):
        model = random_walk(seed)
        try:
            model.teardown()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error


Hedging.TestCase.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestHedging = Hedging.TestCase
