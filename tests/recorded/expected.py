"""The requests that must leave, by kind of account: method, path, and the fields that decide what happens."""

from __future__ import annotations

from typing import Any

Wanted = list[tuple[str, dict[str, Any]]]
ORDER = "fh-0123456789abcdefghijklmnop"
PLAIN = "fh0123456789abcdefghijklmnop"
CLOID = "0x8942df1f13af5cd6e3873079452fe81f"
WALLET = "0x00000000000000000000000000000000000000aa"
TRANSFER = "fh-transfer"
SINCE = 1_789_999_990
SINCE_MS = str(SINCE * 1000)

ACCOUNT: dict[str, Wanted] = {
    "bybit unified": [
        ("GET /v5/user/query-api", {}),
        ("GET /v5/position/list", {"category": "linear", "settleCoin": "USDT"}),
        ("GET /v5/account/wallet-balance", {"accountType": "UNIFIED"}),
    ],
    "bybit classic": [
        ("GET /v5/user/query-api", {}),
        ("GET /v5/position/list", {"category": "linear", "settleCoin": "USDT"}),
        ("GET /v5/account/wallet-balance", {"accountType": "CONTRACT"}),
    ],
    "okx unified": [("GET /api/v5/account/positions", {"instType": "SWAP"}), ("GET /api/v5/account/balance", {})],
    "bitget unified": [
        ("GET /api/v3/account/settings", {}),
        ("GET /api/v3/position/current-position", {"category": "USDT-FUTURES"}),
        ("GET /api/v3/account/assets", {}),
    ],
    "bitget classic": [
        ("GET /api/v3/account/settings", {}),
        ("GET /api/v2/spot/account/info", {}),
        ("GET /api/v2/mix/position/all-position", {"productType": "USDT-FUTURES", "marginCoin": "USDT"}),
        ("GET /api/v2/mix/account/accounts", {"productType": "USDT-FUTURES"}),
    ],
    "gate unified": [
        ("GET /api/v4/unified/unified_mode", {}),
        ("GET /api/v4/futures/usdt/positions", {"holding": "true"}),
        ("GET /api/v4/unified/accounts", {"currency": "USDT"}),
    ],
    "gate classic": [
        ("GET /api/v4/unified/unified_mode", {}),
        ("GET /api/v4/futures/usdt/positions", {"holding": "true"}),
        ("GET /api/v4/futures/usdt/accounts", {}),
    ],
    "kucoin classic": [
        ("GET /api/ua/v1/account/mode", {}),
        ("GET /api/v1/positions", {}),
        ("GET /api/v1/account-overview", {"currency": "USDT"}),
    ],
    "hyperliquid unified": [
        ("POST /info", {"type": "userAbstraction", "user": WALLET}),
        ("POST /info", {"type": "clearinghouseState", "user": WALLET}),
        ("POST /info", {"type": "spotClearinghouseState", "user": WALLET}),
    ],
}

_BYBIT_ORDER: Wanted = [
    ("POST /v5/order/create", {
        "category": "spot", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "timeInForce": "IOC",
        "qty": "0.1", "price": "50100", "orderLinkId": ORDER}),
    ("GET /v5/order/realtime", {"category": "spot", "symbol": "BTCUSDT", "orderLinkId": ORDER}),
    ("GET /v5/execution/list", {"category": "spot", "orderId": "o-1"}),
]  # fmt: skip


def _gate_order(account: str) -> Wanted:
    return [
        ("POST /api/v4/spot/orders", {
            "account": account, "currency_pair": "BTC_USDT", "side": "buy", "type": "limit", "time_in_force": "ioc",
            "amount": "0.1", "price": "50100", "text": f"t-{PLAIN}"}),
        (f"GET /api/v4/spot/orders/t-{PLAIN}", {"account": account, "currency_pair": "BTC_USDT"}),
        ("GET /api/v4/spot/my_trades", {"currency_pair": "BTC_USDT", "order_id": "o-1"}),
    ]  # fmt: skip


