"""Changes of isolated positions' margin: journalled before they are sent, sent once, looked up when unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from freqtrade_fundhedge.context import Context, logger
from freqtrade_fundhedge.core.intents import Move, State, unique_amount
from freqtrade_fundhedge.core.outcome import INTERRUPTED, by_records
from freqtrade_fundhedge.core.treasury import reduced
from freqtrade_fundhedge.errors import BackOff, Insufficient, NotSent, OutcomeUnknown, Rejected
from freqtrade_fundhedge.journal_rows import MarginRow, epoch
from freqtrade_fundhedge.messages import REMEDY
from freqtrade_fundhedge.pauses import Pauses
from freqtrade_fundhedge.schema import margin_changes
from freqtrade_fundhedge.trail_text import margin_name
from freqtrade_fundhedge.venue.port import ZERO, Evidence, FuturesAccount, MarginKind, Position

# As for transfers: how late the history may be is not documented.
ABSENT_AFTER_S = 120.0
CLOCK_SLACK_S = 5.0
REFUSALS_IN_A_ROW = 3
EPISODE_S = 600.0
"""After so long without a step the next one is news again."""

Wish = Callable[[FuturesAccount], tuple[Decimal, dict[str, str]]]


@dataclass
class MarginDesk:
    """Acts on one position at a time.

    Attributes
    ----------
    changed : pairs whose liquidation price is another one since somebody emptied this set
    """

    ctx: Context
    changed: set[str] = field(init=False)
    _told: dict[tuple[str, str], float] = field(default_factory=dict)
    _pauses: Pauses = field(default_factory=lambda: Pauses(REFUSALS_IN_A_ROW))

    def __post_init__(self) -> None:
        # Freqtrade may have been stopped before it read the liquidation prices that these changes have made.
        self.changed = {row.pair for row in self.ctx.journal.recent(MarginRow)}

    def change(self, account: FuturesAccount, pair: str, kind: MarginKind, wish: Wish) -> FuturesAccount:
        """One change, up to `max_attempts` intents, each smaller and after a refusal that proves that nothing moved.

        Parameters
        ----------
        wish : the amount that an account calls for, and the figures behind it

        Returns
        -------
        the account as it must be afterwards

        Raises
        ------
        OutcomeUnknown, NotSent, BackOff : the exchange is not in a state to be asked for more
        """
        ctx = self.ctx
        waiting = self.waiting()
        if not ctx.venue.margin_step or pair in waiting or self._pauses.resting(f"{kind} {pair}", ctx.clock()):
            return account
        for attempt in range(ctx.settings.transfer.max_attempts):
            if attempt:
                account = ctx.venue.futures_account()
            wanted, figures = wish(account)
            # How much may be taken out is the exchange's secret; what may be added is what there is.
            ceiling = reduced(account.withdrawable, wanted, attempt) if kind is MarginKind.ADD else wanted / 2**attempt
            if ceiling < ctx.settings.transfer.min_usdt:
                return account
            position = next(p for p in account.positions if p.pair == pair)
            outcome, amount = self._send(position, kind, ceiling, figures)
            if outcome is Move.ACCEPT:
                return _after(account, position, amount if kind is MarginKind.ADD else -amount)
            if outcome is not Move.REDUCE:
                break
        self._pauses.failed(f"{kind} {pair}", ctx.clock())
        return account

    def waiting(self) -> frozenset[str]:
        """Pairs with a change whose outcome is not known."""
        return frozenset(row.pair for row in self.ctx.journal.open_margins())

    def held_up(self) -> frozenset[str]:
        """Pairs that can't get margin now: a change is not settled, or several have just been refused."""
        return self.waiting() | self._pauses.all_resting(f"{MarginKind.ADD} ", self.ctx.clock())

    def _send(
        self, position: Position, kind: MarginKind, ceiling: Decimal, figures: dict[str, str]
    ) -> tuple[Move, Decimal]:
        """Write the intent, send once, write the outcome; anything but an answer is raised."""
        ctx, journal = self.ctx, self.ctx.journal
        row = journal.begin_margin(position, kind, ceiling, figures, ctx.clock())
        amount = unique_amount(ceiling, ctx.venue.margin_step, row.serial)
        row = journal.send_margin(row.intent_id, amount, ctx.clock())
        try:
            ctx.venue.change_margin(row.pair, kind, amount)
        except OutcomeUnknown as error:
            journal.margin_moved(row.intent_id, Move.LOSE, str(error), ctx.clock())
            ctx.record("margin_unknown", f"{margin_name(row)}: the answer was lost; looking it up", pair=row.pair)
            raise
        except NotSent as error:
            journal.margin_moved(row.intent_id, Move.PROVE_ABSENT, str(error), ctx.clock())
            raise
        except Rejected as error:
            journal.margin_moved(row.intent_id, Move.REFUSE, str(error), ctx.clock())
            logger.warning("%s refused: %s", margin_name(row), error)
            if isinstance(error, BackOff):
                raise
            return (Move.REDUCE if isinstance(error, Insufficient) else Move.REFUSE), ZERO
        self.conclude(row, Move.ACCEPT, "accepted")
        return Move.ACCEPT, amount

    def step(self, kind: str, pair: str, text: str, arithmetic: Mapping[str, str], **data: Any) -> None:
        """Record a step; an exit that is asked for in each loop, and the user's phone, get it once an episode."""
        now = self.ctx.clock()
        fresh = now - self._told.get((kind, pair), float("-inf")) > EPISODE_S
        self._told[kind, pair] = now
        if fresh or kind != "exit_asked":
            self.ctx.record(kind, text, tell=fresh, pair=pair, arithmetic=dict(arithmetic), **data)

    # --- settling what is unknown

    def resolve(self, account: FuturesAccount) -> bool:
        """Settle changes without a known outcome from the exchange's evidence. True when none is left."""
        settled = [self._resolve(row, account) for row in self.ctx.journal.open_margins()]
        return all(settled)

    def _resolve(self, row: MarginRow, account: FuturesAccount) -> bool:
        ctx, journal = self.ctx, self.ctx.journal
        if row.state is State.PLANNED:
            journal.margin_moved(row.intent_id, Move.GIVE_UP, "stopped before it was sent", ctx.clock())
            return True
        if row.state is State.SENT:
            row = journal.margin_moved(row.intent_id, Move.LOSE, INTERRUPTED, ctx.clock())
        since = epoch(row.sent_at) - CLOCK_SLACK_S
        listed = ctx.venue.margin_history(row.pair, row.kind, since)
        seen = any(record.amount == row.amount and record.at >= since for record in listed)
        lookups = 0 if seen else journal.not_seen(margin_changes, row.intent_id)
        evidence = Evidence.APPLIED if seen else Evidence.NOT_SEEN
        move = by_records(evidence, lookups, ctx.clock() - epoch(row.sent_at), ABSENT_AFTER_S)
        if move is None or (move is Move.PROVE_ABSENT and not _unmoved(row, account)):
            ctx.once(f"change {row.intent_id}", f"{margin_name(row)}: outcome not known yet; {REMEDY}")
            return False
        absent = f"not in the history in {lookups} lookups, and the position's margin has not moved"
        self.conclude(row, move, "found in the history" if seen else absent)
        return True

    def conclude(self, row: MarginRow, move: Move, answer: str) -> None:
        """Write the outcome of a change of margin."""
        self.ctx.journal.margin_moved(row.intent_id, move, answer, self.ctx.clock())
        self.ctx.settled(f"change {row.intent_id}")
        if move not in (Move.ACCEPT, Move.FIND):
            return
        self._pauses.worked(f"{row.kind} {row.pair}")
        self.changed.add(row.pair)
        kind = "margin_added" if row.kind is MarginKind.ADD else "margin_taken_back"
        self.step(
            kind, row.pair, f"{margin_name(row)} done", row.arithmetic, intent=row.intent_id, amount=str(row.amount)
        )


def _after(account: FuturesAccount, position: Position, change: Decimal) -> FuturesAccount:
    """The wallet and the position as they must be now, without asking again."""
    grown = replace(position, isolated_margin=(position.isolated_margin or ZERO) + change)
    return replace(
        account,
        free=max(ZERO, account.free - change),
        withdrawable=max(ZERO, account.withdrawable - change),
        positions=tuple(grown if p.pair == position.pair else p for p in account.positions),
    )


def _unmoved(row: MarginRow, account: FuturesAccount) -> bool:
    """Second witness: the position's margin is what it would be without the change, and not what it would be with it.

    A reduction in between took its share of the margin, before or after the change. With the position gone, so is all
    of its margin, and the history alone has to do.
    """
    position = next((p for p in account.positions if p.pair == row.pair), None)
    if position is None:
        return True
    margin, part = position.isolated_margin or ZERO, position.quantity / row.quantity_before
    if part > 1:
        return False
    change = row.amount if row.kind is MarginKind.ADD else -row.amount
    slack = row.amount * part / 4
    without = row.margin_before * part
    return abs(margin - without) <= slack and all(
        abs(margin - applied) > slack for applied in (without + change, without + change * part)
    )
