"""Shorts that Freqtrade does not know: an entry of ours whose answer was lost, or somebody's own.

Ours is closed, reduce-only, or reported, as configured; anything else is reported and left alone. Ours it is when an
entry was allowed in that pair, no trade came of it, the exchange lists an order that sold about then and no more than
was allowed, and two account reads in a row show the position. It is ours as well when Freqtrade takes a trade for
closed (it can count one fill twice) whose short was all that the exchange had in the pair, and nothing was sold since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.core.intents import Move, State
from freqtrade_fundhedge.core.outcome import INTERRUPTED, by_records, listed
from freqtrade_fundhedge.errors import NotSent, OutcomeUnknown, Rejected
from freqtrade_fundhedge.journal_closes import CLOCK_SLACK_S, EARLY, ENTRY_ALLOWED, Allowance
from freqtrade_fundhedge.journal_rows import CloseRow, epoch
from freqtrade_fundhedge.messages import REMEDY
from freqtrade_fundhedge.schema import short_closes
from freqtrade_fundhedge.venue.port import ZERO, Evidence, FuturesAccount, Position, ShortEntry

# Twice the time for which Binance would still take a request: see the spot leg.
ABSENT_AFTER_S = 20.0


@dataclass
class Orphans:
    """Looks at positions that no trade of Freqtrade's explains."""

    ctx: Context
    pairs: frozenset[str] = frozenset()
    _before: dict[str, Decimal] = field(default_factory=dict)
    _foreign: dict[str, tuple[Decimal, float]] = field(default_factory=dict)
    _agreed: dict[str, tuple[Decimal, float]] = field(default_factory=dict)

    def allow(self, pair: str, quantity: Decimal) -> None:
        """Record that Freqtrade may send this entry: should its answer be lost, we know the short for ours."""
        text = f"{pair}: entry of {quantity.normalize():f} allowed"
        self.ctx.record(ENTRY_ALLOWED, text, pair=pair, quantity=f"{quantity:f}")

    def refusal(self, pair: str) -> str:
        """Why nothing may be entered in a pair because of these, or ""."""
        if pair in self.pairs:
            return "the exchange has a position in this pair that Freqtrade does not know"
        allowance = self.ctx.journal.allowance(pair)
        if allowance is not None and allowance.quantity > 0 and self.ctx.clock() - allowance.at < ABSENT_AFTER_S:
            return "an earlier entry in this pair may still be under way"
        return ""

    def resolve(self, row: CloseRow) -> bool:
        """Settle a close without a known outcome from the exchange's evidence. True when it is settled."""
        ctx, journal = self.ctx, self.ctx.journal
        if row.state is State.SENT:
            row = journal.close_moved(row.intent_id, Move.LOSE, INTERRUPTED, ctx.clock())
        evidence, filled = ctx.venue.find_close(row.pair, row.intent_id)
        lookups = journal.not_seen(short_closes, row.intent_id) if evidence is Evidence.NOT_SEEN else 0
        move = by_records(evidence, lookups, ctx.clock() - epoch(row.sent_at), ABSENT_AFTER_S)
        if move is None:
            text = f"{row.pair}: outcome of the close of {row.amount:f} is not known yet; {REMEDY}"
            ctx.once(f"close {row.intent_id}", text)
            return False
        self.conclude(row, move, f"filled {filled:f}" if move is Move.FIND else listed(move, lookups), filled)
        return True

    def look(self, legs: Sequence[ShortLeg], account: FuturesAccount) -> None:
        """Compare the exchange's positions with what Freqtrade and the journal know; close at most one a loop."""
        journal = self.ctx.journal
        self._note_agreement(legs, account)
        hedged = {h.pair for h in journal.unsettled() if h.held > 0 and h.trade_id != EARLY}
        known = {leg.pair for leg in legs if leg.is_open} | hedged
        found = [position for position in account.positions if position.pair not in known]
        others = journal.held_by_others() if found else frozenset[str]()
        strangers = [position for position in found if position.pair not in others]
        self.ctx.only("stranger ", {f"stranger {position.pair}" for position in strangers})
        before, self._before = self._before, {position.pair: position.quantity for position in strangers}
        self.pairs = frozenset(self._before)
        for position in strangers:
            if before.get(position.pair) == position.quantity and self._handled(position):
                return

    def _handled(self, position: Position) -> bool:
        """Close it if it is ours and that is wanted, else call for a person. True when something was sent."""
        ours = self._allowance(position)
        if ours is None and self._is_leftover(position):
            if self.ctx.clock() - self._agreed[position.pair][1] < ABSENT_AFTER_S:
                return False  # Freqtrade, or the exchange, may only be late
            ours = self._leftover(position)
        if ours is not None and self.ctx.settings.hedge.orphans == "close":
            return self._close(position, ours)
        whose = "of ours that Freqtrade lost track of" if ours is not None else "that Freqtrade does not know"
        self.ctx.once(
            f"stranger {position.pair}",
            f"{position.pair}: the exchange has a position of {position.quantity:f} {whose}; "
            "no entries in this pair until it is closed",
        )
        return False

    def _allowance(self, position: Position) -> Allowance | None:
        """The allowed entry that the position comes from, None when it is not ours."""
        allowance = self.ctx.journal.allowance(position.pair) if position.is_short else None
        if allowance is None or position.quantity > allowance.quantity:
            return None
        if self._foreign.get(position.pair) == (position.quantity, allowance.at):
            return None
        orders = self.ctx.venue.entries(position.pair, allowance.at - CLOCK_SLACK_S)
        if explains(orders, allowance, position.quantity):
            return allowance
        if self.ctx.clock() - allowance.at > 2 * ABSENT_AFTER_S:
            # The exchange has had time to list the order; asking in each loop would not change its answer.
            self._foreign[position.pair] = position.quantity, allowance.at
        return None

    def _note_agreement(self, legs: Sequence[ShortLeg], account: FuturesAccount) -> None:
        """Remember where the exchange's short was all Freqtrade's: what is left of it later is nobody else's."""
        filled: defaultdict[str, Decimal] = defaultdict(Decimal)
        for leg in legs:
            if leg.is_open:
                filled[leg.pair] += leg.filled
        for pair, quantity in filled.items():
            if account.short(pair) == quantity:
                self._agreed[pair] = quantity, self.ctx.clock()
            elif account.short(pair) > quantity:
                self._agreed.pop(pair, None)
        there = {*filled, *(position.pair for position in account.positions)}
        self._agreed = {pair: known for pair, known in self._agreed.items() if pair in there}

    def _is_leftover(self, position: Position) -> bool:
        known = self._agreed.get(position.pair)
        return position.is_short and known is not None and position.quantity <= known[0]

    def _leftover(self, position: Position) -> Allowance | None:
        """What Freqtrade's closed trade left, under the entry that it came from; None if somebody has sold since."""
        _, at = self._agreed[position.pair]
        if any(order.filled > 0 for order in self.ctx.venue.entries(position.pair, at + CLOCK_SLACK_S)):
            del self._agreed[position.pair]
            return None
        return self.ctx.journal.allowance(position.pair, answered=True)

    def _close(self, position: Position, ours: Allowance) -> bool:
        """Write the intent, send once, write the outcome."""
        ctx, journal = self.ctx, self.ctx.journal
        row = journal.begin_close(position.pair, ours.id, position.quantity, ctx.clock())
        try:
            filled = ctx.venue.close_short(position.pair, position.quantity, row.intent_id)
        except OutcomeUnknown as error:
            journal.close_moved(row.intent_id, Move.LOSE, str(error), ctx.clock())
            raise
        except NotSent as error:
            journal.close_moved(row.intent_id, Move.PROVE_ABSENT, str(error), ctx.clock())
            raise
        except Rejected as error:
            journal.close_moved(row.intent_id, Move.REFUSE, str(error), ctx.clock())
            raise
        self.conclude(row, Move.ACCEPT, f"filled {filled:f}", filled)
        return True

    def conclude(self, row: CloseRow, move: Move, answer: str, filled: Decimal = ZERO) -> None:
        """Write the outcome of a close."""
        self.ctx.journal.close_moved(row.intent_id, move, answer, self.ctx.clock(), filled)
        self.ctx.settled(f"close {row.intent_id}")
        if move not in (Move.ACCEPT, Move.FIND):
            return
        self.ctx.record(
            "orphan_closed",
            f"{row.pair}: {filled:f} bought back of a short of ours that Freqtrade lost track of",
            tell=True, pair=row.pair, intent=row.intent_id,
        )  # fmt: skip


def explains(orders: Sequence[ShortEntry], allowance: Allowance, quantity: Decimal) -> bool:
    """Whether one of the exchange's orders is the allowed entry, and filled at least the position.

    Parameters
    ----------
    orders : that sold the pair lately
    quantity : of the position, perpetual base units, > 0
    """
    return quantity > ZERO and any(o.filled >= quantity for o in orders if fits(o.quantity, o.at, allowance))


def fits(quantity: Decimal, at: float, allowance: Allowance) -> bool:
    """Whether an order of that size and time, in seconds since 1970, may be the allowed entry."""
    first, last = allowance.at - CLOCK_SLACK_S, allowance.at + ABSENT_AFTER_S
    return first <= at <= last and quantity <= allowance.allowed
