"""Predicted funding straight from Binance's rows."""

from __future__ import annotations

from typing import Any

import ccxt
import pytest

from freqtrade_fundhedge.errors import OutcomeUnknown
from freqtrade_fundhedge.venue.perpetuals import FundingQuote
from freqtrade_fundhedge.venue.predicted import PredictedFunding

ROW = {"markPrice": "101.5", "indexPrice": "100.25", "lastFundingRate": "0.00012", "nextFundingTime": 1_790_000_000_000}
# One settles each four hours, one is a dated future without funding, one is not among the markets that are loaded.
ROWS: list[dict[str, Any]] = [
    {"symbol": "BTCUSDT", **ROW},
    {"symbol": "ETHUSDT", **ROW, "lastFundingRate": "-0.0003"},
    {"symbol": "BTCUSDT_270326", **ROW, "lastFundingRate": "", "nextFundingTime": 0},
    {"symbol": "NEWUSDT", **ROW},
]
TERMS = {"ETH/USDT:USDT": {"interval": "4h", "info": {"adjustedFundingRateCap": "0.02"}}}


def market(name: str, symbol: str, kind: str) -> dict[str, Any]:
    contract = kind != "spot"
    return {
        "id": name, "symbol": symbol, "base": symbol[:3], "quote": "USDT", "type": kind, "spot": not contract,
        "swap": kind == "swap", "future": kind == "future", "contract": contract, "linear": contract or None,
    }  # fmt: skip


@pytest.fixture
def api() -> Any:
    made = ccxt.binance()
    made.set_markets(
        [
            market("BTCUSDT", "BTC/USDT", "spot"),
            market("BTCUSDT", "BTC/USDT:USDT", "swap"),
            market("ETHUSDT", "ETH/USDT:USDT", "swap"),
            market("BTCUSDT_270326", "BTC/USDT:USDT-270326", "future"),
        ]
    )
    made.fapiPublicGetPremiumIndex = lambda *_: ROWS
    made.fetch_funding_intervals = lambda *_: TERMS
    return made


def test_it_reads_what_ccxt_reads(api: Any) -> None:
    """The same quotes of the same pairs as by ccxt's own parser, with each pair's own interval and cap."""
    predicted = PredictedFunding(api, lambda: 0.0)
    quotes = predicted.quotes()
    assert quotes == predicted._of_ccxt()
    assert quotes["ETH/USDT:USDT"] == FundingQuote(-0.0003, 4.0, 1_790_000_000.0, 101.5, 100.25, 0.02)
    assert sorted(quotes) == ["BTC/USDT:USDT", "ETH/USDT:USDT"]


def test_markets_that_are_loaded_anew_count(api: Any) -> None:
    """A perpetual is quoted as soon as Freqtrade has loaded the list that it is on."""
    predicted = PredictedFunding(api, lambda: 0.0)
    assert "NEW/USDT:USDT" not in predicted.quotes()
    api.set_markets([*api.markets.values(), market("NEWUSDT", "NEW/USDT:USDT", "swap")])
    assert predicted.quotes()["NEW/USDT:USDT"].mark_price == 101.5


@pytest.mark.parametrize("answer", [[{"lastFundingRate": "0.1"}], [{**ROWS[0], "markPrice": "soon"}], None, "busy"])
def test_rows_that_make_no_sense_are_the_venues_fault(api: Any, answer: object) -> None:
    """One of our own errors, which the loop knows how to take."""
    api.fapiPublicGetPremiumIndex = lambda *_: answer
    with pytest.raises(OutcomeUnknown):
        PredictedFunding(api, lambda: 0.0).quotes()
