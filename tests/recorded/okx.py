"""OKX's answers, as its V5 documentation shows them."""

from __future__ import annotations

from typing import Any

from recorded.common import LOSS, MAINTENANCE, MARGIN, MARK, NOW_MS


def okx(*rows: Any) -> dict[str, Any]:
    """OKX's envelope."""
    return {"code": "0", "msg": "", "data": list(rows)}


OKX_ORDER = {
    "instType": "SPOT", "instId": "BTC-USDT", "ordId": "o-1", "clOrdId": "x", "px": "50100", "sz": "0.1",
    "ordType": "ioc", "side": "buy", "tdMode": "cash", "accFillSz": "0.1", "avgPx": "50000", "state": "filled",
    "fee": "-0.0001", "feeCcy": "BTC", "cTime": str(NOW_MS), "uTime": str(NOW_MS), "reduceOnly": "false",
}  # fmt: skip
OKX_SHORT = {"instType": "SWAP", "instId": "BTC-USDT-SWAP", "sz": "10", "accFillSz": "10", "ordType": "market"}
OKX = {
    "GET /api/v5/public/funding-rate": okx({
        "instType": "SWAP", "instId": "BTC-USDT-SWAP", "fundingRate": "0.0001", "fundingTime": str(NOW_MS),
        "nextFundingTime": str(NOW_MS + 4 * 3_600_000), "nextFundingRate": ""}),
    "GET /api/v5/account/config": okx({
        "acctLv": "2", "posMode": "net_mode", "perm": "read_only,trade", "ip": "192.0.2.1"}),
    "GET /api/v5/account/balance": okx({"totalEq": "9000", "uTime": str(NOW_MS), "details": [
        {"ccy": "USDT", "cashBal": "8000", "eq": "7800", "availEq": "6050", "availBal": "6000", "frozenBal": "2000"},
        {"ccy": "BTC", "cashBal": "0.1", "eq": "0.1", "availEq": "0.1", "availBal": "0.1", "frozenBal": "0"},
    ]}),
    "GET /api/v5/account/positions": okx({
        "instType": "SWAP", "instId": "BTC-USDT-SWAP", "posSide": "net", "pos": "-10", "mgnMode": "isolated",
        "markPx": MARK, "avgPx": "48000", "notionalUsd": "5001.2", "lever": "3", "margin": MARGIN, "imr": "",
        "mmr": MAINTENANCE, "upl": LOSS, "liqPx": "64676", "cTime": str(NOW_MS), "uTime": str(NOW_MS)}),
    "POST /api/v5/trade/batch-orders": okx({"clOrdId": "x", "ordId": "o-1", "sCode": "0", "sMsg": "", "tag": ""}),
    "GET /api/v5/trade/order": lambda wanted: okx(
        OKX_ORDER if wanted["instId"] == "BTC-USDT" else {**OKX_ORDER, **OKX_SHORT, "side": "buy"}),
    "GET /api/v5/trade/orders-history": okx({**OKX_ORDER, **OKX_SHORT, "side": "sell"}),
    "GET /api/v5/trade/fills-history": okx({
        "instType": "SPOT", "instId": "BTC-USDT", "tradeId": "t-1", "ordId": "o-1", "clOrdId": "x", "fillPx": "50000",
        "fillSz": "0.1", "side": "buy", "execType": "T", "fee": "-0.0001", "feeCcy": "BTC", "ts": str(NOW_MS)},
        {"instType": "SPOT", "instId": "BTC-USDT", "tradeId": "t-0", "ordId": "another", "fillPx": "1", "fillSz": "9",
         "side": "buy", "execType": "T", "fee": "-1", "feeCcy": "BTC", "ts": str(NOW_MS)}),
    "POST /api/v5/account/position/margin-balance": okx(
        {"amt": "50", "instId": "BTC-USDT-SWAP", "posSide": "net", "type": "add", "ccy": "USDT", "leverage": ""}),
}  # fmt: skip
