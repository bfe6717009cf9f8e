"""A small transfer to futures and back: the proof that key, wallets and history do what sweeps depend on.

The journalled path of the bot's own transfers, one attempt in each direction. Whoever calls holds the journal's lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.core.checks import Finding, fail, ok
from freqtrade_fundhedge.core.intents import UNIQUE_ROOM, State
from freqtrade_fundhedge.errors import OutcomeUnknown, VenueError, in_words
from freqtrade_fundhedge.journal_rows import TransferRow
from freqtrade_fundhedge.trail_text import name_of
from freqtrade_fundhedge.treasurer import Treasurer
from freqtrade_fundhedge.venue.port import ZERO, Direction

TOPIC: Final = "transfer"
AMOUNT: Final = Decimal(1)
WHY: Final = "transfer test"
LOOKUPS: Final = 5
BETWEEN_S: Final = 2.0


@dataclass(frozen=True)
class _Leg:
    """One direction; `amount` is what arrived, 0 when it did not."""

    amount: Decimal
    seconds: float
    trouble: str = ""


def round_trip(ctx: Context) -> Finding:
    """Move 1 USDT from spot to futures and back, each once.

    Raises
    ------
    VenueError, JournalError : before anything was sent
    """
    treasurer = Treasurer(ctx)
    with ctx.turn():
        if waiting := _unresolved(ctx, treasurer):
            text = f"{name_of(waiting[0])} has no known outcome yet, so nothing else may move"
            return fail(TOPIC, text, "start the bot: it looks it up until it is known")
        if ctx.venue.spot_balances().get(ctx.stake, ZERO) < AMOUNT + UNIQUE_ROOM:
            return fail(TOPIC, f"less than 1 {ctx.stake} is free on spot", f"bring {ctx.stake} to spot")
        there = _leg(ctx, treasurer, Direction.TOP_UP, AMOUNT + UNIQUE_ROOM)
        if there.trouble:
            return fail(TOPIC, *_advice(ctx, there.trouble, Direction.TOP_UP))
        back = _leg(ctx, treasurer, Direction.SWEEP, there.amount)
    if back.trouble:
        return fail(TOPIC, *_advice(ctx, back.trouble, Direction.SWEEP))
    went = f"{there.amount.normalize():f} {ctx.stake} to futures in {there.seconds:.1f} s"
    return ok(TOPIC, f"{went}, {back.amount.normalize():f} back in {back.seconds:.1f} s")


def _unresolved(ctx: Context, treasurer: Treasurer) -> Sequence[TransferRow]:
    return [row for row in ctx.journal.open_transfers() if not treasurer.resolve(row)]


def _leg(ctx: Context, treasurer: Treasurer, direction: Direction, amount: Decimal) -> _Leg:
    began, known = ctx.clock(), {row.intent_id for row in ctx.journal.open_transfers()}
    try:
        account = ctx.venue.futures_account()
        if direction is Direction.SWEEP:
            amount = min(amount, account.withdrawable)
        row = treasurer.send_once(direction, amount, account, WHY)
    except OutcomeUnknown as error:
        lost = [row for row in ctx.journal.open_transfers() if row.intent_id not in known]
        if not lost:
            return _Leg(ZERO, 0.0, in_words(str(error)))
        row = _looked_up(ctx, treasurer, lost[0])
    except VenueError as error:
        return _Leg(ZERO, 0.0, in_words(str(error)))
    seconds = ctx.clock() - began
    if row.state is State.DONE:
        return _Leg(row.amount, seconds)
    what = "outcome not known" if row.state is State.UNKNOWN else str(row.state)
    return _Leg(ZERO, seconds, f"{name_of(row)}: {what}: {in_words(row.answer)}")


def _looked_up(ctx: Context, treasurer: Treasurer, row: TransferRow) -> TransferRow:
    """A few looks for what became of it; the bot goes on with those that it takes."""
    for _ in range(LOOKUPS):
        ctx.sleep(BETWEEN_S)
        try:
            if treasurer.resolve(ctx.journal.transfer_row(row.intent_id)):
                break
        except VenueError:
            continue
    return ctx.journal.transfer_row(row.intent_id)


def _advice(ctx: Context, trouble: str, direction: Direction) -> tuple[str, str]:
    if ctx.journal.open_transfers():
        return trouble, "start the bot: it looks it up until it is known, and sends nothing again"
    if direction is Direction.SWEEP:
        return f"1 {ctx.stake} went to futures and did not come back: {trouble}", "transfer it back by hand"
    return trouble, "nothing has moved; see what the exchange says"
