"""Signals, margin that is fetched for them, and spot USDT that is kept for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal as D
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from fake_venue import FEE, MARKET, PAIR, FakeVenue
from test_sizes import Exchange

from freqtrade_fundhedge.config import parse
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.controller import Controller
from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.entries import Entries
from freqtrade_fundhedge.errors import NotSent
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.market import SpotMarket
from freqtrade_fundhedge.sizes import Book
from freqtrade_fundhedge.venue.port import Direction

OTHER, THIRD = "ETH/USDT:USDT", "SOL/USDT:USDT"
LOOP_S = 5.0


class Account(FakeVenue):
    """Counts the reads of the spot wallet, and fails them on request."""

    reads = 0
    away = False

    def market(self, pair: str) -> SpotMarket:
        return replace(MARKET, pair=pair)

    def short(self, pair: str, quantity: D) -> D:
        """A filled market order of Freqtrade's in one of several pairs; its margin."""
        margin = quantity * self.price / 3
        self.shorts[pair] = (quantity, self.price, margin)
        self._flow(-quantity * self.price * FEE)
        return margin

    def spot_balances(self) -> Mapping[str, D]:
        self.reads += 1
        if self.away:
            raise NotSent("no route")
        return super().spot_balances()


class Signals:
    """Freqtrade's side of a strategy, as far as it matters here: a signal in each pair, the stake as proposed."""

    def get_entry_signal(self, _pair: str, _timeframe: str, _frame: pd.DataFrame) -> tuple[str, str]:
        return "short", "carry"

    def custom_stake_amount(self, proposed_stake: float, **_kwargs: Any) -> float:
        return proposed_stake


@dataclass
class Strategy(Entries, Signals):
    """A strategy on a controller and an account in memory, without a `net_carry` column."""

    folder: Path
    spot: int = 10_000
    stake: Any = "unlimited"
    settings: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    cross: bool = False

    def __post_init__(self) -> None:
        self.config = {
            "runmode": "live", "stake_amount": self.stake, "stake_currency": "USDT", "max_open_trades": 3, **self.more
        }  # fmt: skip
        self.timeframe, self.stoploss, self.fundhedge_gate = "1h", -0.99, False
        self.fundhedge_settings = parse({"fundhedge": self.settings})
        self.time = 1_700_000_000.0
        self.account = Account(lambda: self.time, {"USDT": D(self.spot)})
        journal = Journal(f"sqlite:///{self.folder}/journal.sqlite", "bot")
        ctx = Context(
            self.account, journal, self.fundhedge_settings, "USDT", self.cross, clock=lambda: self.time,
            sleep=lambda _s: None,
        )  # fmt: skip
        self.controller = Controller(ctx)
        self._fundhedge: Any = SimpleNamespace(
            controller=self.controller, venue=self.account, health=SimpleNamespace(refusal="")
        )
        self._fundhedge_said, self._fundhedge_plans = {}, {}
        self._fundhedge_queue, self._fundhedge_turns = None, {}
        self.locked: set[str] = set()
        self.legs: list[ShortLeg] = []
        frame = pd.DataFrame({"date": [pd.Timestamp("2026-01-01")], "close": [50_000.0]})
        self.dp = SimpleNamespace(
            current_whitelist=lambda: [PAIR, OTHER, THIRD], _exchange=Exchange(),
            get_analyzed_dataframe=lambda *_: (frame, None),
        )  # fmt: skip
        self.frame = frame
        self._plan_stakes()

    def is_pair_locked(self, pair: str, **_kwargs: Any) -> bool:
        return pair in self.locked

    def _safely(self, _doing: str, work: Any, otherwise: Any) -> Any:
        try:
            return work()
        except NotSent:
            self.controller.trouble = "failed"
            return otherwise

    def _book(self) -> Book:
        stakes = sum((leg.stake_left for leg in self.legs), D(0))
        return Book(tuple(leg.pair for leg in self.legs), stakes, stakes * 4, D(0))

    def loop(self, *pairs: str) -> list[str]:
        """One loop, in which these pairs have a signal; the pairs that Freqtrade may try."""
        self.time += LOOP_S
        self.controller.converge(lambda _hedges: self.legs)
        self._new_loop()
        open_pairs = [leg.pair for leg in self.legs]
        asked = [pair for pair in pairs if pair not in open_pairs]
        return [pair for pair in asked if self.get_entry_signal(pair, "1h", self.frame)[0]]

    def stake_of(self, pair: str) -> float:
        """What Freqtrade is told to use."""
        stake: float = self.custom_stake_amount(pair=pair, proposed_stake=1.0, min_stake=1.0, max_stake=2.0)
        return stake

    def allow(self, pair: str) -> str:
        plan = self._fundhedge_plans[pair]
        return self.controller.allow_entry(pair, plan.quantity, plan.price)

    def fill(self, pair: str) -> None:
        """Freqtrade's order is filled and announced."""
        plan = self._fundhedge_plans[pair]
        quantity = round(plan.quantity, 3)
        stake = self.account.short(pair, quantity)
        leg = ShortLeg(len(self.legs) + 1, pair, self.time, quantity, quantity, True, stake, stake)
        self.legs.append(leg)
        self.controller.after_fill(leg)

    def moved(self) -> list[Direction]:
        return [record.direction for record in self.account.history]


