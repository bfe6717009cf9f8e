"""Entries that are posted at the ask instead of taken, as Freqtrade would ask for them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal as D
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from fake_venue import PAIR
from test_entries import OTHER, Strategy
from test_sizes import Exchange

from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.core.maker import Tries
from freqtrade_fundhedge.errors import ConfigError
from freqtrade_fundhedge.journal_history import hedges_of
from freqtrade_fundhedge.journal_trail import Wish
from freqtrade_fundhedge.venue.perpetuals import FundingQuote

ASK = 50_010.0
FLOAT: dict[str, Any] = {"margin": {"fund_entries": False}}
WHEN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Freqtrade(Exchange):
    """Its exchange: fees, times in force and orders besides limits."""

    name: str = "Binance"
    times: tuple[str, ...] = ("GTC", "PO")
    orders: list[dict[str, Any]] = field(default_factory=list)
    looked: int = 0

    def get_fee(self, _pair: str, taker_or_maker: str) -> float:
        return {"maker": 0.0002, "taker": 0.0005}[taker_or_maker]

    def get_option(self, _name: str, _default: Any = None) -> Any:
        return self.times

    def fetch_orders(self, _pair: str, _since: datetime) -> list[dict[str, Any]]:
        self.looked += 1
        return self.orders


class Usual:
    """Freqtrade's side of a strategy, as far as orders go."""

    order_types: Any = MappingProxyType({"entry": "market", "exit": "market"})
    order_time_in_force: Any = MappingProxyType({"entry": "GTC", "exit": "GTC"})

    def custom_entry_price(self, proposed_rate: float, **_kwargs: Any) -> float:
        return proposed_rate

    def check_entry_timeout(self, **_kwargs: Any) -> bool:
        return False


class Posting(Strategy, Usual):
    """The strategy of `test_entries` with `maker_entries`, and its funding two hours away."""

    def __post_init__(self) -> None:
        self.settings = {"carry": {"maker_entries": True}, **self.settings}
        usual = {"unfilledtimeout": {"entry": 5, "unit": "minutes"}, "cancel_open_orders_on_exit": True}
        self.more = {**usual, **self.more}
        super().__post_init__()
        self._fundhedge_figures = {}
        self.exchange = self.dp._exchange = Freqtrade()
        self.dp.orderbook = lambda _pair, _depth: {"asks": [[ASK, 1.0]], "bids": [[50_000.0, 1.0]]}
        self.rate, self.next_in, self.locked_margin = 0.0001, 7200.0, D(0)
        # An order that rests locks margin, too.
        self.account.funding = self.quotes  # type: ignore[method-assign]
        self.account.withdrawable = lambda: self.account.wallet - self.locked_margin  # type: ignore[method-assign]

    def quotes(self) -> dict[str, FundingQuote]:
        return dict.fromkeys(
            [PAIR, OTHER], FundingQuote(self.rate, 8.0, self.time + self.next_in, 50_000.0, 50_000.0)
        )  # fmt: skip

    def pass_(self) -> None:
        """Loops until Freqtrade may try the entry."""
        assert any(self.loop(PAIR) for _ in range(4))

    def posted(self) -> bool:
        kinds = self.order_types["entry"], self.order_time_in_force["entry"]
        assert kinds in [("limit", "PO"), ("market", "GTC")]
        return kinds == ("limit", "PO")

    def price(self, pair: str = PAIR, trade: Any = None) -> float:
        return self.custom_entry_price(pair, trade, WHEN, 50_000.0, "carry", "short")

    def rest(self) -> None:
        """Freqtrade's order waits in the book."""
        plan = self._fundhedge_plans[PAIR]
        self.legs.append(ShortLeg(1, PAIR, self.time, D(0), plan.quantity, True))
        self.locked_margin = plan.stake

    def cancel(self) -> None:
        """It is cancelled after the loop of ours, and its trade is deleted."""
        self.legs.clear()
        self.locked_margin = D(0)

    def kinds(self) -> list[str]:
        with self.controller.ctx.journal.engine.connect() as db:
            return [row[0] for row in db.exec_driver_sql("select kind from events order by id")]


@pytest.fixture
def strategy(tmp_path: Path) -> Posting:
    return Posting(tmp_path)


def test_posted_for_this_one_entry_only(strategy: Posting) -> None:
    """Type, time in force and price are the maker's until Freqtrade has read them, for that pair in that thread."""
    strategy.pass_()
    assert strategy.posted()
    assert strategy.price() == ASK
    assert strategy.price(OTHER) == strategy.price(trade=SimpleNamespace()) == 50_000.0
    forced: list[float] = []
    thread = threading.Thread(target=lambda: forced.append(strategy.price()))
    thread.start()
    thread.join(5)
    assert forced == [50_000.0]
    assert strategy.order_types["exit"] == "market"
    strategy._as_configured()
    assert not strategy.posted()
    assert strategy.price() == 50_000.0
    assert Usual.order_types["entry"] == "market"


