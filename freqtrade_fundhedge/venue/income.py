"""The exchange's own account of the futures wallet: what each symbol earned and paid, for comparison."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import ccxt

from freqtrade_fundhedge.errors import ConfigError
from freqtrade_fundhedge.venue.ccxt_call import call, decimal
from freqtrade_fundhedge.venue.income_pages import income_lines

KEPT_S: Final = 89 * 86_400.0
KINDS: Final = {"FUNDING_FEE": "funding", "COMMISSION": "commission", "REALIZED_PNL": "realised"}


@dataclass(frozen=True)
class Income:
    """One line: `kind` is funding, commission or realised; `symbol` the exchange's own; `at` seconds since 1970."""

    kind: str
    symbol: str
    asset: str
    amount: float
    at: float


def exchange_symbol(pair: str) -> str:
    """The exchange's name of a perpetual: `BTC/USDT:USDT` is BTCUSDT."""
    return pair.partition(":")[0].replace("/", "")


def income_since(
    name: str, settings: Mapping[str, Any], keys: Mapping[str, str], since: float, now: float
) -> tuple[float, Sequence[Income]]:
    """Read the history, in pages.

    Parameters
    ----------
    name : of the exchange, as in Freqtrade's `exchange.name`
    settings : for ccxt: proxies, URLs, time-outs
    keys : `apiKey` and `secret`
    since, now : seconds since 1970

    Returns
    -------
    the time from which on the exchange still has everything, and all lines from then on

    Raises
    ------
    ConfigError : another exchange
    VenueError : it can't be read
    """
    if name != "binance":
        raise ConfigError(f"exchange.name: the income history of {name} can't be read here, only binance's")
    options = {**settings.get("options", {}), "defaultType": "swap", "adjustForTimeDifference": True}
    api = ccxt.binance({"enableRateLimit": True, **copy.deepcopy(dict(settings)), **keys, "options": options})
    first = max(since, now - KEPT_S)
    api.options["timeDifference"] = call(api, api.load_time_difference)
    found = [_income(row) for row in income_lines(api, first) if row.get("incomeType") in KINDS]
    return first, found


def _income(row: Mapping[str, Any]) -> Income:
    return Income(
        kind=KINDS[str(row["incomeType"])],
        symbol=str(row.get("symbol")),
        asset=str(row.get("asset")),
        amount=float(decimal(row.get("income"))),
        at=float(row["time"]) / 1000,
    )
