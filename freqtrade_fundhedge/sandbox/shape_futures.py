"""The futures account, its positions and orders in Binance's shape."""

from __future__ import annotations

from decimal import Decimal

from freqtrade_fundhedge.sandbox import margin
from freqtrade_fundhedge.sandbox.exchange import Exchange
from freqtrade_fundhedge.sandbox.numbers import ZERO, fixed, plain, round8
from freqtrade_fundhedge.sandbox.orders import Fill, Order
from freqtrade_fundhedge.sandbox.positions import Position, Totals
from freqtrade_fundhedge.sandbox.specs import PerpSpec


def order_shape(exchange: Exchange, order: Order) -> dict[str, object]:
    """Write an order."""
    spec = exchange.markets.perp[order.symbol].spec
    price, quantity = spec.price_places, spec.qty_places
    average = order.average
    return {
        "orderId": order.id,
        "symbol": order.symbol,
        "status": order.status,
        "clientOrderId": order.client_id,
        "price": fixed(order.price, price),
        "avgPrice": fixed(average, price if average == ZERO else max(price, 5)),
        "origQty": fixed(order.quantity, quantity),
        "executedQty": fixed(order.filled, quantity),
        "cumQty": fixed(order.filled, quantity),
        "cumQuote": fixed(order.quote, max(5, price + quantity)),
        "timeInForce": order.time_in_force,
        "type": order.type,
        "reduceOnly": order.reduce_only,
        "closePosition": False,
        "side": order.side,
        "positionSide": "BOTH",
        "stopPrice": fixed(ZERO, price),
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": order.type,
        "priceMatch": "NONE",
        "selfTradePreventionMode": "NONE",
        "goodTillDate": 0,
        "updateTime": order.updated,
    }


def query_shape(exchange: Exchange, order: Order) -> dict[str, object]:
    """Write an order as queries show it: with the time it was placed."""
    shape = order_shape(exchange, order)
    del shape["cumQty"]
    return shape | {"time": order.time}


def trade_shape(exchange: Exchange, fill: Fill) -> dict[str, object]:
    """Write a trade of the user."""
    spec = exchange.markets.perp[fill.symbol].spec
    return {
        "symbol": fill.symbol,
        "id": fill.id,
        "orderId": fill.order_id,
        "side": fill.side,
        "price": fixed(fill.price, spec.price_places),
        "qty": fixed(fill.quantity, spec.qty_places),
        "realizedPnl": fixed(fill.realized) if fill.realized else "0",
        "marginAsset": "USDT",
        "quoteQty": fixed(fill.quote, max(5, spec.price_places + spec.qty_places)),
        "commission": fixed(fill.commission),
        "commissionAsset": fill.commission_asset,
        "time": fill.time,
        "positionSide": "BOTH",
        "buyer": fill.side == "BUY",
        "maker": fill.maker,
    }


def _amount(value: Decimal) -> str:
    return plain(round8(value)) if not value else fixed(round8(value))


def position_shape(exchange: Exchange, position: Position) -> dict[str, object]:
    """Write a position as ``/fapi/v3/positionRisk`` does."""
    account = exchange.futures.account
    spec = exchange.markets.perp[position.symbol].spec
    pnl, initial = account.pnl(position), account.initial(position)
    orders = account.order_initial(position)
    buys, sells = account.order_notionals(position.symbol)
    return {
        "symbol": position.symbol,
        "positionSide": "BOTH",
        "positionAmt": fixed(position.quantity, spec.qty_places),
        "entryPrice": plain(position.entry.quantize(Decimal("1e-10")) if position.quantity else ZERO),
        "breakEvenPrice": plain(_break_even(exchange, position)),
        "markPrice": fixed(round8(account.mark(position))),
        "unRealizedProfit": fixed(round8(pnl)),
        "liquidationPrice": _amount(account.liquidation_price(position)),
        "isolatedMargin": _amount(position.wallet + pnl if position.isolated and position.quantity else ZERO),
        "notional": _amount(account.notional(position)),
        "marginAsset": "USDT",
        "isolatedWallet": _amount(position.wallet),
        "initialMargin": _amount(initial + orders),
        "maintMargin": _amount(account.maintenance(position)),
        "positionInitialMargin": _amount(initial),
        "openOrderInitialMargin": _amount(orders),
        "adl": 2 if position.quantity else 0,
        "bidNotional": _amount(buys),
        "askNotional": _amount(sells),
        "updateTime": position.updated,
    }


def _break_even(exchange: Exchange, position: Position) -> Decimal:
    if not position.quantity:
        return ZERO
    cost = 2 * exchange.fees.futures_taker * (1 if position.quantity > 0 else -1)
    return (position.entry * (1 + cost)).quantize(Decimal("1e-10"))


