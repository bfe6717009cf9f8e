"""Gate's answers, as its API v4 documentation shows them."""

from __future__ import annotations

from recorded.common import LOSS, MAINTENANCE, MARGIN, MARK, NOW_MS

GATE_DETAIL = {"user_id": 1, "ip_whitelist": ["192.0.2.1"], "currency_pairs": [], "key": {"mode": 1}, "tier": 1}
GATE_KEYS = [
    {"state": 1, "mode": 1, "name": "other", "key": "another***", "perms": [{"name": "withdraw", "read_only": False}]},
    {"state": 1, "mode": 1, "name": "bot", "key": "key-of-***", "perms": [
        {"name": "spot", "read_only": False}, {"name": "futures", "read_only": False},
        {"name": "wallet", "read_only": False}]},
]  # fmt: skip
GATE_FUTURES = {
    "user": 1, "currency": "USDT", "total": "3700", "unrealised_pnl": LOSS, "position_margin": MARGIN,
    "order_margin": "0", "available": "2000", "point": "0", "bonus": "50", "in_dual_mode": False,
}  # fmt: skip
GATE_ORDER = {
    "id": "o-1", "text": "t-x", "create_time_ms": NOW_MS, "update_time_ms": NOW_MS, "status": "closed",
    "finish_as": "filled", "currency_pair": "BTC_USDT", "type": "limit", "account": "spot", "side": "buy",
    "amount": "0.1", "price": "50100", "time_in_force": "ioc", "left": "0", "filled_amount": "0.1",
    "filled_total": "5000", "avg_deal_price": "50000", "fee": "0.0001", "fee_currency": "BTC", "point_fee": "0",
    "gt_fee": "0",
}  # fmt: skip
GATE_SHORT = {
    "id": 15675394, "contract": "BTC_USDT", "size": 1000, "left": 0, "price": "0", "fill_price": "50000",
    "tif": "ioc", "status": "finished", "finish_as": "filled", "text": "t-x", "create_time": NOW_MS // 1000,
    "finish_time": NOW_MS // 1000, "is_reduce_only": True, "is_close": False,
}  # fmt: skip
GATE_COMMON = {
    "GET /api/v4/futures/usdt/contracts": [{
        "name": "BTC_USDT", "mark_price": MARK, "index_price": "49990", "funding_rate": "0.0001",
        "funding_rate_indicative": "0.0002", "funding_interval": 14400, "funding_next_apply": NOW_MS // 1000}],
    "GET /api/v4/account/detail": GATE_DETAIL,
    "GET /api/v4/account/main_keys": GATE_KEYS,
    "GET /api/v4/futures/usdt/accounts": GATE_FUTURES,
    "GET /api/v4/futures/usdt/positions": [{
        "contract": "BTC_USDT", "size": -1000, "leverage": "3", "mode": "single", "value": "5000", "margin": MARGIN,
        "entry_price": "48000", "mark_price": MARK, "liq_price": "64676", "unrealised_pnl": LOSS,
        "maintenance_rate": "0.005", "initial_margin": "1667", "maintenance_margin": MAINTENANCE,
        "update_time": NOW_MS // 1000, "open_time": NOW_MS // 1000}],
    "POST /api/v4/spot/orders": {**GATE_ORDER, "status": "open", "finish_as": "open", "left": "0.1"},
    "GET /api/v4/spot/orders/*": GATE_ORDER,
    "GET /api/v4/spot/orders": [GATE_ORDER],
    "GET /api/v4/futures/usdt/orders/*": GATE_SHORT,
    "GET /api/v4/futures/usdt/orders_timerange": [{**GATE_SHORT, "size": -1000, "is_reduce_only": False}],
    "GET /api/v4/spot/my_trades": [{
        "id": "t-1", "create_time_ms": str(NOW_MS), "currency_pair": "BTC_USDT", "side": "buy", "role": "taker",
        "amount": "0.1", "price": "50000", "order_id": "o-1", "fee": "0.0001", "fee_currency": "BTC",
        "point_fee": "0", "gt_fee": "0", "text": "t-x"}],
    "POST /api/v4/futures/usdt/orders": GATE_SHORT,
    "POST /api/v4/futures/usdt/positions/BTC_USDT/margin": {
        "contract": "BTC_USDT", "size": -1000, "leverage": "3", "margin": "1750", "value": "5000"},
}  # fmt: skip
GATE_UNIFIED = {
    "GET /api/v4/unified/unified_mode": {"mode": "single_currency", "settings": {}},
    **GATE_COMMON,
    "GET /api/v4/unified/accounts": {"user_id": 1, "locked": False, "balances": {
        "USDT": {"available": "6000", "freeze": "300", "borrowed": "0", "equity": "7800", "cross_balance": "6300",
                 "iso_balance": "1700", "im": "0", "mm": "0"},
        "BTC": {"available": "0.1", "freeze": "0", "borrowed": "0", "equity": "0.1"}}},
}  # fmt: skip
GATE_CLASSIC = {
    "GET /api/v4/unified/unified_mode": {"mode": "classic"},
    **GATE_COMMON,
    "GET /api/v4/spot/accounts": [
        {"currency": "USDT", "available": "4000", "locked": "0"},
        {"currency": "BTC", "available": "0.1", "locked": "0"}],
    "POST /api/v4/wallet/transfers": {"tx_id": 59636381286},
    "GET /api/v4/futures/usdt/account_book": [
        {"time": NOW_MS / 1000, "change": "-12.345678", "balance": "3700", "type": "dnw", "text": "", "id": "7"},
        {"time": NOW_MS / 1000, "change": "1.5", "balance": "3700", "type": "fund", "text": "", "id": "8"},
        {"time": NOW_MS / 1000, "change": "-0.25", "balance": "3700", "type": "fee", "text": "", "id": "9"},
        {"time": NOW_MS / 1000, "change": "3", "balance": "3700", "type": "point_dnw", "text": "", "id": "10"}],
}  # fmt: skip
