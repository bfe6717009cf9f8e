"""Wallet endpoints, ``/sapi/v1``."""

from __future__ import annotations

from dataclasses import asdict

from freqtrade_fundhedge.sandbox.auth import Need
from freqtrade_fundhedge.sandbox.errors import BinanceError
from freqtrade_fundhedge.sandbox.exchange import Exchange
from freqtrade_fundhedge.sandbox.ledger import FUNDING_WALLET, SPOT
from freqtrade_fundhedge.sandbox.numbers import fixed, plain
from freqtrade_fundhedge.sandbox.params import Params
from freqtrade_fundhedge.sandbox.routes import Routes

routes = Routes()
_KEY_CREATED = 1698645219000


@routes.add("GET", "/sapi/v1/system/status")
def system_status(exchange: Exchange, params: Params) -> object:
    """Say that all is well."""
    return {"status": 0, "msg": "normal"}


@routes.add("GET", "/sapi/v1/capital/config/getall", Need.READ)
def coins(exchange: Exchange, params: Params) -> object:
    """List coins with their networks and the user's balances."""
    return [_coin(exchange, asset) for asset in exchange.markets.assets()]


def _coin(exchange: Exchange, asset: str) -> dict[str, object]:
    locked = exchange.spot.locked(asset)
    zeros = dict.fromkeys(("freeze", "withdrawing", "ipoing", "ipoable", "storage"), "0")
    network = {
        "network": "ETH",
        "coin": asset,
        "withdrawIntegerMultiple": "0.00000001",
        "isDefault": True,
        "depositEnable": True,
        "withdrawEnable": True,
        "depositDesc": "",
        "withdrawDesc": "",
        "specialTips": "",
        "name": "Ethereum (ERC20)",
        "resetAddressStatus": False,
        "addressRegex": "^(0x)[0-9A-Fa-f]{40}$",
        "memoRegex": "",
        "withdrawFee": "1",
        "withdrawMin": "2",
        "withdrawMax": "10000000000",
        "minConfirm": 6,
        "unLockConfirm": 64,
        "sameAddress": False,
        "estimatedArrivalTime": 2,
        "busy": False,
    }
    return zeros | {
        "coin": asset,
        "depositAllEnable": True,
        "withdrawAllEnable": True,
        "name": asset,
        "free": plain(exchange.spot.free(asset)),
        "locked": plain(locked),
        "isLegalMoney": False,
        "trading": True,
        "networkList": [network],
    }


@routes.add("GET", "/sapi/v1/margin/allPairs", Need.READ)
@routes.add("GET", "/sapi/v1/margin/isolated/allPairs", Need.READ)
def margin_pairs(exchange: Exchange, params: Params) -> object:
    """List margin pairs, as spot symbols that could be borrowed elsewhere."""
    return [
        {
            "symbol": market.symbol,
            "base": market.spec.base,
            "quote": market.spec.quote,
            "isMarginTrade": True,
            "isBuyAllowed": True,
            "isSellAllowed": True,
        }
        for market in exchange.markets.spot.values()
    ]


@routes.add("GET", "/sapi/v1/account/apiRestrictions", Need.READ)
def restrictions(exchange: Exchange, params: Params) -> object:
    """Show what the calling key may do."""
    permissions = {k: v for k, v in asdict(exchange.caller().permissions).items() if v is not None}
    return {
        "createTime": _KEY_CREATED,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
    } | permissions


@routes.add("POST", "/sapi/v1/asset/transfer", Need.TRANSFER)
def transfer(exchange: Exchange, params: Params) -> object:
    """Move coins between wallets."""
    row = exchange.transfers.send(params.text("type"), params.text("asset"), params.decimal("amount"))
    return {"tranId": row.id}


@routes.add("GET", "/sapi/v1/asset/transfer", Need.READ)
def transfer_history(exchange: Exchange, params: Params) -> object:
    """List transfers of one direction."""
    size = params.integer("size")
    if size is not None and not 1 <= size <= 100:
        raise BinanceError(-1130, "Data sent for parameter 'size' is not valid.")
    total, rows = exchange.transfers.history(
        params.text("type"),
        params.integer("startTime"),
        params.integer("endTime"),
        params.integer("current") or 1,
        size or 10,
    )
    return {
        "total": total,
        "rows": [
            {
                "timestamp": row.time // 1000 * 1000,
                "asset": row.asset,
                "amount": plain(row.amount),
                "type": row.kind,
                "status": row.status,
                "tranId": row.id,
            }
            for row in rows
        ],
    }


@routes.add("GET", "/sapi/v1/asset/tradeFee", Need.READ)
def trade_fee(exchange: Exchange, params: Params) -> object:
    """Show spot fee rates."""
    symbols = [params.text("symbol")] if params.has("symbol") else list(exchange.markets.spot)
    maker, taker = plain(exchange.fees.spot_maker), plain(exchange.fees.spot_taker)
    return [
        {
            "symbol": exchange.markets.spot_market(symbol).symbol,
            "makerCommission": maker,
            "takerCommission": taker,
        }
        for symbol in symbols
    ]


@routes.add("POST", "/sapi/v3/asset/getUserAsset", Need.READ)
def user_assets(exchange: Exchange, params: Params) -> object:
    """List coins held on spot."""
    wanted = params.text("asset", "")
    rows = []
    for asset in exchange.markets.assets():
        total, locked = exchange.ledger.balance(SPOT, asset), exchange.spot.locked(asset)
        if total and wanted in {"", asset}:
            rows.append(
                {
                    "asset": asset,
                    "free": fixed(total - locked),
                    "locked": fixed(locked),
                    "freeze": "0",
                    "withdrawing": "0",
                    "ipoable": "0",
                    "btcValuation": "0",
                }
            )
    return rows


@routes.add("POST", "/sapi/v1/asset/get-funding-asset", Need.READ)
def funding_assets(exchange: Exchange, params: Params) -> object:
    """List coins in the funding wallet."""
    rows = []
    for asset in exchange.markets.assets():
        amount = exchange.ledger.balance(FUNDING_WALLET, asset)
        if amount:
            rows.append({"asset": asset, "free": plain(amount), "locked": "0", "freeze": "0", "withdrawing": "0"})
    return rows


@routes.add("GET", "/sapi/v1/spot/delist-schedule", Need.READ)
def delist_schedule(exchange: Exchange, params: Params) -> object:
    """List announced removals of spot symbols."""
    by_time: dict[int, list[str]] = {}
    for market in exchange.markets.spot.values():
        if market.delisted_at is not None:
            by_time.setdefault(market.delisted_at, []).append(market.symbol)
    return [{"delistTime": time, "symbols": names} for time, names in sorted(by_time.items())]
