"""Public data of all markets at once: one request a kind, however many markets there are. No key."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ccxt
import numpy as np

from freqtrade_fundhedge.core.funding import FloatArray, IntArray
from freqtrade_fundhedge.errors import ConfigError, NotSent
from freqtrade_fundhedge.venue.ccxt_call import call

NEEDED = ("fetchFundingRates", "fetchTickers", "fetchBidsAsks", "fetchFundingRateHistory")
LINEAR = {"type": "swap", "subType": "linear"}
HISTORY_LIMIT = 1000


@dataclass(frozen=True)
class Ticker:
    """A market now: best prices and 24 hours' volume in quote units; 0 = the exchange did not say."""

    bid: float = 0.0
    ask: float = 0.0
    volume: float = 0.0

    @property
    def mid(self) -> float:
        """Between the best prices; NaN on an empty book."""
        return (self.bid + self.ask) / 2 if self.bid > 0 and self.ask > 0 else float("nan")

    @property
    def spread(self) -> float:
        """(ask - bid) / mid."""
        return (self.ask - self.bid) / self.mid


def public_api(name: str, settings: Mapping[str, Any]) -> Any:
    """A ccxt instance without keys, spot and linear markets loaded.

    Parameters
    ----------
    name : the exchange's, as in Freqtrade's `exchange.name`
    settings : for ccxt: proxies, URLs, time-outs; keys in them are left out

    Raises
    ------
    ConfigError : the exchange is not known, or can't list what is needed
    VenueError : the exchange can't be reached
    """
    if name not in ccxt.exchanges:
        raise ConfigError(f"exchange.name: {name!r} is not an exchange that ccxt knows")
    mine = copy.deepcopy(dict(settings))
    for secret in ("apiKey", "secret", "password", "uid", "privateKey", "walletAddress", "token"):
        mine.pop(secret, None)
    options = {**mine.get("options", {}), "defaultType": "spot"}
    if name.startswith("binance"):
        options["fetchMarkets"] = {"types": ["spot", "linear"]}
    api = getattr(ccxt, name)({"enableRateLimit": True, **mine, "options": options})
    missing = [feature for feature in NEEDED if not api.has.get(feature)]
    if missing:
        raise ConfigError(f"exchange.name: {name} can't list what is needed here ({', '.join(missing)})")
    try:
        call(api, api.load_markets)
    except NotSent as error:
        raise NotSent(f"{name} can't be reached: {error}") from None
    return api


def spot_tickers(api: Any) -> dict[str, Ticker]:
    """Best prices and volumes of all spot markets, by symbol; one request."""
    found: dict[str, Any] = call(api, api.fetch_tickers, None, {"type": "spot"})
    return {symbol: _ticker(row, row) for symbol, row in found.items()}


def futures_volumes(api: Any) -> dict[str, Any]:
    """ccxt's tickers of all linear perpetuals, by pair; one request."""
    found: dict[str, Any] = call(api, api.fetch_tickers, None, LINEAR)
    return found


def futures_tickers(api: Any, volumes: Mapping[str, Any]) -> dict[str, Ticker]:
    """Best prices of all linear perpetuals, by pair, with the volumes of `futures_volumes`; one request."""
    found: dict[str, Any] = call(api, api.fetch_bids_asks, None, LINEAR)
    return {pair: _ticker(row, volumes.get(pair, {})) for pair, row in found.items()}


def settled_funding(api: Any, pair: str, since_ms: int) -> tuple[IntArray, FloatArray]:
    """Settlements of a pair since a time: (Unix ms, rates), oldest first, each time once; one request."""
    rows = call(api, api.fetch_funding_rate_history, pair, since_ms, HISTORY_LIMIT)
    known = {int(row["timestamp"]): float(row["fundingRate"]) for row in rows if row.get("fundingRate") is not None}
    times = sorted(known)
    return np.array(times, dtype=np.int64), np.array([known[at] for at in times], dtype=np.float64)


def _ticker(prices: Mapping[str, Any], volumes: Mapping[str, Any]) -> Ticker:
    values = prices.get("bid"), prices.get("ask"), volumes.get("quoteVolume")
    return Ticker(*(float(value) if value else 0.0 for value in values))
