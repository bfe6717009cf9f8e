"""What the exchange does to the markets of open hedges: halts, reduce-only, delistings, new intervals and caps.

Looking costs no extra request: while hedges are open, now and then a loop asks for one of these things instead of the
predicted funding rates.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.errors import Denied
from freqtrade_fundhedge.venue.perpetuals import FundingQuote, PerpState

# Binance's list of perpetuals is some 40 kB compressed: four times a minute is 7 GB a month, and soon enough.
STATES_EVERY_S = 15.0
NOTICES_EVERY_S = 300.0
TRADES = PerpState()


@dataclass
class Outside:
    """Watches the markets of open hedges, one kind of thing a loop."""

    ctx: Context
    _perps: dict[str, PerpState] = field(default_factory=dict)
    _spots: dict[str, bool] = field(default_factory=dict)
    _ends: Mapping[str, float] = field(default_factory=dict)
    _terms: dict[str, tuple[float, float | None]] = field(default_factory=dict)
    _asked: dict[str, float] = field(default_factory=dict)
    _checked: dict[str, float] = field(default_factory=dict)
    _had_funding: bool = False

    def look(self, pairs: Collection[str], funding: Mapping[str, FundingQuote]) -> Mapping[str, FundingQuote]:
        """One request: whatever is due, else the predicted funding rates of all pairs.

        Parameters
        ----------
        pairs : of open hedges
        funding : as last read; returned again when something else was asked for
        """
        now = self.ctx.clock()
        due = [(at + every, name) for name, every, at in self._timetable() if now - at >= every]
        if pairs and due and funding and self._had_funding:
            name = min(due)[1]
            self._had_funding, self._asked[name] = False, now
            with self.ctx.waiting():
                self._questions()[name](pairs)
            self._tell(pairs)
            return funding
        with self.ctx.waiting():
            funding = self.ctx.venue.funding()
        self._had_funding = True
        self._compare_terms({pair: funding[pair] for pair in pairs if pair in funding})
        return funding

    def exit_reason(self, pair: str) -> str:
        """Why the hedge in `pair` has to close while both of its legs still can, or ""."""
        perp = self._perps.get(pair, TRADES)
        if perp.ends_at is not None or (self._ends and self._symbol(pair) in self._ends):
            why = "delisted"
        else:
            why = "" if perp.opens else "reduce_only"
        return why if why and perp.closes and not self.spot_halted(pair) else ""

    def spot_halted(self, pair: str) -> bool:
        """Whether the spot leg of `pair` could not be sold now: a short that closed would leave it alone."""
        return not self._spots.get(self._symbol(pair), True)

    def refusal(self, pair: str) -> str:
        """Why `pair` must not be entered now, or "". Asks the exchange for both of its markets."""
        now = self.ctx.clock()
        if now - self._checked.get(pair, float("-inf")) >= STATES_EVERY_S:
            self.ctx.meanwhile()
            venue, symbols = self.ctx.venue, [self._symbol(pair)]
            perps, spots = self.ctx.both(lambda: venue.perp_states([pair]), lambda: venue.spot_trading(symbols))
            self._perps |= perps
            self._spots |= spots
            self._checked[pair] = now
        return self._says(pair)

    def _timetable(self) -> list[tuple[str, float, float]]:
        every = {"perp": STATES_EVERY_S, "spot": STATES_EVERY_S, "ends": NOTICES_EVERY_S, "terms": NOTICES_EVERY_S}
        return [(name, seconds, self._asked.get(name, 0.0)) for name, seconds in every.items()]

    def _questions(self) -> dict[str, Callable[[Collection[str]], None]]:
        return {"perp": self._ask_perps, "spot": self._ask_spots, "ends": self._ask_ends, "terms": self._ask_terms}

    def _ask_perps(self, pairs: Collection[str]) -> None:
        self._perps |= self.ctx.venue.perp_states(pairs)

    def _ask_spots(self, pairs: Collection[str]) -> None:
        self._spots |= self.ctx.venue.spot_trading([self._symbol(pair) for pair in pairs])

    def _ask_ends(self, _pairs: Collection[str]) -> None:
        try:
            self._ends = self.ctx.venue.spot_ends()
        except Denied:
            self._ends = {}  # a key without this right hears of an end when the market stops trading

    def _ask_terms(self, _pairs: Collection[str]) -> None:
        self.ctx.venue.refresh_intervals()

    def _tell(self, pairs: Collection[str]) -> None:
        for pair in pairs:
            if says := self._says(pair):
                what = "the hedge is closed" if self.exit_reason(pair) else "both legs stay until it trades again"
                self.ctx.once(f"market {pair}", f"{pair}: {says}; {what}")
            else:
                self.ctx.settled(f"market {pair}")

    def _says(self, pair: str) -> str:
        perp, symbol = self._perps.get(pair, TRADES), self._symbol(pair)
        if self.spot_halted(pair):
            return f"{symbol} is not open for trading"
        if not perp.closes:
            return "the perpetual is not open for trading"
        if perp.ends_at is not None:
            return f"the exchange ends this perpetual at {_utc(perp.ends_at)}"
        if symbol in self._ends:
            return f"the exchange delists {symbol} at {_utc(self._ends[symbol])}"
        return "" if perp.opens else "the exchange lets positions in the perpetual only be reduced"

    def _compare_terms(self, quotes: Mapping[str, FundingQuote]) -> None:
        for pair, quote in quotes.items():
            hours, cap = self._terms.get(pair, (quote.interval_h, quote.cap))
            changes = []
            if quote.interval_h != hours:
                changes.append(f"funding is paid every {quote.interval_h:g} h now, it was {hours:g} h")
            if quote.cap != cap and quote.cap is not None:
                changes.append(f"a settlement can be {quote.cap:.4%} at most now")
            if changes:
                text = f"{pair}: {' and '.join(changes)}"
                self.ctx.record("terms_changed", text, tell=True, pair=pair, interval_h=quote.interval_h, cap=quote.cap)
        self._terms = {pair: (quote.interval_h, quote.cap) for pair, quote in quotes.items()}

    def _symbol(self, pair: str) -> str:
        return self.ctx.venue.market(pair).symbol


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