TOP_UP, SWEEP = Direction.TOP_UP, Direction.SWEEP


def test_margin_first_then_the_signal(tmp_path: Path) -> None:
    """The first loop plans, the second fetches the margin and lets the signal pass, in the planned size."""
    strategy = Strategy(tmp_path)
    assert strategy.loop(PAIR) == []
    assert strategy.loop(PAIR) == [PAIR]
    assert strategy.moved() == [TOP_UP]
    plan = strategy._fundhedge_plans[PAIR]
    assert strategy.stake_of(PAIR) == float(plan.stake)
    assert strategy.account.withdrawable() >= plan.margin
    assert plan.stake * 9 >= 7_000


def test_margin_that_is_there_lets_a_signal_pass_at_once(tmp_path: Path) -> None:
    """With USDT of a user's own in the futures wallet there is nothing to wait for."""
    strategy = Strategy(tmp_path, settings={"transfer": {"keep_usdt": 3000}}, stake=100)
    strategy.loop()
    assert strategy.moved() == [TOP_UP]
    assert strategy.loop(PAIR) == []
    assert strategy.loop(PAIR) == [PAIR]
    strategy = Strategy(tmp_path / "..", settings={"margin": {"fund_entries": False}}, stake=100)
    strategy.account.wallet = D(1_000)
    assert strategy.loop(PAIR) == [PAIR]


@pytest.mark.parametrize("why", ["no signal", "locked", "refused"])
def test_margin_comes_back_if_the_entry_does_not_happen(tmp_path: Path, why: str) -> None:
    """A signal that is gone, a locked pair, a pre-flight that says no: swept, and not fetched again in this candle."""
    strategy = Strategy(tmp_path)
    strategy.loop(PAIR)
    assert strategy.loop(PAIR) == [PAIR]
    if why == "locked":
        strategy.locked.add(PAIR)
    if why == "refused":
        strategy.account.spot["USDT"] = D(10)
        assert "needed on spot" in strategy.allow(PAIR)
        strategy.account.spot["USDT"] = D(9_000)
    for _ in range(4):
        strategy.loop(*([] if why == "no signal" else [PAIR]))
    assert strategy.moved() == [TOP_UP, SWEEP]
    strategy.locked.clear()
    for _ in range(20):
        assert strategy.loop(PAIR) == []
    assert strategy.moved() == [TOP_UP, SWEEP]
    assert strategy.account.wallet < 1


