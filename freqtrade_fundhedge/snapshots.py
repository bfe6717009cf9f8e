"""Readings for the report: once an hour both wallets and the prices of what is hedged, on record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.errors import VenueError
from freqtrade_fundhedge.journal_rows import EventRow, HedgeRow, epoch
from freqtrade_fundhedge.journal_trail import SNAPSHOT, Wish, newest
from freqtrade_fundhedge.venue.port import ZERO, FundingQuote, FuturesAccount

HEDGED_S = 3600.0
IDLE_S = 86_400.0
SLACK_S = 60.0  # a loop that comes a little early must not leave an hour out


@dataclass
class Snapshots:
    """At most 24 readings a day, one a day without a hedge. Each costs one request, for the spot balance."""

    ctx: Context
    _last: float | None = None

    def look(self, account: FuturesAccount, funding: Mapping[str, FundingQuote]) -> None:
        """Record a reading if it is time.

        Raises
        ------
        VenueError : the spot balance can't be read; the rest is on record then
        """
        now = self.ctx.clock()
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

    def _latest(self) -> float:
        wish = Wish(frozenset({"event"}), event=SNAPSHOT)
        found = [entry.row for entry in newest(self.ctx.journal.engine, self.ctx.journal.bot, wish, 1)]
        return epoch(found[0].at) if found and isinstance(found[0], EventRow) else float("-inf")
