"""What the user is told: the words, and that nothing is told twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal as D
from pathlib import Path

import pytest
from fake_venue import PAIR, SYMBOL, FakeVenue
from hypothesis import given
from hypothesis import strategies as st

from freqtrade_fundhedge import messages
from freqtrade_fundhedge.config import FundHedgeConfig
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.controller import Controller
from freqtrade_fundhedge.core.fills import Fills, result
from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.core.intents import State
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_hedge import fills_data, fills_of
from freqtrade_fundhedge.journal_rows import EventRow, HedgeRow, TransferRow
from freqtrade_fundhedge.venue.perpetuals import FundingQuote
from freqtrade_fundhedge.venue.port import Direction

NOW = 1_700_000_000.0
QUANTITY = D("0.02")
HEDGE = HedgeRow(
    "h", "bot", 1, PAIR, SYMBOL, "open", "", None, None, QUANTITY, D("0.02000001"), D("-980.98"), D("0.98"),
    D("0.02002"), D(0), D("1.5"), D(0), D(0), False,
)  # fmt: skip
OPENED = Fills(entered=QUANTITY, sold=D("1000.4"), short_fees=D("0.5"), coins_bought=D("0.02002"), spent=D("1000.99"))
HALF = replace(OPENED, exited=D("0.01"), bought=D("499.5"), coins_sold=D("0.01"), earned=D("499.1"))
amounts = st.decimals(-10_000, 10_000, places=4)


def transfer(attempts: int, direction: Direction = Direction.SWEEP) -> TransferRow:
    return TransferRow(
        "t", 1, "bot", direction, "USDT", State.DONE, D("12.3400"), D("12.34"), D(20), {}, attempts, [], 0,
        "", "", "", "7", "accepted",
    )  # fmt: skip


def test_opened() -> None:
    """Pair, both quantities, both prices, the basis and what funding is worth a year."""
    quote = FundingQuote(0.0001, 8.0, NOW, 50_000.0, 50_000.0)
    assert messages.opened(HEDGE, OPENED, D(1), quote) == (
        f"{PAIR}: hedge opened: short 0.02 at 50020, spot 0.02000001 at 49999.5, basis +0.04%, "
        "funding +10.9% a year now"
    )
    assert messages.opened(HEDGE, OPENED, D(1), None).endswith("basis +0.04%")
    assert messages.opened(HEDGE, replace(OPENED, coins_bought=D(0)), D(1), None).endswith("spot 0.02000001 at 0")


def test_the_basis_of_a_perpetual_in_thousands() -> None:
    """1000PEPE at 0.0101 against PEPE at 0.00001 is one percent, and no exponent is shown."""
    fills = Fills(D(1000), D(0), D("10.1"), D(0), D(0), D(1_000_000), D(0), D(10), D(0))
    text = messages.opened(HEDGE, fills, D(1000), None)
    assert "at 0.0101, spot 0.02000001 at 0.00001, basis +1.00%" in text


def test_changed() -> None:
    """A part that was closed or added is one line with its own prices, not the averages so far."""
    assert messages.changed(HEDGE, HALF, OPENED) == (
        f"{PAIR}: hedge reduced to 0.01: 0.01 bought back at 49950, 0.01 BTC sold on spot at 49910"
    )
    assert messages.changed(HEDGE, OPENED, Fills()) == (
        f"{PAIR}: hedge raised to 0.02: 0.02 more short at 50020, 0.02002 BTC bought on spot at 49999.5"
    )
    small = replace(OPENED, exited=D("0.00001"), bought=D("0.5"))
    assert messages.changed(HEDGE, small, OPENED).endswith("bought back at 50000, nothing on spot")


def test_closed() -> None:
    """The parts and the sum; coins that could not be sold are named, and fees in another coin are not forgotten."""
    hedge = replace(HEDGE, short_realised=D("981.48"), held=D(0))
    found = result(replace(OPENED, exited=QUANTITY, bought=D("19.4")), D("981.48"), D("1.5"), D("-980.98"), D("0.98"))
    text = messages.closed(hedge, found, 3600 * 50)
    assert text == (
        f"{PAIR}: hedge closed after 2.1 days: funding +1.50, short +981.00, spot -980.00, fees -2.00, "
        "together +0.50 USDT"
    )
    found.other_fees["BNB"] = D("0.0010")
    assert "fees -2.00 and 0.001 BNB, together" in messages.closed(hedge, found, 3600)
    assert messages.closed(HEDGE, None, 90).endswith("; 0.02000001 BTC of dust stays")
    assert "its fees and funding of +1.50 included" in messages.closed(HEDGE, None, 90)


@given(*[amounts] * 6)
def test_the_parts_of_a_result_are_its_sum(sold: D, bought: D, realised: D, funding: D, cash: D, fees: D) -> None:
    """short + spot + funding - fees = what the short realised and spot took in."""
    found = result(Fills(sold=sold, bought=bought), realised, funding, cash, fees)
    assert found.short + found.spot + found.funding - found.fees == found.total == realised + cash


def test_transfers() -> None:
    """Amount to the last digit, as the exchange's history has it, and the attempts it took."""
    assert messages.transferred(transfer(1)) == "sweep of 12.34 USDT done, 1 attempt"
    assert messages.transferred(transfer(3, Direction.TOP_UP)) == "top-up of 12.34 USDT done, 3 attempts"
    assert messages.transferred(transfer(1), found=True).endswith("found in the history of the exchange")