def test_one_pair_that_never_enters_does_not_starve_the_others(tmp_path: Path) -> None:
    """What Freqtrade or the strategy denies again and again gives way after some loops; the others are funded."""
    strategy = Strategy(tmp_path)
    passed: list[str] = []
    for _ in range(40):
        for pair in strategy.loop(PAIR, OTHER):
            passed.append(pair)
            if pair == OTHER and len(strategy.legs) == 0:
                assert strategy.allow(OTHER) == ""
                strategy.fill(OTHER)
    assert passed[0] == PAIR
    assert [leg.pair for leg in strategy.legs] == [OTHER]


def test_several_signals_enter_one_after_the_other(tmp_path: Path) -> None:
    """Three pairs with a signal in each loop all get in, one top-up each, of equal size but for the lot."""
    strategy = Strategy(tmp_path)
    for _ in range(12):
        for pair in strategy.loop(PAIR, OTHER, THIRD):
            assert strategy.allow(pair) == ""
            strategy.fill(pair)
    assert [leg.pair for leg in strategy.legs] == [PAIR, OTHER, THIRD]
    assert strategy.moved().count(TOP_UP) == 3
    stakes = [leg.stake_left for leg in strategy.legs]
    assert max(stakes) <= min(stakes) + D("16.67")  # a lot
    assert sum(stakes) * 3 > 7_000
    assert strategy.account.spot["USDT"] > 0


def test_spot_is_kept_for_an_allowed_entry_until_its_coins_are_bought(tmp_path: Path) -> None:
    """Between yes and fill neither another entry nor a plan's margin eats it; with the purchase the claim is over."""
    strategy = Strategy(tmp_path, stake=800)
    strategy.loop(PAIR)
    strategy.loop(PAIR)
    assert strategy.allow(PAIR) == ""
    claims, plan = strategy.controller.claims, strategy._fundhedge_plans[PAIR]
    assert abs(claims.total() / (plan.quantity * plan.price) - 1) < D("0.01")
    assert claims.total(besides=PAIR) == 0
    assert "needed on spot" in strategy.controller.refusal(OTHER, D("0.14"), D(50_000))
    assert strategy.controller.refusal(OTHER, D("0.12"), D(50_000)) == ""
    strategy.loop(PAIR)
    assert claims.total() > 2_000
    strategy.fill(PAIR)
    assert claims.total() == 0
    assert strategy.controller.refusal(OTHER, D("0.12"), D(50_000)) == ""


def test_a_claim_ends_when_the_entry_was_never_made(tmp_path: Path) -> None:
    """No trade after 20 s: the order failed, and the spot USDT is everybody's again."""
    strategy = Strategy(tmp_path, stake=800)
    strategy.loop(PAIR)
    strategy.loop(PAIR)
    strategy.allow(PAIR)
    for _ in range(3):
        strategy.loop()
        assert strategy.controller.claims.total() > 2_000
    strategy.loop()
    assert strategy.controller.claims.total() == 0


def test_a_resting_entry_keeps_its_claim(tmp_path: Path) -> None:
    """A limit order that is open for minutes, filled in part: what may still fill is kept on spot."""
    strategy = Strategy(tmp_path, stake=800)
    quantity, some = D("0.048"), D("0.012")
    strategy.legs = [ShortLeg(1, PAIR, strategy.time, some, quantity, True, D(800), D(200))]
    strategy.account.wallet = D(900)
    strategy.account.short(PAIR, some)
    strategy.loop()
    assert strategy.account.spot["BTC"] >= some
    assert abs(strategy.controller.claims.total() / (D("0.036") * 50_000) - 1) < D("0.01")


