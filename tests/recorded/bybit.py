"""Bybit's answers, as its V5 documentation shows them."""

from __future__ import annotations

from typing import Any

from recorded.common import LOSS, MAINTENANCE, MARGIN, MARK, NOW_MS, SHORT


def bybit(result: Any) -> dict[str, Any]:
    """Bybit's envelope."""
    return {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": NOW_MS}


BYBIT_KEY = {
    "id": "1", "readOnly": 0, "uta": 1, "ips": ["192.0.2.1"],
    "permissions": {"ContractTrade": ["Order", "Position"], "Spot": ["SpotTrade"], "Wallet": ["AccountTransfer"]},
}  # fmt: skip
BYBIT_POSITION = {
    "positionIdx": 0, "symbol": "BTCUSDT", "side": "Sell", "size": SHORT, "avgPrice": "48000",
    "positionValue": "5000", "tradeMode": 0, "leverage": "3", "markPrice": MARK, "liqPrice": "64676.62",
    "positionIM": "1600", "positionMM": MAINTENANCE, "positionBalance": MARGIN, "unrealisedPnl": LOSS,
    "createdTime": str(NOW_MS), "updatedTime": str(NOW_MS),
}  # fmt: skip
BYBIT_ORDER = {
    "orderId": "o-1", "orderLinkId": "", "symbol": "BTCUSDT", "price": "50100", "qty": "0.1", "side": "Buy",
    "orderStatus": "Filled", "avgPrice": "50000", "cumExecQty": "0.1", "cumExecValue": "5000", "leavesQty": "0",
    "timeInForce": "IOC", "orderType": "Limit", "createdTime": str(NOW_MS), "updatedTime": str(NOW_MS),
    "reduceOnly": False,
}  # fmt: skip
BYBIT_EXECUTION = {
    "symbol": "BTCUSDT", "orderId": "o-1", "orderLinkId": "", "side": "Buy", "execId": "e-1", "execPrice": "50000",
    "execQty": "0.1", "execValue": "5000", "execFee": "0.0001", "feeCurrency": "BTC", "isMaker": False,
    "execType": "Trade", "execTime": str(NOW_MS), "orderType": "Limit",
}  # fmt: skip
BYBIT_COMMON = {
    "GET /v5/market/tickers": bybit(
        {
            "category": "linear",
            "list": [
                {
                    "symbol": "BTCUSDT",
                    "markPrice": MARK,
                    "indexPrice": "49990",
                    "fundingRate": "0.0001",
                    "nextFundingTime": str(NOW_MS),
                }
            ],
        }
    ),
    "GET /v5/position/list": bybit({"category": "linear", "list": [BYBIT_POSITION], "nextPageCursor": ""}),
    "POST /v5/order/create": bybit({"orderId": "o-1", "orderLinkId": "x"}),
    "GET /v5/order/realtime": bybit({"category": "spot", "list": [BYBIT_ORDER], "nextPageCursor": ""}),
    "GET /v5/order/history": lambda wanted: bybit(
        {
            "category": "linear",
            "nextPageCursor": "",
            "list": [
                BYBIT_ORDER if "orderLinkId" in wanted else {**BYBIT_ORDER, "side": "Sell", "orderType": "Market"}
            ],
        }
    ),
    "GET /v5/execution/list": bybit({"category": "spot", "list": [BYBIT_EXECUTION], "nextPageCursor": ""}),
    "POST /v5/position/add-margin": bybit({"category": "linear", "symbol": "BTCUSDT", "positionIdx": 0}),
}
BYBIT_UNIFIED = {
    "GET /v5/user/query-api": bybit(BYBIT_KEY),
    "GET /v5/account/info": bybit({"marginMode": "ISOLATED_MARGIN", "unifiedMarginStatus": 6}),
    "GET /v5/account/wallet-balance": bybit({"list": [{"accountType": "UNIFIED", "totalWalletBalance": "9000", "coin": [
        {"coin": "USDT", "walletBalance": "8000", "equity": "7800", "locked": "100", "totalPositionIM": "1600",
         "totalOrderIM": "200", "bonus": "0", "spotBorrow": "0", "availableToWithdraw": "", "unrealisedPnl": LOSS},
        {"coin": "BTC", "walletBalance": "0.1", "locked": "0", "totalPositionIM": "0", "totalOrderIM": "0",
         "availableToWithdraw": ""},
    ]}]}),
    **BYBIT_COMMON,
}  # fmt: skip
BYBIT_CLASSIC = {
    "GET /v5/user/query-api": bybit({**BYBIT_KEY, "uta": 0}),
    "GET /v5/account/info": bybit({"marginMode": "REGULAR_MARGIN", "unifiedMarginStatus": 1}),
    **BYBIT_COMMON,
    "GET /v5/position/list": bybit({"category": "linear", "nextPageCursor": "", "list": [
        {**BYBIT_POSITION, "tradeMode": 1, "positionIM": "", "positionMM": "", "bustPrice": ""}]}),
    "GET /v5/account/wallet-balance": bybit({"list": [{"accountType": "CONTRACT", "coin": [
        {"coin": "USDT", "walletBalance": "3700", "availableToWithdraw": "2000", "equity": "3500", "locked": ""},
    ]}]}),
    "POST /v5/asset/transfer/inter-transfer": bybit({"transferId": "ours", "status": "SUCCESS"}),
    "GET /v5/asset/transfer/query-inter-transfer-list": bybit({"list": [
        {"transferId": "selfTransfer_KEY", "coin": "USDT", "amount": "12.345678", "fromAccountType": "CONTRACT",
         "toAccountType": "SPOT", "timestamp": str(NOW_MS), "status": "SUCCESS"},
        {"transferId": "selfTransfer_other", "coin": "USDT", "amount": "12.345678", "fromAccountType": "SPOT",
         "toAccountType": "CONTRACT", "timestamp": str(NOW_MS), "status": "FAILED"},
    ], "nextPageCursor": ""}),
    "GET /v5/account/contract-transaction-log": bybit({"list": [
        {"id": "1", "type": "SETTLEMENT", "currency": "USDT", "change": "1.5", "transactionTime": str(NOW_MS)},
        {"id": "2", "type": "TRADE", "currency": "USDT", "change": "-0.25", "transactionTime": str(NOW_MS)},
        {"id": "3", "type": "TRANSFER_OUT", "currency": "USDT", "change": "-12", "transactionTime": str(NOW_MS)},
    ], "nextPageCursor": ""}),
}  # fmt: skip
