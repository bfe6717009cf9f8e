"""A read that fails after an accepted send must not pass for a refusal of the send."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import ccxt
import pytest

from freqtrade_fundhedge.callbacks import FundHedgeMixin
from freqtrade_fundhedge.errors import OutcomeUnknown
from freqtrade_fundhedge.market import SpotMarket
from freqtrade_fundhedge.venue.binance import BinanceAccount
from freqtrade_fundhedge.venue.live import LiveVenue
from freqtrade_fundhedge.venue.port import OrderRequest, Side

PAIR = "BTC/USDT:USDT"
MARKET = SpotMarket(PAIR, "BTC/USDT", "BTC", "USDT", D(1), D("0.00001"), D("0.01"), D("0.00001"), D(5), D(0), True)
REFUSALS = [
    ccxt.DDoSProtection('binance {"code":-1003,"msg":"Too many requests."}'),
    ccxt.AuthenticationError('binance {"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}'),
    ccxt.InvalidNonce('binance {"code":-1021,"msg":"Timestamp outside of recvWindow."}'),
]


class Accepting(ccxt.binance):
    """Takes orders without saying what became of them, and refuses to be asked."""

    refusal: Exception
    sent = 0

    def create_order(self, *_args: Any, **_kwargs: Any) -> Any:
        Accepting.sent += 1
        return {"id": "1", "status": "open"}

    def fetch_order(self, *_args: Any, **_kwargs: Any) -> Any:
        raise self.refusal


@pytest.fixture(params=REFUSALS, ids=lambda error: type(error).__name__)
def api(request: pytest.FixtureRequest) -> Accepting:
    exchange = Accepting()
    Accepting.sent = 0
    exchange.currencies = {"USDT": {"precision": 1e-8}}
    exchange.refusal = request.param
    return exchange


def test_an_accepted_spot_order_is_never_refused(api: Accepting) -> None:
    """Its outcome is unknown until it is found; one request was sent."""
    with pytest.raises(OutcomeUnknown):
        LiveVenue(api, api, "USDT").send_order(OrderRequest("fh-1", MARKET, Side.BUY, D("0.01"), D(50_000)))
    assert Accepting.sent == 1


def test_an_accepted_close_is_never_refused(api: Accepting) -> None:
    """The same for the one perpetual order that is ours."""
    with pytest.raises(OutcomeUnknown):
        BinanceAccount(api, api, "USDT").close_short(PAIR, D("0.01"), "fh-1")
    assert Accepting.sent == 1


class Raising:
    """Another mixin whose pre-flight check fails."""

    def confirm_trade_entry(self, **_kwargs: Any) -> bool:
        raise RuntimeError("broken")


class Mine(FundHedgeMixin, Raising):
    """A strategy with both."""


def test_an_exception_in_another_check_is_a_no() -> None:
    """Freqtrade would take it for a yes."""
    strategy = Mine.__new__(Mine)
    strategy.config, strategy._fundhedge, strategy._fundhedge_said = {"runmode": "live"}, None, {}
    assert strategy.confirm_trade_entry(PAIR, "market", 1.0, 1.0, "GTC", None, None, "short") is False  # type: ignore[arg-type]
