"""What the exchange does to markets while a hedge is open: noticed within a few loops, told once, acted on."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal as D
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ccxt
import pytest
from fake_venue import PAIR, SYMBOL, FakeVenue
from real_data import REAL_DATA

from freqtrade_fundhedge.config import FundHedgeConfig
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.controller import Controller
from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.sandbox import SandboxControl, SandboxServer, ccxt_urls
from freqtrade_fundhedge.venue import states
from freqtrade_fundhedge.venue.live import PublicSpot
from freqtrade_fundhedge.venue.perpetuals import PerpState

SNAPSHOTS = REAL_DATA / "snapshots"
QUANTITY = D("0.020")
LOOP_S = 5.0
LOOPS = 8


@dataclass
class World:
    """One bot with one hedge, and all that it told its user."""

    folder: Path
    time: float = 1_700_000_000.0
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.venue = FakeVenue(lambda: self.time, {"USDT": D(10_000)}, D(2_000))
        settings = FundHedgeConfig.model_validate({"margin": {"fund_entries": False}})
        journal = Journal(f"sqlite:///{self.folder}/journal.sqlite", "bot")
        ctx = Context(self.venue, journal, settings, "USDT", clock=lambda: self.time, tell=self.told.append)
        self.bot = Controller(ctx)
        self.venue.open_short(QUANTITY, D(3))
        self.leg = ShortLeg(1, PAIR, self.time, QUANTITY, QUANTITY, True, D(333))
        self.loops(LOOPS)
        self.told.clear()

    def loops(self, count: int) -> None:
        for _ in range(count):
            self.time += LOOP_S
            assert self.bot.converge(lambda _hedges: [self.leg]), self.bot.trouble


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.bot.close()


AT = 1_800_000_000.0
EVENTS = {
    "perpetual ends": ({"perp": PerpState(ends_at=AT)}, "delisted", "ends this perpetual at 2027-01-15 08:00 UTC"),
    "being settled": ({"perp": PerpState(opens=False, ends_at=AT)}, "delisted", "ends this perpetual"),
    "reduce-only": ({"perp": PerpState(opens=False)}, "reduce_only", "only be reduced"),
    "perpetual halted": ({"perp": PerpState(opens=False, closes=False)}, "", "both legs stay"),
    "spot halted": ({"spot_trades": False}, "", "both legs stay"),
    "spot halted, perpetual ends": ({"spot_trades": False, "perp": PerpState(ends_at=AT)}, "", "both legs stay"),
}


@pytest.mark.parametrize("name", EVENTS)
def test_noticed_told_once_and_over(world: World, name: str) -> None:
    """Within a few loops of either kind; said once; the hedge closes only while both legs can; then it is over."""
    change, reason, says = EVENTS[name]
    for key, value in change.items():
        setattr(world.venue, key, value)
    world.loops(LOOPS)
    assert world.bot.outside.exit_reason(PAIR) == reason
    assert len(world.told) in (1, len(change)), world.told
    assert says in world.told[-1]
    world.loops(LOOPS * 10)
    assert len(world.told) in (1, len(change))
    world.venue.perp, world.venue.spot_trades = PerpState(), True
    world.loops(LOOPS)
    assert world.bot.outside.exit_reason(PAIR) == ""
    assert not world.bot.outside.spot_halted(PAIR)


@pytest.mark.parametrize("name", EVENTS)
def test_nothing_is_entered_then(world: World, name: str) -> None:
    """The pre-flight check asks by itself, hedge or no hedge."""
    world.venue.close_short_by(QUANTITY)
    world.leg = replace(world.leg, filled=D(0), reachable=D(0), is_open=False)
    world.loops(LOOPS)
    assert world.bot.allow_entry(PAIR, QUANTITY, world.venue.price) == ""
    world.time += 60
    for key, value in EVENTS[name][0].items():
        setattr(world.venue, key, value)
    assert world.bot.allow_entry(PAIR, QUANTITY, world.venue.price)


def test_an_announced_end_of_the_spot_market(world: World) -> None:
    """The notice alone closes the hedge, while the market still trades."""
    world.venue.ends = {SYMBOL: AT}
    world.loops(80)
    assert world.bot.outside.exit_reason(PAIR) == "delisted"
    assert [text for text in world.told if "delists BTC/USDT at 2027-01-15" in text] == world.told


def test_new_interval_and_cap_are_told_once(world: World) -> None:
    """With what they were before; the loops after it say nothing more."""
    world.venue.next_terms = (4.0, 0.03)
    world.loops(80)
    assert world.told == [
        f"{PAIR}: funding is paid every 4 h now, it was 8 h and a settlement can be 3.0000% at most now"
    ]


def test_a_loop_asks_for_one_thing(world: World) -> None:
    """Funding rates in at least every second loop, and never two questions in one, however slow the loops are."""
    asked: list[str] = []
    for name in ("funding", "perp_states", "spot_trading", "spot_ends", "refresh_intervals"):
        real = getattr(world.venue, name)
        setattr(world.venue, name, lambda *a, _n=name, _r=real, **k: (asked.append(_n), _r(*a, **k))[1])
    for step_s in (1.0, LOOP_S, 60.0, 600.0):
        asked.clear()
        for _ in range(40):
            world.time += step_s
            before = len(asked)
            assert world.bot.converge(lambda _hedges: [world.leg])
            assert len(asked) == before + 1
        assert asked.count("funding") >= 20
        assert {"perp_states", "spot_trading"} <= set(asked)


# --- the exchange's own words


@pytest.fixture
def sandbox() -> Iterator[tuple[SandboxControl, PublicSpot]]:
    with SandboxServer() as server:
        api = ccxt.binance({"urls": ccxt_urls(server.url), "options": {"defaultType": "spot"}})
        api.load_markets()
        yield SandboxControl(server.url), PublicSpot(api)


SAYINGS: list[tuple[dict[str, Any], PerpState, bool]] = [
    ({"market": "perp", "status": "SETTLING", "delisted_at": 1_800_000_000_000}, PerpState(False, True, AT), True),
    ({"market": "perp", "control_side": "SHORT"}, PerpState(False, True), True),
    ({"market": "perp", "control_side": "LONG"}, PerpState(), True),
    ({"market": "perp", "status": "BREAK"}, PerpState(False, False), True),
    ({"market": "spot", "status": "BREAK"}, PerpState(), False),
    ({"market": "both", "status": "TRADING"}, PerpState(), True),
]


@pytest.mark.parametrize(("change", "perp", "trades"), SAYINGS)
def test_binance_says(
    sandbox: tuple[SandboxControl, PublicSpot], change: dict[str, Any], perp: PerpState, trades: bool
) -> None:
    """States in Binance's shape, through ccxt; the other pair is never affected."""
    control, venue = sandbox
    control.post("market", symbol="BTCUSDT", **change)
    other = "ETH/USDT:USDT"
    assert venue.perp_states([PAIR, other]) == {PAIR: perp, other: PerpState()}
    assert venue.spot_trading([SYMBOL, "ETH/USDT"]) == {SYMBOL: trades, "ETH/USDT": True}
    assert venue.spot_ends() == {}  # no key, no question


