"""How long a hedge stands on one leg: from a fill of a futures order until spot differs by less than a lot.

A real bot opens and closes hedges in ten pairs against the sandbox exchange, which adds so many milliseconds to each
request: one round trip. Market entries, or resting entries that somebody else fills in up to five parts; partial exits;
exits. The sandbox's own books say when either leg was filled.

    python benchmarks/leg_gap.py [--latency-ms 50] [--rounds 5] [--margin isolated] [--no-stream] [--resting]
    python benchmarks/leg_gap.py --all [--rounds 1]

The sandbox waits before it applies a request and tells of fills at once: a whole round trip lies between a fill and the
order that follows it, as with half of it on the way of either.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))

from harness import BTC, ETH, PEPE, Market, Run, running, shorts

from freqtrade_fundhedge.sandbox.specs import COINS as COINS_OF_THE_SANDBOX

COINS = ("BNB", "SOL", "XRP", "DOGE", "ADA", "LINK", "LTC")
MARKETS = (BTC, ETH, PEPE, *(Market(f"{c}USDT", f"{c}/USDT:USDT", c, f"{c}USDT", 1, Decimal(1)) for c in COINS))
LOTS = {coin.coin: coin.spot.step for coin in COINS_OF_THE_SANDBOX if coin.spot is not None}
# Each round may leave up to a lot.
DUST_LOTS = 10
PARTS = 5
KINDS = ("market entry", "part of a resting entry", "partial exit", "exit")
RESTING: dict[str, Any] = {
    "order_types": {
        "entry": "limit", "exit": "market", "stoploss": "market", "stoploss_on_exchange": False,
        "emergency_exit": "market", "force_exit": "market", "force_entry": "limit",
    },
    "entry_pricing": {"price_side": "same", "use_order_book": True, "order_book_top": 1},
    "unfilledtimeout": {"entry": 60, "exit": 60, "unit": "minutes"},
}  # fmt: skip


def settings(wanted: argparse.Namespace) -> dict[str, Any]:
    """Freqtrade's configuration for what is to be measured."""
    own = {"margin": {"fund_entries": False}, "hedge": {"stream": wanted.stream}}
    base = {"stake_amount": 100, "max_open_trades": len(MARKETS), "margin_mode": wanted.margin, "fundhedge": own}
    return {**base, **(RESTING if wanted.resting else {})}


def fill_in_parts(run: Run) -> None:
    """Somebody takes the resting orders, a fifth at a time."""
    for _ in range(PARTS * 3):
        resting = [o for o in run.books()["orders"]["futures"] if o["status"] in ("NEW", "PARTIALLY_FILLED")]
        if len(shorts(run.books())) == len(MARKETS) and not resting:
            return
        for order in resting:
            whole = Decimal(order["origQty"])
            part = (whole / PARTS).quantize(whole, rounding="ROUND_UP")
            run.sandbox.post("fill", market="perp", order_id=order["orderId"], quantity=part)
            time.sleep(0.23)
        time.sleep(1)
    raise AssertionError("resting orders are not filled")


def one_round(run: Run, resting: bool) -> None:
    """Open a hedge in every pair, by the strategy's own signal, close half of each and then the rest."""
    if resting:
        run.wait("the API", run.answers)
        run.wait("all ordered", lambda: len(run.trades()) == len(MARKETS), 120)
        run.loops(1, 120)
        fill_in_parts(run)
    run.wait("all open", lambda: len(shorts(run.books())) == len(MARKETS), 120)
    run.calm(180)
    for market in MARKETS:
        run.close(market, "0.5")
    run.calm(180)
    run.rest("POST", "forceexit", tradeid="all")
    run.wait("all closed", lambda: not shorts(run.books()), 120)
    run.calm(180)
    for lock in run.rest("GET", "locks")["locks"]:
        run.rest("DELETE", f"locks/{lock['id']}")


