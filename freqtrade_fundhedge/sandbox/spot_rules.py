"""The filters a spot order has to pass before it reaches the book."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from freqtrade_fundhedge.sandbox.errors import BinanceError, filter_failure, missing
from freqtrade_fundhedge.sandbox.market import SpotMarket
from freqtrade_fundhedge.sandbox.numbers import ZERO, on_grid, places
from freqtrade_fundhedge.sandbox.orders import SPOT_CLIENT_ID

TYPES = ("LIMIT", "LIMIT_MAKER", "MARKET")
_BAND = (Decimal("0.2"), Decimal(5))
_MAX_OPEN = 200


@dataclass(frozen=True)
class SpotRequest:
    """A new spot order as it was asked for."""

    symbol: str
    side: str
    type: str
    time_in_force: str
    quantity: Decimal
    quote_quantity: Decimal
    price: Decimal
    client_id: str
    iceberg: Decimal = ZERO
    stp: str = "EXPIRE_MAKER"


def check(request: SpotRequest, market: SpotMarket, now: int) -> None:
    """Refuse what the symbol's filters refuse."""
    if market.status != "TRADING":
        raise BinanceError(-1013, "Market is closed.")
    _check_words(request)
    if request.type == "MARKET":
        _check_market(request, market, now)
    else:
        _check_limit(request, market, now)


def _check_words(request: SpotRequest) -> None:
    if request.side not in {"BUY", "SELL"}:
        raise BinanceError(-1117, "Invalid side.")
    if request.type not in TYPES:
        raise BinanceError(-1116, "Invalid orderType.")
    if not SPOT_CLIENT_ID.match(request.client_id):
        raise BinanceError(
            -1100,
            "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'.",
        )
    for name, value in (("quantity", request.quantity), ("price", request.price)):
        if places(value) > 8:
            raise BinanceError(-1111, f"Parameter '{name}' has too much precision.")
    if request.type == "LIMIT" and request.time_in_force not in {"GTC", "IOC", "FOK"}:
        raise missing("timeInForce") if not request.time_in_force else BinanceError(-1115, "Invalid timeInForce.")


def _check_lot(request: SpotRequest, market: SpotMarket) -> None:
    spec = market.spec
    if request.quantity < spec.step or request.quantity > spec.max_qty or not on_grid(request.quantity, spec.step):
        raise filter_failure("LOT_SIZE")


def _check_market(request: SpotRequest, market: SpotMarket, now: int) -> None:
    if request.quote_quantity > ZERO:
        value = request.quote_quantity
        if places(value) > 8:
            raise BinanceError(-1111, "Parameter 'quoteOrderQty' has too much precision.")
    elif request.quantity > ZERO:
        _check_lot(request, market)
        if request.quantity > market.spec.market_max_qty:
            raise filter_failure("MARKET_LOT_SIZE")
        value = request.quantity * market.last(now)
    else:
        raise missing("quantity")
    if value < market.spec.min_notional:
        raise filter_failure("NOTIONAL")


def _check_limit(request: SpotRequest, market: SpotMarket, now: int) -> None:
    if request.price <= ZERO:
        raise missing("price")
    if request.quantity <= ZERO:
        raise missing("quantity")
    if not on_grid(request.price, market.spec.tick):
        raise filter_failure("PRICE_FILTER")
    last = market.last(now)
    if not last * _BAND[0] <= request.price <= last * _BAND[1]:
        raise filter_failure("PERCENT_PRICE_BY_SIDE")
    _check_lot(request, market)
    if request.quantity * request.price < market.spec.min_notional:
        raise filter_failure("NOTIONAL")


def check_room(open_orders: int) -> None:
    """Refuse more resting orders than a symbol may have."""
    if open_orders >= _MAX_OPEN:
        raise filter_failure("MAX_NUM_ORDERS")
