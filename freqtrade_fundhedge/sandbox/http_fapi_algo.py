"""Private futures endpoints for conditional orders."""

from __future__ import annotations

from freqtrade_fundhedge.sandbox.algo import AlgoOrder
from freqtrade_fundhedge.sandbox.auth import Need
from freqtrade_fundhedge.sandbox.errors import BinanceError, no_such_order
from freqtrade_fundhedge.sandbox.exchange import Exchange
from freqtrade_fundhedge.sandbox.numbers import fixed
from freqtrade_fundhedge.sandbox.params import Params
from freqtrade_fundhedge.sandbox.routes import Routes

routes = Routes()


def _shape(exchange: Exchange, order: AlgoOrder) -> dict[str, object]:
    spec = exchange.markets.perp[order.symbol].spec
    actual = order.actual
    return {
        "algoId": order.id,
        "clientAlgoId": order.client_id,
        "algoType": "CONDITIONAL",
        "orderType": order.type,
        "symbol": order.symbol,
        "side": order.side,
        "positionSide": "BOTH",
        "timeInForce": order.time_in_force,
        "quantity": fixed(order.quantity, spec.qty_places),
        "algoStatus": order.status,
        "actualOrderId": str(actual.id) if actual is not None else "",
        "actualPrice": fixed(actual.average, spec.price_places) if actual is not None else "0.00000",
        "triggerPrice": fixed(order.trigger, spec.price_places),
        "price": fixed(order.price, spec.price_places),
        "icebergQuantity": None,
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "workingType": order.working_type,
        "priceMatch": "NONE",
        "closePosition": order.close_position,
        "priceProtect": False,
        "reduceOnly": order.reduce_only,
        "createTime": order.time,
        "updateTime": order.updated,
        "triggerTime": order.triggered,
        "goodTillDate": 0,
    }


@routes.add("POST", "/fapi/v1/algoOrder", Need.FUTURES)
def new_algo(exchange: Exchange, params: Params) -> object:
    """Place a conditional order."""
    if params.text("algoType") != "CONDITIONAL":
        raise BinanceError(-1102, "Invalid algoType.")
    now = exchange.now_ms()
    number = next(exchange.ids.algo_order)
    order = AlgoOrder(
        id=number,
        client_id=params.text("clientAlgoId", f"auto{number}"),
        symbol=params.text("symbol"),
        side=params.text("side"),
        type=params.text("type"),
        time_in_force=params.text("timeInForce", "GTC"),
        quantity=params.amount("quantity"),
        price=params.amount("price"),
        trigger=params.decimal("triggerPrice"),
        working_type=params.text("workingType", "CONTRACT_PRICE"),
        reduce_only=params.flag("reduceOnly", False),
        close_position=params.flag("closePosition", False),
        time=now,
        updated=now,
    )
    return _shape(exchange, exchange.algo.place(order))


def _find(exchange: Exchange, params: Params) -> AlgoOrder | None:
    return exchange.algo.find(params.integer("algoId"), params.text("clientAlgoId", "") or None)


@routes.add("GET", "/fapi/v1/algoOrder", Need.FUTURES)
def get_algo(exchange: Exchange, params: Params) -> object:
    """Show a conditional order."""
    order = _find(exchange, params)
    if order is None:
        raise no_such_order()
    return _shape(exchange, order)


@routes.add("DELETE", "/fapi/v1/algoOrder", Need.FUTURES)
def cancel_algo(exchange: Exchange, params: Params) -> object:
    """Withdraw a conditional order."""
    order = exchange.algo.cancel(_find(exchange, params))
    return {"algoId": order.id, "clientAlgoId": order.client_id, "code": "200", "msg": "success"}


@routes.add("GET", "/fapi/v1/openAlgoOrders", Need.FUTURES)
def open_algos(exchange: Exchange, params: Params) -> object:
    """List conditional orders that wait."""
    return [_shape(exchange, order) for order in exchange.algo.open(params.text("symbol", "") or None)]


@routes.add("GET", "/fapi/v1/allAlgoOrders", Need.FUTURES)
def all_algos(exchange: Exchange, params: Params) -> object:
    """List conditional orders of a symbol in any state."""
    symbol = params.text("symbol")
    rows = [order for order in exchange.algo.orders.values() if order.symbol == symbol]
    return [_shape(exchange, order) for order in rows[-params.size(500, 1000) :]]


@routes.add("DELETE", "/fapi/v1/algoOpenOrders", Need.FUTURES)
def cancel_algos(exchange: Exchange, params: Params) -> object:
    """Withdraw every conditional order of a symbol."""
    for order in exchange.algo.open(params.text("symbol")):
        exchange.algo.cancel(order)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}
