"""The one entry whose margin is being fetched, and when it comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from freqtrade_fundhedge.context import Context, logger
from freqtrade_fundhedge.core.entry import EntryPlan
from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.core.treasury import Rules, least_free
from freqtrade_fundhedge.venue.port import FuturesAccount

IDLE_LOOPS = 2
# Loops that an entry has, first to get its margin and then to be made, before others go first.
PATIENT_ASKS = 12
PASSED_OVER_S = 60.0


@dataclass
class EntryPlans:
    """At most one plan at a time: margin moves for exactly the entry that is next.

    A pair whose margin was fetched in vain gets none again until its next candle; one that could not be funded lets
    others go first for a minute.
    """

    ctx: Context
    rules: Callable[[], Rules]
    plan: EntryPlan | None = None
    _not_before: dict[str, float] = field(default_factory=dict)
    _funded: bool = False
    _idle_loops: int = 0
    _asked: int = 0

    def open_to(self, pair: str) -> bool:
        """Whether a plan for `pair` can be made or is there: nobody else's margin is on its way."""
        if self.plan is not None:
            return self.plan.pair == pair
        return self._not_before.get(pair, 0.0) <= self.ctx.clock()

    def asked_for(self, pair: str) -> None:
        """The signal of this pair is still there."""
        if self.plan is not None and self.plan.pair == pair:
            self._idle_loops = 0

    def keep(self, plan: EntryPlan) -> None:
        """It comes next: its margin is fetched, and stays."""
        if self.plan is None and self.open_to(plan.pair):
            self.plan = plan
            self._funded, self._idle_loops, self._asked = False, 0, 0

    def ready(self, plan: EntryPlan, account: FuturesAccount) -> bool:
        """Whether its margin is there, beside what open shorts need. If not, the next loop fetches it."""
        self.keep(plan)
        if self.plan is None or self.plan.pair != plan.pair:
            return False
        self._asked += 1
        if self._asked > PATIENT_ASKS:
            self.give_up(plan.pair)
            return False
        return account.free >= least_free(account, self.rules(), self.plan.margin)

    def funded(self) -> None:
        """Its margin was fetched."""
        self._funded, self._asked = True, 0

    def give_up(self, pair: str) -> None:
        """It could not be funded, or was not made: its margin goes home, and others have their turn."""
        if self.plan is None or self.plan.pair != pair:
            return
        plan, self.plan = self.plan, None
        self._not_before[pair] = plan.expires_at if self._funded else self.ctx.clock() + PASSED_OVER_S

    def pass_over(self, pair: str) -> None:
        """It does not fit: others first for a minute."""
        self._not_before[pair] = self.ctx.clock() + PASSED_OVER_S

    def drop_stale(self, legs: Sequence[ShortLeg]) -> None:
        """Once a loop: forget a plan that was carried out, has expired, or that nobody asks for any more."""
        now = self.ctx.clock()
        self._not_before = {pair: until for pair, until in self._not_before.items() if until > now}
        if self.plan is None:
            return
        self._idle_loops += 1
        if any(leg.pair == self.plan.pair and leg.is_open for leg in legs) or now >= self.plan.expires_at:
            self.plan = None
        elif self._idle_loops > IDLE_LOOPS:
            # A signal that is gone, a full house, a locked pair or /stopentry.
            if self._funded:
                self._not_before[self.plan.pair] = self.plan.expires_at
            self.plan = None

    def refused(self, pair: str, why: str) -> None:
        """Something other than margin stands against the planned entry."""
        if self.plan is not None and self.plan.pair == pair:
            logger.info("%s: not entered: %s", pair, why)
            self.give_up(pair)

    def carried_out(self, pair: str) -> None:
        """Its short has been filled."""
        if self.plan is not None and self.plan.pair == pair:
            self.plan = None
