"""Readings for the report: once an hour both wallets and the prices of what is hedged, on record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.errors import VenueError
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_rows import EventRow, HedgeRow, epoch
from freqtrade_fundhedge.journal_trail import SNAPSHOT, STRESS, Wish, last_snapshot, newest
from freqtrade_fundhedge.venue.perpetuals import FundingQuote
from freqtrade_fundhedge.venue.port import ZERO, FuturesAccount

HEDGED_S = 3600.0
IDLE_S = 86_400.0
STRESS_S = 3600.0
SLACK_S = 60.0  # a loop that comes a little early must not leave an hour out


@dataclass
class Snapshots:
    """At most 24 readings a day, one a day without a hedge. Each costs one request, for the spot balance."""

    ctx: Context
    _last: float | None = None
    _moves: Mapping[str, Decimal] | None = None
    _moves_at: float = float("-inf")

    def look(self, account: FuturesAccount, funding: Mapping[str, FundingQuote], moves: Mapping[str, Decimal]) -> None:
        """Record a reading if it is time, and the stress of open pairs when it has changed.

        Raises
        ------
        VenueError : the spot balance can't be read; the rest is on record then
        """
        now = self.ctx.clock()
        self._keep(now, moves)
        if self._last is None:
            self._last = self._latest()
        age = now - self._last
        if 0 <= age < HEDGED_S - SLACK_S:
            return
        hedges = [hedge for hedge in self.ctx.journal.unsettled() if hedge.state != "closed"]
        if not hedges and 0 <= age < IDLE_S - SLACK_S:
            return
        self._last = now
        if not self.ctx.venue.separate_wallets:
            # One pool, counted once.
            self._record(now, {"spot": f"{account.wallet:f}", "futures": "0", "futures_free": "0"}, hedges, funding)
            return
        wallets = {"futures": f"{account.wallet:f}", "futures_free": f"{account.free:f}"}
        try:
            wallets["spot"] = f"{self.ctx.venue.spot_balances().get(self.ctx.stake, ZERO):f}"
        except VenueError:
            self._record(now, wallets, hedges, funding)
            raise
        self._record(now, wallets, hedges, funding)

    def _record(
        self, now: float, wallets: Mapping[str, str], hedges: Sequence[HedgeRow], funding: Mapping[str, FundingQuote]
    ) -> None:
        quotes = {hedge.pair: funding[hedge.pair] for hedge in hedges if hedge.pair in funding}
        prices = {pair: [quote.mark_price, quote.index_price] for pair, quote in quotes.items()}
        self.ctx.journal.event(SNAPSHOT, "wallets and prices", now, None, wallets=wallets, prices=prices)

    def _keep(self, now: float, moves: Mapping[str, Decimal]) -> None:
        """Once an hour even if nothing changes: that says that the bot still goes by it."""
        if self.ctx.settings.margin.stress_move is not None:
            return
        if moves != self._moves or now - self._moves_at >= STRESS_S - SLACK_S:
            self._moves, self._moves_at = dict(moves), now
            texts = {pair: f"{move:f}" for pair, move in moves.items()}
            self.ctx.journal.event(STRESS, "price rises that open shorts have to live through", now, None, moves=texts)

    def _latest(self) -> float:
        at = last_snapshot(self.ctx.journal.engine, self.ctx.journal.bot)
        return epoch(at) if at is not None else float("-inf")


def moves_of(journal: Journal, now: float) -> Mapping[str, Decimal] | None:
    """The stress by pair that the running bot goes by; None when it has not told for over an hour.

    Parameters
    ----------
    now : seconds since 1970

    Raises
    ------
    JournalError : it can't be read
    """
    wish = Wish(frozenset({"event"}), event=STRESS)
    found = next((entry.row for entry in newest(journal.engine, journal.bot, wish, 1)), None)
    if not isinstance(found, EventRow) or now - epoch(found.at) > STRESS_S + SLACK_S:
        return None
    try:
        moves = {str(pair): Decimal(text) for pair, text in found.data["moves"].items()}
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
        return None  # somebody has put something else there
    return moves if all(move.is_finite() and move > 0 for move in moves.values()) else None
