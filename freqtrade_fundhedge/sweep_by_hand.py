"""One sweep without the bot: its rules, its journal, its way of sending. Nothing is ever topped up here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.core.margin import WIDEST_MOVE, same_for_all
from freqtrade_fundhedge.core.treasury import Needs, decide, stress_buffer
from freqtrade_fundhedge.errors import VenueError, in_words
from freqtrade_fundhedge.journal_rows import TransferRow
from freqtrade_fundhedge.messages import cents, transfer, transferred
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
    """

    account: FuturesAccount
    needs: Needs
    figures: dict[str, Decimal]
    amount: Decimal
    why: str


@dataclass(frozen=True)
class Swept:
    """What was done. `trouble` says what a person has to know, "" when all is well."""

    outlook: Outlook | None = None
    found: Sequence[str] = field(default_factory=list)
    row: TransferRow | None = None
    trouble: str = ""


def cautious(ctx: Context) -> Treasurer:
    """A treasurer that leaves no less than the bot's would.

    With `stress_move: auto` the bot takes each pair's rise from its candles; by hand, without them, the widest counts.
    """
    treasurer = Treasurer(ctx)
    if ctx.settings.margin.stress_move is None:
        treasurer.stress = same_for_all(WIDEST_MOVE)
    return treasurer


def outlook(ctx: Context, treasurer: Treasurer) -> Outlook:
    """Read the futures wallet and decide; nothing is sent or written.

    Raises
    ------
    VenueError, JournalError : it can't be read
    """
    account, rules = ctx.venue.futures_account(), treasurer.rules()
    freed = sum((hedge.unswept for hedge in ctx.journal.unsettled()), ZERO)
    needs = Needs(freed=freed)
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
    return Outlook(account, needs, figures, amount, "" if amount else _why_not(ctx, account, figures, rules.minimum))


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
    treasurer = cautious(ctx)
    with ctx.turn():
        before = ctx.journal.open_transfers()
        waiting = [row for row in before if not treasurer.resolve(row)]
        settled = [ctx.journal.transfer_row(row.intent_id) for row in before if row not in waiting]
        found = [f"{transfer(row)}: {row.state} ({in_words(row.answer)})" for row in settled]
        if waiting:
            text = f"{transfer(waiting[0])}: its outcome is not known yet, nothing else moves until it is"
            return Swept(found=found, trouble=text)
        plan = outlook(ctx, treasurer)
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
