"""Spot endpoints, ``/api/v3``."""

from __future__ import annotations

from freqtrade_fundhedge.sandbox.auth import Need
from freqtrade_fundhedge.sandbox.errors import BinanceError, no_such_order, unknown_order
from freqtrade_fundhedge.sandbox.exchange import Exchange
from freqtrade_fundhedge.sandbox.ledger import SPOT
from freqtrade_fundhedge.sandbox.numbers import fixed
from freqtrade_fundhedge.sandbox.orders import Fill, Order
from freqtrade_fundhedge.sandbox.params import Params
from freqtrade_fundhedge.sandbox.routes import Routes
from freqtrade_fundhedge.sandbox.spot_rules import SpotRequest, check

routes = Routes()


def order_shape(order: Order) -> dict[str, object]:
    """Write an order as queries show it."""
    return {
        "symbol": order.symbol,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": order.client_id,
        "price": fixed(order.price),
        "origQty": fixed(order.quantity),
        "executedQty": fixed(order.filled),
        "cummulativeQuoteQty": fixed(order.quote),
        "status": order.status,
        "timeInForce": order.time_in_force,
        "type": order.type,
        "side": order.side,
        "stopPrice": "0.00000000",
        "icebergQty": fixed(order.iceberg),
        "time": order.time,
        "updateTime": order.updated,
        "isWorking": True,
        "workingTime": order.time,
        "origQuoteOrderQty": fixed(order.quote_quantity),
        "selfTradePreventionMode": order.stp,
    }


def _new_order_shape(order: Order, detail: str) -> dict[str, object]:
    head: dict[str, object] = {
        "symbol": order.symbol,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": order.client_id,
        "transactTime": order.time,
    }
    if detail == "ACK":
        return head
    head |= {
        "price": fixed(order.price),
        "origQty": fixed(order.quantity),
        "executedQty": fixed(order.filled),
        "origQuoteOrderQty": fixed(order.quote_quantity),
        "cummulativeQuoteQty": fixed(order.quote),
        "status": order.status,
        "timeInForce": order.time_in_force,
        "type": order.type,
        "side": order.side,
        "workingTime": order.time,
        "selfTradePreventionMode": order.stp,
    }
    if detail == "FULL":
        head["fills"] = [_fill_shape(fill) for fill in order.fills]
    return head


def _fill_shape(fill: Fill) -> dict[str, object]:
    return {
        "price": fixed(fill.price),
        "qty": fixed(fill.quantity),
        "commission": fixed(fill.commission),
        "commissionAsset": fill.commission_asset,
        "tradeId": fill.id,
    }


def _cancel_shape(order: Order, client_id: str) -> dict[str, object]:
    shape = order_shape(order)
    for name in ("time", "updateTime", "isWorking", "workingTime", "stopPrice", "icebergQty"):
        del shape[name]
    return shape | {
        "origClientOrderId": order.client_id,
        "clientOrderId": client_id,
        "transactTime": order.updated,
    }


def _request(exchange: Exchange, params: Params) -> SpotRequest:
    return SpotRequest(
        symbol=params.text("symbol"),
        side=params.text("side"),
        type=params.text("type"),
        time_in_force=params.text("timeInForce", ""),
        quantity=params.amount("quantity"),
        quote_quantity=params.amount("quoteOrderQty"),
        price=params.amount("price"),
        client_id=params.text("newClientOrderId", f"auto{exchange.now_ms()}"),
        iceberg=params.amount("icebergQty"),
        stp=params.text("selfTradePreventionMode", "EXPIRE_MAKER"),
    )


@routes.add("POST", "/api/v3/order", Need.SPOT)
def new_order(exchange: Exchange, params: Params) -> object:
    """Place an order."""
    order = exchange.spot.place(_request(exchange, params))
    default = "FULL" if order.type in {"MARKET", "LIMIT"} else "ACK"
    return _new_order_shape(order, params.text("newOrderRespType", default))


@routes.add("POST", "/api/v3/order/test", Need.SPOT)
def test_order(exchange: Exchange, params: Params) -> object:
    """Check an order without sending it to the book."""
    request = _request(exchange, params)
    check(request, exchange.markets.spot_market(request.symbol), exchange.now_ms())
    return {}


