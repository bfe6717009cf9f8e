"""Kills a bot at every journal boundary and starts it again, against a sandbox exchange: run by test_crash.py.

A process of its own with one thread, so that it can fork: each bot is a child that has ccxt imported and the markets
loaded, and a boundary costs a fraction of a second instead of a start of Freqtrade. Freqtrade's part is played here:
its orders go through ccxt, its database is a JSON file. Nothing in the package knows that it is being watched.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import ccxt
import requests

from freqtrade_fundhedge.config import FundHedgeConfig
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.controller import Controller
from freqtrade_fundhedge.core.entry import EntryPlan
from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_rows import CloseRow, HedgeRow, MarginRow, OrderRow, TransferRow
from freqtrade_fundhedge.sandbox import SandboxControl, ccxt_urls
from freqtrade_fundhedge.sandbox.settings import DEFAULT_KEY, DEFAULT_SECRET
from freqtrade_fundhedge.venue.live import LiveVenue
from freqtrade_fundhedge.venue.port import OrderFill

PAIR, SYMBOL, COIN = "BTC/USDT:USDT", "BTCUSDT", "BTC"
LOT, USER_COINS, QUANTITY = D("0.00001"), D("0.5"), D("0.02")
WRITES = frozenset(
    {"hedge", "note_hedge", "begin_order", "begin_at_once", "order_done", "order_moved", "begin_transfer",
     "send_transfer", "transfer_moved", "not_seen", "event", "begin_close", "close_moved", "begin_margin",
     "send_margin", "margin_moved"}
)  # fmt: skip
READS = frozenset(
    {"unsettled", "open_orders", "last_purchase", "open_transfers", "claimed", "recent", "allowance",
     "held_by_others", "open_closes", "open_margins", "transfer_row", "forget", "close", "rehearse",
     "refresh", "failed"}
)  # fmt: skip
SENDS = frozenset({"send_order", "send_transfer", "close_short", "change_margin"})
# By then an order or a transfer that never arrived has been looked for long enough. The hedge has longer.
LATER_S = 150.0
SETTINGS = {"hedge": {"unhedged_timeout_s": 3600}, "transfer": {"retry_delay_s": 0}}
QUIET_LOOPS, MOST_LOOPS = 2, 20


@dataclass
class Reaper:
    """Counts boundaries, writes each to a file, and ends the process at one of them."""

    trace: Path
    kill_at: int | None
    passed: int = 0
    idle: bool = False

    def step(self, name: str) -> None:
        if self.idle:
            return
        with self.trace.open("a") as file:
            file.write(name + "\n")
        if self.passed == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.passed += 1

    def around(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            self.step(f"before {name}")
            answer = work(*args, **kwargs)
            self.step(f"after {name}")
            return answer

        return called


class MortalJournal(Journal):
    """A journal with a boundary before and after each write."""

    reaper: Reaper

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        return self.reaper.around(f"journal.{name}", value) if name in WRITES else value


class MortalVenue(LiveVenue):
    """A venue with a boundary before and after each send."""

    reaper: Reaper

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        return self.reaper.around(f"venue.{name}", value) if name in SENDS else value


class Bot:
    """The real controller and venue in a child process, and Freqtrade's part."""

    def __init__(self, world: World, reaper: Reaper, ahead_s: float) -> None:
        world.api.session = requests.Session()  # the parent's connections are not ours to use
        world.api.session.trust_env = False
        self.world, self.api = world, world.api
        self.journal = MortalJournal(world.journal_url, "crash")
        self.reaper = self.journal.reaper = reaper
        venue = MortalVenue(world.api, world.api, "USDT")
        venue.reaper = reaper
        settings = FundHedgeConfig.model_validate(SETTINGS)
        self.ahead_s = ahead_s
        self.controller = Controller(Context(venue, self.journal, settings, "USDT", clock=self.now))

    def now(self) -> float:
        return time.time() + self.ahead_s

    # --- Freqtrade's part

    def trades(self) -> list[dict[str, Any]]:
        path = self.world.trades
        return json.loads(path.read_text()) if path.exists() else []

    def keep(self, trades: list[dict[str, Any]]) -> None:
        new = self.world.trades.with_suffix(".new")
        new.write_text(json.dumps(trades))
        new.replace(self.world.trades)

    def legs(self, hedges: Sequence[HedgeRow]) -> list[ShortLeg]:
        wanted = {hedge.trade_id for hedge in hedges}
        return [leg_of(t) for t in self.trades() if t["filled"] != "0" or t["id"] in wanted]

    def sell(self, tell: bool = True, early: bool = False) -> None:
        """An entry; `tell` False: the answer is lost; `early`: the exchange tells of the fill first."""
        ticker = self.api.fetch_order_book(PAIR, 5)
        price = D(str(ticker["bids"][0][0]))
        why = self.controller.allow_entry(PAIR, QUANTITY, price)
        assert why == "", why
        order = self.order("sell", QUANTITY)
        if early:
            fill = OrderFill(order, "", PAIR, True, False, QUANTITY, QUANTITY, price, time.time())
            self.controller.early.inbox.append(fill)
            self.controller.on_fills()
        if tell:
            trades = self.trades()
            trade = {"id": len(trades) + 1, "opened_at": time.time(), "filled": str(QUANTITY), "order": order}
            self.keep([*trades, trade])
            self.controller.after_fill(leg_of(self.trades()[-1]))

    def buy(self, quantity: D | None = None) -> None:
        """A partial or, without a quantity, a whole exit."""
        trades = self.trades()
        held = D(trades[-1]["filled"])
        bought = held if quantity is None else quantity
        self.order("buy", bought)
        trades[-1]["filled"] = str(held - bought) if held > bought else "0"
        self.keep(trades)
        self.controller.after_fill(leg_of(trades[-1]))

    def order(self, side: str, quantity: D) -> str:
        params = {"reduceOnly": True} if side == "buy" else {}
        return str(self.api.create_order(PAIR, "market", side, str(quantity), None, params)["id"])

    # --- ours

    def loop(self, count: int = 1) -> None:
        for _ in range(count):
            self.controller.converge(self.legs)

    def fund(self) -> None:
        """Until the margin for an entry is there, as the strategy would ask for it."""
        while self.controller.orphans.refusal(PAIR):
            time.sleep(0.5)  # the bot before died after it had allowed an entry
        price = self.controller.ctx.venue.quote("BTC/USDT").asks[0][0]
        margin = (QUANTITY * price / 3 * D("1.02")).quantize(D("0.01"))
        plan = EntryPlan(PAIR, QUANTITY, price, margin, margin, self.now() + 3600)
        for _ in range(3):
            self.loop()
            if self.controller.ready_for(plan):
                return
        raise AssertionError(f"no margin: {self.controller.trouble}")

    def until_quiet(self) -> None:
        """Loops until two in a row are content and have sent nothing."""
        quiet, before = 0, self.world.moves()
        for _ in range(MOST_LOOPS):
            content = self.controller.converge(self.legs)
            now = self.world.moves()
            quiet = quiet + 1 if content and now == before else 0
            before = now
            if quiet == QUIET_LOOPS:
                return
        raise AssertionError(f"no rest: {self.controller.trouble}")

    def check(self) -> None:
        """The exchange's books are right and the journal agrees with them."""
        journal, books = self.journal, self.world.control.books()
        assert not journal.open_orders()
        assert not journal.open_transfers()
        assert not journal.open_closes()
        assert not journal.open_margins()
        hedges = journal.recent(HedgeRow, 1000)
        ours = D(books["spot"].get(COIN, {}).get("total", "0")) - USER_COINS
        assert ours == sum((h.held for h in hedges), D(0)), "the journal and the wallet disagree about our coins"
        short = sum((-D(p["positionAmt"]) for p in books["positions"]), D(0))
        open_now = [hedge for hedge in hedges if hedge.state != "closed"]
        held = sum((h.held for h in open_now), D(0))
        assert abs(held - short) < LOT, f"{held} held for a short of {short}"
        assert all(h.held < LOT and h.settled for h in hedges if h.state == "closed")
        assert len(open_now) == (1 if short else 0)
        wallet = self.controller.ctx.venue.futures_account()
        assert wallet.withdrawable < 1, f"{wallet.withdrawable} USDT left behind"
        self.check_once(books)

    def check_once(self, books: dict[str, Any]) -> None:
        """What the journal calls done took effect once, and nothing else did."""
        done = [r.exchange_id for r in self.journal.recent(TransferRow, 10_000) if r.state == "done"]
        at_exchange = [str(t["id"]) for t in books["transfers"]]
        own = self.world.own_transfers()
        assert Counter(at_exchange) == Counter([*done, *own]), "a transfer that the journal does not know, or twice"
        orders = [r.exchange_id for r in self.journal.recent(OrderRow, 10_000) if r.state == "done"]
        assert Counter(orders) == Counter(str(o["orderId"]) for o in books["orders"]["spot"])
        margins = [r.amount for r in self.journal.recent(MarginRow, 10_000) if r.state == "done"]
        rows = self.api.fapiPrivateGetPositionMarginHistory({"symbol": SYMBOL, "limit": 1000})
        moved = [D(r["amount"]) for r in rows if r["deltaType"] == "USER_ADJUST"]
        assert Counter(margins) == Counter(moved), "margin that the journal does not know, or twice"
        closes = [r for r in self.journal.recent(CloseRow, 1000) if r.state == "done"]
        assert all(row.filled == row.amount for row in closes)
        assert books["equity"]["faults"] == []