@given(st.text(max_size=3000))
def test_every_channel_takes_every_message(text: str) -> None:
    """One line, short enough for Telegram, with nothing in it that its Markdown could refuse."""
    sent = messages.for_channels(text)
    assert len(sent) <= messages.LONGEST
    assert not set(sent) & set("_*`[\n\r")


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0 min"), (90 * 60, "1.5 hours"), (47 * 3600, "47.0 hours"), (60 * 3600, "2.5 days")]
)
def test_lengths_of_time(seconds: float, shown: str) -> None:
    """In the unit that people would use."""
    assert messages.lasted(seconds) == shown


def test_small_losses_are_not_minus_zero() -> None:
    """A rounding is no sign."""
    assert (messages.cents(D("-0.001")), messages.cents(D("-1234.567"))) == ("+0.00", "-1,234.57")


def test_fills_survive_the_journal() -> None:
    """What an event carries is what was put in; anything else is nothing."""
    assert fills_of(fills_data(HALF)) == HALF
    assert fills_of([]) is fills_of({}) is fills_of({**fills_data(HALF), "sold": "x"}) is None


class World:
    """One bot whose Freqtrade is played by the test."""

    def __init__(self, folder: Path) -> None:
        self.time = NOW
        self.venue = FakeVenue(self.now, {"USDT": D(10_000)}, D(2_000))
        self.told: list[str] = []
        self.folder = folder
        self.leg = ShortLeg(1, PAIR, NOW, QUANTITY, QUANTITY, True, D(500), D(500), entered=QUANTITY, sold=D(1000))
        self.venue.open_short(QUANTITY, D(2))
        self.start()

    def now(self) -> float:
        self.time += 0.001
        return self.time

    def start(self) -> None:
        """A process that starts on the same journal."""
        self.journal = Journal(f"sqlite:///{self.folder}/journal.sqlite", "bot")
        self.venue.journal = self.journal
        settings = FundHedgeConfig.model_validate({"margin": {"fund_entries": False}})
        self.bot = Controller(
            Context(self.venue, self.journal, settings, "USDT", clock=self.now, sleep=lambda _s: None,
                    tell=self.told.append)
        )  # fmt: skip

    def loops(self, count: int = 3) -> None:
        for _ in range(count):
            self.time += 5.0
            self.bot.converge(lambda _hedges: [self.leg])

    def exit(self, quantity: D) -> None:
        """A filled exit."""
        self.venue.close_short_by(quantity)
        left = self.leg.filled - quantity
        self.leg = replace(
            self.leg, filled=left, reachable=left, is_open=left > 0, bought=self.leg.bought + quantity * 49_000,
            stake_left=D(500) * left / QUANTITY, realised=(QUANTITY - left) * 1000, funding=D("1.5"),
        )  # fmt: skip

    def events(self, kind: str) -> list[EventRow]:
        return [row for row in self.journal.recent(EventRow, 1000) if row.kind == kind]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.journal.close()


def told(world: World) -> list[str]:
    """What was told, without the sweeps."""
    return [text.partition(": ")[2].split(":")[0].split(" after")[0] for text in world.told if PAIR in text]


def test_each_change_is_told_once_however_many_loops_and_starts(world: World) -> None:
    """Opened, reduced and closed are one message each, also when the bot starts anew between two loops."""
    world.loops()
    world.loops()
    assert told(world) == ["hedge opened"]
    world.journal.close()
    world.start()
    world.loops()
    assert told(world) == ["hedge opened"]
    world.exit(D("0.01"))
    world.loops()
    world.journal.close()
    world.start()
    world.loops()
    assert told(world) == ["hedge opened", "hedge reduced to 0.01"]
    world.exit(D("0.01"))
    world.loops()
    assert told(world) == ["hedge opened", "hedge reduced to 0.01", "hedge closed"]
    (closed,) = world.events("hedge_closed")
    total = sum(D(closed.data[name]) for name in ("short", "spot", "funding")) - D(closed.data["fees"])
    assert total == D(closed.data["total"]) == D(closed.data["result"])


def test_a_hedge_is_not_told_before_both_legs_stand(world: World) -> None:
    """While an entry order is open, or the spot leg is refused, nothing is said to be open."""
    world.leg = replace(world.leg, reachable=QUANTITY * 2)
    world.loops()
    assert told(world) == []
    world.leg = replace(world.leg, reachable=QUANTITY)
    world.loops()
    assert told(world) == ["hedge opened"]


def test_a_call_is_repeated_neither_in_a_loop_nor_by_a_start(world: World) -> None:
    """A person is called once, hears once that it is over, and is called again the next time."""
    ctx = world.bot.ctx
    assert [ctx.once("key", "refused") for _ in range(3)] == [True, False, False]
    world.journal.close()
    world.start()
    ctx = world.bot.ctx
    assert not ctx.once("key", "refused")
    for _ in range(3):
        ctx.settled("key")
    assert ctx.once("key", "refused")
    assert world.told == ["refused", "no longer: refused", "refused"]
    assert len(world.events("attention_over")) == 1


def test_the_end_of_a_lost_answer_is_journalled_but_not_told(world: World) -> None:
    """Its outcome is told already; another text of a topic is news."""
    ctx = world.bot.ctx
    ctx.once("transfer x", "unknown")
    ctx.once("transfer x", "pending")
    ctx.settled("transfer x")
    ctx.only("stranger ", {"stranger A"})
    assert world.told == ["unknown", "pending"]
    ctx.once("stranger A", "a")
    ctx.once("stranger B", "b")
    ctx.only("stranger ", {"stranger A"})
    assert world.told[2:] == ["a", "b", "no longer: b"]
