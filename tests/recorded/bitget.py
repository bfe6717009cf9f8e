"""Bitget's answers, unified (V3) and classic (V2), as its documentation shows them."""

from __future__ import annotations

from typing import Any

from recorded.common import LOSS, MARGIN, MARK, NOW_MS, SHORT


def bitget(data: Any) -> dict[str, Any]:
    """Bitget's envelope."""
    return {"code": "00000", "msg": "success", "requestTime": NOW_MS, "data": data}


BITGET_FUNDING = {"GET /api/v2/mix/market/current-fund-rate": bitget([{
    "symbol": "BTCUSDT", "fundingRate": "0.0001", "fundingRateInterval": "4", "nextUpdate": str(NOW_MS),
    "minFundingRate": "-0.003", "maxFundingRate": "0.003"}])}  # fmt: skip
BITGET_UNIFIED = {
    **BITGET_FUNDING,
    "GET /api/v3/account/settings": bitget({"uid": "1", "accountMode": "unified", "holdMode": "one_way_mode"}),
    "GET /api/v3/account/info": bitget({
        "userId": "1", "ips": "192.0.2.1", "permType": "read-and-write", "permissions": ["uta_mgt", "uta_trade"]}),
    "GET /api/v3/account/assets": bitget({"accountEquity": "9000", "unrealisedPnl": LOSS, "assets": [
        {"coin": "USDT", "equity": "7800", "balance": "8000", "available": "6000", "debt": "0", "locked": "2000"},
        {"coin": "BTC", "equity": "0.1", "balance": "0.1", "available": "0.1", "debt": "0", "locked": "0"},
    ]}),
    "GET /api/v3/position/current-position": bitget({"list": [{
        "category": "USDT-FUTURES", "symbol": "BTCUSDT", "marginCoin": "USDT", "holdMode": "one_way_mode",
        "posSide": "short", "marginMode": "isolated", "positionBalance": MARGIN, "total": SHORT, "leverage": "3",
        "avgPrice": "48000", "markPrice": MARK, "mmr": "0.0044", "liquidationPrice": "64676", "unrealisedPnl": LOSS,
        "createdTime": str(NOW_MS), "updatedTime": str(NOW_MS)}]}),
    "POST /api/v3/trade/place-order": bitget({"orderId": "o-1", "clientOid": "x"}),
    "GET /api/v3/trade/order-info": bitget({
        "orderId": "o-1", "clientOid": "x", "category": "SPOT", "symbol": "BTCUSDT", "orderType": "limit",
        "side": "buy", "price": "50100", "qty": "0.1", "cumExecQty": "0.1", "cumExecValue": "5000",
        "avgPrice": "50000", "timeInForce": "ioc", "orderStatus": "filled", "createdTime": str(NOW_MS),
        "updatedTime": str(NOW_MS), "reduceOnly": "no",
        "feeDetail": [{"feeCoin": "BTC", "fee": "0.0001"}]}),
    "GET /api/v3/trade/history-orders": bitget({"cursor": "1", "list": [{
        "orderId": "o-2", "clientOid": "y", "category": "USDT-FUTURES", "symbol": "BTCUSDT", "orderType": "market",
        "side": "sell", "price": "", "qty": SHORT, "cumExecQty": SHORT, "cumExecValue": "5000", "avgPrice": "50000",
        "timeInForce": "gtc", "orderStatus": "filled", "posSide": "short", "holdMode": "one_way_mode",
        "marginMode": "isolated", "reduceOnly": "no", "feeDetail": [], "createdTime": str(NOW_MS),
        "updatedTime": str(NOW_MS)}]}),
    "GET /api/v3/trade/fills": bitget({"list": [{
        "execId": "e-1", "orderId": "o-1", "category": "SPOT", "symbol": "BTCUSDT", "orderType": "limit",
        "side": "buy", "execPrice": "50000", "execQty": "0.1", "execValue": "5000", "tradeScope": "taker",
        "feeDetail": [{"feeCoin": "BTC", "fee": "0.0001"}], "createdTime": str(NOW_MS)}], "cursor": "1"}),
    "POST /api/v3/account/set-margin": bitget("success"),
}  # fmt: skip
BITGET_CLASSIC = {
    **BITGET_FUNDING,
    "GET /api/v3/account/settings": {"code": "25245", "msg": "classic account", "requestTime": NOW_MS, "data": None},
    "GET /api/v2/spot/account/info": bitget(
        {"userId": "1", "ips": "192.0.2.1", "authorities": ["coow", "cpow", "stow", "wtow"], "traderType": "x"}),
    "GET /api/v2/mix/account/accounts": bitget([{
        "marginCoin": "USDT", "locked": "0", "available": "2100", "crossedMaxAvailable": "2050",
        "isolatedMaxAvailable": "2000", "maxTransferOut": "1950", "accountEquity": "3500", "unrealizedPL": LOSS,
        "isolatedMargin": MARGIN, "assetMode": "single"}]),
    "GET /api/v2/spot/account/assets": bitget([
        {"coin": "USDT", "available": "4000", "frozen": "0", "locked": "0", "limitAvailable": "0", "uTime": "1"},
        {"coin": "BTC", "available": "0.1", "frozen": "0", "locked": "0", "limitAvailable": "0", "uTime": "1"}]),
    "GET /api/v2/mix/position/all-position": bitget([{
        "symbol": "BTCUSDT", "marginCoin": "USDT", "holdSide": "short", "posMode": "one_way_mode", "total": SHORT,
        "marginSize": MARGIN, "marginMode": "isolated", "leverage": "3", "openPriceAvg": "48000", "markPrice": MARK,
        "keepMarginRate": "0.0044", "liquidationPrice": "64676", "unrealizedPL": LOSS, "cTime": str(NOW_MS)}]),
    "POST /api/v2/spot/trade/place-order": bitget({"orderId": "o-1", "clientOid": "x"}),
    "POST /api/v2/mix/order/place-order": bitget({"orderId": "o-1", "clientOid": "x"}),
    "GET /api/v2/spot/trade/orderInfo": bitget([{
        "userId": "1", "symbol": "BTCUSDT", "orderId": "o-1", "clientOid": "x", "price": "50100", "size": "0.1",
        "orderType": "limit", "side": "buy", "status": "filled", "priceAvg": "50000", "baseVolume": "0.1",
        "quoteVolume": "5000", "enterPointSource": "API", "cTime": str(NOW_MS), "uTime": str(NOW_MS)}]),
    "GET /api/v2/mix/order/orders-history": bitget({"endId": "1", "entrustedList": [{
        "symbol": "BTCUSDT", "orderId": "o-2", "clientOid": "y", "size": SHORT, "baseVolume": SHORT, "price": "",
        "priceAvg": "50000", "status": "filled", "side": "sell", "orderType": "market", "marginMode": "isolated",
        "reduceOnly": "NO", "posMode": "one_way_mode", "cTime": str(NOW_MS), "uTime": str(NOW_MS)}]}),
    "GET /api/v2/mix/order/detail": bitget({
        "symbol": "BTCUSDT", "orderId": "o-1", "clientOid": "x", "size": SHORT, "baseVolume": SHORT, "price": "",
        "priceAvg": "50000", "state": "filled", "side": "buy", "orderType": "market", "marginMode": "isolated",
        "reduceOnly": "YES", "posMode": "one_way_mode", "cTime": str(NOW_MS), "uTime": str(NOW_MS)}),
    "GET /api/v2/spot/trade/fills": bitget([{
        "symbol": "BTCUSDT", "orderId": "o-1", "tradeId": "t-1", "orderType": "limit", "side": "buy",
        "priceAvg": "50000", "size": "0.1", "amount": "5000", "tradeScope": "taker", "cTime": str(NOW_MS),
        "feeDetail": {"deduction": "no", "feeCoin": "BTC", "totalFee": "-0.0001"}}]),
    "POST /api/v2/spot/wallet/transfer": bitget({"transferId": "t-9", "clientOid": "x"}),
    "GET /api/v2/spot/account/transferRecords": bitget([
        {"coin": "usdt", "status": "Successful", "toType": "spot", "fromType": "usdt_futures", "size": "12.345678",
         "ts": str(NOW_MS), "clientOid": "KEY", "transferId": "t-9"},
        {"coin": "usdt", "status": "Successful", "toType": "p2p", "fromType": "usdt_futures", "size": "12.345678",
         "ts": str(NOW_MS), "clientOid": "other", "transferId": "t-8"}]),
    "GET /api/v2/mix/account/bill": bitget({"bills": [
        {"billId": "1", "coin": "USDT", "businessType": "contract_settle_fee", "amount": "1.5", "fee": "0"},
        {"billId": "2", "coin": "USDT", "businessType": "buy", "amount": "0", "fee": "-0.25"},
        {"billId": "3", "coin": "USDT", "businessType": "trans_to_exchange", "amount": "-12", "fee": "0"},
    ], "endId": "3"}),
    "POST /api/v2/mix/account/set-margin": bitget(""),
}  # fmt: skip
