"""Exchange information in Binance's shape."""

from __future__ import annotations

from collections.abc import Sequence

from freqtrade_fundhedge.sandbox.exchange import Exchange
from freqtrade_fundhedge.sandbox.market import PerpMarket, SpotMarket
from freqtrade_fundhedge.sandbox.numbers import fixed, plain

_PERPETUAL_DELIVERY = 4133404800000
_ONBOARD = 1569398400000
_SPOT_TYPES = ["LIMIT", "LIMIT_MAKER", "MARKET"]
_PERP_TYPES = ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"]


def _limit(kind: str, interval: str, number: int, limit: int) -> dict[str, object]:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}


def spot_info(exchange: Exchange, symbols: Sequence[str]) -> dict[str, object]:
    """Write ``GET /api/v3/exchangeInfo``, of all markets or of these."""
    markets = [exchange.markets.spot_market(name) for name in symbols] or list(exchange.markets.spot.values())
    return {
        "timezone": "UTC",
        "serverTime": exchange.server_time(),
        "rateLimits": [
            _limit("REQUEST_WEIGHT", "MINUTE", 1, 6000),
            _limit("ORDERS", "SECOND", 10, 100),
            _limit("ORDERS", "DAY", 1, 200000),
        ],
        "exchangeFilters": [],
        "symbols": [_spot_symbol(market) for market in markets],
    }


def _spot_symbol(market: SpotMarket) -> dict[str, object]:
    spec = market.spec
    return {
        "symbol": spec.symbol,
        "status": market.status,
        "baseAsset": spec.base,
        "baseAssetPrecision": 8,
        "quoteAsset": spec.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": _SPOT_TYPES,
        "icebergAllowed": True,
        "ocoAllowed": False,
        "otoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "amendAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _spot_filters(market),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
    }


def _spot_filters(market: SpotMarket) -> list[dict[str, object]]:
    spec = market.spec
    tick, step = fixed(spec.tick), fixed(spec.step)
    return [
        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
        {"filterType": "LOT_SIZE", "minQty": step, "maxQty": fixed(spec.max_qty), "stepSize": step},
        {"filterType": "ICEBERG_PARTS", "limit": 10},
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": "0.00000000",
            "maxQty": fixed(spec.market_max_qty),
            "stepSize": "0.00000000",
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": "5",
            "bidMultiplierDown": "0.2",
            "askMultiplierUp": "5",
            "askMultiplierDown": "0.2",
            "avgPriceMins": 5,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": fixed(spec.min_notional),
            "applyMinToMarket": True,
            "maxNotional": "9000000.00000000",
            "applyMaxToMarket": False,
            "avgPriceMins": 5,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
    ]


def futures_info(exchange: Exchange) -> dict[str, object]:
    """Write ``GET /fapi/v1/exchangeInfo``."""
    return {
        "timezone": "UTC",
        "serverTime": exchange.server_time(),
        "futuresType": "U_MARGINED",
        "rateLimits": [
            _limit("REQUEST_WEIGHT", "MINUTE", 1, 2400),
            _limit("ORDERS", "MINUTE", 1, 1200),
            _limit("ORDERS", "SECOND", 10, 300),
        ],
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
        "symbols": [_perp_symbol(market) for market in exchange.markets.perp.values()],
    }


def _perp_symbol(market: PerpMarket) -> dict[str, object]:
    spec = market.spec
    return {
        "symbol": spec.symbol,
        "pair": spec.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": market.delisted_at or _PERPETUAL_DELIVERY,
        "onboardDate": _ONBOARD,
        "status": market.status,
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": spec.base,
        "quoteAsset": spec.quote,
        "marginAsset": "USDT",
        "pricePrecision": spec.price_places,
        "quantityPrecision": spec.qty_places,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "triggerProtect": fixed(spec.band, 4),
        "liquidationFee": fixed(spec.liquidation_fee, 6),
        "marketTakeBound": fixed(spec.band, 2),
        "maxMoveOrderLimit": 10000,
        "filters": _perp_filters(market),
        "orderTypes": _PERP_TYPES,
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }


def _perp_filters(market: PerpMarket) -> list[dict[str, object]]:
    spec = market.spec
    tick, step = fixed(spec.tick, spec.price_places), plain(spec.step)
    return [
        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "4529764", "tickSize": tick},
        {"filterType": "LOT_SIZE", "minQty": step, "maxQty": plain(spec.max_qty), "stepSize": step},
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": step,
            "maxQty": plain(spec.market_max_qty),
            "stepSize": step,
        },
        {"filterType": "MAX_NUM_ORDERS", "limit": 200},
        {"filterType": "MIN_NOTIONAL", "notional": plain(spec.min_notional)},
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": fixed(1 + spec.band, 4),
            "multiplierDown": fixed(1 - spec.band, 4),
            "multiplierDecimal": "4",
        },
        {"filterType": "POSITION_RISK_CONTROL", "positionControlSide": market.control_side},
    ]