SPOT_ORDER: dict[str, Wanted] = {
    "bybit unified": _BYBIT_ORDER,
    "bybit classic": _BYBIT_ORDER,
    "okx unified": [
        ("POST /api/v5/trade/batch-orders", {
            "instId": "BTC-USDT", "tdMode": "cash", "tgtCcy": "base_ccy", "side": "buy", "ordType": "ioc",
            "sz": "0.1", "px": "50100", "clOrdId": PLAIN}),
        ("GET /api/v5/trade/order", {"instId": "BTC-USDT", "clOrdId": PLAIN}),
        ("GET /api/v5/trade/fills-history", {"instType": "SPOT", "instId": "BTC-USDT", "ordId": "o-1"}),
    ],
    "bitget unified": [
        ("POST /api/v3/trade/place-order", {
            "category": "SPOT", "symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "timeInForce": "ioc",
            "qty": "0.1", "price": "50100", "clientOid": ORDER}),
        ("GET /api/v3/trade/order-info", {"clientOid": ORDER}),
        ("GET /api/v3/trade/fills", {"category": "SPOT", "orderId": "o-1"}),
    ],
    "bitget classic": [
        ("POST /api/v2/spot/trade/place-order", {
            "symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "force": "IOC", "size": "0.1",
            "price": "50100", "clientOid": ORDER}),
        ("GET /api/v2/spot/trade/orderInfo", {"clientOid": ORDER}),
        ("GET /api/v2/spot/trade/fills", {"symbol": "BTCUSDT", "orderId": "o-1"}),
    ],
    "gate unified": _gate_order("unified"),
    "gate classic": _gate_order("spot"),
    "kucoin classic": [
        ("POST /api/v1/orders", {
            "symbol": "BTC-USDT", "side": "buy", "type": "limit", "timeInForce": "IOC", "size": "0.1",
            "price": "50100", "clientOid": ORDER}),
        (f"GET /api/v1/order/client-order/{ORDER}", {}),
        ("GET /api/v1/fills", {"symbol": "BTC-USDT", "orderId": "o-1"}),
    ],
    "hyperliquid unified": [
        ("POST /exchange", {"action": {"type": "order", "grouping": "na", "orders": [
            {"a": 10142, "b": True, "p": "50100", "s": "0.1", "r": False, "t": {"limit": {"tif": "Ioc"}},
             "c": CLOID}]}}),
        ("POST /info", {"type": "orderStatus", "user": WALLET, "oid": CLOID}),
        ("POST /info", {"type": "userFills", "user": WALLET}),
    ],
}  # fmt: skip

