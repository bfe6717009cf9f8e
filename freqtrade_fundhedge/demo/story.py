"""The story: what the market and the trader do, and what must have happened before it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from freqtrade_fundhedge.config import FundHedgeConfig
from freqtrade_fundhedge.core.intents import OPEN, State
from freqtrade_fundhedge.demo.bot import PAIR, BotProcess, DemoFailed
from freqtrade_fundhedge.demo.facts import COIN, SYMBOL, ZERO, Books
from freqtrade_fundhedge.demo.narrator import Narrator, money, quantity, signed
from freqtrade_fundhedge.sandbox import SandboxControl

USER_COINS = Decimal("0.5")
LOT = Decimal("0.00001")
SETTINGS = FundHedgeConfig()  # the demo's bot has all defaults
MIN_USDT = SETTINGS.transfer.min_usdt
INTERVALS_A_YEAR = 3 * 365
PAST_RATE, LOW_RATE, HIGH_RATE, BAD_RATE = (Decimal(r) for r in ("0.0004", "0.00002", "0.001", "-0.003"))
START_LIMIT_S = 75.0
STEP_LIMIT_S = 40.0
TOTAL_LIMIT_S = 120.0
POLL_S = 0.25
TRANSFER_PATH = "/sapi/v1/asset/transfer"


@dataclass(frozen=True)
class Checkpoint:
    """Both legs after a step."""

    step: str
    short: Decimal
    spot: Decimal

    @property
    def delta(self) -> Decimal:
        """Spot less short, base units."""
        return self.spot - self.short


@dataclass
class Story:
    """Plays the acts one after the other; every wait ends."""

    bot: BotProcess
    exchange: SandboxControl
    narrator: Narrator
    ends_at: float = field(default_factory=lambda: time.monotonic() + TOTAL_LIMIT_S)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    fewest_coins: Decimal = USER_COINS

    def play(self) -> None:
        """The whole story.

        Raises
        ------
        DemoFailed : a step did not happen in time, or the bot is gone
        """
        self.low_funding()
        self.funding_rises()
        self.hedge_earns()
        self.part_is_closed()
        self.funding_turns()

    def low_funding(self) -> None:
        """Weeks of good funding behind us, but little is predicted: no entry."""
        self.narrator.act("1  Funding is low: nothing happens")
        self._say("exchange", f"10,000 USDT on spot, none on futures. {USER_COINS} BTC on spot are your own.")
        self._say("bot", "freqtrade trade starts: live mode, FundHedgeStrategy, this exchange.")
        refusal = f"{PAIR}: not entered: predicted funding"
        self._wait("the bot looks at the market", lambda _: self.bot.said(refusal), START_LIMIT_S)
        self._say("market", f"Longs pay {_rate(LOW_RATE)} per 8 h now, after weeks of {_rate(PAST_RATE)}.")
        wanted = SETTINGS.carry.entry_apr * 100
        self._say("bot", f"Stays out: {_apr(LOW_RATE)} a year is less than the {wanted:.0f} % it wants.")
        self._pause(3)
        books = self._look()
        if books.futures_orders or books.spot_orders or books.transfers:
            raise DemoFailed("the bot traded although funding was low")

    def funding_rises(self) -> None:
        """A hedge opens."""
        self.narrator.act("2  Funding rises: a hedge opens")
        self._funding(HIGH_RATE)
        self._say("market", f"Longs pay {_rate(HIGH_RATE)} per 8 h: {_apr(HIGH_RATE)} a year.")
        self._wait("both legs are open", lambda b: b.short > 0 and self._balanced(b))
        self._checkpoint("open")

    def hedge_earns(self) -> None:
        """Price moves, funding is paid."""
        self.narrator.act("3  The hedge earns, whatever the price does")
        before = self._look()
        mid = self._mid()
        self.exchange.post("price", symbol=SYMBOL, price=mid * Decimal("1.04"), ramp_s=2)
        self._pause(3)
        after = self._look()
        spot = (self._mid() - mid) * (after.coins - USER_COINS)
        short = after.unrealised - before.unrealised
        self._say("market", f"BTC rises by 4 %: the short {signed(short)} USDT, its coins {signed(spot)} USDT.")
        self._settle(3)

    def part_is_closed(self) -> None:
        """The trader closes part; the exchange refuses the sweep once."""
        self.narrator.act("4  You close a part; the first sweep is refused")
        self._refuse_sweep()
        books = self._look()
        part = (books.short * Decimal("0.4")).quantize(Decimal("0.001"))
        self._say("exchange", "Will say 'insufficient balance' to the next sweep, as when an open short is losing.")
        self._say("you", f"Freqtrade's REST API: forceexit {quantity(part)} of {quantity(books.short)} {COIN}.")
        open_trades = self.bot.rest("status")
        if len(open_trades) != 1:
            raise DemoFailed(f"Freqtrade lists {len(open_trades)} open trades, not 1")
        trade = str(open_trades[0]["trade_id"])
        self.bot.rest("forceexit", tradeid=trade, ordertype="market", amount=float(part))
        left = books.short - part
        self._wait("the part is closed", lambda b: b.short == left and self._balanced(b))
        self._wait("the refused sweep went through", lambda _: self._transfer(lambda t: t.attempts > 1))
        self._checkpoint("part closed")
        self._settle(2)

    def funding_turns(self) -> None:
        """The bot closes the rest; the answer to its sweep is lost after it was applied."""
        self.narrator.act("5  Funding turns, and the answer to the last sweep is lost")
        self.exchange.fault("drop_after", TRANSFER_PATH, method="POST", params={"type": "UMFUTURE_MAIN"}, seconds=1.5)
        self._say("exchange", "Will carry out the next sweep, but hang up without an answer.")
        self._funding(BAD_RATE)
        self.exchange.post("basis", symbol=SYMBOL, basis="0", ramp_s=0)
        due = -self._look().short * self._mid() * BAD_RATE
        self._say("market", f"{_rate(BAD_RATE)} predicted: staying would cost {money(due)} USDT per 8 h.")
        self._wait("the rest is closed and swept", self._all_home)
        self._checkpoint("closed")

    # --- what must have happened

    def _balanced(self, books: Books) -> bool:
        settled = not any(order.state in OPEN for order in self.narrator.journal.orders())
        return settled and abs(books.coins - USER_COINS - books.short) < LOT

    def _all_home(self, books: Books) -> bool:
        hedges = self.narrator.journal.hedges()
        return (
            books.short == 0
            and self._balanced(books)
            and books.futures_usdt < MIN_USDT
            and bool(hedges)
            and all(hedge.state == "closed" for hedge in hedges)
            and not any(row.state in OPEN for row in self.narrator.journal.transfers())
        )

    def _transfer(self, fits: Callable[[Any], bool]) -> bool:
        return any(row.state is State.DONE and fits(row) for row in self.narrator.journal.transfers())

    # --- what the market does

    def _funding(self, rate: Decimal) -> None:
        self.exchange.post("funding", symbol=SYMBOL, rate=rate)

    def _settle(self, times: int) -> None:
        """Pay funding now instead of every eight hours."""
        for _ in range(times):
            earned = self._look().income.get("FUNDING_FEE", ZERO)
            self.exchange.post("settle", symbol=SYMBOL, rate=HIGH_RATE)
            total = self._look().income.get("FUNDING_FEE", ZERO)
            self._say(
                "market", f"Funding is settled, as every 8 h: {signed(total - earned)} USDT, {signed(total)} so far."
            )
            self._pause(1)

    def _refuse_sweep(self) -> None:
        message = "Asset transfer failed: insufficient balance"
        params = {"type": "UMFUTURE_MAIN"}
        self.exchange.fault("error", TRANSFER_PATH, method="POST", params=params, code=-5013, msg=message)

    def _mid(self) -> Decimal:
        state: Any = self.exchange.get("state")
        return Decimal(state["spot"][SYMBOL]["mid"])

    # --- telling and waiting

    def _say(self, who: str, text: str) -> None:
        self.narrator.say(who, text)

    def _look(self) -> Books:
        self.bot.check_alive()
        books = self.narrator.follow()
        self.fewest_coins = min(self.fewest_coins, books.coins)
        return books

    def _checkpoint(self, step: str) -> None:
        books = self._look()
        point = Checkpoint(step, books.short, books.coins - USER_COINS)
        self.checkpoints.append(point)
        legs = f"Short {quantity(point.short)} {COIN}, spot {quantity(point.spot)} {COIN}"
        self._say("check", f"{legs}: delta {quantity(point.delta)}.")

    def _pause(self, seconds: float) -> None:
        until = min(time.monotonic() + seconds, self.ends_at)
        while time.monotonic() < until:
            self._look()
            time.sleep(POLL_S)

    def _wait(self, what: str, ready: Callable[[Books], bool], limit: float = STEP_LIMIT_S) -> None:
        until = min(time.monotonic() + limit, self.ends_at)
        while not ready(self._look()):
            if time.monotonic() > until:
                raise DemoFailed(f"did not happen in time: {what}")
            time.sleep(POLL_S)


def set_scene(exchange: SandboxControl) -> None:
    """Your own coins, two months of good funding, a perpetual a little above its usual distance, and a quiet now."""
    exchange.post("balance", asset=COIN, amount=USER_COINS)
    exchange.post("funding", symbol=SYMBOL, rate=LOW_RATE, past=PAST_RATE, hours=24 * 60)
    exchange.post("basis", symbol=SYMBOL, basis="0", past_hours=24 * 60)
    exchange.post("basis", symbol=SYMBOL, basis="0.001", past_hours=6)


def _rate(rate: Decimal) -> str:
    return f"{rate * 100:.3f} %"


def _apr(rate: Decimal) -> str:
    return f"{rate * INTERVALS_A_YEAR * 100:.1f} %"
