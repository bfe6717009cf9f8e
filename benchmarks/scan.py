"""Requests and time of `fundhedge scan` over made-up pairs, our own time apart from HTTP and ccxt.

A loopback server answers with Binance's shapes, as many pairs as wanted on both markets. Time is CPU time of the
process; what is spent inside ccxt (HTTP, signing, JSON, its own market structures) is taken out of "own".

    python benchmarks/scan.py [--pairs 500] [--history 20]
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from freqtrade_fundhedge import scan as scan_module
from freqtrade_fundhedge.core.carry import CarryParams
from freqtrade_fundhedge.sandbox import ccxt_urls
from freqtrade_fundhedge.scan import Scan, Wish
from freqtrade_fundhedge.venue import bulk, live
from freqtrade_fundhedge.venue.bulk import public_api
from freqtrade_fundhedge.venue.live import PublicSpot

HOUR_MS = 3_600_000
Row = dict[str, Any]


def market(symbol: str, base: str, futures: bool) -> Row:
    filters = [
        {"filterType": "PRICE_FILTER", "minPrice": "0.0001", "maxPrice": "100000", "tickSize": "0.0001"},
        {"filterType": "LOT_SIZE", "minQty": "0.1", "maxQty": "900000", "stepSize": "0.1"},
        {"filterType": "MIN_NOTIONAL", "minNotional": "5", "notional": "5"},
    ]
    row: Row = {"symbol": symbol, "status": "TRADING", "baseAsset": base, "quoteAsset": "USDT", "filters": filters}
    if futures:
        return row | {"pair": symbol, "contractType": "PERPETUAL", "marginAsset": "USDT", "deliveryDate": 4133404800000,
                      "onboardDate": 1, "pricePrecision": 4, "quantityPrecision": 1, "contractSize": 1}  # fmt: skip
    return row | {"isSpotTradingAllowed": True, "permissions": ["SPOT"], "orderTypes": ["LIMIT", "MARKET"]}


def answers(count: int) -> dict[str, Any]:
    """Every bulk answer by path; on spot three times as many markets, as on the real exchange."""
    now = int(time.time() * 1000)
    names = [f"C{number:04d}" for number in range(count)]
    others = [f"X{number:04d}" for number in range(count * 2)]
    book = {"bidPrice": "0.9999", "bidQty": "1000", "askPrice": "1.0001", "askQty": "1000"}
    day = {"priceChange": "0", "priceChangePercent": "0", "weightedAvgPrice": "1", "lastPrice": "1", "lastQty": "1",
           "openPrice": "1", "highPrice": "1", "lowPrice": "1", "volume": "1", "quoteVolume": "50000000",
           "openTime": now - 24 * HOUR_MS, "closeTime": now, "firstId": 1, "lastId": 2, "count": 1}  # fmt: skip
    perpetuals = [f"{name}USDT" for name in names]
    spots = [f"{name}USDT" for name in [*names, *others]]
    rates = [f"{0.0001 + number % 97 * 1e-6:.8f}" for number in range(count)]
    due = {"indexPrice": "1", "markPrice": "1.0001", "interestRate": "0.0001", "nextFundingTime": now + HOUR_MS}
    return {
        "/api/v3/exchangeInfo": {"symbols": [market(f"{name}USDT", name, False) for name in [*names, *others]]},
        "/fapi/v1/exchangeInfo": {"symbols": [market(f"{name}USDT", name, True) for name in names]},
        "/fapi/v1/premiumIndex": [
            due | {"symbol": symbol, "lastFundingRate": rate, "time": now}
            for symbol, rate in zip(perpetuals, rates, strict=True)
        ],
        "/fapi/v1/fundingInfo": [{"symbol": symbol, "fundingIntervalHours": 4} for symbol in perpetuals[::2]],
        "/api/v3/ticker/24hr": [day | book | {"symbol": symbol} for symbol in spots],
        "/fapi/v1/ticker/24hr": [day | {"symbol": symbol} for symbol in perpetuals],
        "/fapi/v1/ticker/bookTicker": [book | {"symbol": symbol, "time": now} for symbol in perpetuals],
    }


class Loopback:
    """The server, and how often each path was asked."""

    def __init__(self, count: int) -> None:
        self.asked: Counter[str] = Counter()
        ready = {path: json.dumps(answer).encode() for path, answer in answers(count).items()}
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                url = urlsplit(self.path)
                asked[url.path] += 1
                body = ready.get(url.path) or history(parse_qs(url.query))
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def history(query: dict[str, list[str]]) -> bytes:
    first, now = int(query["startTime"][0]), int(time.time() * 1000)
    times = range(-(-first // (4 * HOUR_MS)) * 4 * HOUR_MS, now, 4 * HOUR_MS)
    rows = [{"symbol": query["symbol"][0], "fundingTime": at, "fundingRate": "0.0001"} for at in times]
    return json.dumps(rows).encode()


class Meter:
    """CPU time of this thread inside ccxt."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def measured(*args: Any, **kwargs: Any) -> Any:
            began = time.thread_time()
            try:
                return call(*args, **kwargs)
            finally:
                self.seconds += time.thread_time() - began

        return measured


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--history", type=int, default=scan_module.HISTORY)
    options = parser.parse_args()
    meter = Meter()
    bulk.call = live.call = meter.wrap(bulk.call)
    exchange = Loopback(options.pairs)
    api = public_api("binance", {"enableRateLimit": False, "urls": ccxt_urls(exchange.url)})
    loading, meter.seconds = meter.seconds, 0.0
    exchange.asked.clear()
    began, cpu = time.monotonic(), time.thread_time()
    scan = Scan(api, PublicSpot(api).funding, CarryParams(), Wish(history=options.history))
    rows = scan.run()
    wall, cpu = time.monotonic() - began, time.thread_time() - cpu
    assert scan.counts.hedgeable == options.pairs
    assert len(rows) == min(scan.counts.passed, scan_module.TOP)
    print(f"{options.pairs} pairs, settled funding of {scan.counts.measured}")
    for path, count in sorted(exchange.asked.items()):
        print(f"  {count:4d} x {path}")
    print(
        f"own CPU {cpu - meter.seconds:.3f} s; ccxt and HTTP {meter.seconds:.3f} s, market lists {loading:.3f} s more"
    )
    print(f"wall {wall:.3f} s")


if __name__ == "__main__":
    main()