SWEEP: dict[str, Wanted] = {
    "bybit classic": [("POST /v5/asset/transfer/inter-transfer", {
        "coin": "USDT", "amount": "12.345678", "fromAccountType": "CONTRACT", "toAccountType": "SPOT",
        "transferId": "86bc7f0b-a55c-557d-a67c-4514cfb65855"})],
    "bitget classic": [("POST /api/v2/spot/wallet/transfer", {
        "coin": "USDT", "amount": "12.345678", "fromType": "usdt_futures", "toType": "spot", "clientOid": TRANSFER})],
    "gate classic": [("POST /api/v4/wallet/transfers", {
        "currency": "USDT", "amount": "12.345678", "from": "futures", "to": "spot", "settle": "USDT"})],
    "kucoin classic": [("POST /api/v3/accounts/universal-transfer", {
        "currency": "USDT", "amount": "12.345678", "type": "INTERNAL", "fromAccountType": "CONTRACT",
        "toAccountType": "TRADE", "clientOid": TRANSFER})],
}  # fmt: skip
TOP_UP: dict[str, Wanted] = {
    "bybit classic": [(SWEEP["bybit classic"][0][0], {"fromAccountType": "SPOT", "toAccountType": "CONTRACT"})],
    "bitget classic": [(SWEEP["bitget classic"][0][0], {"fromType": "spot", "toType": "usdt_futures"})],
    "gate classic": [(SWEEP["gate classic"][0][0], {"from": "spot", "to": "futures"})],
    "kucoin classic": [(SWEEP["kucoin classic"][0][0], {"fromAccountType": "TRADE", "toAccountType": "CONTRACT"})],
}
HISTORY: dict[str, Wanted] = {
    "bybit classic": [
        ("GET /v5/asset/transfer/query-inter-transfer-list", {"coin": "USDT", "startTime": SINCE_MS, "limit": "50"})],
    "bitget classic": [("GET /api/v2/spot/account/transferRecords", {
        "coin": "USDT", "fromType": "usdt_futures", "startTime": SINCE_MS, "limit": "500", "pageNum": "1"})],
    "gate classic": [("GET /api/v4/futures/usdt/account_book", {
        "type": "dnw", "from": str(SINCE), "limit": "1000", "offset": "0"})],
    "kucoin classic": [("GET /api/v1/transaction-history", {
        "currency": "USDT", "type": "TransferOut", "startAt": SINCE_MS, "maxCount": "50"})],
}  # fmt: skip
FLOWS: dict[str, Wanted] = {
    "bybit classic": [("GET /v5/account/contract-transaction-log", {"currency": "USDT", "startTime": SINCE_MS})],
    "bitget classic": [("GET /api/v2/mix/account/bill", {
        "productType": "USDT-FUTURES", "onlyFunding": "yes", "startTime": SINCE_MS})],
    "gate classic": [("GET /api/v4/futures/usdt/account_book", {"from": str(SINCE), "offset": "0"})],
    "kucoin classic": [("GET /api/v1/transaction-history", {"currency": "USDT", "startAt": SINCE_MS})],
}  # fmt: skip

