"""Both wallets and the transfers between them: what they held over time, and how reliably money moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from freqtrade_fundhedge.core.intents import OPEN, State
from freqtrade_fundhedge.journal_history import SpotFill
from freqtrade_fundhedge.journal_rows import TransferRow, epoch
from freqtrade_fundhedge.venue.port import Direction

# How an attempt ended, by the last word of its log.
REFUSED = ("reduce", "refuse")
LOST = ("lose", "find")


class Wallet(NamedTuple):
    """Free quote on spot and the futures wallet's balance; None before the first reading."""

    at: float
    spot: float | None
    futures: float | None


class Moved(NamedTuple):
    """A transfer that took effect: `sent` and `at` (known to have) in seconds since 1970, the futures wallet, quote."""

    sent: float
    at: float
    direction: Direction
    amount: float
    before: float

    @property
    def change(self) -> float:
        """Of the futures wallet."""
        return -self.amount if self.direction is Direction.SWEEP else self.amount

    @property
    def after(self) -> float:
        """The futures wallet afterwards."""
        return self.before + self.change


def moved_by(row: TransferRow) -> Moved | None:
    """What a transfer did, None if nothing (yet)."""
    if row.state is not State.DONE or row.resolved_at is None:
        return None
    sent, at = epoch(row.sent_at), epoch(row.resolved_at)
    return Moved(sent, at, row.direction, float(row.amount), float(row.wallet_before))


def last_of_each(points: Sequence[Wallet], size: float) -> list[Wallet]:
    """The last point of each stretch of `size` seconds, all of them if it is 0."""
    if not size:
        return list(points)
    return [a for a, b in pairwise([*points, None]) if a is not None and (b is None or a.at // size != b.at // size)]


def wallet_points(readings: Iterable[Wallet], moved: Iterable[TransferRow], fills: Iterable[SpotFill]) -> list[Wallet]:
    """The loop's readings, and between them what our own transfers and spot orders changed, oldest first."""
    changes: list[tuple[float, float | None, float | None, float]] = [(r.at, r.spot, r.futures, 0.0) for r in readings]
    for move in filter(None, map(moved_by, moved)):
        changes.append((move.sent, None, move.before, 0.0))
        changes.append((move.at, None, move.after, -move.change))
    for fill in fills:
        changes.append((fill.at, None, None, (-fill.quote if fill.buys else fill.quote) - fill.fee_quote))
    points, spot, futures = list[Wallet](), None, None
    for at, read_spot, read_futures, change in sorted(changes, key=lambda c: c[0]):
        spot = read_spot if read_spot is not None else (spot + change if spot is not None else None)
        futures = read_futures if read_futures is not None else futures
        points.append(Wallet(at, spot, futures))
    return points


@dataclass(frozen=True)
class Reliability:
    """How the transfers of one direction went.

    Attributes
    ----------
    transfers, done, waiting : decided; took effect; without an outcome yet
    attempts, refused, lost : sent; refused by the exchange; left without an answer, most of them found later
    moved : sum of those that took effect, in the asset
    median_s, worst_s : from the decision to the known outcome, of those that took effect; None without any
    """

    direction: str
    transfers: int
    done: int
    waiting: int
    attempts: int
    refused: int
    lost: int
    moved: Decimal
    median_s: float | None
    worst_s: float | None


def reliability(rows: Sequence[TransferRow]) -> list[Reliability]:
    """One for sweeps, one for top-ups; a direction without transfers is left out."""
    named = ((Direction.SWEEP, "sweep"), (Direction.TOP_UP, "top-up"))
    return [_one(name, mine) for way, name in named if (mine := [row for row in rows if row.direction is way])]


def _one(name: str, rows: Sequence[TransferRow]) -> Reliability:
    done = [row for row in rows if row.state is State.DONE]
    took = [epoch(row.resolved_at) - epoch(row.created_at) for row in done if row.resolved_at is not None]
    outcomes = [str(attempt.get("outcome")) for row in rows for attempt in row.attempt_log if isinstance(attempt, dict)]
    return Reliability(
        direction=name,
        transfers=len(rows),
        done=len(done),
        waiting=sum(row.state in OPEN for row in rows),
        attempts=sum(row.attempts for row in rows),
        refused=sum(outcome in REFUSED for outcome in outcomes),
        lost=sum(outcome in LOST for outcome in outcomes),
        moved=sum((row.amount for row in done), Decimal(0)),
        median_s=median(took) if took else None,
        worst_s=max(took, default=None),
    )
