"""Rank every pair that has both markets, from a handful of requests; one path for the command and for the bot."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from math import isnan
from typing import Any

from freqtrade_fundhedge.core.carry import HORIZON_H, CarryParams
from freqtrade_fundhedge.core.funding import HOURS_PER_YEAR
from freqtrade_fundhedge.core.outlook import Outlook, history_since, outlook
from freqtrade_fundhedge.core.ranking import known_first
from freqtrade_fundhedge.errors import ConfigError
from freqtrade_fundhedge.market import spot_symbol
from freqtrade_fundhedge.venue.bulk import Ticker, futures_tickers, futures_volumes, settled_funding, spot_tickers
from freqtrade_fundhedge.venue.perpetuals import FundingQuote

MIN_VOLUME = 1_000_000.0
TOP = 20
HISTORY = 20
MOST_HISTORY = 200  # Binance allows 500 of these requests in five minutes, to all programs behind one address


@dataclass(frozen=True)
class Wish:
    """What to look for.

    Attributes
    ----------
    stake : quote and settlement currency
    min_volume : quote units traded in 24 hours, on each of both sides
    top : rows in the answer
    history : pairs, by `Row.promise`, for which settled funding is asked, one request each
    blacklist : from `patterns`
    """

    stake: str = "USDT"
    min_volume: float = MIN_VOLUME
    top: int = TOP
    history: int = HISTORY
    blacklist: tuple[re.Pattern[str], ...] = ()


@dataclass(frozen=True)
class Row:
    """One pair.

    Attributes
    ----------
    futures_volume, spot_volume : quote units in 24 hours
    spread : of both books together, fraction; a round trip crosses it once
    predicted_apr : of the running interval, fraction a year
    basis : (perpetual - spot) / spot, between the best prices
    outlook : from settled funding, at this spread; NaN where none was asked for
    """

    pair: str
    spot: str
    multiplier: Decimal
    futures_volume: float
    spot_volume: float
    spread: float
    interval_h: float
    predicted_apr: float
    basis: float
    outlook: Outlook = field(default_factory=Outlook)

    @property
    def promise(self) -> float:
        """Predicted funding over the rule's horizon less the spread, fraction of notional.

        Most pairs are predicted the same floor rate; among them the spread says where it is worth to look closer.
        """
        return self.predicted_apr * (HORIZON_H / HOURS_PER_YEAR) - self.spread


@dataclass(frozen=True)
class Counts:
    """How many perpetuals there were, how many of them with a spot market, and how many passed the filters."""

    perpetuals: int = 0
    hedgeable: int = 0
    passed: int = 0
    measured: int = 0


def patterns(blacklist: Sequence[str]) -> tuple[re.Pattern[str], ...]:
    """Freqtrade's `pair_blacklist`, read as Freqtrade does: regular expressions for a whole name, in any case.

    Raises
    ------
    ConfigError : an entry is not a regular expression
    """
    compiled = []
    for entry in blacklist:
        try:
            compiled.append(re.compile(entry, re.IGNORECASE))
        except re.error as error:
            raise ConfigError(f"exchange.pair_blacklist: {entry!r} is not a regular expression: {error}") from None
    return tuple(compiled)


class Scan:
    """A scan in steps, so that a bot can take one a loop.

    Parameters
    ----------
    api : ccxt, spot by default, markets loaded
    funding : predicted funding by pair
    params : thresholds and costs
    wish : what to look for
    clock : seconds since 1970
    """

    def __init__(
        self,
        api: Any,
        funding: Callable[[], Mapping[str, FundingQuote]],
        params: CarryParams,
        wish: Wish,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._api, self._funding, self._params, self._wish, self._clock = api, funding, params, wish, clock
        self.counts = Counts()
        self.rows: list[Row] = []

    def steps(self) -> Iterator[tuple[int, int]]:
        """Make one request between two answers, which say how many pairs of how many have their history.

        `rows` is the ranking when it ends. What a request raises passes through.
        """
        funding = self._funding()
        yield 0, 0
        spot = spot_tickers(self._api)
        yield 0, 0
        volumes = futures_volumes(self._api)
        yield 0, 0
        rows = self._observed(funding, spot, futures_tickers(self._api, volumes))
        asked = rows[: self._wish.history]
        for done, row in enumerate(asked):
            yield done, len(asked)
            rows[done] = replace(row, outlook=self._outlook(row))
        self.counts = replace(self.counts, measured=len(asked))
        self.rows = _ranked(rows)[: self._wish.top]

    def run(self) -> list[Row]:
        """All steps at once."""
        for _ in self.steps():
            pass
        return self.rows

    def _outlook(self, row: Row) -> Outlook:
        now_ms = int(self._clock() * 1000)
        settled_ms, rates = settled_funding(self._api, row.pair, history_since(now_ms))
        # Four orders cross half a spread each, two on either book; what was configured is the least to reckon with.
        slippage = max(self._params.slippage, row.spread / 4)
        return outlook(settled_ms, rates, now_ms, replace(self._params, slippage=slippage))

    def _observed(
        self, funding: Mapping[str, FundingQuote], spot: Mapping[str, Ticker], futures: Mapping[str, Ticker]
    ) -> list[Row]:
        """Every pair with both markets that passes the filters, the most promising first."""
        perpetuals = [pair for pair in funding if self._tradable(pair)]
        hedgeable = [row for pair in perpetuals if (row := self._row(pair, funding[pair], spot, futures)) is not None]
        rows = [row for row in hedgeable if min(row.futures_volume, row.spot_volume) >= self._wish.min_volume]
        rows = [row for row in rows if not any(banned.fullmatch(row.pair) for banned in self._wish.blacklist)]
        self.counts = Counts(len(perpetuals), len(hedgeable), len(rows))
        return _ranked(rows)

    def _tradable(self, pair: str) -> bool:
        market = self._api.markets.get(pair, {})
        stake = self._wish.stake
        mine = market.get("swap") and market.get("linear") and market.get("settle") == market.get("quote") == stake
        return bool(mine and market.get("active", True))

    def _row(
        self, pair: str, quote: FundingQuote, spot: Mapping[str, Ticker], futures: Mapping[str, Ticker]
    ) -> Row | None:
        found = spot_symbol(pair, self._api.markets)
        if found is None or not self._api.markets[found[0]].get("active", True):
            return None
        symbol, multiplier = found
        here, there = futures.get(pair, Ticker()), spot.get(symbol, Ticker())
        if isnan(here.mid) or isnan(there.mid):
            return None  # an empty book: there is no trading now
        basis = here.mid / (there.mid * float(multiplier)) - 1
        apr = quote.rate / quote.interval_h * HOURS_PER_YEAR
        spread = here.spread + there.spread
        return Row(pair, symbol, multiplier, here.volume, there.volume, spread, quote.interval_h, apr, basis)


def _ranked(rows: Sequence[Row]) -> list[Row]:
    by_pair = {row.pair: row for row in rows}
    carry = {row.pair: row.outlook.net_carry for row in rows}
    return [by_pair[pair] for pair in known_first(carry, {row.pair: row.promise for row in rows})]