_BYBIT_CLOSE: Wanted = [
    ("POST /v5/order/create", {
        "category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "0.1",
        "reduceOnly": True, "positionIdx": 0, "orderLinkId": "fh-close"}),
    ("GET /v5/order/realtime", {"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "fh-close"}),
]  # fmt: skip
_GATE_CLOSE: Wanted = [("POST /api/v4/futures/usdt/orders", {
    "contract": "BTC_USDT", "size": 1000, "price": "0", "tif": "ioc", "reduce_only": True,
    "text": "t-fhclose"})]  # fmt: skip
CLOSE: dict[str, Wanted] = {
    "bybit unified": _BYBIT_CLOSE,
    "bybit classic": _BYBIT_CLOSE,
    "okx unified": [
        ("POST /api/v5/trade/batch-orders", {
            "instId": "BTC-USDT-SWAP", "tdMode": "isolated", "side": "buy", "ordType": "market", "sz": "10",
            "reduceOnly": True, "clOrdId": "fhclose"}),
        ("GET /api/v5/trade/order", {"instId": "BTC-USDT-SWAP", "clOrdId": "fhclose"}),
    ],
    "bitget unified": [
        ("POST /api/v3/trade/place-order", {
            "category": "USDT-FUTURES", "symbol": "BTCUSDT", "side": "buy", "orderType": "market", "qty": "0.1",
            "reduceOnly": "yes", "clientOid": "fh-close"}),
        ("GET /api/v3/trade/order-info", {"clientOid": "fh-close"}),
    ],
    "bitget classic": [
        ("POST /api/v2/mix/order/place-order", {
            "productType": "USDT-FUTURES", "symbol": "BTCUSDT", "side": "buy", "orderType": "market", "size": "0.1",
            "marginCoin": "USDT", "marginMode": "isolated", "reduceOnly": "YES", "clientOid": "fh-close"}),
        ("GET /api/v2/mix/order/detail", {
            "productType": "USDT-FUTURES", "symbol": "BTCUSDT", "clientOid": "fh-close"}),
    ],
    "gate unified": _GATE_CLOSE,
    "gate classic": _GATE_CLOSE,
    "kucoin classic": [
        ("POST /api/v1/orders", {
            "symbol": "XBTUSDTM", "side": "buy", "type": "market", "size": 100, "reduceOnly": True,
            "marginMode": "ISOLATED", "clientOid": "fh-close"}),
        ("GET /api/v1/orders/byClientOid", {"clientOid": "fh-close"}),
    ],
    "hyperliquid unified": [
        ("POST /info", {"type": "l2Book", "coin": "BTC"}),
        ("POST /exchange", {"action": {"type": "order", "grouping": "na", "orders": [
            {"a": 0, "b": True, "p": "52501", "s": "0.1", "r": True, "t": {"limit": {"tif": "Ioc"}},
             "c": "0x908acd2d2ebf85168d43b8f7df4bd709"}]}}),
        ("POST /info", {"type": "orderStatus", "user": WALLET}),
    ],
}  # fmt: skip

_BYBIT_MARGIN = ("POST /v5/position/add-margin", {"category": "linear", "symbol": "BTCUSDT"})
_OKX_MARGIN = ("POST /api/v5/account/position/margin-balance", {"instId": "BTC-USDT-SWAP", "posSide": "net"})
_BITGET_UTA = ("POST /api/v3/account/set-margin", {"category": "USDT-FUTURES", "symbol": "BTCUSDT", "posSide": "short"})
_BITGET_MIX = ("POST /api/v2/mix/account/set-margin", {
    "productType": "USDT-FUTURES", "symbol": "BTCUSDT", "marginCoin": "USDT", "holdSide": "short"})  # fmt: skip
_GATE_MARGIN = "POST /api/v4/futures/usdt/positions/BTC_USDT/margin"
_HYPERLIQUID_MARGIN = {"type": "updateIsolatedMargin", "asset": 0, "isBuy": True}
MARGIN: dict[str, tuple[tuple[str, dict[str, Any]], tuple[str, dict[str, Any]]]] = {
    "bybit unified": ((_BYBIT_MARGIN[0], {**_BYBIT_MARGIN[1], "margin": "50.0000"}),
                      (_BYBIT_MARGIN[0], {**_BYBIT_MARGIN[1], "margin": "-50.0000"})),
    "okx unified": ((_OKX_MARGIN[0], {**_OKX_MARGIN[1], "type": "add", "amt": "50"}),
                    (_OKX_MARGIN[0], {**_OKX_MARGIN[1], "type": "reduce", "amt": "50"})),
    "bitget unified": ((_BITGET_UTA[0], {**_BITGET_UTA[1], "operation": "add", "amount": "50"}),
                       (_BITGET_UTA[0], {**_BITGET_UTA[1], "operation": "remove", "amount": "50"})),
    "bitget classic": ((_BITGET_MIX[0], {**_BITGET_MIX[1], "amount": "50"}),
                       (_BITGET_MIX[0], {**_BITGET_MIX[1], "amount": "-50"})),
    "gate unified": ((_GATE_MARGIN, {"change": "50"}), (_GATE_MARGIN, {"change": "-50"})),
    "kucoin classic": (("POST /api/v1/position/margin/deposit-margin", {"symbol": "XBTUSDTM", "margin": "50"}),
                       ("POST /api/v1/margin/withdrawMargin", {"symbol": "XBTUSDTM", "withdrawAmount": "50"})),
    "hyperliquid unified": (("POST /exchange", {"action": {**_HYPERLIQUID_MARGIN, "ntli": 50_000_000}}),
                            ("POST /exchange", {"action": {**_HYPERLIQUID_MARGIN, "ntli": -50_000_000}})),
}  # fmt: skip
MARGIN |= {"bybit classic": MARGIN["bybit unified"], "gate classic": MARGIN["gate unified"]}

FUNDING: dict[str, tuple[str, dict[str, Any]]] = {
    "bybit": ("GET /v5/market/tickers", {"category": "linear"}),
    "okx": ("GET /api/v5/public/funding-rate", {"instId": "ANY"}),
    "bitget": ("GET /api/v2/mix/market/current-fund-rate", {"productType": "USDT-FUTURES"}),
    "gate": ("GET /api/v4/futures/usdt/contracts", {}),
    "hyperliquid": ("POST /info", {"type": "metaAndAssetCtxs"}),
}
