"""Acts on `core.guard`: adds margin to isolated shorts, takes it back, and asks Freqtrade to shrink or close.

A change of margin is money in motion: written before it is sent, sent once, and looked up when its answer is lost.
What reduces risk never waits for that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from freqtrade_fundhedge.context import Context, logger
from freqtrade_fundhedge.core import guard as core
from freqtrade_fundhedge.core.margin import Stress, liquidation_distances, same_for_all, stands
from freqtrade_fundhedge.core.treasury import Movement, Needs
from freqtrade_fundhedge.errors import JournalError, VenueError
from freqtrade_fundhedge.journal_rows import HedgeRow
from freqtrade_fundhedge.margin_desk import MarginDesk, Wish
from freqtrade_fundhedge.venue.perpetuals import FundingQuote
from freqtrade_fundhedge.venue.port import ZERO, Direction, FuturesAccount, MarginKind, Position

Rule = Callable[[FuturesAccount, Mapping[str, core.Grid], core.Limits], dict[str, Decimal]]
PLENTY = Decimal(10) ** 18
OTHER_COSTS = Decimal("0.002")


@dataclass
class Guard:
    """Watches every short of ours, and knows what Freqtrade still has to be asked for.

    Attributes
    ----------
    moves : stress by pair from its volatility; only counts with `stress_move: auto`
    shrinks : perpetual base units that Freqtrade should buy back, by pair
    leaves : pairs whose short should close
    """

    ctx: Context
    moves: Mapping[str, Decimal] = field(default_factory=dict)
    payments: Mapping[str, Decimal] = field(default_factory=dict)
    shrinks: dict[str, Decimal] = field(default_factory=dict)
    leaves: frozenset[str] = frozenset()
    _low: dict[str, Decimal] = field(default_factory=dict)
    _stuck: set[str] = field(default_factory=set)
    _judged: FuturesAccount | None = None
    _hedges: Sequence[HedgeRow] = ()
    _grids: Mapping[str, core.Grid] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.desk = MarginDesk(self.ctx)

    # --- what it goes by

    @property
    def enabled(self) -> bool:
        """Off, it only tells; so it does in a dry-run, whose positions have no price."""
        return self.ctx.settings.margin.guard and self.ctx.venue.values_positions

    def learn(self, funding: Mapping[str, FundingQuote]) -> None:
        """What the next settlement takes from a short; the last quotes that were read."""
        rates = {pair: Decimal(repr(quote.rate)) for pair, quote in funding.items() if quote.rate < 0}
        self.payments = {pair: -rate for pair, rate in rates.items() if rate.is_finite()}

    def stress(self) -> Stress:
        """What shorts have to live through, as the treasury should leave them."""
        limits = self._limits()
        return limits.reach if self.enabled else limits.stress

    def _limits(self) -> core.Limits:
        settings = self.ctx.settings
        fixed = settings.margin.stress_move
        stress = replace(same_for_all(fixed), moves=self.moves if fixed is None else {}, payments=self.payments)
        cost = settings.hedge.max_slippage + OTHER_COSTS
        return core.Limits(settings.margin.min_liquidation_distance, stress, settings.transfer.min_usdt, cost)

    def _own(self, account: FuturesAccount) -> Mapping[str, core.Grid]:
        """Pairs in which we have a hedge; on PostgreSQL other bots' shorts are theirs to guard."""
        if not self.enabled:
            return {}
        hedges = self.ctx.journal.unsettled()
        if account is not self._judged or hedges != self._hedges:
            pairs = {hedge.pair for hedge in hedges if hedge.state != "closed"}
            ours = (p for p in account.positions if p.is_short and p.pair in pairs and p.quantity)
            self._judged, self._hedges, self._grids = account, hedges, {p.pair: self._grid(p) for p in ours}
        return self._grids

    def _grid(self, position: Position) -> core.Grid:
        market = self.ctx.venue.market(position.pair)
        price = position.notional / position.quantity
        least = max(market.lot, market.min_quantity) / market.multiplier
        if price > 0:
            least = max(least, market.min_notional * Decimal("1.1") / price)
        return core.Grid(least, market.min_notional * 2)

    @property
    def _moves_usdt(self) -> bool:
        settings = self.ctx.settings
        return settings.transfer.enabled and settings.margin.fund_entries and self.ctx.venue.separate_wallets

    # --- looking

    def look(self, account: FuturesAccount) -> bool:
        """Judge without asking the exchange for more. True when a short of ours is below the minimum."""
        own = self._own(account)
        self._tell_of_others(account, own)
        self._judge(account, own, PLENTY)
        return bool(self._low)

    def _judge(self, account: FuturesAccount, own: Mapping[str, core.Grid], spot: Decimal) -> None:
        limits = self._limits()
        endangered = core.low(account, own, limits)
        self._low = {p.pair: stand.distance for stand in endangered for p in stand.shorts if p.pair in own}
        adds = bool(self.ctx.venue.margin_step)
        asks = core.Asks({}, frozenset())
        if endangered:
            free = account.withdrawable if adds else ZERO
            means = core.Means(free, spot, self._moves_usdt, adds, self.desk.held_up())
            asks = core.asks(account, own, means, limits)
        self._stuck &= set(own)
        self.leaves = asks.leave | (self._stuck & set(self._low))
        self.shrinks = {pair: q for pair, q in asks.shrink.items() if pair not in self.leaves}

    def _tell_of_others(self, account: FuturesAccount, own: Mapping[str, core.Grid]) -> None:
        """Call for a person where nobody else acts: without the guard, and for shorts that are not ours."""
        least = self.ctx.settings.margin.min_liquidation_distance
        for pair, distance in liquidation_distances(account).items():
            if distance < least and pair not in own:
                self.ctx.once(f"margin {pair}", f"{pair}: margin is low, less than {least:.0%} to liquidation")
            elif distance > least * 2:
                self.ctx.settled(f"margin {pair}")

    def refusal(self) -> str:
        """Why nothing new may be entered, or ""."""
        if not self._low:
            return ""
        return f"{', '.join(sorted(self._low))}: margin is low, existing shorts come first"

    # --- acting

    def needs(self, account: FuturesAccount) -> Decimal:
        """Free USDT that isolated shorts of ours need now."""
        if not self.ctx.venue.margin_step:
            return ZERO
        return sum(core.missing_margin(account, self._own(account), self._limits()).values(), ZERO)

    def moved(self, movement: Movement, needs: Needs, account: FuturesAccount) -> None:
        """A transfer took effect: cross shorts have another liquidation price; record what was fetched for any."""
        self.desk.changed.update(p.pair for p in account.positions if p.isolated_margin is None)
        for_shorts = Decimal(movement.arithmetic["stress_buffer"]) + needs.guard
        if not self.enabled or movement.direction is Direction.SWEEP or for_shorts <= ZERO or needs.entry_margin:
            return
        distances = liquidation_distances(account)
        nearest = min(distances, key=lambda pair: distances[pair], default="")
        text = f"{movement.amount.normalize():f} {self.ctx.stake} fetched from spot as margin for open shorts"
        figures = {"distance": f"{distances[nearest]:f}"} if nearest else {}
        amount = f"{movement.amount:f}"
        self.desk.step("margin_topped_up", nearest, text, {**movement.arithmetic, **figures}, amount=amount)

    def step(self, account: FuturesAccount) -> FuturesAccount:
        """Add what is missing or take back what is too much, then see what Freqtrade has to do about the rest.

        Raises
        ------
        VenueError : a request failed; what Freqtrade has to do is known all the same
        """
        own = self._own(account)
        if not own:
            self._judge(account, own, ZERO)
            return account
        try:
            account = self._add(account, own)
            if not self._low:
                account = self._take_back(account, own)
        finally:
            self._judge(account, own, self._spot(account, own))
        return account

    def _spot(self, account: FuturesAccount, own: Mapping[str, core.Grid]) -> Decimal:
        """Free USDT on spot, read only if it matters; a balance that can't be read is hoped for, not for long."""
        if not self._moves_usdt or not core.low(account, own, self._limits()):
            return ZERO
        try:
            return self.ctx.venue.spot_balances().get(self.ctx.stake, ZERO)
        except VenueError:
            return PLENTY

    def _add(self, account: FuturesAccount, own: Mapping[str, core.Grid]) -> FuturesAccount:
        for pair in core.missing_margin(account, own, self._limits()):
            account = self.desk.change(account, pair, MarginKind.ADD, self._wish(core.missing_margin, own, pair))
        return account

    def _take_back(self, account: FuturesAccount, own: Mapping[str, core.Grid]) -> FuturesAccount:
        if not self._moves_usdt:
            return account
        for pair in core.excess_margin(account, own, self._limits()):
            account = self.desk.change(account, pair, MarginKind.REDUCE, self._wish(core.excess_margin, own, pair))
        return account

    def _wish(self, rule: Rule, own: Mapping[str, core.Grid], pair: str) -> Wish:
        limits = self._limits()
        return lambda account: (rule(account, own, limits).get(pair, ZERO), self._figures(account, pair))

    # --- what Freqtrade asks

    def shrink_now(self, pair: str) -> Decimal | None:
        """Perpetual base units to buy back; asked for once, until the next look at the account."""
        quantity = self.shrinks.pop(pair, None)
        if quantity is not None:
            text = f"{pair}: margin is low and USDT does not suffice: both legs shrink by {quantity.normalize():.8f}"
            self._ask("shrink_asked", pair, text, {"quantity": f"{quantity:f}"})
        return quantity

    def filled(self, pair: str) -> None:
        """The short is another one now: what was asked for the one before must not be asked for again."""
        self.shrinks.pop(pair, None)

    def leave_now(self, pair: str) -> bool:
        """Whether the short has to close for want of margin."""
        if pair in self.leaves:
            text = f"{pair}: margin is low and nothing else helps: the short is asked to close"
            self._ask("exit_asked", pair, text, {})
        return pair in self.leaves

    def too_small_to_shrink(self, pair: str) -> None:
        """Freqtrade would refuse what would stay: the whole short has to go."""
        self._stuck.add(pair)
        self.leaves |= {pair}

    def _ask(self, kind: str, pair: str, text: str, figures: Mapping[str, str]) -> None:
        distance = self._low.get(pair)
        data = {**figures, **({"distance": f"{distance:f}"} if distance is not None else {})}
        try:
            self.desk.step(kind, pair, text, data)
        except JournalError as error:
            logger.warning("%s (%s)", text, error)  # what reduces risk does not wait for the journal

    def _figures(self, account: FuturesAccount, pair: str) -> dict[str, str]:
        stand = next((s for s in stands(account) if s.shorts[0].pair == pair and s.isolated), None)
        if stand is None:
            return {}  # closed or liquidated while its margin was refused
        position, limits = stand.shorts[0], self._limits()
        figures = {
            "distance": stand.distance,
            "minimum": limits.minimum,
            "notional": position.notional,
            "equity": stand.equity,
            "needed": core.needed(stand, limits),
            "maintenance": position.maintenance_margin,
            "stress_move": limits.reach.move(pair),
            "next_funding": self.payments.get(pair, ZERO),
            "free": account.withdrawable,
        }
        return {name: f"{round(value, 8).normalize():f}" for name, value in figures.items()}
