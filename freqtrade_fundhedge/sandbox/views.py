"""What the control API shows: snapshots, settings, requests and faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal

from freqtrade_fundhedge.sandbox.books import books, wallets
from freqtrade_fundhedge.sandbox.exchange import Exchange
from freqtrade_fundhedge.sandbox.faults import Faults
from freqtrade_fundhedge.sandbox.market import PerpMarket, SpotMarket
from freqtrade_fundhedge.sandbox.numbers import ONE, plain, round8, to_decimal
from freqtrade_fundhedge.sandbox.requestlog import RequestLog
from freqtrade_fundhedge.sandbox.streams import Streams

Body = Mapping[str, object]


@dataclass
class Desk:
    """What the control API works on."""

    exchange: Exchange
    faults: Faults
    log: RequestLog
    streams: Streams


def whole(body: Body, name: str, default: int = 0) -> int:
    """Read a whole number from a body."""
    return int(to_decimal(body.get(name, default)))


def show_books(desk: Desk, body: Body) -> object:
    """Show the full snapshot."""
    return books(desk.exchange)


def show_wallets(desk: Desk, body: Body) -> object:
    """Show wallets and positions only."""
    return wallets(desk.exchange)


def show_requests(desk: Desk, body: Body) -> object:
    """Show the request log."""
    method, path = str(body.get("method", ".*")), str(body.get("path", ".*"))
    return [entry.shape() for entry in desk.log.find(method, path, whole(body, "since"))]


def show_counts(desk: Desk, body: Body) -> object:
    """Count requests."""
    return desk.log.counts()


def show_faults(desk: Desk, body: Body) -> object:
    """Show the fault rules."""
    return [asdict(rule) for rule in desk.faults.rules]


def _market(market: SpotMarket | PerpMarket, now: int) -> dict[str, object]:
    shape = market.shape
    book = market.book(now)
    return {
        "mid": plain(market.mid(now)),
        "bid": plain(book.bids[0][0]) if book.bids else None,
        "ask": plain(book.asks[0][0]) if book.asks else None,
        "status": market.status,
        "depth": plain(shape.depth),
        "spread_bps": plain(shape.spread_bps),
        "step_bps": plain(shape.step_bps),
        "levels": shape.levels,
        "taker": [plain(part) for part in market.taker_fraction],
        "maker": [plain(part) for part in market.maker_fraction],
    }


def _perp(exchange: Exchange, market: PerpMarket, now: int) -> dict[str, object]:
    funding = exchange.funding.books[market.symbol]
    basis = exchange.markets.mark_price(market.symbol) / exchange.markets.index_price(market.symbol) - ONE
    return _market(market, now) | {
        "spot": market.coin.spot.symbol if market.coin.spot is not None else None,
        "multiplier": market.coin.multiplier,
        "basis": plain(round8(basis)),
        "funding": {
            "rate": plain(funding.next_rate),
            "next_time": funding.next_time,
            "interval_hours": funding.hours,
            "cap": plain(funding.cap),
            "settled": plain(funding.rows[-1].rate),
        },
    }


def show_state(desk: Desk, body: Body) -> object:
    """Show how everything is set."""
    exchange, now = desk.exchange, desk.exchange.now_ms()
    fees = asdict(exchange.fees)
    return {
        "time": now,
        "spot": {symbol: _market(market, now) for symbol, market in exchange.markets.spot.items()},
        "perp": {symbol: _perp(exchange, market, now) for symbol, market in exchange.markets.perp.items()},
        "fees": {name: plain(v) if isinstance(v, Decimal) else v for name, v in fees.items()},
        "keys": {key.key: asdict(key.permissions) for key in exchange.keys.values()},
        "account": asdict(exchange.mode),
        "clock_offset_ms": exchange.clock_offset_ms,
        "latency_ms": desk.faults.latency * 1000,
        "transfer_lag_ms": exchange.transfers.lag_ms,
    }
