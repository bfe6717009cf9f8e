"""A record of the journal in a few lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from freqtrade_fundhedge.journal_rows import CloseRow, EventRow, HedgeRow, MarginRow, OrderRow, TransferRow
from freqtrade_fundhedge.journal_trail import Entry
from freqtrade_fundhedge.venue.port import Direction, MarginKind


def lines(entry: Entry) -> Iterator[str]:
    """What happened, a line each; a transfer has one for every attempt with the exchange's answer."""
    row = entry.row
    if isinstance(row, OrderRow):
        told = _order(row)
    elif isinstance(row, TransferRow):
        told = _transfer(row)
    elif isinstance(row, CloseRow):
        told = _close(row)
    elif isinstance(row, MarginRow):
        told = _margin(row)
    elif isinstance(row, EventRow):
        told = iter((f"{row.kind}: {row.message}",))
    else:
        told = _hedge(row)
    return (plain(line) for line in told)


def plain(text: str) -> str:
    """Without anything that a terminal would obey: answers are the exchange's own words."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def coins(value: Decimal) -> str:
    """A quantity without needless zeros or exponents."""
    return f"{value.normalize():f}"


def name_of(row: TransferRow) -> str:
    """A transfer in the words of the bot's messages."""
    kind = "sweep" if row.direction is Direction.SWEEP else "top-up"
    return f"{kind} of {coins(row.amount)} {row.asset}"


def _order(row: OrderRow) -> Iterator[str]:
    quote = row.symbol.partition("/")[2]
    yield f"{row.symbol}: {row.side} {coins(row.amount)} at {coins(row.price)} or better: {row.state}"
    if row.filled:
        fees = ", ".join(f"{fee} {coin}" for coin, fee in row.fees.items())
        yield f"  {coins(row.filled)} for {coins(row.quote)} {quote}, fees {fees or 'none'}"
    if row.answer:
        yield f"  {row.answer}"


def _transfer(row: TransferRow) -> Iterator[str]:
    yield f"{name_of(row)}: {row.state}"
    log = row.attempt_log if isinstance(row.attempt_log, list) else [row.attempt_log]
    for attempt in log:
        yield f"  {_text(attempt, 'n')}: {_text(attempt, 'amount')}: {_text(attempt, 'answer') or 'no answer'}"
    if not log and row.answer:
        yield f"  {row.answer}"


def _text(attempt: dict[str, Any], name: str) -> str:
    # An audit trail also shows what somebody has tampered with.
    return str(attempt.get(name, "") if isinstance(attempt, dict) else attempt)


def _close(row: CloseRow) -> Iterator[str]:
    yield f"{row.pair}: buy back {coins(row.amount)}, reduce-only: {row.state}, {coins(row.filled)} filled"
    if row.answer:
        yield f"  {row.answer}"


def margin_name(row: MarginRow) -> str:
    """A change of an isolated position's margin in the words of the bot's messages."""
    return f"{row.pair}: {coins(row.amount)} USDT of margin {'added' if row.kind is MarginKind.ADD else 'taken back'}"


def _margin(row: MarginRow) -> Iterator[str]:
    yield f"{margin_name(row)}: {row.state}"
    why = row.arithmetic if isinstance(row.arithmetic, dict) else {}
    far, least, has, needs = (_figure(why.get(name)) for name in ("distance", "minimum", "equity", "needed"))
    if far is not None and least is not None:
        yield f"  {far:.1%} to liquidation, at least {least:.1%} is wanted"
    if has is not None and needs is not None:
        yield f"  equity {has:,.2f} behind it, {needs:,.2f} needed"
    if row.answer:
        yield f"  {row.answer}"


def _figure(value: object) -> Decimal | None:
    try:
        found = Decimal(str(value))
    except ArithmeticError:
        return None
    return found if found.is_finite() else None


def _hedge(row: HedgeRow) -> Iterator[str]:
    quote = row.symbol.partition("/")[2]
    if row.closed_at is None:
        yield f"{row.pair}: {row.state}, {coins(row.held)} held of {coins(row.wanted)}"
    else:
        together = row.short_realised + row.spot_cash
        yield f"{row.pair}: closed, together {together:+.4f} {quote}, opened {row.opened_at[:16].replace('T', ' ')}"
    yield f"  short {row.short_realised:+.4f} (funding {row.funding:+.4f}), spot {row.spot_cash:+.4f} {quote}"
