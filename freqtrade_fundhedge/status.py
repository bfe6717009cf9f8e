"""What a bot's journal says about now: open hedges, what is unknown, and whether a person is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from freqtrade_fundhedge.core.intents import State
from freqtrade_fundhedge.errors import JournalError
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_hedge import open_calls, topic_of
from freqtrade_fundhedge.journal_rows import CloseRow, EventRow, HedgeRow, MarginRow, OrderRow, TransferRow, epoch
from freqtrade_fundhedge.journal_steps import GuardStep, guard_steps
from freqtrade_fundhedge.journal_trail import Wish, newest
from freqtrade_fundhedge.trail_text import margin_name, name_of

PATIENCE_S = 600.0
SHOWN = 5
CALLS_READ = 100

Intent = OrderRow | TransferRow | CloseRow | MarginRow


@dataclass(frozen=True)
class OpenHedge:
    """A hedge that is not settled, and how its legs stand.

    Attributes
    ----------
    delta : spot less short, base units of the spot market
    balance : even, dust (too small for any order), under way (an order has no outcome yet), unhedged, or settling
    unhedged_s : for how long the legs have differed by more than dust
    """

    row: HedgeRow
    delta: Decimal
    balance: str
    unhedged_s: float


@dataclass(frozen=True)
class Unknown:
    """An intent without a known outcome.

    Attributes
    ----------
    kind : order, transfer, margin or close
    waiting_for : what has to happen for it to be settled
    """

    kind: str
    text: str
    row: Intent
    age_s: float
    waiting_for: str


@dataclass(frozen=True)
class Call:
    """A call for a person, and whether it still stands as far as the journal can tell."""

    row: EventRow
    is_open: bool


@dataclass(frozen=True)
class Status:
    """All of it, newest last in each list; `reasons` say why a person is needed, empty when none is.

    `steps` are the margin guard's, for hedges that are open.
    """

    at: float
    bot: str
    last_event_at: str
    hedges: Sequence[OpenHedge]
    closed: Sequence[HedgeRow]
    unknown: Sequence[Unknown]
    transfers: Sequence[TransferRow]
    calls: Sequence[Call]
    reasons: Sequence[str]
    steps: Sequence[GuardStep]


def read_status(journal: Journal, now: float) -> Status:
    """Read what is open and the newest few of the rest, however long the journal is.

    Parameters
    ----------
    journal : opened for reading
    now : seconds since 1970

    Raises
    ------
    JournalError : it can't be read
    """
    rows = journal.unsettled()
    unknown = unknown_intents(journal, now)
    hedges = [_hedge(row, unknown, now) for row in rows]
    # Open ones count by their opening and may be among the newest.
    known = _newest(journal, Wish(frozenset({"hedge"})), SHOWN + len(rows))
    closed = [row for row in known if isinstance(row, HedgeRow) and row.closed_at is not None]
    transfers = [row for row in _newest(journal, Wish(frozenset({"transfer"})), SHOWN) if isinstance(row, TransferRow)]
    calls = list(_calls(journal, rows))
    latest = _events(journal, "", "", 1)
    reasons = [*_reasons(hedges, unknown), *(call.row.message for call in calls if call.is_open)]
    shown = [call for index, call in enumerate(calls) if call.is_open or index >= len(calls) - SHOWN]
    at = latest[0].at if latest else ""
    return Status(
        now, journal.bot, at, hedges, closed[-SHOWN:], unknown, transfers, shown, reasons, _steps(journal, rows)
    )


def _steps(journal: Journal, rows: Sequence[HedgeRow]) -> Sequence[GuardStep]:
    still = [row for row in rows if row.state != "closed"]
    if not still:
        return []
    since = min(row.opened_at for row in still)
    return guard_steps(journal.engine, journal.bot, Wish(since=since), [row.pair for row in still], SHOWN)


def unknown_intents(journal: Journal, now: float) -> Sequence[Unknown]:
    """All that has no known outcome, `now` in seconds since 1970.

    Raises
    ------
    JournalError : it can't be read
    """
    rows: list[Intent] = [
        *journal.open_orders(),
        *journal.open_transfers(),
        *journal.open_closes(),
        *journal.open_margins(),
    ]
    return [_unknown(row, now) for row in rows]


def _hedge(row: HedgeRow, unknown: Sequence[Unknown], now: float) -> OpenHedge:
    delta = row.held - row.wanted
    under_way = any(isinstance(u.row, OrderRow) and u.row.hedge_id == row.id for u in unknown)
    late = _age(row.unhedged_since, now) if row.unhedged_since is not None else 0.0
    if row.state == "closed":
        balance = "settling"
    elif under_way:
        balance = "under way"
    elif row.unhedged_since is not None:
        balance = "unhedged"
    else:
        # The bot stamps every difference that an order could close; what is left without a stamp is dust.
        balance = "dust" if delta else "even"
    return OpenHedge(row, delta, balance, late)


def _unknown(row: Intent, now: float) -> Unknown:
    if isinstance(row, TransferRow):
        kind, text, where = "transfer", name_of(row), "the exchange's transfer history"
    elif isinstance(row, OrderRow):
        kind, where = "order", "the exchange's order list"
        text = f"{row.symbol}: {row.side} {row.amount.normalize():f}"
    elif isinstance(row, MarginRow):
        kind, text, where = "margin", margin_name(row), "the exchange's history of the position's margin"
    else:
        kind, where = "close", "the exchange's order list"
        text = f"{row.pair}: buy back {row.amount.normalize():f}, reduce-only"
    return Unknown(kind, text, row, _age(row.sent_at, now), _waiting_for(row, where))


def _waiting_for(row: Intent, where: str) -> str:
    if row.state is State.PLANNED:
        return "being sent, or dropped at the bot's next start: nothing has left"
    if row.state is State.SENT:
        return f"the exchange's answer; after a stop of the bot, {where}"
    lookups = "once" if row.not_seen == 1 else f"{row.not_seen} times"
    looked = f"looked up {lookups}, not seen" if row.not_seen else "not looked up yet"
    return f"evidence in {where} ({looked}), or fundhedge settle; no entries until then"


def _reasons(hedges: Sequence[OpenHedge], unknown: Sequence[Unknown]) -> Iterator[str]:
    for entry in unknown:
        if entry.row.state is not State.PLANNED and entry.age_s > PATIENCE_S:
            yield f"{entry.text}: outcome unknown for {minutes(entry.age_s)}"
    for hedge in hedges:
        if hedge.unhedged_s > PATIENCE_S:
            yield f"{hedge.row.pair}: unhedged for {minutes(hedge.unhedged_s)}"


def _age(at: str, now: float) -> float:
    try:
        return max(0.0, now - epoch(at))
    except ValueError:
        raise JournalError(f"the journal has a time that makes no sense: {at[:40]!r}") from None


def minutes(seconds: float) -> str:
    """A length of time in the largest unit that fits."""
    for size, unit in ((86_400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _calls(journal: Journal, rows: Sequence[HedgeRow]) -> Iterator[Call]:
    """The newest calls, oldest first; only the latest of a topic can be open."""
    calls = _events(journal, "attention", "", CALLS_READ)
    latest = {topic_of(row): row.id for row in calls}
    still = open_calls(journal.engine, journal.bot)
    for row in calls:
        yield Call(row, latest[topic_of(row)] == row.id and _stands(row, rows, still))


def _stands(row: EventRow, rows: Sequence[HedgeRow], still: Mapping[str, str]) -> bool:
    """Whether the bot has not said that the matter is over, nor the hedge that it is about is closed."""
    kind, _, what = topic_of(row).partition(" ")
    if kind in {"order", "transfer", "close", "change"} or topic_of(row) not in still:
        # The intent itself tells, with its age: every lost answer is looked up, and most are found within a minute.
        return False
    if kind in {"gone", "missing", "smaller"}:
        return any(hedge.id == what.partition(" ")[0] and hedge.state != "closed" for hedge in rows)
    return kind != "margin" or any(hedge.pair == what and hedge.state != "closed" for hedge in rows)


def _events(journal: Journal, kind: str, pair: str, limit: int) -> list[EventRow]:
    rows = _newest(journal, Wish(frozenset({"event"}), pair=pair, event=kind), limit)
    return [row for row in rows if isinstance(row, EventRow)]


def _newest(journal: Journal, wish: Wish, limit: int) -> list[object]:
    return [entry.row for entry in newest(journal.engine, journal.bot, wish, limit)]
