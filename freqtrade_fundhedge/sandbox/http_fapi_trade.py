"""Private futures endpoints about orders and margin of positions."""

from __future__ import annotations

from freqtrade_fundhedge.sandbox.auth import Need
from freqtrade_fundhedge.sandbox.errors import BinanceError, missing, no_such_order, unknown_order
from freqtrade_fundhedge.sandbox.exchange import Exchange
from freqtrade_fundhedge.sandbox.futures_rules import FuturesRequest, check
from freqtrade_fundhedge.sandbox.numbers import ZERO, places, plain
from freqtrade_fundhedge.sandbox.orders import Order
from freqtrade_fundhedge.sandbox.params import Params
from freqtrade_fundhedge.sandbox.routes import Routes
from freqtrade_fundhedge.sandbox.shape_futures import order_shape, query_shape, trade_shape

routes = Routes()


def _request(exchange: Exchange, params: Params) -> FuturesRequest:
    return FuturesRequest(
        symbol=params.text("symbol"),
        side=params.text("side"),
        type=params.text("type"),
        time_in_force=params.text("timeInForce", ""),
        quantity=params.decimal("quantity"),
        price=params.amount("price"),
        client_id=params.text("newClientOrderId", f"auto{exchange.now_ms()}"),
        reduce_only=params.flag("reduceOnly", False),
        position_side=params.text("positionSide", "BOTH"),
    )


@routes.add("POST", "/fapi/v1/order", Need.FUTURES)
def new_order(exchange: Exchange, params: Params) -> object:
    """Place an order. The short answer (ACK) shows it as it was accepted, not as it was filled."""
    order = exchange.futures.place(_request(exchange, params))
    shape = order_shape(exchange, order)
    if params.text("newOrderRespType", "ACK") == "ACK":
        zero = dict.fromkeys(("executedQty", "cumQty", "cumQuote", "avgPrice"), "0.00")
        shape |= zero | {"status": "NEW"}
    return shape


@routes.add("POST", "/fapi/v1/order/test", Need.FUTURES)
def test_order(exchange: Exchange, params: Params) -> object:
    """Check an order without sending it to the book."""
    request = _request(exchange, params)
    market = exchange.markets.perp_market(request.symbol)
    check(request, market, exchange.markets.mark_price(request.symbol), dual_side=exchange.mode.dual_side)
    return {}