def leg_of(trade: dict[str, Any]) -> ShortLeg:
    filled = D(trade["filled"])
    heard = {trade["order"]: QUANTITY}
    return ShortLeg(trade["id"], PAIR, trade["opened_at"], filled, filled, filled > 0, heard=heard)


@dataclass
class Phase:
    """Something that a bot does, and what has to be before it."""

    name: str
    work: Callable[[Bot], None]
    prepare: Callable[[World], None] = lambda _world: None
    ahead_s: float = 0.0
    needs_short: bool = False
    until: str = ""  # boundaries from here on are another phase's; with a clock ahead they would not be like life


class World:
    """The sandbox, the journal and Freqtrade's database that one bot after another works on."""

    def __init__(self, url: str, folder: Path) -> None:
        self.control = SandboxControl(url)
        self.first_price: D | None = None
        self.folder = folder
        self.trades = folder / "trades.json"
        self.own = folder / "own_transfers"
        self.journal_url = f"sqlite:///{folder}/journal.sqlite"
        self.api = ccxt.binance(
            {"apiKey": DEFAULT_KEY, "secret": DEFAULT_SECRET, "enableRateLimit": False, "timeout": 10_000,
             "urls": ccxt_urls(url), "options": {"defaultType": "spot"}}
        )  # fmt: skip
        self.api.session.trust_env = False
        self.api.load_markets()
        self.api.set_margin_mode("isolated", PAIR)
        self.api.set_leverage(3, PAIR)
        self.api.session.close()
        self.control.post("balance", asset=COIN, amount=USER_COINS)
        Journal(self.journal_url, "crash").close()

    def moves(self) -> int:
        """Requests so far that move anything."""
        counts: Any = self.control.get("counts")
        return sum(int(n) for name, n in counts.items() if name.startswith("POST"))

    def own_transfers(self) -> list[str]:
        return self.own.read_text().split() if self.own.exists() else []

    def child(self, work: Callable[[Bot], None], kill_at: int | None = None, ahead_s: float = 0.0) -> list[str]:
        """Run a bot in a process of its own; the boundaries that it passed. It dies at `kill_at`, and only there."""
        trace = self.folder / "trace"
        trace.write_text("")
        pid = os.fork()
        if pid == 0:
            try:
                bot = Bot(self, Reaper(trace, kill_at), ahead_s)
                work(bot)
                bot.journal.close()
                os._exit(0)
            except BaseException:  # noqa: BLE001 - whatever it is, the parent has to see it
                (self.folder / "error").write_text(traceback.format_exc())
                os._exit(1)
        _, status = os.waitpid(pid, 0)
        passed = trace.read_text().split("\n")[:-1]
        if kill_at is None:
            assert status == 0, (self.folder / "error").read_text()
        else:
            killed_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
            assert killed_by == signal.SIGKILL, f"not killed at {kill_at}: {passed}"
        return passed

    def settle(self) -> None:
        """The next bot, two minutes later: everything ends where it should be."""

        def work(bot: Bot) -> None:
            bot.until_quiet()
            bot.check()

        self.control.clear_requests()  # or counting them would take ever longer
        self.child(work, ahead_s=LATER_S)

    def price(self, rise: str = "") -> None:
        """Let the price rise by a fraction, or be again what it was at first."""
        now = D(self.control.get("state")["spot"][SYMBOL]["mid"])
        self.first_price = self.first_price or now
        price = now * (1 + D(rise)) if rise else self.first_price
        self.control.post("price", symbol=SYMBOL, price=f"{price:.2f}")

    def short(self) -> bool:
        return bool(self.control.books()["positions"])

    def ensure_short(self) -> None:
        if not self.short():
            self.child(lambda bot: (bot.fund(), bot.sell(), bot.loop()))
            self.settle()


