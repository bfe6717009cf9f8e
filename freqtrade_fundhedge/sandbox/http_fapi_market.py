"""Public futures endpoints, ``/fapi/v1``."""

from __future__ import annotations

import numpy as np

from freqtrade_fundhedge.sandbox.candles import Span, index_rows, ohlc
from freqtrade_fundhedge.sandbox.exchange import Exchange
from freqtrade_fundhedge.sandbox.http_market import (
    aggregate_trades,
    book_ticker,
    day_ticker,
    klines,
    levels,
    price_places,
    recent_trades,
    wanted_span,
)
from freqtrade_fundhedge.sandbox.market import PerpMarket
from freqtrade_fundhedge.sandbox.numbers import fixed
from freqtrade_fundhedge.sandbox.params import Params
from freqtrade_fundhedge.sandbox.paths import PricePath
from freqtrade_fundhedge.sandbox.routes import Routes
from freqtrade_fundhedge.sandbox.shape_info import futures_info

routes = Routes()


@routes.add("GET", "/fapi/v1/ping")
def ping(exchange: Exchange, params: Params) -> object:
    """Answer."""
    return {}


@routes.add("GET", "/fapi/v1/time")
def server_time(exchange: Exchange, params: Params) -> object:
    """Tell the exchange's time."""
    return {"serverTime": exchange.server_time()}


@routes.add("GET", "/fapi/v1/exchangeInfo")
def exchange_info(exchange: Exchange, params: Params) -> object:
    """Describe the perpetuals."""
    return futures_info(exchange)


def _asked(exchange: Exchange, params: Params) -> list[PerpMarket]:
    if params.has("symbol"):
        return [exchange.markets.perp_market(params.text("symbol"))]
    return list(exchange.markets.perp.values())


def _one_or_all(params: Params, rows: list[dict[str, object]]) -> object:
    return rows[0] if params.has("symbol") else rows


@routes.add("GET", "/fapi/v1/depth")
def depth(exchange: Exchange, params: Params) -> object:
    """Show a book."""
    market = exchange.markets.perp_market(params.text("symbol"))
    now, limit = exchange.now_ms(), params.size(500, 1000)
    book = market.book(now)
    return {
        "lastUpdateId": now,
        "E": now,
        "T": now,
        "bids": levels(market, book.bids, limit),
        "asks": levels(market, book.asks, limit),
    }


@routes.add("GET", "/fapi/v1/premiumIndex")
def premium_index(exchange: Exchange, params: Params) -> object:
    """Show mark, index and the funding rate that is about to be settled."""
    rows = [_premium(exchange, market) for market in _asked(exchange, params)]
    return _one_or_all(params, rows)


def _premium(exchange: Exchange, market: PerpMarket) -> dict[str, object]:
    book = exchange.funding.books[market.symbol]
    mark = exchange.markets.mark_price(market.symbol)
    index = exchange.markets.index_price(market.symbol)
    return {
        "symbol": market.symbol,
        "markPrice": fixed(mark),
        "indexPrice": fixed(index),
        "estimatedSettlePrice": fixed(index),
        "lastFundingRate": fixed(book.next_rate),
        "interestRate": "0.00010000",
        "nextFundingTime": book.next_time,
        "time": exchange.server_time(),
    }


@routes.add("GET", "/fapi/v1/fundingRate")
def funding_rate(exchange: Exchange, params: Params) -> object:
    """List settled funding."""
    start, end = params.integer("startTime"), params.integer("endTime")
    limit = params.size(100, 1000)
    rows = [
        (row.time, market.symbol, row)
        for market in _asked(exchange, params)
        for row in exchange.funding.between(market.symbol, start, end, limit)
    ]
    rows.sort(key=lambda entry: entry[:2])
    chosen = rows[:limit] if start is not None else rows[-limit:]
    return [
        {"symbol": symbol, "fundingTime": time, "fundingRate": fixed(row.rate), "markPrice": fixed(row.mark)}
        for time, symbol, row in chosen
    ]


@routes.add("GET", "/fapi/v1/fundingInfo")
def funding_info(exchange: Exchange, params: Params) -> object:
    """List intervals and caps of funding."""
    return [
        {
            "symbol": symbol,
            "adjustedFundingRateCap": fixed(book.cap),
            "adjustedFundingRateFloor": fixed(-book.cap),
            "fundingIntervalHours": book.hours,
            "disclaimer": False,
            "updateTime": exchange.markets.born,
        }
        for symbol, book in exchange.funding.books.items()
    ]


