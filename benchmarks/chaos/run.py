"""One scenario, played by our treasury or by the snippet."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from benchmarks.chaos import snippet
from benchmarks.chaos.judge import MANY, MIN_USDT, Judge
from benchmarks.chaos.market import Between, Freqtrade, Trade, nothing
from benchmarks.chaos.ours import Alter, Bot, as_it_is
from benchmarks.chaos.outcome import Outcome, Slack, outcome, slack
from benchmarks.chaos.plan import COINS, Exit, Scenario
from benchmarks.chaos.world import Killed, World
from freqtrade_fundhedge.market import floor_to
from freqtrade_fundhedge.sandbox.exchange import Options
from freqtrade_fundhedge.sandbox.numbers import ZERO

SPOT_USDT = Decimal(60_000)
USERS_WORTH = Decimal(500)
MOST_LEFT = {"calm": Decimal("0.001"), "volatile": Decimal("0.01")}
SNIPPET_STEPS = 4


@dataclass(frozen=True)
class Result:
    """What one scenario came to; amounts in USDT.

    Attributes
    ----------
    due : delivered + left, what should have been delivered since the first exit
    left : still due at the end
    taken : swept though it was not due
    missing : what the shorts that stay and `keep_usdt` need more than there is at the end
    at_send : (due before, due after) per sweep
    waits : seconds from an exit to the last transfer after it
    naked : USDT-seconds for which the legs differed
    stream : how the exchange's stream behaved
    outcome, slack : what has to be the same whatever the stream does
    """

    klass: str
    seed: int
    due: Decimal = ZERO
    left: Decimal = ZERO
    taken: Decimal = ZERO
    missing: Decimal = ZERO
    at_send: tuple[tuple[Decimal, Decimal], ...] = ()
    doubled_transfers: int = 0
    doubled_orders: int = 0
    liquidated: bool = False
    requests: int = 0
    waits: tuple[float, ...] = ()
    violations: tuple[str, ...] = ()
    naked: Decimal = ZERO
    stream: str = "none"
    outcome: Outcome | None = None
    slack: Slack | None = None

    @property
    def delivered(self) -> Decimal:
        """What of `due` has arrived."""
        return self.due - self.left


class Play:
    """The stage of one scenario: a fresh exchange, Freqtrade's part, the judge."""

    def __init__(self, world: World, plan: Scenario, strict: bool) -> None:
        self.world, self.plan = world, plan
        options = Options(spot_usdt=SPOT_USDT, coins=COINS)
        world.reset(options, plan.start_s, plan.latency_s, plan.dice)
        self.freqtrade = Freqtrade(world.exchange, plan.cross, self.before_fill)
        self.judge = Judge(world.exchange, self.freqtrade, plan, strict)
        world.exchange.transfers.lag_ms = int(plan.lag_s * 1000)
        world.watch = self.judge.look
        self.waits: list[float] = []
        self.shorts = [short for short in (plan.stays, plan.first) if short is not None]
        for short in self.shorts:
            spot = self.freqtrade.planned(short).market.coin.spot
            if spot is not None:
                price = world.exchange.markets.worth(spot.base)
                self.judge.give_user(spot.base, (USERS_WORTH / price).quantize(spot.step))
        if not plan.fund_entries:
            margins = sum((s.notional / s.leverage for s in self.shorts), ZERO)
            # Cross shorts need their stress buffer from the user's own too: nothing is topped up.
            need = (margins * Decimal("1.05")).quantize(Decimal("0.01"))
            world.exchange.deposit("futures", "USDT", plan.own_float + need)

    def before_fill(self) -> None:
        """A position changes next."""
        self.judge.note_gaps()
        self.world.before_fill()

    def exit(self, trade: Trade, item: Exit, parts: int = 1, between: Between = nothing) -> float:
        """Freqtrade closes; the time of it."""
        if item.rise_s and self.plan.stays is not None:
            self.freqtrade.rise(self.freqtrade.trades[0], item.rise_s)
            self.world.clock.forward(item.lead_s)
        if trade.quantity > 0:
            self.freqtrade.close(trade, item.share, parts, between)
        return self.world.clock.seconds()

    def waited(self, since: float) -> None:
        """Note how long delivery took, if anything was delivered."""
        if self.judge.last_sweep > since:
            self.waits.append(self.judge.last_sweep - since)

    def result(self, requests: int) -> Result:
        """Sum up."""
        judge, still_due = self.judge, self.judge.due()
        still_due = min(still_due, max(ZERO, still_due - judge.paid()))
        return Result(
            klass=self.plan.klass,
            seed=self.plan.seed,
            due=max(ZERO, judge.delivered() + still_due),
            left=max(ZERO, still_due),
            taken=judge.taken,
            missing=judge.missing(),
            at_send=tuple(judge.at_send),
            doubled_transfers=judge.doubled_transfers,
            doubled_orders=judge.doubled_orders,
            liquidated=self.freqtrade.liquidated(),
            requests=requests,
            waits=tuple(self.waits),
            naked=judge.naked,
        )