def lost_entry(world: World) -> None:
    world.child(lambda bot: (bot.fund(), bot.sell(tell=False), bot.loop()))


def killed(where: str, work: Callable[[Bot], None]) -> Callable[[World], None]:
    """A bot that died at a boundary of `work`."""

    def prepare(world: World) -> None:
        world.child(work, kill_at=PASSED[where.split()[1]].index(where))

    return prepare


def by_hand(world: World) -> None:
    """The user moves USDT to futures: with `fund_entries` it belongs on spot."""

    def work(bot: Bot) -> None:
        answer = bot.api.transfer("USDT", "200", "spot", "swap")
        with world.own.open("a") as file:
            file.write(f"{answer['id']}\n")

    world.child(work)


def a_while_ago(world: World) -> None:
    """A hand that moves as much in the same second can't be told from an unsent sweep, and is left to a person."""
    by_hand(world)
    time.sleep(2.05 - time.time() % 1)


def enter(bot: Bot) -> None:
    bot.reaper.idle = True  # a top-up dies in a phase of its own
    bot.fund()
    bot.reaper.idle = False
    bot.sell()
    bot.loop()


def early_entry(bot: Bot) -> None:
    """The exchange tells of the fill before Freqtrade has a trade, which takes the hedge over."""
    bot.reaper.idle = True
    bot.fund()
    bot.reaper.idle = False
    bot.sell(early=True)
    bot.loop()


