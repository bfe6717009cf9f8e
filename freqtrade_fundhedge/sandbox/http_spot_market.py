"""Public spot endpoints, ``/api/v3``, and the empty coin-margined exchange."""

from __future__ import annotations

import json

from freqtrade_fundhedge.sandbox.errors import BinanceError
from freqtrade_fundhedge.sandbox.exchange import Exchange
from freqtrade_fundhedge.sandbox.http_market import (
    aggregate_trades,
    book_ticker,
    day_ticker,
    klines,
    levels,
    price_places,
    recent_trades,
)
from freqtrade_fundhedge.sandbox.market import SpotMarket
from freqtrade_fundhedge.sandbox.numbers import fixed
from freqtrade_fundhedge.sandbox.params import Params
from freqtrade_fundhedge.sandbox.routes import Routes
from freqtrade_fundhedge.sandbox.shape_info import spot_info

routes = Routes()


@routes.add("GET", "/api/v3/ping")
def ping(exchange: Exchange, params: Params) -> object:
    """Answer."""
    return {}


@routes.add("GET", "/api/v3/time")
def server_time(exchange: Exchange, params: Params) -> object:
    """Tell the exchange's time."""
    return {"serverTime": exchange.server_time()}


@routes.add("GET", "/api/v3/exchangeInfo")
def exchange_info(exchange: Exchange, params: Params) -> object:
    """Describe the spot markets."""
    names = json.loads(params.text("symbols", "[]")) or [params.text("symbol", "")]
    return spot_info(exchange, [name for name in names if name])


@routes.add("GET", "/dapi/v1/exchangeInfo")
def delivery_info(exchange: Exchange, params: Params) -> object:
    """Describe the coin-margined markets: there are none here."""
    return {
        "timezone": "UTC",
        "serverTime": exchange.server_time(),
        "rateLimits": [],
        "exchangeFilters": [],
        "symbols": [],
    }


@routes.add("GET", "/api/v3/depth")
def depth(exchange: Exchange, params: Params) -> object:
    """Show a book."""
    market = exchange.markets.spot_market(params.text("symbol"))
    now, limit = exchange.now_ms(), params.size(100, 5000)
    book = market.book(now)
    return {
        "lastUpdateId": now,
        "bids": levels(market, book.bids, limit),
        "asks": levels(market, book.asks, limit),
    }


@routes.add("GET", "/api/v3/klines")
def candles(exchange: Exchange, params: Params) -> object:
    """Show candles."""
    market = exchange.markets.spot_market(params.text("symbol"))
    return [[*row[:5], *row[5:]] for row in klines(exchange, market, params, 1000)]


@routes.add("GET", "/api/v3/trades")
def trades(exchange: Exchange, params: Params) -> object:
    """Show recent trades."""
    market = exchange.markets.spot_market(params.text("symbol"))
    rows = recent_trades(market, exchange.now_ms(), params.size(500, 1000))
    return [row | {"isBestMatch": True} for row in rows]


@routes.add("GET", "/api/v3/aggTrades")
def agg_trades(exchange: Exchange, params: Params) -> object:
    """Show recent trades, aggregated."""
    market = exchange.markets.spot_market(params.text("symbol"))
    rows = aggregate_trades(market, exchange.now_ms(), params.size(500, 1000))
    return [row | {"M": True} for row in rows]


def _asked(exchange: Exchange, params: Params) -> tuple[list[SpotMarket], bool]:
    """Which markets a ticker request means, and whether it means just one."""
    if params.has("symbol"):
        return [exchange.markets.spot_market(params.text("symbol"))], True
    if params.has("symbols"):
        try:
            names = json.loads(params.text("symbols"))
        except ValueError as error:
            raise BinanceError(-1100, "Illegal characters found in parameter 'symbols'.") from error
        return [exchange.markets.spot_market(str(name)) for name in names], False
    return list(exchange.markets.spot.values()), False


@routes.add("GET", "/api/v3/ticker/24hr")
def ticker_day(exchange: Exchange, params: Params) -> object:
    """Show statistics of the last 24 hours."""
    markets, single = _asked(exchange, params)
    now, born = exchange.now_ms(), exchange.markets.born
    rows = []
    for market in markets:
        row = day_ticker(market, now, born)
        row["prevClosePrice"] = row["openPrice"]
        rows.append(row | book_ticker(market, now))
    return rows[0] if single else rows


@routes.add("GET", "/api/v3/ticker/price")
def ticker_price(exchange: Exchange, params: Params) -> object:
    """Show last prices."""
    markets, single = _asked(exchange, params)
    now = exchange.now_ms()
    rows = [{"symbol": m.symbol, "price": fixed(m.last(now), price_places(m))} for m in markets]
    return rows[0] if single else rows


@routes.add("GET", "/api/v3/ticker/bookTicker")
def ticker_book(exchange: Exchange, params: Params) -> object:
    """Show best bids and asks."""
    markets, single = _asked(exchange, params)
    rows = [book_ticker(market, exchange.now_ms()) for market in markets]
    return rows[0] if single else rows