def _find(exchange: Exchange, params: Params) -> Order | None:
    symbol = params.text("symbol")
    exchange.markets.spot_market(symbol)
    order_id, client_id = params.integer("orderId"), params.text("origClientOrderId", "")
    if order_id is None and not client_id:
        raise BinanceError(-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
    return exchange.spot.store.find(symbol, order_id, client_id)


@routes.add("GET", "/api/v3/order", Need.READ)
def get_order(exchange: Exchange, params: Params) -> object:
    """Show an order."""
    order = _find(exchange, params)
    if order is None:
        raise no_such_order()
    return order_shape(order)


@routes.add("DELETE", "/api/v3/order", Need.SPOT)
def cancel_order(exchange: Exchange, params: Params) -> object:
    """Cancel an order."""
    order = exchange.spot.cancel(_find(exchange, params))
    return _cancel_shape(order, params.text("newCancelClientOrderId", f"cancel{exchange.now_ms()}"))


@routes.add("GET", "/api/v3/openOrders", Need.READ)
def open_orders(exchange: Exchange, params: Params) -> object:
    """List resting orders, of one symbol or all."""
    symbol = params.text("symbol", "") or None
    return [order_shape(order) for order in exchange.spot.store.open(symbol)]


@routes.add("DELETE", "/api/v3/openOrders", Need.SPOT)
def cancel_open_orders(exchange: Exchange, params: Params) -> object:
    """Cancel every resting order of a symbol."""
    orders = exchange.spot.store.open(params.text("symbol"))
    if not orders:
        raise unknown_order()
    return [_cancel_shape(exchange.spot.cancel(order), "all") for order in orders]


@routes.add("GET", "/api/v3/allOrders", Need.READ)
def all_orders(exchange: Exchange, params: Params) -> object:
    """List orders of a symbol in any state."""
    symbol, first = params.text("symbol"), params.integer("orderId") or 0
    start, end = params.integer("startTime") or 0, params.integer("endTime") or 1 << 62
    rows = [
        order
        for order in exchange.spot.store.orders.values()
        if order.symbol == symbol and order.id >= first and start <= order.time <= end
    ]
    size = params.size(500, 1000)
    rows = rows[:size] if params.has("orderId") or params.has("startTime") else rows[-size:]
    return [order_shape(order) for order in rows]


@routes.add("GET", "/api/v3/myTrades", Need.READ)
def my_trades(exchange: Exchange, params: Params) -> object:
    """List own trades of a symbol."""
    symbol, order_id = params.text("symbol"), params.integer("orderId")
    start, end = params.integer("startTime") or 0, params.integer("endTime") or 1 << 62
    first = params.integer("fromId") or 0
    rows = [
        fill
        for fill in exchange.spot.store.trades
        if fill.symbol == symbol
        and order_id in {None, fill.order_id}
        and start <= fill.time <= end
        and fill.id >= first
    ]
    size = params.size(500, 1000)
    rows = rows[:size] if params.has("fromId") or params.has("startTime") else rows[-size:]
    return [_trade_shape(fill) for fill in rows]


def _trade_shape(fill: Fill) -> dict[str, object]:
    return {
        "symbol": fill.symbol,
        "id": fill.id,
        "orderId": fill.order_id,
        "orderListId": -1,
        "price": fixed(fill.price),
        "qty": fixed(fill.quantity),
        "quoteQty": fixed(fill.quote),
        "commission": fixed(fill.commission),
        "commissionAsset": fill.commission_asset,
        "time": fill.time,
        "isBuyer": fill.side == "BUY",
        "isMaker": fill.maker,
        "isBestMatch": True,
    }


@routes.add("GET", "/api/v3/account", Need.READ)
def account(exchange: Exchange, params: Params) -> object:
    """Show the spot wallet."""
    hide = params.flag("omitZeroBalances", False)
    fees, ledger = exchange.fees, exchange.ledger
    rows = []
    for asset in exchange.markets.assets():
        locked = exchange.spot.locked(asset)
        total = ledger.balance(SPOT, asset)
        if total or not hide:
            rows.append({"asset": asset, "free": fixed(total - locked), "locked": fixed(locked)})
    return {
        "makerCommission": int(fees.spot_maker * 10_000),
        "takerCommission": int(fees.spot_taker * 10_000),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": fixed(fees.spot_maker),
            "taker": fixed(fees.spot_taker),
            "buyer": "0.00000000",
            "seller": "0.00000000",
        },
        "canTrade": True,
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": exchange.now_ms(),
        "accountType": "SPOT",
        "balances": rows,
        "permissions": ["SPOT"],
        "uid": 365859102,
    }
