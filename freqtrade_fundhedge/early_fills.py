"""Fills as the exchange tells them, before Freqtrade has heard: whose they are, and their hedge at once.

Only speed is at stake here: what is told twice, late, out of order or never changes nothing, for the loop compares both
legs with the exchange's own position. An order is ours when Freqtrade's trade has it, when an entry was just allowed
that it fits, or when it reduces the one short that we hedge in its pair; anything else is left to the loop.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.core.early import ahead
from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.journal_closes import CLOCK_SLACK_S, EARLY
from freqtrade_fundhedge.journal_rows import HedgeRow, epoch
from freqtrade_fundhedge.orphans import ABSENT_AFTER_S, fits
from freqtrade_fundhedge.positions import BEHIND_S
from freqtrade_fundhedge.spot_leg import SpotLeg
from freqtrade_fundhedge.venue.port import ZERO, FuturesAccount, OrderFill, Side

OWNERS_KEPT = 5000
Owner = tuple[int, float]
Key = tuple[str, str]
"""Pair and order id: the exchange counts orders per symbol."""


@dataclass
class EarlyFills:
    """Remembers whose orders are whose, and how far each is filled. Everything but `inbox` under the controller's lock.

    Attributes
    ----------
    prefix : with which the client ids of Freqtrade's orders begin
    inbox : filled by any thread
    ready : a loop has told what Freqtrade knows
    heard : how many fills were news so far
    """

    ctx: Context
    spot: SpotLeg
    prefix: str = ""
    inbox: deque[OrderFill] = field(default_factory=deque)
    ready: bool = False
    heard: int = 0
    _legs: dict[str, ShortLeg] = field(default_factory=dict)
    _shared: frozenset[str] = frozenset()
    _owners: dict[Key, Owner] = field(default_factory=dict)
    _fills: dict[Key, OrderFill] = field(default_factory=dict)
    _due: dict[str, OrderFill] = field(default_factory=dict)

    # --- what Freqtrade knows

    def told_all(self, legs: Sequence[ShortLeg], account: FuturesAccount | None) -> Sequence[ShortLeg]:
        """Freqtrade's trades as a loop found them, with the exchange's positions if they were read.

        Returns
        -------
        the same as they are by what the exchange has told: lately, or ever where nobody has read the positions
        """
        is_open = [leg for leg in legs if leg.is_open]
        self._legs = {leg.pair: leg for leg in is_open}
        if account is not None:
            trades = Counter(leg.pair for leg in is_open)
            # Where somebody else is short too, a purchase may be theirs.
            more = {leg.pair for leg in is_open if account.short(leg.pair) > leg.reachable}
            self._shared = frozenset(more | {pair for pair, count in trades.items() if count > 1})
        for leg in legs:
            self._own(leg)
        self._forget()
        self.ready = True
        since = self.ctx.clock() - BEHIND_S if account is not None else 0.0
        lately = any(fill.at >= since for fill in self._fills.values())
        return [self.overlay(leg, since) for leg in legs] if lately else legs

    def told(self, leg: ShortLeg) -> ShortLeg:
        """One trade as a callback found it; returns it as the exchange has it by now."""
        if leg.is_open:
            self._legs[leg.pair] = leg
        elif self._legs.get(leg.pair, leg).trade_id == leg.trade_id:
            self._legs.pop(leg.pair, None)
        self._own(leg)
        return self.overlay(leg)

    def overlay(self, leg: ShortLeg, since: float = 0.0) -> ShortLeg:
        """A leg with the fills that Freqtrade has not heard of."""
        return ahead(leg, [fill for fill in self._of((leg.trade_id, leg.opened_at)) if fill.at >= since])

    def unsure(self, hedge: HedgeRow, account: FuturesAccount | None) -> bool:
        """Whether a hedge without a trade has to wait: nobody has asked, or the trade may be about to appear."""
        young = self.ctx.clock() - epoch(hedge.opened_at) < ABSENT_AFTER_S
        return account is None or (hedge.trade_id == EARLY and young)

    def hedge_row(self, leg: ShortLeg) -> HedgeRow:
        """The hedge of a trade, or of an entry that has none yet."""
        symbol = self.ctx.venue.market(leg.pair).symbol
        return self.ctx.journal.hedge(leg.trade_id, leg.opened_at, leg.pair, symbol)

    def blocked(self) -> set[str]:
        """Hedges that have to wait for the outcome of an order; asked for once trades have taken their hedges over."""
        return {row.hedge_id for row in self.ctx.journal.open_orders()}

    # --- what the exchange tells

    def drain(self) -> str:
        """Balance the hedges of all fills that have come in; no trouble ("") if nothing is raised.

        Not between a read of the account and what is made of it: the fill would be missing there.
        """
        while self.inbox or self._due:
            while self.inbox:
                fill = self.inbox.popleft()
                if self._is_news(fill):
                    self._due[fill.pair] = fill
            many = None if self.ctx.venue.concurrent else 1
            due = {pair: self._due.pop(pair) for pair in list(self._due)[:many]}
            legs = [leg for fill in due.values() if (leg := self._leg(fill)) is not None]
            self._balance(legs, due)
        return ""

    def _is_news(self, fill: OrderFill) -> bool:
        owner = self._owners.get(_key(fill)) or self._owner(fill)
        if owner is None:
            return False
        self._owners[_key(fill)] = owner
        known, leg = self._fills.get(_key(fill)), self._legs.get(fill.pair)
        heard = leg.heard.get(fill.order_id, ZERO) if leg is not None else ZERO
        if fill.filled <= max(heard, known.filled if known is not None else ZERO):
            return False
        self._fills[_key(fill)] = fill
        self.heard += 1
        return True

    def _owner(self, fill: OrderFill) -> Owner | None:
        """Whose an order is that no trade has yet."""
        if not fill.client_id.startswith(self.prefix):
            return None
        if fill.sells:
            allowance = self.ctx.journal.allowance(fill.pair)
            if fill.reduce_only or allowance is None or not fits(fill.quantity, fill.at, allowance):
                return None
            return EARLY, allowance.at
        leg = self._legs.get(fill.pair)
        if leg is None or not fill.reduce_only or fill.pair in self._shared or fill.quantity > leg.reachable:
            return None
        return (leg.trade_id, leg.opened_at) if fill.at >= leg.opened_at - CLOCK_SLACK_S else None

    def _leg(self, fill: OrderFill) -> ShortLeg | None:
        owner = self._owners[_key(fill)]
        if owner[0] == EARLY:
            # As it is now: once a trade has answered for the entry, nothing more is bought in the entry's own name.
            allowance = self.ctx.journal.allowance(fill.pair)
            if allowance is None or allowance.at != owner[1]:
                return None
            filled = min(sum((f.filled for f in self._of(owner)), ZERO), allowance.quantity)
            return ShortLeg(EARLY, fill.pair, allowance.at, filled, filled, True)
        leg = self._legs.get(fill.pair)
        return self.overlay(leg) if leg is not None and (leg.trade_id, leg.opened_at) == owner else None

    def _balance(self, legs: Sequence[ShortLeg], due: Mapping[str, OrderFill]) -> None:
        for leg in legs:
            self.spot.expect(leg.pair, due[leg.pair].price)
        # Only its own way: where news are late, a loop has gone further already.
        sent = self.spot.at_once(legs, {pair: Side.BUY if fill.sells else Side.SELL for pair, fill in due.items()})
        for leg in legs:
            hedge = self.hedge_row(leg) if sent[leg.pair] else None
            if hedge is not None and hedge.state != "closed" and hedge.id not in self.blocked():
                self.spot.step(hedge, leg, None, sent[leg.pair])

    # --- memory

    def _own(self, leg: ShortLeg) -> None:
        for order_id in leg.heard:
            self._owners[leg.pair, order_id] = leg.trade_id, leg.opened_at

    def _of(self, owner: Owner) -> list[OrderFill]:
        return [fill for key, fill in self._fills.items() if self._owners.get(key) == owner]

    def _forget(self) -> None:
        """Drop fills of trades that are over; whose an order was stays known: late news has no other owner."""
        alive = {(leg.trade_id, leg.opened_at) for leg in self._legs.values()}
        recent = self.ctx.clock() - 2 * ABSENT_AFTER_S
        for key in list(self._fills):
            owner = self._owners.get(key)
            if owner not in alive and not (owner is not None and owner[0] == EARLY and owner[1] > recent):
                del self._fills[key]
        for key in list(self._owners)[: max(0, len(self._owners) - OWNERS_KEPT)]:
            del self._owners[key]


def _key(fill: OrderFill) -> Key:
    return fill.pair, fill.order_id
