"""Predicted funding of all pairs by one request.

Source: Binance API documentation, "Mark Price" and "Get Funding Rate Info"; elsewhere ccxt's unified rates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from freqtrade_fundhedge.venue.ccxt_call import call, hours_of
from freqtrade_fundhedge.venue.perpetuals import FundingQuote

# What ccxt has to be told so that it asks for all linear perpetuals; more would reach the exchange as it is.
FUNDING_PARAMS: dict[str, dict[str, Any]] = {
    # With intervals; the unified account's own request wants one symbol at a time.
    "bitget": {"productType": "USDT-FUTURES", "uta": False, "method": "publicMixGetV2MixMarketCurrentFundRate"},
    "bybit": {"type": "swap", "subType": "linear"},
}
INTERVALS_KEPT_S = 3600.0
USUAL_TERMS = (8.0, None)
Terms = tuple[float, float | None]


class PredictedFunding:
    """What the next settlements are expected to pay.

    Parameters
    ----------
    api : a ccxt instance with markets loaded
    clock : seconds since 1970
    """

    def __init__(self, api: Any, clock: Callable[[], float]) -> None:
        self._api = api
        self._clock = clock
        self._terms: Mapping[str, Terms] = {}
        self._terms_at = float("-inf")
        self._listed: Any = None
        self._pairs: Mapping[str, str] = {}

    def quotes(self) -> dict[str, FundingQuote]:
        """See `Venue.funding`."""
        if str(self._api.id) != "binance":
            return self._of_ccxt()
        terms = self._current_terms()
        found: dict[str, FundingQuote] = call(self._api, self._of_binance, terms)
        return found

    def _of_binance(self, terms: Mapping[str, Terms]) -> dict[str, FundingQuote]:
        """Straight from the exchange's own rows: ccxt would make a dozen more fields of every pair in each loop."""
        pairs, quotes = self._perpetuals(), {}
        for row in self._api.fapiPublicGetPremiumIndex():
            pair = pairs.get(row["symbol"])
            if pair is None or not row.get("lastFundingRate"):
                continue
            quotes[pair] = _quote(row, "lastFundingRate", "nextFundingTime", *terms.get(pair, USUAL_TERMS))
        return quotes

    def _perpetuals(self) -> Mapping[str, str]:
        """Pairs by the exchange's own names; made again when markets are loaded anew."""
        markets = self._api.markets
        if markets is not self._listed:
            linear = (row for row in markets.values() if row.get("swap") and row.get("linear"))
            self._listed, self._pairs = markets, {str(row["id"]): str(row["symbol"]) for row in linear}
        return self._pairs

    def _of_ccxt(self) -> dict[str, FundingQuote]:
        rates = call(self._api, self._api.fetch_funding_rates, None, FUNDING_PARAMS.get(str(self._api.id), {}))
        told = all(hours_of(rate.get("interval")) for rate in rates.values())
        terms = {} if told else self._current_terms()
        quotes = {}
        for pair, rate in rates.items():
            if rate.get("fundingRate") is None or not pair.endswith(f":{rate['symbol'].partition(':')[2]}"):
                continue
            hours, cap = terms.get(pair, USUAL_TERMS)
            hours = hours_of(rate.get("interval")) or hours
            quotes[pair] = _quote(rate, "fundingRate", "fundingTimestamp", hours, cap)
        return quotes

    def _current_terms(self) -> Mapping[str, Terms]:
        """Hours and cap by pair where they differ from the usual; they change rarely."""
        if self._clock() - self._terms_at > INTERVALS_KEPT_S:
            self.refresh_intervals()
        return self._terms

    def refresh_intervals(self) -> None:
        """See `Venue.refresh_intervals`."""
        # The others tell the interval with each rate; asked for all pairs at once, several of them refuse.
        if str(self._api.id).startswith("binance"):
            found = call(self._api, self._api.fetch_funding_intervals, None, {"subType": "linear"})
            self._terms = {
                pair: (hours, float(cap) if (cap := item["info"].get("adjustedFundingRateCap")) else None)
                for pair, item in found.items()
                if (hours := hours_of(item.get("interval")))
            }
            self._terms_at = self._clock()


def _quote(row: Mapping[str, Any], rate: str, next_at: str, hours: float, cap: float | None) -> FundingQuote:
    """`rate` and `next_at` name the row's fields; those of prices are the same everywhere."""
    due_ms, mark, index = row.get(next_at), row.get("markPrice"), row.get("indexPrice")
    return FundingQuote(float(row[rate]), hours, float(due_ms or 0) / 1000, float(mark or 0), float(index or 0), cap)