def moves(books: dict[str, Any], market: Market) -> list[tuple[int, Decimal, str]]:
    """What changes spot less short in one pair, in spot units: time, change, and what kind of fill it was."""
    found = []
    for order in (o for o in books["orders"]["futures"] if o["symbol"] == market.symbol):
        for fill in order["fills"]:
            kind = KINDS[0] if order["side"] == "SELL" else "exit"
            kind = KINDS[1] if fill["maker"] else kind
            sign = -1 if order["side"] == "SELL" else 1
            found.append((fill["time"], sign * Decimal(fill["qty"]) * market.multiplier, kind))
    for order in (o for o in books["orders"]["spot"] if o["symbol"] == market.spot):
        for fill in order["fills"]:
            sign = 1 if order["side"] == "BUY" else -1
            fee = Decimal(fill["commission"]) if fill["asset"] == market.coin else Decimal(0)
            found.append((fill["time"], sign * Decimal(fill["qty"]) - fee, ""))
    return sorted(found, key=lambda item: (item[0], not item[2]))


def gaps(books: dict[str, Any]) -> dict[str, list[int]]:
    """For each futures fill, milliseconds until the legs differ by less than a lot (dust of earlier rounds aside)."""
    found: dict[str, list[int]] = {kind: [] for kind in KINDS}
    for market in MARKETS:
        delta, short, waiting = Decimal(0), Decimal(0), []
        for at, change, kind in moves(books, market):
            delta += change
            if kind:
                short -= change
                waiting.append((at, "partial exit" if kind == "exit" and short > 0 else kind))
            if waiting and abs(delta) < DUST_LOTS * LOTS[market.coin]:
                for since, what in waiting:
                    found[what].append(at - since)
                waiting = []
        assert not waiting, f"{market.pair} is left with {delta}"
    return found


def report(found: dict[str, list[int]], latency: int) -> None:
    """One line a kind of fill."""
    for kind, times in found.items():
        if times:
            middle, worst = statistics.median(times), max(times)
            trips = f"{middle / latency:.2f} and {worst / latency:.2f} round trips" if latency else ""
            print(f"  {kind}: {len(times)} fills, median {middle:.0f} ms, worst {worst} ms; {trips}", flush=True)


def measure(wanted: argparse.Namespace) -> None:
    """One bot, one line a kind of fill."""
    server = {"spot_usdt": 100_000, "futures_usdt": 100_000}
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), settings(wanted), MARKETS, **server) as run:
        run.sandbox.post("latency", ms=wanted.latency_ms)
        run.start()
        for _ in range(wanted.rounds):
            one_round(run, wanted.resting)
        run.hold_entries()
        books = run.books()
        buys = len([o for o in books["orders"]["spot"] if o["side"] == "BUY"])
    stream, entries = "with" if wanted.stream else "without", "resting" if wanted.resting else "market"
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"{wanted.latency_ms} ms a round trip, {wanted.margin}, {stream} the stream, {entries} entries; {load}")
    report(gaps(books), wanted.latency_ms)
    if wanted.resting:
        print(f"  {buys / wanted.rounds / len(MARKETS):.1f} spot purchases an entry")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--latency-ms", type=int, default=50)
    parser.add_argument("--margin", choices=("isolated", "cross"), default="isolated")
    parser.add_argument("--no-stream", dest="stream", action="store_false")
    parser.add_argument("--resting", action="store_true", help="entries rest in the book and are filled in parts")
    parser.add_argument("--all", action="store_true", help="5, 50 and 200 ms, both margin modes, with and without")
    wanted = parser.parse_args()
    if not wanted.all:
        measure(wanted)
        return
    every = itertools.product((5, 50, 200), ("isolated", "cross"), (True, False), (False, True))
    for latency_ms, margin, stream, resting in every:
        case = {"latency_ms": latency_ms, "margin": margin, "stream": stream, "resting": resting}
        measure(argparse.Namespace(rounds=wanted.rounds, **case))


if __name__ == "__main__":
    main()