def close_first(world: World) -> None:
    """No short stands in the way of an entry."""
    if world.short():
        world.child(lambda bot: (bot.buy(), bot.loop()))
        world.settle()


def after(first: Callable[[World], None], then: Callable[[World], None]) -> Callable[[World], None]:
    def prepare(world: World) -> None:
        first(world)
        then(world)

    return prepare


QUARTER = QUANTITY / 4
SALE, SWEEP, MARGIN = "venue.send_order", "venue.send_transfer", "venue.change_margin"


def sell_spot(bot: Bot) -> None:
    bot.buy(QUARTER)


def sweep(bot: Bot) -> None:
    bot.loop()


PASSED: dict[str, list[str]] = {}
"""What a sale, a sweep and a change of margin pass, for the preparations that end in one."""

PHASES = (
    Phase("top-up", lambda bot: bot.fund()),
    Phase("sweep", sweep, a_while_ago),
    Phase("answered sweep", lambda bot: bot.loop(2), after(by_hand, killed(f"after {SWEEP}", sweep))),
    Phase(
        "sweep never sent",
        lambda bot: bot.loop(4),
        after(a_while_ago, killed(f"before {SWEEP}", sweep)),
        LATER_S,
        until="before journal.begin_transfer",
    ),
    Phase("lost entry", lambda bot: bot.loop(2), lost_entry),
    Phase("early entry", early_entry),
    Phase("entry", enter, close_first),
    Phase("partial exit", lambda bot: (bot.buy(QUARTER), bot.loop())[1], needs_short=True),
    Phase("answered sale", lambda bot: bot.loop(), killed(f"after {SALE}", sell_spot), needs_short=True),
    Phase("margin", lambda bot: bot.loop(), lambda world: world.price("0.2"), needs_short=True),
    Phase(
        "answered margin",
        lambda bot: bot.loop(),
        after(lambda world: world.price("0.12"), killed(f"after {MARGIN}", lambda bot: bot.loop())),
        needs_short=True,
    ),
    Phase("exit", lambda bot: (bot.buy(), bot.loop())[1], needs_short=True),
)


def run(world: World, kill_at: int | None, known: dict[str, list[str]]) -> dict[str, list[str]]:
    """One life of a hedge; each phase that has a boundary of that number dies there."""
    seen: dict[str, list[str]] = {}
    world.price()
    for phase in PHASES:
        dies = kill_at is None or kill_at < len(known[phase.name])
        if not dies and phase.name != "exit":
            continue
        if phase.needs_short:
            world.ensure_short()
        phase.prepare(world)
        passed = world.child(phase.work, kill_at if dies else None, phase.ahead_s)
        seen[phase.name] = passed[: passed.index(phase.until)] if phase.until in passed else passed
        world.settle()
    return seen


def main(url: str, folder: Path, part: int, parts: int) -> None:
    """Record one life, then live it again once for each boundary; what was met goes to lives.json."""
    world = World(url, folder)
    world.price()
    by_hand(world)
    PASSED[SWEEP] = world.child(sweep)
    world.settle()
    world.ensure_short()
    PASSED[SALE] = world.child(sell_spot)
    world.settle()
    world.price("0.2")
    PASSED[MARGIN] = world.child(lambda bot: bot.loop())
    world.child(lambda bot: bot.buy())
    world.settle()
    known = run(world, None, {})
    died: dict[str, list[str]] = {phase.name: [] for phase in PHASES}
    for number in range(part, max(len(names) for names in known.values()), parts):
        for name, passed in run(world, number, known).items():
            if number < len(known[name]):
                died[name].append(f"{number} {passed[-1]}")
    (folder / "lives.json").write_text(json.dumps({"known": known, "died": died}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