@routes.add("GET", "/fapi/v1/klines")
def candles(exchange: Exchange, params: Params) -> object:
    """Show candles of the perpetual."""
    market = exchange.markets.perp_market(params.text("symbol"))
    return klines(exchange, market, params, 1500)


def _flat(exchange: Exchange, path: PricePath, wanted: Span) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return ohlc(path, wanted, exchange.now_ms(), 0.0, 0)


@routes.add("GET", "/fapi/v1/markPriceKlines")
def mark_candles(exchange: Exchange, params: Params) -> object:
    """Show candles of the mark price."""
    market = exchange.markets.perp_market(params.text("symbol"))
    wanted = wanted_span(exchange, params, 1500)
    return index_rows(_flat(exchange, market.path, wanted), wanted) if wanted.count else []


@routes.add("GET", "/fapi/v1/indexPriceKlines")
def index_candles(exchange: Exchange, params: Params) -> object:
    """Show candles of the index price."""
    market = exchange.markets.perp_market(params.text("pair"))
    wanted = wanted_span(exchange, params, 1500)
    if not wanted.count:
        return []
    table = _flat(exchange, exchange.markets.index[market.symbol], wanted)
    return index_rows(table * market.coin.multiplier, wanted)


@routes.add("GET", "/fapi/v1/premiumIndexKlines")
def premium_candles(exchange: Exchange, params: Params) -> object:
    """Show candles of the premium of the perpetual over the index."""
    market = exchange.markets.perp_market(params.text("symbol"))
    wanted = wanted_span(exchange, params, 1500)
    if not wanted.count:
        return []
    index = _flat(exchange, exchange.markets.index[market.symbol], wanted) * market.coin.multiplier
    premium = _flat(exchange, market.path, wanted) / index - 1.0
    premium[:, 1] = premium[:, [0, 1, 3]].max(axis=1)
    premium[:, 2] = premium[:, [0, 2, 3]].min(axis=1)
    return index_rows(premium, wanted)


@routes.add("GET", "/fapi/v1/ticker/24hr")
def ticker_day(exchange: Exchange, params: Params) -> object:
    """Show statistics of the last 24 hours."""
    now, born = exchange.now_ms(), exchange.markets.born
    return _one_or_all(params, [day_ticker(m, now, born) for m in _asked(exchange, params)])


@routes.add("GET", "/fapi/v1/ticker/price")
@routes.add("GET", "/fapi/v2/ticker/price")
def ticker_price(exchange: Exchange, params: Params) -> object:
    """Show last prices."""
    now = exchange.now_ms()
    rows: list[dict[str, object]] = [
        {"symbol": m.symbol, "price": fixed(m.last(now), price_places(m)), "time": now}
        for m in _asked(exchange, params)
    ]
    return _one_or_all(params, rows)


@routes.add("GET", "/fapi/v1/ticker/bookTicker")
def ticker_book(exchange: Exchange, params: Params) -> object:
    """Show best bids and asks."""
    now = exchange.now_ms()
    extra = {"time": now, "lastUpdateId": now}
    return _one_or_all(params, [book_ticker(m, now) | extra for m in _asked(exchange, params)])


@routes.add("GET", "/fapi/v1/trades")
def trades(exchange: Exchange, params: Params) -> object:
    """Show recent trades."""
    market = exchange.markets.perp_market(params.text("symbol"))
    return recent_trades(market, exchange.now_ms(), params.size(500, 1000))


@routes.add("GET", "/fapi/v1/aggTrades")
def agg_trades(exchange: Exchange, params: Params) -> object:
    """Show recent trades, aggregated."""
    market = exchange.markets.perp_market(params.text("symbol"))
    return aggregate_trades(market, exchange.now_ms(), params.size(500, 1000))


@routes.add("GET", "/fapi/v1/openInterest")
def open_interest(exchange: Exchange, params: Params) -> object:
    """Show open interest: a constant multiple of the book's depth."""
    market = exchange.markets.perp_market(params.text("symbol"))
    now = exchange.now_ms()
    amount = market.shape.depth * 100 / market.last(now)
    return {"symbol": market.symbol, "openInterest": fixed(amount, market.spec.qty_places), "time": now}
