"""Market data that spot and futures share: tickers, books, trades and candles."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeVar

from freqtrade_fundhedge.sandbox.candles import Span, ohlc, span, traded_rows
from freqtrade_fundhedge.sandbox.exchange import Exchange
from freqtrade_fundhedge.sandbox.market import Market
from freqtrade_fundhedge.sandbox.noise import seed_of
from freqtrade_fundhedge.sandbox.numbers import ZERO, fixed
from freqtrade_fundhedge.sandbox.params import Params
from freqtrade_fundhedge.sandbox.specs import PerpSpec, SpotSpec

DAY_MS = 86_400_000
Spec = TypeVar("Spec", SpotSpec, PerpSpec)


def price_places(market: Market[Spec]) -> int:
    """Decimals that a price is written with: eight on spot, the symbol's own on futures."""
    return market.spec.price_places if isinstance(market.spec, PerpSpec) else 8


def quantity_places(market: Market[Spec]) -> int:
    """Decimals that a quantity is written with."""
    return market.spec.qty_places if isinstance(market.spec, PerpSpec) else 8


def levels(market: Market[Spec], side: list[tuple[Decimal, Decimal]], limit: int) -> list[list[str]]:
    """Write one side of a book."""
    price, quantity = price_places(market), quantity_places(market)
    return [[fixed(p, price), fixed(q, quantity)] for p, q in side[:limit]]


def book_ticker(market: Market[Spec], now: int) -> dict[str, object]:
    """Write the best bid and ask."""
    book = market.book(now)
    places, quantity = price_places(market), quantity_places(market)
    bid = book.bids[0] if book.bids else (ZERO, ZERO)
    ask = book.asks[0] if book.asks else (ZERO, ZERO)
    return {
        "symbol": market.symbol,
        "bidPrice": fixed(bid[0], places),
        "bidQty": fixed(bid[1], quantity),
        "askPrice": fixed(ask[0], places),
        "askQty": fixed(ask[1], quantity),
    }


def day_ticker(market: Market[Spec], now: int, born: int) -> dict[str, object]:
    """Write the statistics of the last 24 hours."""
    wanted = span("1h", now - DAY_MS, now, 24, born, now)
    table = ohlc(market.path, wanted, now, 0.0, 0)
    places, last = price_places(market), market.last(now)
    opened = Decimal(repr(table[0, 0].item()))
    quote = market.shape.depth * 24 * 60
    return {
        "symbol": market.symbol,
        "priceChange": fixed(last - opened, places),
        "priceChangePercent": fixed((last / opened - 1) * 100, 3),
        "weightedAvgPrice": fixed(last, places),
        "lastPrice": fixed(last, places),
        "lastQty": fixed(market.spec.step, quantity_places(market)),
        "openPrice": fixed(opened, places),
        "highPrice": f"{table[:, 1].max():.{places}f}",
        "lowPrice": f"{table[:, 2].min():.{places}f}",
        "volume": fixed(quote / last, quantity_places(market)),
        "quoteVolume": fixed(quote, 2),
        "openTime": now - DAY_MS,
        "closeTime": now,
        "firstId": 1,
        "lastId": 1000,
        "count": 1000,
    }


def recent_trades(market: Market[Spec], now: int, limit: int) -> list[dict[str, object]]:
    """Write recent public trades: one a second at the last price."""
    price, step = market.last(now), market.spec.step
    second = now // 1000
    return [
        {
            "id": number,
            "price": fixed(price, price_places(market)),
            "qty": fixed(step, quantity_places(market)),
            "quoteQty": fixed(price * step),
            "time": number * 1000,
            "isBuyerMaker": number % 2 == 0,
        }
        for number in range(second - limit + 1, second + 1)
    ]


def aggregate_trades(market: Market[Spec], now: int, limit: int) -> list[dict[str, object]]:
    """Write recent public trades in the aggregate shape."""
    return [
        {
            "a": row["id"],
            "p": row["price"],
            "q": row["qty"],
            "f": row["id"],
            "l": row["id"],
            "T": row["time"],
            "m": row["isBuyerMaker"],
        }
        for row in recent_trades(market, now, limit)
    ]


def wanted_span(exchange: Exchange, params: Params, most: int) -> Span:
    """Read which candles a request means."""
    return span(
        params.text("interval"),
        params.integer("startTime"),
        params.integer("endTime"),
        params.size(500, most),
        exchange.markets.born,
        exchange.now_ms(),
    )


def klines(exchange: Exchange, market: Market[Spec], params: Params, most: int) -> list[list[object]]:
    """Write candles of a traded market."""
    wanted = wanted_span(exchange, params, most)
    depth, places = float(market.shape.depth), price_places(market)
    now, name = exchange.now_ms(), f"{market.symbol}{seed_of(type(market.spec).__name__)}"
    return traded_rows(market.path, wanted, now, market.spec.tick, places, depth, name)
