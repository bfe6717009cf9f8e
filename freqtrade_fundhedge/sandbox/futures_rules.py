"""What USD-M futures check before an order reaches the book."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from freqtrade_fundhedge.sandbox.errors import BinanceError, missing
from freqtrade_fundhedge.sandbox.market import PerpMarket
from freqtrade_fundhedge.sandbox.numbers import ONE, ZERO, on_grid, places, plain
from freqtrade_fundhedge.sandbox.orders import FUTURES_CLIENT_ID

_ALGO_TYPES = ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")
TIMES = ("GTC", "IOC", "FOK", "GTX")


@dataclass(frozen=True)
class FuturesRequest:
    """A new futures order as it was asked for."""

    symbol: str
    side: str
    type: str
    time_in_force: str
    quantity: Decimal
    price: Decimal
    client_id: str
    reduce_only: bool = False
    position_side: str = "BOTH"


def check(request: FuturesRequest, market: PerpMarket, mark: Decimal, *, dual_side: bool) -> None:
    """Refuse what Binance refuses for its form: words, grids, bounds and minimums."""
    if market.status != "TRADING" and not (request.reduce_only and market.status == "SETTLING"):
        raise BinanceError(-4140, "Invalid symbol status for opening position.")
    blocked = {"BUY": {"LONG", "BOTH"}, "SELL": {"SHORT", "BOTH"}}.get(request.side, set())
    if market.control_side in blocked and not request.reduce_only:
        raise BinanceError(-4400, "Futures Trading Quantitative Rules violated, only reduceOnly order is allowed.")
    if (request.position_side == "BOTH") == dual_side:
        raise BinanceError(-4061, "Order's position side does not match user's setting.")
    if dual_side:
        raise BinanceError(-4061, "The sandbox trades in one-way mode only.")
    _check_words(request)
    _check_quantity(request, market)
    if request.type == "LIMIT":
        _check_price(request, market, mark)
    value = request.quantity * (request.price if request.type == "LIMIT" else mark)
    if value < market.spec.min_notional and not request.reduce_only:
        least = plain(market.spec.min_notional)
        raise BinanceError(-4164, f"Order's notional must be no smaller than {least} (unless you choose reduce only).")


def _check_words(request: FuturesRequest) -> None:
    if request.side not in {"BUY", "SELL"}:
        raise BinanceError(-1117, "Invalid side.")
    if request.type in _ALGO_TYPES:
        raise BinanceError(
            -4120,
            "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
        )
    if request.type not in {"LIMIT", "MARKET"}:
        raise BinanceError(-1116, "Invalid orderType.")
    if len(request.client_id) > 36:
        raise BinanceError(-4015, "Client order id length should not be more than 36 chars.")
    if not FUTURES_CLIENT_ID.match(request.client_id):
        raise BinanceError(-1100, "Illegal characters found in parameter 'newClientOrderId'.")
    if request.type == "LIMIT":
        if not request.time_in_force:
            raise missing("timeInForce")
        if request.time_in_force not in TIMES:
            raise BinanceError(-1115, "Invalid timeInForce.")


def _check_quantity(request: FuturesRequest, market: PerpMarket) -> None:
    spec = market.spec
    if request.quantity <= ZERO:
        raise BinanceError(-4003, "Quantity less than or equal to zero.")
    if places(request.quantity) > spec.qty_places:
        raise BinanceError(-1111, "Precision is over the maximum defined for this asset.")
    if not on_grid(request.quantity, spec.step):
        raise BinanceError(-4023, "Qty not increased by step size.")
    most = spec.market_max_qty if request.type == "MARKET" else spec.max_qty
    if request.quantity > most:
        raise BinanceError(-4005, "Quantity greater than max quantity.")


def _check_price(request: FuturesRequest, market: PerpMarket, mark: Decimal) -> None:
    spec = market.spec
    if request.price <= ZERO:
        raise BinanceError(-4001, "Price less than or equal to zero.")
    if places(request.price) > spec.price_places:
        raise BinanceError(-1111, "Precision is over the maximum defined for this asset.")
    if not on_grid(request.price, spec.tick):
        raise BinanceError(-4014, "Price not increased by tick size.")
    if request.side == "BUY" and request.price > mark * (ONE + spec.band):
        top = plain((mark * (ONE + spec.band)).quantize(spec.tick))
        raise BinanceError(-4016, f"Limit price can't be higher than {top}.")
    if request.side == "SELL" and request.price < mark * (ONE - spec.band):
        bottom = plain((mark * (ONE - spec.band)).quantize(spec.tick))
        raise BinanceError(-4024, f"Limit price can't be lower than {bottom}.")
