"""How long a hedge stands on one leg: from a fill of a futures order until spot differs by less than a lot.

A real bot opens and closes hedges in ten pairs against the sandbox exchange, which adds so many milliseconds to each
request: one round trip. Market entries, or resting entries that somebody else fills in up to five parts; partial exits;
exits. The sandbox's own books say when either leg was filled.

    python benchmarks/leg_gap.py [--latency-ms 50] [--rounds 5] [--margin isolated] [--no-stream] [--resting]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))

from harness import BTC, ETH, PEPE, Market, Run, running, shorts

COINS = ("BNB", "SOL", "XRP", "DOGE", "ADA", "LINK", "LTC")
MARKETS = (BTC, ETH, PEPE, *(Market(f"{c}USDT", f"{c}/USDT:USDT", c, f"{c}USDT", 1, Decimal(1)) for c in COINS))
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
            spec = next(m for m in MARKETS if m.symbol == order["symbol"])
            whole = Decimal(order["origQty"])
            part = (whole / PARTS).quantize(whole, rounding="ROUND_UP")
            run.sandbox.post("fill", market="perp", order_id=order["orderId"], quantity=part)
            time.sleep(0.23 if spec else 0)
        time.sleep(1)
    raise AssertionError("resting orders are not filled")


def one_round(run: Run, resting: bool) -> None:
    """Open a hedge in every pair, by the strategy's own signal, close half of each and then the rest."""
    if resting:
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
            lot = _lot(market)
            if waiting and abs(delta) < 10 * lot:
                for since, what in waiting:
                    found[what].append(at - since)
                waiting = []
        assert not waiting, f"{market.pair} is left with {delta}"
    return found


def _lot(market: Market) -> Decimal:
    return {"BTC": Decimal("0.00001"), "ETH": Decimal("0.0001")}.get(market.coin, Decimal("0.01") * market.multiplier)


def report(found: dict[str, list[int]], latency: int) -> None:
    """One line a kind of fill."""
    for kind, times in found.items():
        if times:
            middle, worst = statistics.median(times), max(times)
            trips = f"{middle / latency:.2f} and {worst / latency:.2f} round trips" if latency else ""
            print(f"  {kind}: {len(times)} fills, median {middle:.0f} ms, worst {worst} ms; {trips}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--latency-ms", type=int, default=50)
    parser.add_argument("--margin", choices=("isolated", "cross"), default="isolated")
    parser.add_argument("--no-stream", dest="stream", action="store_false")
    parser.add_argument("--resting", action="store_true", help="entries rest in the book and are filled in parts")
    wanted = parser.parse_args()
    server = {"spot_usdt": 100_000, "futures_usdt": 100_000}
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), settings(wanted), MARKETS, **server) as run:
        run.sandbox.post("latency", ms=wanted.latency_ms)
        run.start()
        for _ in range(wanted.rounds):
            one_round(run, wanted.resting)
        run.hold_entries()
        books = run.books()
    stream = "with the stream" if wanted.stream else "without the stream"
    print(f"{wanted.latency_ms} ms a round trip, {wanted.margin}, {stream}")
    report(gaps(books), wanted.latency_ms)


if __name__ == "__main__":
    main()
