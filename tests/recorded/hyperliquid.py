"""Hyperliquid's answers, as its documentation shows them."""

from __future__ import annotations

from recorded.common import LOSS, MARK, NOW_MS

HYPERLIQUID = {
    "POST /info metaAndAssetCtxs": [{"universe": [{"name": "BTC", "szDecimals": 5, "maxLeverage": 50}]},
        [{"funding": "0.0000125", "markPx": MARK, "oraclePx": "49990", "openInterest": "1"}]],
    "POST /info userAbstraction": "unifiedAccount",
    "POST /info clearinghouseState": {"marginSummary": {"accountValue": "1500"}, "withdrawable": "0", "time": NOW_MS,
        "assetPositions": [{"type": "oneWay", "position": {
            "coin": "BTC", "szi": "-0.1", "entryPx": "48000", "positionValue": "5000", "unrealizedPnl": LOSS,
            "marginUsed": "1500", "leverage": {"type": "isolated", "value": 3}, "liquidationPx": "64676",
            "maxLeverage": 50}}]},
    "POST /info spotClearinghouseState": {"balances": [
        {"coin": "USDC", "token": 0, "total": "8000", "hold": "2000", "entryNtl": "0"},
        {"coin": "UBTC", "token": 197, "total": "0.1", "hold": "0", "entryNtl": "5000"}]},
    "POST /exchange order": {"status": "ok", "response": {"type": "order", "data": {"statuses": [
        {"filled": {"totalSz": "0.1", "avgPx": "50000", "oid": 77}}]}}},
    "POST /info orderStatus": {"status": "order", "order": {"status": "filled", "statusTimestamp": NOW_MS, "order": {
        "coin": "@142", "side": "B", "limitPx": "50100", "sz": "0.0", "oid": 77, "timestamp": NOW_MS,
        "origSz": "0.1", "tif": "Ioc", "cloid": "0x00", "orderType": "Limit", "reduceOnly": False}}},
    "POST /info historicalOrders": [{"status": "filled", "statusTimestamp": NOW_MS, "order": {
        "coin": "BTC", "side": "A", "limitPx": "49000", "sz": "0.0", "oid": 76, "timestamp": NOW_MS,
        "origSz": "0.1", "tif": "Ioc", "cloid": None, "orderType": "Market", "reduceOnly": False}}],
    "POST /info userFills": [
        {"coin": "@142", "px": "50000", "sz": "0.1", "side": "B", "time": NOW_MS, "oid": 77, "tid": 5,
         "fee": "0.0001", "feeToken": "UBTC", "crossed": True},
        {"coin": "@142", "px": "1", "sz": "9", "side": "B", "time": NOW_MS, "oid": 78, "tid": 6, "fee": "0",
         "feeToken": "UBTC", "crossed": True}],
    "POST /exchange updateIsolatedMargin": {"status": "ok", "response": {"type": "default"}},
    "POST /info l2Book": {"coin": "BTC", "time": NOW_MS, "levels": [
        [{"px": "49999", "sz": "1", "n": 1}], [{"px": "50001", "sz": "1", "n": 1}]]},
}  # fmt: skip
