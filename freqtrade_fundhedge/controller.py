"""converge(): the only place where the parts meet.

Resolve what is unknown; observe -> decide (pure) -> write intent -> send once -> write outcome. On every loop and fill.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from freqtrade_fundhedge.claims import Claims
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.core.entry import EntryPlan
from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.core.treasury import Needs
from freqtrade_fundhedge.early_fills import EarlyFills
from freqtrade_fundhedge.entry_plans import EntryPlans
from freqtrade_fundhedge.errors import EVERYWHERE, ConfigError, JournalError, Rejected, VenueError
from freqtrade_fundhedge.guard import Guard
from freqtrade_fundhedge.journal_rows import HedgeRow
from freqtrade_fundhedge.news import News
from freqtrade_fundhedge.orphans import Orphans
from freqtrade_fundhedge.outside import Outside
from freqtrade_fundhedge.positions import Positions
from freqtrade_fundhedge.preflight import spot_obstacle
from freqtrade_fundhedge.purse import Purse
from freqtrade_fundhedge.settling import doubt, settle
from freqtrade_fundhedge.snapshots import Snapshots
from freqtrade_fundhedge.spot_leg import SpotLeg
from freqtrade_fundhedge.treasurer import Treasurer
from freqtrade_fundhedge.turns import Turns
from freqtrade_fundhedge.venue.perpetuals import FundingQuote
from freqtrade_fundhedge.venue.port import ZERO, Direction, FuturesAccount

LegsOf = Callable[[Sequence[HedgeRow]], Sequence[ShortLeg]]


class Controller(Turns):
    """Keeps both legs equal and USDT where it belongs. Safe to call from several threads."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.spot = SpotLeg(ctx)
        self.early = EarlyFills(ctx, self.spot)
        self.treasurer = Treasurer(ctx)
        self.positions = Positions(ctx)
        self.orphans = Orphans(ctx)
        self.outside = Outside(ctx)
        self.news = News(ctx)
        self.entries = EntryPlans(ctx, self.treasurer.rules)
        self.claims = Claims(ctx, self.spot)
        self.purse = Purse(ctx)
        self.guard = Guard(ctx)
        self.snapshots = Snapshots(ctx)
        self.funding: Mapping[str, FundingQuote] = {}
        self._protecting = False
        ctx.meanwhile = self._fills_first

    @property
    def plan(self) -> EntryPlan | None:
        """The entry whose margin is being fetched or waits for it."""
        return self.entries.plan

    def converge(self, legs_of: LegsOf) -> bool:
        """One loop. True when everything that could be done was done; `trouble` says why not.

        Parameters
        ----------
        legs_of : gives Freqtrade's open shorts and the trades of these hedges, as they are now
        """
        with self.lock:
            return self._guarded(lambda: self._loop(legs_of), loop=True)

    def after_fill(self, leg: ShortLeg, price: Decimal = ZERO) -> bool:
        """A fill was announced, at `price`: balance that hedge at once, and sweep what it freed."""
        with self.lock:
            return self._guarded(lambda: self._one(leg, price))

    def on_fills(self) -> bool:
        """The exchange told of fills itself: balance their hedges at once. They wait for the first loop."""
        with self.lock:
            self.purse.forget()
            return self.early.ready and self._guarded(self._drain, anew=False)

    def _fills_first(self) -> None:
        """Hedge what was told meanwhile before anything that can wait is asked of the exchange."""
        if self.early.inbox and self.early.ready and not self._protecting:
            with self.lock, self.ctx.turn():
                self._turns += 1
                if not self.troubles.quiet():
                    self.early.drain()
                    self.purse.forget()

    def _drain(self) -> str:
        self.early.drain()
        self.ctx.journal.refresh()
        return doubt(self.ctx.journal)

    def _loop(self, legs_of: LegsOf) -> str:
        journal = self.ctx.journal
        self.purse.forget()
        account, heard = self._read_account(), self.early.heard
        self.treasurer.stress = self.guard.stress()
        # A short that is near its liquidation does not wait for anything that may go wrong on spot.
        trouble = self._protect(account) if account is not None and self.guard.look(account) else ""
        account = account and self.account
        self._fills_first()
        if account is not None and self.early.heard != heard:
            account = self._read_account()  # what was read may lack the fill
        self.spot.resolve_all()
        self.purse.forget(account)
        legs = self.early.told_all(legs_of(journal.unsettled()), account)
        refused = self._hedge_all(legs, account)
        if account is None:
            return "the futures wallet could not be read"
        if not [row for row in journal.open_closes() if not self.orphans.resolve(row)]:
            self.orphans.look(legs, account)
        self.claims.look(legs, journal.unsettled())
        self.entries.drop_stale(legs)
        if not trouble:
            self._resolve_and_move(account)
        self._settle()
        self._fills_first()
        hedged = {hedge.pair for hedge in journal.unsettled() if hedge.held > 0}
        self.funding = self.spot.funding = self.outside.look(hedged, self.funding)
        self.snapshots.look(self.account or account, self.funding, self.guard.moves)
        self.guard.learn(self.funding)
        return trouble or refused or doubt(self.ctx.journal)

    def _protect(self, account: FuturesAccount) -> str:
        """Margin first; what fails here must not keep the spot leg waiting. The trouble, "" without one."""
        self._protecting = True
        try:
            self._resolve_and_move(account)
            return ""
        except VenueError as error:
            return self.troubles.of(error)
        finally:
            self._protecting = False

    def _resolve_and_move(self, account: FuturesAccount) -> None:
        try:
            self.guard.desk.resolve(account)
            settled = self.treasurer.resolve_all(account)
        except VenueError:
            self.guard.step(account)
            raise
        self._move_money(account, settled and not self.positions.behind)

    def _one(self, leg: ShortLeg, price: Decimal) -> str:
        self.spot.expect(leg.pair, price)
        self.guard.filled(leg.pair)
        self.spot.resolve_all()
        hedge, real = self.early.hedge_row(leg), self.early.told(leg)
        if hedge.id not in self.early.blocked():
            hedge = self.spot.step(hedge, real, self.positions.last_known(hedge, real))
            self.news.look(hedge, leg, self.funding)
        self.entries.carried_out(leg.pair)
        self.claims.filled(leg, hedge)
        self.purse.forget()
        if (leg.freed > hedge.swept and self.ctx.venue.separate_wallets) or self.guard.refusal():
            self._fills_first()
            account = self._account_now()
            self.purse.forget(account)
            self._resolve_and_move(account)
        self._settle()
        return doubt(self.ctx.journal)

    def _hedge_all(self, legs: Sequence[ShortLeg], account: FuturesAccount | None) -> str:
        """Balance each hedge. What the exchange has against one market is returned, and keeps no other one waiting."""
        by_hedge = {self.early.hedge_row(leg).id: leg for leg in legs}
        blocked, refused = self.early.blocked(), ""
        for hedge in self.ctx.journal.unsettled():
            leg = by_hedge.get(hedge.id)
            if hedge.id in blocked and leg is not None:
                # Its next order waits; what its exits freed meanwhile need not.
                self.spot.note_freed(hedge, leg)
            if hedge.id in blocked or hedge.state == "closed" or (leg is None and self.early.unsure(hedge, account)):
                continue
            try:
                stepped = self.spot.step(hedge, leg, self.positions.on_exchange(hedge, leg, legs, account))
            except Rejected as error:
                if isinstance(error, EVERYWHERE):
                    raise
                refused = refused or self.troubles.of(error)
            else:
                self.news.look(stepped, leg, self.funding)
        return refused

    def _move_money(self, account: FuturesAccount, transfers: bool = True) -> None:
        plan, before = self._fundable_plan(account), account
        freed = sum((hedge.unswept for hedge in self.ctx.journal.unsettled()), ZERO)
        needs = Needs(freed=freed, guard=self.guard.needs(account), spot_claimed=self.claims.total())
        if plan is not None:
            needs = replace(needs, entry_margin=plan.margin, spot_reserved=plan.spot_cost)
        try:
            moved = self.treasurer.step(account, needs) if transfers else None
            if moved is not None:
                account = moved.applied_to(account)
                self.guard.moved(moved, needs, account)
                if moved.direction is Direction.TOP_UP:
                    self.entries.funded()
        finally:
            self.account = self.guard.step(account)
            if self.account is not before:
                self.purse.moved(self.account)

    def _fundable_plan(self, account: FuturesAccount) -> EntryPlan | None:
        """The planned entry, if both legs could be filled now; its margin is fetched only then."""
        plan = self.plan
        if plan is None or self.guard.refusal() or not self.ctx.settings.margin.fund_entries:
            return None
        if account.free < plan.margin and (why := self._refusal(plan.pair, plan.quantity, plan.price)):
            self.entries.refused(plan.pair, why)
        return self.plan

    def _settle(self) -> None:
        self.positions.forget(self.ctx.journal.unsettled())
        settle(self.ctx, self.account)

    # --- entries

    def ready_for(self, plan: EntryPlan) -> bool:
        """Whether Freqtrade may try this entry now. If only margin is missing, it is fetched by the next loop."""
        with self.lock:
            self.entries.asked_for(plan.pair)
            if self.trouble or self.guard.refusal() or not self.funds_entries:
                return not (self.trouble or self.guard.refusal())
            account = self.purse.futures()
            return account is not None and self.entries.ready(plan, account)

    @property
    def funds_entries(self) -> bool:
        """Whether the margin of an entry is fetched from spot."""
        settings = self.ctx.settings
        return settings.margin.fund_entries and settings.transfer.enabled and self.ctx.venue.separate_wallets

    def refusal(self, pair: str, quantity: Decimal, price: Decimal) -> str:
        """Why this entry must not be made now, or "" when both legs can be. Reads the spot balance and book."""
        with self.lock:
            try:
                return self.trouble or self.troubles.quiet() or self._refusal(pair, quantity, price)
            except VenueError as error:
                return self.troubles.of(error)
            except (JournalError, ConfigError) as error:
                return str(error)

    def allow_entry(self, pair: str, quantity: Decimal, price: Decimal) -> str:
        """`refusal`; an entry that may be made is on record before Freqtrade hears of it."""
        with self.lock:
            why = self.refusal(pair, quantity, price)
            try:
                why = why or self.outside.refusal(pair)
                if not why:
                    self.orphans.allow(pair, quantity)
                    self.claims.allow(pair, quantity)
                    self.ctx.journal.allowance(pair)  # read before the order: its fill is waited for
                elif not self.trouble:
                    self.entries.refused(pair, why)
            except VenueError as error:
                return self.troubles.of(error)
            except JournalError as error:
                return str(error)
            return why

    def _refusal(self, pair: str, quantity: Decimal, price: Decimal) -> str:
        if why := doubt(self.ctx.journal) or self.guard.refusal() or self.orphans.refusal(pair):
            return why
        if any(h.pair == pair and h.state != "closed" for h in self.ctx.journal.unsettled()):
            return "an earlier hedge in this pair is not finished"
        return spot_obstacle(self.ctx, self.purse, self.claims, pair, quantity, price)

    def hedge_failed(self, pair: str) -> bool:
        """Whether the short in `pair` has to close because its spot leg could not be completed."""
        with self.lock:
            return pair in self.ctx.journal.failed()

    def close(self) -> None:
        """Wait for work under way in another thread, then let go of the journal."""
        with self.lock:
            self.trouble, self._closed = "the bot is stopping", True
            self.early.ready = False  # a fill that is told late is the next bot's
            self.ctx.journal.close()
