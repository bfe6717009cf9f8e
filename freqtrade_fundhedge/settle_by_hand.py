"""An outcome that a person knows and the exchange no longer tells: written as the bot would, and signed as theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.core.intents import next_state
from freqtrade_fundhedge.core.outcome import INTERRUPTED, by_person
from freqtrade_fundhedge.errors import ConfigError, IllegalTransition
from freqtrade_fundhedge.journal import with_fill
from freqtrade_fundhedge.journal_rows import CloseRow, MarginRow, OrderRow, TransferRow
from freqtrade_fundhedge.margin_desk import MarginDesk
from freqtrade_fundhedge.orphans import Orphans
from freqtrade_fundhedge.spot_orders import SpotOrders
from freqtrade_fundhedge.status import Unknown
from freqtrade_fundhedge.trail_text import coins
from freqtrade_fundhedge.treasurer import Treasurer
from freqtrade_fundhedge.venue.port import ZERO, Fill, Side

SETTLED: Final = "settled_by_hand"


@dataclass(frozen=True)
class Verdict:
    """What a person says became of an intent.

    Attributes
    ----------
    filled : base units before fees, of an order or a close that took effect; None for all else
    price : quote for one of them on average; of an order only
    fees : by coin; of an order only, empty when there were none, None when nothing was said
    """

    took_effect: bool
    filled: Decimal | None = None
    price: Decimal | None = None
    fees: Mapping[str, Decimal] | None = None

    @property
    def answer(self) -> str:
        """What the journal has in place of the exchange's answer."""
        return f"settled by hand: {'took effect' if self.took_effect else 'never arrived'}"


def check(unknown: Unknown, verdict: Verdict) -> None:
    """Whether the figures are those that this kind of intent needs, and can be true.

    Raises
    ------
    ConfigError : one line that names the option, or the intent if it can't get that outcome
    """
    row = unknown.row
    try:
        by_person(row.state, verdict.took_effect)
    except IllegalTransition as error:
        raise ConfigError(f"{row.intent_id}: {error}") from None
    takes = {"order": ("filled", "price", "fee"), "close": ("filled",)}.get(unknown.kind, ())
    given = {"filled": verdict.filled, "price": verdict.price, "fee": verdict.fees}
    for name, value in given.items():
        if value is not None and not verdict.took_effect:
            raise ConfigError(f"--{name} and --never-arrived: what never arrived has none")
        if value is not None and name not in takes:
            raise ConfigError(f"--{name}: a {unknown.kind} has none to tell")
    if not verdict.took_effect or not takes:
        return
    if verdict.filled is None:
        raise ConfigError(f"--filled: needed, how much of {coins(row.amount)} was filled; 0 if nothing was")
    if not ZERO <= verdict.filled <= row.amount:
        raise ConfigError(f"--filled {coins(verdict.filled)}: between 0 and {coins(row.amount)} is expected")
    if isinstance(row, OrderRow) and verdict.filled:
        _check_fill(row, verdict.filled, verdict)


def _check_fill(row: OrderRow, filled: Decimal, verdict: Verdict) -> None:
    if verdict.price is None:
        raise ConfigError("--price: needed, what one coin cost on average")
    better = verdict.price <= row.price if row.side is Side.BUY else verdict.price >= row.price
    if verdict.price <= 0 or not better:
        limit = f"at {coins(row.price)} or better"
        raise ConfigError(f"--price {coins(verdict.price)}: the order could fill {limit} only")
    if verdict.fees is None:
        raise ConfigError("--fee: needed, like BNB=0.0012; 0 if there was none")
    base, _, quote = row.symbol.partition("/")
    for coin, most in ((base, filled), (quote, filled * verdict.price)):
        if verdict.fees.get(coin, ZERO) > most:
            raise ConfigError(f"--fee {coin}={coins(verdict.fees[coin])}: more than was traded")


def outlook(ctx: Context, unknown: Unknown, verdict: Verdict) -> list[str]:
    """What `settle` would write, in lines for people."""
    row, state = unknown.row, unknown.row.state
    for move in by_person(state, verdict.took_effect):
        state = next_state(state, move)
    return [
        f"{unknown.kind} {row.intent_id}",
        f"{unknown.text}: {row.state} -> {state}{_figures(row, verdict)}",
        *(_effects(ctx, row, verdict) if verdict.took_effect else ()),
    ]


def _figures(row: object, verdict: Verdict) -> str:
    if verdict.filled is None:
        return ""
    if not isinstance(row, OrderRow) or verdict.price is None:
        return f", {coins(verdict.filled)} filled"
    fees = ", ".join(f"{coins(fee)} {coin}" for coin, fee in (verdict.fees or {}).items())
    cost = f"{coins(verdict.filled * verdict.price)} {row.symbol.partition('/')[2]}"
    return f", {coins(verdict.filled)} filled for {cost}, fees {fees or 'none'}"


def _effects(ctx: Context, row: object, verdict: Verdict) -> Iterator[str]:
    hedges = {hedge.id: hedge for hedge in ctx.journal.unsettled()}
    if isinstance(row, OrderRow) and row.hedge_id in hedges:
        hedge, (base, _, quote) = hedges[row.hedge_id], row.symbol.partition("/")
        after = with_fill(hedge, row.side, _fill(verdict), base, quote)
        yield f"hedge {hedge.pair}: held {coins(hedge.held)} -> {coins(after['held'])} {base}"
        yield f"hedge {hedge.pair}: spot cash {coins(hedge.spot_cash)} -> {coins(after['spot_cash'])} {quote}"
    if isinstance(row, TransferRow):
        for key, share in Treasurer(ctx).shares(row).items():
            swept = hedges[key].swept
            yield f"hedge {hedges[key].pair}: swept {coins(swept)} -> {coins(swept + share)} {row.asset}"


def settle(ctx: Context, unknown: Unknown, verdict: Verdict) -> None:
    """Write the outcome and all that follows from it, and that a person said so. Asks the exchange nothing.

    Whoever calls holds the journal's lock and has had the verdict checked.

    Raises
    ------
    IllegalTransition, JournalError : nothing more is written
    """
    row, journal, answer = unknown.row, ctx.journal, verdict.answer
    *before, last = by_person(row.state, verdict.took_effect)
    lines = outlook(ctx, unknown, verdict)
    moved: dict[type, Callable[..., Any]] = {
        OrderRow: journal.order_moved, TransferRow: journal.transfer_moved,
        CloseRow: journal.close_moved, MarginRow: journal.margin_moved,
    }  # fmt: skip
    for move in before:
        moved[type(row)](row.intent_id, move, INTERRUPTED, ctx.clock())
    if isinstance(row, OrderRow):
        SpotOrders(ctx).conclude(row, last, answer, _fill(verdict) if verdict.took_effect else None)
    elif isinstance(row, TransferRow):
        Treasurer(ctx).conclude(row, last, answer)
    elif isinstance(row, CloseRow):
        Orphans(ctx).conclude(row, last, answer, verdict.filled or ZERO)
    else:
        MarginDesk(ctx).conclude(row, last, answer)
    text = "; ".join([*lines[1:], answer])
    was = {"state": str(row.state), "answer": row.answer, "lookups": row.not_seen}
    ctx.record(SETTLED, text, pair=getattr(row, "pair", None), intent=row.intent_id, was=was)


def _fill(verdict: Verdict) -> Fill:
    filled = verdict.filled or ZERO
    return Fill("", filled, filled * (verdict.price or ZERO), dict(verdict.fees or {}), verdict.answer)