def test_open_shorts_come_before_an_entry(tmp_path: Path) -> None:
    """Spot that can't pay for both fills the stress buffer of the open short, and the entry waits."""
    strategy = Strategy(tmp_path, stake=800, cross=True, settings={"margin": {"stress_move": 1.0}}, spot=15_000)
    strategy.loop(PAIR)
    assert strategy.loop(PAIR) == [PAIR]
    assert strategy.allow(PAIR) == ""
    strategy.fill(PAIR)
    strategy.loop(OTHER)
    plan = strategy.controller.plan
    assert plan is not None
    assert plan.pair == OTHER
    strategy.account.price = D(55_000)
    strategy.account.spot["USDT"] = plan.spot_cost + 300
    for _ in range(3):
        assert strategy.loop(OTHER) == []
    assert strategy.moved()[-1] is TOP_UP
    assert strategy.account.spot["USDT"] < plan.spot_cost + 300


def test_a_size_that_does_not_fit_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A fixed stake that is too much waits with one line however many loops go by, and is made when there is enough."""
    caplog.set_level("INFO")
    strategy = Strategy(tmp_path, stake=3_000)
    for _ in range(30):
        strategy.account.price += 1
        assert strategy.loop(PAIR) == []
    lines = [r.message for r in caplog.records if "not entered" in r.message]
    assert len(lines) == 1
    assert lines[0].startswith(f"{PAIR}: not entered: a stake of 3000.00 at leverage 3 takes 120")
    assert strategy.moved() == []
    strategy.account.spot["USDT"] = D(13_000)
    assert [PAIR] in [strategy.loop(PAIR) for _ in range(20)]


def test_a_slot_below_the_minimum_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Too little for the exchange's minimum: one line, no transfer."""
    caplog.set_level("INFO")
    strategy = Strategy(tmp_path, spot=20)
    for _ in range(30):
        assert strategy.loop(PAIR) == []
    assert ["below the least" in r.message for r in caplog.records if "not entered" in r.message] == [True]
    assert strategy.moved() == []


def test_the_strategys_own_stake_is_planned_and_kept(tmp_path: Path) -> None:
    """A user's custom_stake_amount halves what super() gives: half is funded, and Freqtrade is told that half."""

    class Half(Strategy):
        def custom_stake_amount(self, proposed_stake: float, **kwargs: Any) -> float:
            return super().custom_stake_amount(proposed_stake, **kwargs) / 2

    whole = Strategy(tmp_path)
    (tmp_path / "half").mkdir()
    half = Half(tmp_path / "half")
    for strategy in (whole, half):
        strategy.loop(PAIR)
        assert strategy.loop(PAIR) == [PAIR]
    assert abs(half.stake_of(PAIR) * 2 - whole.stake_of(PAIR)) < 0.02
    assert half.account.wallet < whole.account.wallet * D("0.51")


@pytest.mark.parametrize("away", [False, True])
def test_the_spot_wallet_is_read_once_a_loop(tmp_path: Path, away: bool) -> None:
    """However many signals there are, sizing asks for the balance once, also when the exchange is away."""
    strategy = Strategy(tmp_path, settings={"margin": {"fund_entries": False}})
    strategy.account.wallet = D(3_000)
    strategy.loop()
    strategy.account.away = away
    for _ in range(3):
        before = strategy.account.reads
        passed = strategy.loop(PAIR, OTHER, THIRD)
        assert strategy.account.reads == before + 1
        assert passed == ([] if away else [PAIR, OTHER, THIRD])


def test_a_fill_makes_the_wallets_be_read_again(tmp_path: Path) -> None:
    """Two entries in one loop share what the wallets hold after the first, not what they held before."""
    strategy = Strategy(tmp_path, settings={"margin": {"fund_entries": False}}, spot=5_000)
    strategy.account.wallet = D(5_000)
    strategy.loop()
    strategy._new_loop()
    sizes = []
    for pair in (PAIR, OTHER, THIRD):
        assert strategy.get_entry_signal(pair, "1h", strategy.frame)[0]
        sizes.append(strategy.stake_of(pair))
        assert strategy.allow(pair) == ""
        strategy.fill(pair)
    assert max(sizes) < min(sizes) * 1.02
    assert strategy.account.spot["USDT"] >= 0