def play_ours(world: World, plan: Scenario, template: Path, alter: Alter = as_it_is, stream: str = "prompt") -> Result:
    """Our treasury through one scenario, entry included."""
    play = Play(world, plan, strict=True)
    bot = Bot(world, plan, play.judge, play.freqtrade, template, alter, stream)
    try:
        return replace(_ours(play, bot), stream=stream)
    finally:
        world.death.lives = world.hear = None
        bot.close()


def _ours(play: Play, bot: Bot) -> Result:
    world, plan, judge = play.world, play.plan, play.judge
    world.behind_s = plan.behind_s
    bot.chaos(plan.entry_rules, plan.entry_deaths)
    if plan.entered:
        _fund(play)
    for short in play.shorts if not plan.entered else ():
        if not bot.enter(play.freqtrade.planned(short)):
            why = f"{short.pair} could not be entered: {bot.controller.trouble}"
            return replace(play.result(world.requests), violations=(why,))
    trouble = bot.until_quiet()
    judge.begin()
    before = world.requests
    for item in plan.exits:
        bot.chaos(item.rules, item.deaths)
        since = play.exit(play.freqtrade.trades[-1], item, plan.parts, bot.between)
        bot.after_exit(play.freqtrade.trades[-1], item)
        if item is plan.exits[-1]:
            trouble = bot.until_quiet() or trouble
        play.waited(since)
    bot.hear_all()
    trouble = bot.until_quiet() or trouble
    result = play.result(world.requests - before)
    violations = [*judge.notes, *judge.faults(), *_shortfalls(result), *([trouble] if trouble else [])]
    if bot.journal is None:
        raise RuntimeError("the bot has no journal")
    end = outcome(world.exchange, bot.journal, judge.users)
    allowed = slack(world.exchange, judge, plan)
    return replace(result, violations=tuple(violations), outcome=end, slack=allowed)


def _shortfalls(result: Result) -> list[str]:
    found = []
    if result.left >= MIN_USDT:
        found.append(f"{result.left:.4f} of {result.due:.4f} USDT not delivered")
    most = MOST_LEFT.get(result.klass, Decimal(1))
    if result.due >= MANY and result.left / result.due > most:
        found.append(f"{result.left / result.due:.3%} left behind")
    if result.missing >= MIN_USDT:
        found.append(f"{result.missing:.4f} USDT missing in the futures wallet")
    return found


def play_snippet(world: World, plan: Scenario) -> Result:
    """The snippet through the exits of one scenario; margins are in place when it starts."""
    play = Play(world, plan, strict=False)
    judge, exchange = play.judge, world.exchange
    _fund(play)
    judge.begin()
    for number, item in enumerate(plan.exits):
        since = play.exit(play.freqtrade.trades[-1], item)
        for rule in item.rules:
            world.sandbox.desk.faults.add(**rule)
        world.death.lives = int(item.deaths[0] * SNIPPET_STEPS) if item.deaths else None
        judge.intent = f"exit {number}"
        with suppress(Killed):
            snippet.sweep(world.api, world.clock.forward)
        world.death.lives = None
        play.waited(since)
        world.clock.forward(item.loops * plan.loop_s)
        exchange.advance()
    world.sandbox.desk.faults.clear()
    world.clock.forward(60)
    exchange.advance()
    return play.result(world.requests)


def _fund(play: Play) -> None:
    """Freqtrade has opened the shorts before anybody looked; beside them lies what our treasury would leave there."""
    exchange = play.world.exchange
    if play.plan.fund_entries:
        exchange.deposit("futures", "USDT", SPOT_USDT)
    for short in play.shorts:
        play.freqtrade.open(play.freqtrade.planned(short))
    if play.plan.fund_entries:
        exchange.deposit("futures", "USDT", -floor_to(play.judge.due(), Decimal("0.01")))