def test_an_entry_that_came_to_nothing_leaves_no_trace(strategy: Posting) -> None:
    """Freqtrade gave up before it asked us to confirm: the next pair and the next loop find the configuration."""
    strategy.pass_()
    strategy.get_entry_signal(OTHER, "1h", strategy.frame)
    assert not strategy.posted()
    strategy.pass_()
    assert strategy.posted()
    strategy._new_loop()
    assert not strategy.posted()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rate": 0.0004, "next_in": 200.0}, "waiting may miss 0.0400%"),
        ({"rate": 0.0004}, ""),
        ({"rate": 0.0002, "next_in": 200.0}, ""),
        ({"rate": float("nan")}, "waiting may miss"),
    ],
)
def test_taken_where_waiting_costs_more(
    strategy: Posting, change: dict[str, float], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A settlement that is close, or a rate that is not known: at once, as without the key, and the log says why."""
    caplog.set_level("INFO")
    vars(strategy).update(change)
    strategy.pass_()
    assert strategy.posted() == (not said)
    assert ("not posted, but taken: " + said in caplog.text) == bool(said)


def test_off_unless_it_is_wanted(tmp_path: Path) -> None:
    """The default is the order type of the configuration, and no question is asked."""
    strategy = Posting(tmp_path, settings={"carry": {}})
    strategy.check_maker_entries()
    strategy.pass_()
    assert not strategy.posted()
    assert strategy.exchange.looked == 0
    trade = SimpleNamespace(is_short=True, orders=[1], enter_tag="carry")
    assert not strategy.check_entry_timeout(PAIR, trade, None, WHEN)


def test_a_cancelled_entry_is_tried_again_at_once(strategy: Posting) -> None:
    """Its margin stays for the next try, nothing else moves, nobody is told of a hedge, and no report counts one."""
    told: list[str] = []
    strategy.controller.ctx.tell = told.append
    strategy.pass_()
    assert strategy.allow(PAIR) == ""
    strategy.rest()
    first = strategy._fundhedge_plans[PAIR]
    strategy.loop(PAIR)
    strategy.time += 300
    strategy.loop(PAIR)
    strategy.cancel()
    assert not strategy.get_entry_signal(PAIR, "1h", strategy.frame)[0]
    assert strategy.loop(PAIR) == [PAIR]
    assert strategy.posted()
    assert abs(strategy._fundhedge_plans[PAIR].stake - first.stake) < 1
    assert strategy.allow(PAIR) == ""
    # What was fetched for the fee and for slack comes home while the order rests.
    assert [move.amount > 20 for move in strategy.account.history] == [True, False, False]
    assert strategy.exchange.looked == 0
    assert "hedge_closed" in strategy.kinds()
    assert "hedge_opened" not in strategy.kinds()
    assert not [text for text in told if "hedge" in text or "entry" in text]
    assert hedges_of(strategy.controller.ctx.journal.engine, "bot", Wish()) == []
    tries = strategy._fundhedge_tries[PAIR]
    assert isinstance(tries, Tries)
    assert tries.last - tries.since > 300


def test_an_order_whose_answer_was_lost_is_looked_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """No second entry while the first may rest in the book: filled later, it would be one more short."""
    strategy = Posting(tmp_path, settings=FLOAT)
    strategy.account.wallet = D(3_000)
    strategy.pass_()
    quantity = strategy._fundhedge_plans[PAIR].quantity
    assert strategy.allow(PAIR) == ""
    order = {
        "id": "7", "side": "sell", "status": "open", "amount": float(quantity), "timestamp": strategy.time * 1000
    }  # fmt: skip
    strategy.exchange.orders = [order]
    for _ in range(3):
        assert strategy.loop(PAIR) == []
    assert strategy.exchange.looked == 0
    strategy.time += 20
    assert strategy.loop(PAIR) == strategy.loop(PAIR) == []
    assert strategy.exchange.looked == 1
    strategy.time += 60
    assert strategy.loop(PAIR) == []
    assert strategy.exchange.looked == 2
    assert caplog.text.count("order 7 of an earlier entry rests on the exchange") == 1
    order["status"] = "canceled"
    strategy.time += 60
    assert strategy.loop(PAIR) == strategy.loop(PAIR) == [PAIR]
    assert strategy.exchange.looked == 3


@pytest.mark.parametrize(
    ("why", "withdrawn"),
    [("", False), ("no signal", True), ("trouble", True), ("unfit", True), ("forced", False), ("second order", False)],
)
def test_an_entry_that_rests_is_withdrawn_when_nobody_wants_it(strategy: Posting, why: str, withdrawn: bool) -> None:
    """A signal that is gone, or a hedge that could not follow; what a person ordered, or a later order, is theirs."""
    strategy.loop(PAIR)
    trade = SimpleNamespace(is_short=True, orders=[1], enter_tag="carry")
    if why == "no signal":
        strategy.locked.add(PAIR)
    strategy.controller.trouble = "no route" if why == "trouble" else ""
    strategy._fundhedge.health.refusal = "unfit" if why == "unfit" else ""
    trade.enter_tag = "force_entry" if why == "forced" else "carry"
    trade.orders = [1, 2] if why == "second order" else [1]
    assert strategy.check_entry_timeout(PAIR, trade, None, WHEN) == withdrawn


def test_refused_where_it_cannot_work(tmp_path: Path) -> None:
    """An exchange on which Freqtrade has no post-only orders, no end, no bot: one line each."""
    strategy = Posting(tmp_path)
    strategy.check_maker_entries()
    strategy.exchange.times = ("GTC", "IOC")
    with pytest.raises(ConfigError, match=r"^fundhedge\.carry\.maker_entries: .*post-only orders on Binance; set it"):
        strategy.check_maker_entries()
    for key, value in [("unfilledtimeout", {"exit": 5}), ("cancel_open_orders_on_exit", False)]:
        with pytest.raises(ConfigError, match=rf"maker_entries: {key}.* is needed, or"):
            Posting(tmp_path, more={key: value}).check_maker_entries()