def _find(exchange: Exchange, params: Params) -> Order | None:
    market = exchange.markets.perp_market(params.text("symbol"))
    order_id, client_id = params.integer("orderId"), params.text("origClientOrderId", "")
    if order_id is None and not client_id:
        raise BinanceError(-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
    return exchange.futures.store.find(market.symbol, order_id, client_id)


@routes.add("GET", "/fapi/v1/order", Need.FUTURES)
def get_order(exchange: Exchange, params: Params) -> object:
    """Show an order."""
    order = _find(exchange, params)
    if order is None:
        raise no_such_order()
    return query_shape(exchange, order)


@routes.add("GET", "/fapi/v1/openOrder", Need.FUTURES)
def get_open_order(exchange: Exchange, params: Params) -> object:
    """Show an order while it rests."""
    order = _find(exchange, params)
    if order is None or not order.open:
        raise no_such_order()
    return query_shape(exchange, order)


@routes.add("DELETE", "/fapi/v1/order", Need.FUTURES)
def cancel_order(exchange: Exchange, params: Params) -> object:
    """Cancel an order."""
    return order_shape(exchange, exchange.futures.cancel(_find(exchange, params)))


@routes.add("PUT", "/fapi/v1/order", Need.FUTURES)
def modify_order(exchange: Exchange, params: Params) -> object:
    """Change price and quantity of a resting limit order."""
    order = _find(exchange, params)
    if order is None or not order.open:
        raise unknown_order()
    if params.text("side") != order.side:
        raise BinanceError(-1117, "Invalid side.")
    exchange.futures.modify(order, params.decimal("quantity"), params.decimal("price"))
    return order_shape(exchange, order)


@routes.add("GET", "/fapi/v1/openOrders", Need.FUTURES)
def open_orders(exchange: Exchange, params: Params) -> object:
    """List resting orders, of one symbol or all."""
    symbol = params.text("symbol", "") or None
    return [query_shape(exchange, order) for order in exchange.futures.store.open(symbol)]


@routes.add("DELETE", "/fapi/v1/allOpenOrders", Need.FUTURES)
def cancel_all(exchange: Exchange, params: Params) -> object:
    """Cancel every resting order of a symbol."""
    for order in exchange.futures.store.open(params.text("symbol")):
        exchange.futures.cancel(order)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


@routes.add("GET", "/fapi/v1/allOrders", Need.FUTURES)
def all_orders(exchange: Exchange, params: Params) -> object:
    """List orders of a symbol in any state."""
    symbol, first = params.text("symbol"), params.integer("orderId") or 0
    start, end = params.integer("startTime") or 0, params.integer("endTime") or 1 << 62
    rows = [
        order
        for order in exchange.futures.store.orders.values()
        if order.symbol == symbol and order.id >= first and start <= order.time <= end
    ]
    size = params.size(500, 1000)
    rows = rows[:size] if params.has("orderId") or params.has("startTime") else rows[-size:]
    return [query_shape(exchange, order) for order in rows]


@routes.add("GET", "/fapi/v1/userTrades", Need.FUTURES)
def user_trades(exchange: Exchange, params: Params) -> object:
    """List own trades of a symbol."""
    symbol, order_id = params.text("symbol"), params.integer("orderId")
    start, end = params.integer("startTime") or 0, params.integer("endTime") or 1 << 62
    first = params.integer("fromId") or 0
    rows = [
        fill
        for fill in exchange.futures.store.trades
        if fill.symbol == symbol
        and order_id in {None, fill.order_id}
        and start <= fill.time <= end
        and fill.id >= first
    ]
    size = params.size(500, 1000)
    rows = rows[:size] if params.has("fromId") or params.has("startTime") else rows[-size:]
    return [trade_shape(exchange, fill) for fill in rows]


@routes.add("POST", "/fapi/v1/positionMargin", Need.FUTURES)
def change_margin(exchange: Exchange, params: Params) -> object:
    """Add margin to an isolated position (type 1) or take some out (type 2)."""
    symbol, amount, kind = params.text("symbol"), params.decimal("amount"), params.integer("type")
    if kind not in {1, 2}:
        raise missing("type")
    if amount <= ZERO:
        raise BinanceError(-4055, "Amount must be positive.")
    if places(amount) > 8:
        raise BinanceError(-1111, "Precision is over the maximum defined for this asset.")
    exchange.futures.account.adjust_margin(symbol, amount if kind == 1 else -amount)
    message = "Successfully modify position margin."
    return {"amount": float(amount), "code": 200, "msg": message, "type": kind}


@routes.add("GET", "/fapi/v1/positionMargin/history", Need.FUTURES)
def margin_history(exchange: Exchange, params: Params) -> object:
    """List changes of isolated margin."""
    symbol, kind = params.text("symbol"), params.integer("type")
    start, end = params.integer("startTime") or 0, params.integer("endTime") or 1 << 62
    # Like any history, it may show what happened a little later.
    known = exchange.now_ms() - exchange.transfers.lag_ms
    rows = [
        {
            "symbol": row.symbol,
            "type": 1 if row.amount > ZERO else 2,
            "deltaType": row.why,
            "amount": plain(abs(row.amount)),
            "asset": "USDT",
            "time": row.time,
            "positionSide": "BOTH",
            "clientTranId": "",
        }
        for row in exchange.futures.account.margin_changes
        if row.symbol == symbol and kind in {None, 1 if row.amount > ZERO else 2}
        if start <= row.time <= min(end, known)
    ]
    return rows[-params.size(500, 1000) :]


@routes.add("GET", "/fapi/v1/adlQuantile", Need.FUTURES)
def adl_quantile(exchange: Exchange, params: Params) -> object:
    """Show how near positions are to being deleveraged."""
    wanted = params.text("symbol", "")
    held = [p for p in exchange.futures.account.held() if wanted in {"", p.symbol}]
    return [{"symbol": p.symbol, "adlQuantile": {"LONG": 0, "SHORT": 0, "BOTH": 2}} for p in held]


@routes.add("GET", "/fapi/v1/forceOrders", Need.FUTURES)
def force_orders(exchange: Exchange, params: Params) -> object:
    """List liquidations and deleveragings of the account."""
    wanted, kind = params.text("symbol", ""), params.text("autoCloseType", "")
    return [
        query_shape(exchange, order)
        for why, order in exchange.enforcer.forced
        if wanted in {"", order.symbol} and kind in {"", why}
    ]