def test_a_market_that_is_gone(sandbox: tuple[SandboxControl, PublicSpot]) -> None:
    """A spot market off the list takes no orders, does not hide the others, and keeps the last that was known of it."""
    _, venue = sandbox
    known = venue.market(PAIR)
    gone = venue.api.markets["BTC/USDT"] | {"id": "GONEUSDT"}
    venue.api.markets["BTC/USDT"] = gone
    assert venue.spot_trading([SYMBOL, "ETH/USDT"]) == {SYMBOL: False, "ETH/USDT": True}
    del venue.api.markets["BTC/USDT"]
    assert venue.spot_trading([SYMBOL, "ETH/USDT"]) == {SYMBOL: False, "ETH/USDT": True}
    assert (venue.market(PAIR).symbol, venue.market(PAIR).active) == (known.symbol, False)


@pytest.mark.skipif(not SNAPSHOTS.is_dir(), reason="no snapshots of the real exchange on this machine")
def test_states_of_all_symbols_of_the_snapshot() -> None:
    """Each perpetual that trades may be opened, each that is being settled has an end and may only be reduced."""
    with gzip.open(next(SNAPSHOTS.glob("binance_fapi_exchangeInfo*"))) as file:
        rows = [row for row in json.load(file)["symbols"] if row["contractType"] == "PERPETUAL"]
    markets = {f"{row['baseAsset']}/{row['quoteAsset']}:{row['marginAsset']}": row for row in rows}
    ids = {pair: {"id": row["symbol"]} for pair, row in markets.items()}
    api = SimpleNamespace(id="binance", markets=ids, fapiPublicGetExchangeInfo=lambda: {"symbols": rows})
    for pair, state in states.perp_states(api, list(markets)).items():
        status = markets[pair]["status"]
        assert (state.opens, state.closes) == (status == "TRADING", status in {"TRADING", "SETTLING"})
        assert (state.ends_at is not None) == (status == "SETTLING")


@pytest.mark.parametrize("change", [{"perp": PerpState(opens=False)}, {"spot_trades": False}])
def test_what_was_refused_stays_refused(world: World, change: dict[str, Any]) -> None:
    """Looks at open hedges make no other market's trouble forgotten before it is asked for again."""
    other, ask = "ETH/USDT:USDT", world.bot.outside
    fine, market = (world.venue.perp, world.venue.spot_trades), world.venue.market
    world.venue.market = lambda pair: replace(market(pair), pair=pair, symbol=pair.split(":")[0])  # type: ignore[method-assign]
    for name, value in change.items():
        setattr(world.venue, name, value)
    assert ask.refusal(other)
    world.venue.perp, world.venue.spot_trades = fine
    ask._ask_perps([PAIR])
    ask._ask_spots([PAIR])
    assert ask.refusal(other)
    world.time += 15
    assert not ask.refusal(other)
