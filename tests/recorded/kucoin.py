"""KuCoin's answers, as its documentation shows them."""

from __future__ import annotations

from typing import Any

from recorded.common import NOW_MS


def kucoin(data: Any) -> dict[str, Any]:
    """KuCoin's envelope."""
    return {"code": "200000", "data": data}


KUCOIN_SHORT = {
    "id": "o-2", "clientOid": "y", "symbol": "XBTUSDTM", "type": "market", "side": "buy", "price": None, "size": 100,
    "filledSize": 100, "filledValue": "5000", "status": "done", "isActive": False, "cancelExist": False,
    "reduceOnly": True, "timeInForce": "GTC", "createdAt": NOW_MS, "updatedAt": NOW_MS,
}  # fmt: skip
KUCOIN = {
    "GET /api/ua/v1/account/mode": kucoin({"selfAccountMode": "CLASSIC"}),
    "GET /api/v1/user/api-key": kucoin({
        "uid": 1, "apiKey": "x", "permission": "General,Spot,Futures,FlexTransfers", "ipWhitelist": "192.0.2.1"}),
    "GET /api/v1/account-overview": kucoin({
        "accountEquity": 3500, "unrealisedPNL": -200, "marginBalance": 3700, "positionMargin": 1700,
        "orderMargin": 0, "frozenFunds": 0, "availableBalance": 2000, "currency": "USDT", "maxWithdrawAmount": 1900}),
    "GET /api/v1/accounts": kucoin([
        {"id": "1", "currency": "USDT", "type": "trade", "balance": "4000", "available": "4000", "holds": "0"},
        {"id": "2", "currency": "BTC", "type": "trade", "balance": "0.1", "available": "0.1", "holds": "0"}]),
    "GET /api/v1/positions": kucoin([{
        "id": "p", "symbol": "XBTUSDTM", "crossMode": False, "currentQty": -100, "markPrice": 50000.0,
        "markValue": -5000, "posCost": -4800, "posInit": 1600, "posMargin": 1700, "posMaint": 25, "posComm": 3,
        "maintMargin": 1500, "unrealisedPnl": -200, "realLeverage": 3.3, "avgEntryPrice": 48000,
        "liquidationPrice": 64676, "settleCurrency": "USDT", "currentTimestamp": NOW_MS}]),
    "POST /api/v1/orders": kucoin({"orderId": "o-1", "clientOid": "x"}),
    "GET /api/v1/order/client-order/*": kucoin({
        "id": "o-1", "clientOid": "x", "symbol": "BTC-USDT", "opType": "DEAL", "type": "limit", "side": "buy",
        "price": "50100", "size": "0.1", "dealSize": "0.1", "dealFunds": "5000", "fee": "0.0001",
        "feeCurrency": "BTC", "timeInForce": "IOC", "isActive": False, "cancelExist": False, "createdAt": NOW_MS}),
    "GET /api/v1/orders/byClientOid": kucoin(KUCOIN_SHORT),
    "GET /api/v1/orders": kucoin({"currentPage": 1, "pageSize": 50, "totalNum": 1, "totalPage": 1, "items": [
        {**KUCOIN_SHORT, "side": "sell", "reduceOnly": False}]}),
    "GET /api/v1/fills": kucoin({"currentPage": 1, "pageSize": 50, "totalNum": 1, "totalPage": 1, "items": [{
        "symbol": "BTC-USDT", "tradeId": "t-1", "orderId": "o-1", "side": "buy", "liquidity": "taker",
        "price": "50000", "size": "0.1", "funds": "5000", "fee": "0.0001", "feeCurrency": "BTC",
        "createdAt": NOW_MS, "type": "limit"}]}),
    "POST /api/v3/accounts/universal-transfer": kucoin({"orderId": "t-9"}),
    "GET /api/v1/transaction-history": kucoin({"hasMore": False, "dataList": [
        {"time": NOW_MS, "type": "TransferOut", "amount": -12.345678, "fee": 0, "accountEquity": 1, "offset": 7,
         "remark": "", "status": "Completed", "currency": "USDT"},
        {"time": NOW_MS, "type": "RealisedPNL", "amount": 1.25, "fee": 0, "accountEquity": 1, "status": "Completed",
         "remark": "", "offset": 8, "currency": "USDT"}]}),
    "POST /api/v1/position/margin/deposit-margin": kucoin({"symbol": "XBTUSDTM", "posMargin": 1750}),
    "POST /api/v1/margin/withdrawMargin": kucoin("50"),
}  # fmt: skip