def position_shape_v2(exchange: Exchange, position: Position) -> dict[str, object]:
    """Write a position as ``/fapi/v2/positionRisk`` does."""
    shape = position_shape(exchange, position)
    spec = exchange.markets.perp[position.symbol].spec
    for name in ("marginAsset", "initialMargin", "maintMargin", "positionInitialMargin", "adl"):
        del shape[name]
    for name in ("openOrderInitialMargin", "bidNotional", "askNotional"):
        del shape[name]
    return shape | {
        "leverage": str(position.leverage),
        "maxNotionalValue": plain(margin.max_notional(spec.brackets, position.leverage)),
        "marginType": "isolated" if position.isolated else "cross",
        "isAutoAddMargin": "false",
        "isolated": position.isolated,
        "adlQuantile": 2 if position.quantity else 0,
    }


def account_position_shape(exchange: Exchange, position: Position, *, full: bool) -> dict[str, object]:
    """Write a position as the account endpoints do; ``full`` adds what version 2 tells."""
    risk = position_shape(exchange, position)
    shape = {
        "symbol": position.symbol,
        "positionSide": "BOTH",
        "positionAmt": risk["positionAmt"],
        "unrealizedProfit": risk["unRealizedProfit"],
        "isolatedMargin": risk["isolatedMargin"],
        "notional": risk["notional"],
        "isolatedWallet": risk["isolatedWallet"],
        "initialMargin": risk["initialMargin"],
        "maintMargin": risk["maintMargin"],
        "updateTime": position.updated,
    }
    if not full:
        return shape
    spec = exchange.markets.perp[position.symbol].spec
    names = ("positionInitialMargin", "openOrderInitialMargin", "entryPrice", "breakEvenPrice", "bidNotional")
    return (
        shape
        | {name: risk[name] for name in names}
        | {
            "askNotional": risk["askNotional"],
            "leverage": str(position.leverage),
            "isolated": position.isolated,
            "maxNotional": plain(margin.max_notional(spec.brackets, position.leverage)),
        }
    )


def totals_shape(totals: Totals) -> dict[str, str]:
    """Write the sums of the account, as its head shows them."""
    initial = totals.position_initial + totals.order_initial
    return {
        "totalInitialMargin": fixed(round8(initial)),
        "totalMaintMargin": fixed(round8(totals.maintenance)),
        "totalWalletBalance": fixed(totals.wallet),
        "totalUnrealizedProfit": fixed(round8(totals.pnl)),
        "totalMarginBalance": fixed(round8(totals.wallet + totals.pnl)),
        "totalPositionInitialMargin": fixed(round8(totals.position_initial)),
        "totalOpenOrderInitialMargin": fixed(round8(totals.order_initial)),
        "totalCrossWalletBalance": fixed(totals.cross_wallet),
        "totalCrossUnPnl": fixed(round8(totals.cross_pnl)),
        "availableBalance": fixed(totals.available),
        "maxWithdrawAmount": fixed(totals.withdrawable),
    }


def asset_shape(totals: Totals, updated: int) -> dict[str, object]:
    """Write the USDT line of the account."""
    return {
        "asset": "USDT",
        "walletBalance": fixed(totals.wallet),
        "unrealizedProfit": fixed(round8(totals.pnl)),
        "marginBalance": fixed(round8(totals.wallet + totals.pnl)),
        "maintMargin": fixed(round8(totals.maintenance)),
        "initialMargin": fixed(round8(totals.position_initial + totals.order_initial)),
        "positionInitialMargin": fixed(round8(totals.position_initial)),
        "openOrderInitialMargin": fixed(round8(totals.order_initial)),
        "crossWalletBalance": fixed(totals.cross_wallet),
        "crossUnPnl": fixed(round8(totals.cross_pnl)),
        "availableBalance": fixed(totals.available),
        "maxWithdrawAmount": fixed(totals.withdrawable),
        "marginAvailable": True,
        "updateTime": updated,
    }


def brackets_shape(spec: PerpSpec) -> dict[str, object]:
    """Write the leverage table of a symbol."""
    return {
        "symbol": spec.symbol,
        "brackets": [
            {
                "bracket": number,
                "initialLeverage": bracket.leverage,
                "notionalCap": int(bracket.cap),
                "notionalFloor": int(bracket.floor),
                "maintMarginRatio": float(bracket.maint_ratio),
                "cum": float(bracket.cum),
            }
            for number, bracket in enumerate(spec.brackets, start=1)
        ],
    }
