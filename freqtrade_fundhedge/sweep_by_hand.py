"""One sweep without the bot: its rules, its journal, its way of sending. Nothing is ever topped up here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.core.margin import WIDEST_MOVE
from freqtrade_fundhedge.core.treasury import Needs, decide, stress_buffer
from freqtrade_fundhedge.errors import VenueError, in_words
from freqtrade_fundhedge.guard import Guard
from freqtrade_fundhedge.journal_rows import TransferRow
from freqtrade_fundhedge.messages import cents, transfer, transferred
from freqtrade_fundhedge.snapshots import moves_of
from freqtrade_fundhedge.treasurer import Treasurer
from freqtrade_fundhedge.venue.port import ZERO, Direction, FuturesAccount


@dataclass(frozen=True)
class Outlook:
    """What a sweep would be now.

    Attributes
    ----------
    figures : the arithmetic, in the stake currency
    amount : to sweep, before the mark that makes it unique; 0 when there is nothing
    why : why there is nothing, else ""
    stress_by : see `ByHand`
    """

    account: FuturesAccount
    needs: Needs
    figures: dict[str, Decimal]
    amount: Decimal
    why: str
    stress_by: str


@dataclass(frozen=True)
class Swept:
    """What was done. `trouble` says what a person has to know, "" when all is well."""

    outlook: Outlook | None = None
    found: Sequence[str] = field(default_factory=list)
    row: TransferRow | None = None
    trouble: str = ""


@dataclass(frozen=True)
class ByHand:
    """The parts of the bot that say what has to stay in the futures wallet, set as the bot has them.

    Attributes
    ----------
    stress_by : what price rises open shorts have to live through, and who says so
    """

    treasurer: Treasurer
    guard: Guard
    stress_by: str


def by_hand(ctx: Context) -> ByHand:
    """Leave what the bot would leave, or more.

    With `stress_move: auto` the bot takes each pair's rise from its candles and writes it down; when it has not done so
    for over an hour, the widest rise counts for every pair.

    Raises
    ------
    VenueError, JournalError : it can't be read
    """
    treasurer, guard, fixed = Treasurer(ctx), Guard(ctx), ctx.settings.margin.stress_move
    guard.learn(ctx.venue.funding())
    moves = moves_of(ctx.journal, ctx.clock()) if fixed is None else {}
    guard.moves = moves or {}
    treasurer.stress = guard.stress()
    if moves is None:
        treasurer.stress = replace(treasurer.stress, otherwise=WIDEST_MOVE)
        return ByHand(treasurer, guard, f"{WIDEST_MOVE:.0%} for every pair: the bot has not told for an hour")
    if fixed is not None:
        return ByHand(treasurer, guard, f"{treasurer.stress.otherwise:.0%} for every pair, by the configuration")
    told = ", ".join(f"{pair.partition('/')[0]} {treasurer.stress.move(pair):.0%}" for pair in sorted(moves))
    return ByHand(treasurer, guard, f"{told or f'{treasurer.stress.otherwise:.0%}'}, as the bot told last")


def outlook(ctx: Context, hand: ByHand) -> Outlook:
    """Read the futures wallet and decide; nothing is sent or written.

    Raises
    ------
    VenueError, JournalError : it can't be read
    """
    account, rules = ctx.venue.futures_account(), hand.treasurer.rules()
    freed = sum((hedge.unswept for hedge in ctx.journal.unsettled()), ZERO)
    needs = Needs(freed=freed, guard=hand.guard.needs(account))
    figures = {
        "wallet": account.wallet,
        "withdrawable": account.withdrawable,
        "stress_buffer": stress_buffer(account, rules),
        "keep": rules.keep,
    }
    if not rules.fund_entries:
        figures["freed"] = freed
    # Without knowing what spot has, a top-up is never decided.
    movement = decide(account, rules, needs)
    amount = movement.amount if movement is not None and movement.direction is Direction.SWEEP else ZERO
    why = "" if amount else _why_not(ctx, account, figures, rules.minimum)
    return Outlook(account, needs, figures, amount, why, hand.stress_by)


def _why_not(ctx: Context, account: FuturesAccount, figures: dict[str, Decimal], minimum: Decimal) -> str:
    wanted = figures["stress_buffer"] + figures["keep"]
    if ctx.settings.margin.fund_entries and account.free < wanted:
        short_of = cents(wanted - account.free).lstrip("+")
        return f"{short_of} {ctx.stake} are missing in the futures wallet: a top-up is the bot's, start it"
    return f"nothing to sweep: less than {minimum.normalize():f} {ctx.stake} can go"


def sweep(ctx: Context) -> Swept:
    """Settle what is unknown, then sweep once. Whoever calls holds the journal's lock.

    Raises
    ------
    VenueError, JournalError : before anything was sent
    """
    hand = by_hand(ctx)
    treasurer = hand.treasurer
    with ctx.turn():
        before = ctx.journal.open_transfers()
        waiting = [row for row in before if not treasurer.resolve(row)]
        settled = [ctx.journal.transfer_row(row.intent_id) for row in before if row not in waiting]
        found = [f"{transfer(row)}: {row.state} ({in_words(row.answer)})" for row in settled]
        if waiting:
            text = f"{transfer(waiting[0])}: its outcome is not known yet, nothing else moves until it is"
            return Swept(found=found, trouble=text)
        plan = outlook(ctx, hand)
        if not plan.amount:
            return Swept(plan, found)
        known = {row.intent_id for row in ctx.journal.recent(TransferRow, 1)}
        trouble = ""
        try:
            treasurer.step(plan.account, plan.needs)
        except VenueError as error:
            trouble = in_words(str(error))
        sent = next((row for row in ctx.journal.recent(TransferRow, 1) if row.intent_id not in known), None)
    return Swept(plan, found, sent, trouble or _trouble(sent))


def _trouble(row: TransferRow | None) -> str:
    if row is None:
        return "nothing was sent"
    return "" if row.state == "done" else f"{transfer(row)}: {row.state}: {in_words(row.answer)}"


def told(done: Swept) -> str:
    """The end of it in one line."""
    if done.row is not None and done.row.state == "done":
        return transferred(done.row)
    if done.row is not None and done.row.state == "unknown":
        return f"{transfer(done.row)}: no answer; the next sweep, or the bot, looks it up and sends nothing again"
    return done.trouble or (done.outlook.why if done.outlook is not None else "")
