"""How long a hedge stands on one leg: from a fill of a futures order until spot differs by less than a lot.

A real bot opens and closes hedges against the sandbox exchange, which adds so many milliseconds to each request: one
round trip. Market entries, or resting entries that somebody else fills in up to five parts; partial exits; exits. The
sandbox's own books say when either leg was filled.

    python -m benchmarks.leg_gap [--latency-ms 50] [--pairs 10] [--rounds 1] [--margin cross] [--no-stream] [--resting]
    python -m benchmarks.leg_gap --all

The sandbox waits before it applies a request and tells of fills at once: a whole round trip lies between a fill and the
order that follows it, as with half of it on the way of either; how long one is, is measured beside it. While fills are
waited for nobody looks at the sandbox, which has a process of its own: what follows is read from the journal.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from bisect import bisect
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))

import requests
from harness import BTC, ETH, PEPE, Market, Run, running, shorts

from benchmarks.bots import coins
from benchmarks.rows import Row, options, row, show
from freqtrade_fundhedge.sandbox.specs import COINS as COINS_OF_THE_SANDBOX

COINS = ("BNB", "SOL", "XRP", "DOGE", "ADA", "LINK", "LTC")
MARKETS = (BTC, ETH, PEPE, *(Market(f"{c}USDT", f"{c}/USDT:USDT", c, f"{c}USDT", 1, Decimal(1)) for c in COINS))
LOTS = {coin.coin: coin.spot.step for coin in COINS_OF_THE_SANDBOX if coin.spot is not None}
# Each round may leave up to a lot.
DUST_LOTS = 10
PINGS = 41
PARTS, PART_S = 5, 1.0
# Never just a half: when Freqtrade counts a fill twice, as it can under load, it takes the rest for closed, too.
PARTLY = Decimal("0.4")
REST_S, WAIT_S = 2.0, 180.0
# Beyond one round trip, and beyond two: of the median and of the worst.
MEDIAN_MS, WORST_MS = 10, 20
STRATEGIES = Path(__file__).parent / "strategies"
# What Freqtrade asks between a fill and its callback.
FREQTRADES = "/fapi/v3/account|/fapi/v./positionRisk|/fapi/v1/userTrades"
KINDS = ("market entry", "part of a resting entry", "partial exit", "exit")
RESTING: dict[str, Any] = {
    "order_types": {
        "entry": "limit", "exit": "market", "stoploss": "market", "stoploss_on_exchange": False,
        "emergency_exit": "market", "force_exit": "market", "force_entry": "limit",
    },
    "entry_pricing": {"price_side": "same", "use_order_book": True, "order_book_top": 1},
    "unfilledtimeout": {"entry": 60, "exit": 60, "unit": "minutes"},
}  # fmt: skip


def markets(count: int) -> tuple[Market, ...]:
    """The sandbox's usual coins, and made-up ones when there are more."""
    return (*MARKETS[:count], *coins(max(0, count - len(MARKETS))))


def settings(wanted: argparse.Namespace) -> dict[str, Any]:
    """Freqtrade's configuration for what is to be measured."""
    own = {"margin": {"fund_entries": False}, "hedge": {"stream": wanted.stream}}
    base = {"stake_amount": 100, "max_open_trades": wanted.pairs, "margin_mode": wanted.margin, "fundhedge": own}
    told = {} if wanted.stream else {"strategy": "Told", "strategy_path": str(STRATEGIES)}
    return {**base, **told, **(RESTING if wanted.resting else {})}


def fill_in_parts(run: Run, hedges: int) -> None:
    """Somebody takes the resting orders, a fifth at a time."""
    for _ in range(PARTS * 3):
        began = time.monotonic()
        books = run.books()
        resting = [o for o in books["orders"]["futures"] if o["status"] in ("NEW", "PARTIALLY_FILLED")]
        if len(shorts(books)) == hedges and not resting:
            return
        for order in resting:
            whole = Decimal(order["origQty"])
            part = (whole / PARTS).quantize(whole, rounding="ROUND_UP")
            run.sandbox.post("fill", market="perp", order_id=order["orderId"], quantity=part)
            time.sleep(0.23)
        time.sleep(max(0.0, began + PART_S - time.monotonic()))
    raise AssertionError("resting orders are not filled")


def pause(run: Run, hedges: int) -> None:
    """Wait until so many hedges have coins, and nothing has been under way for some seconds."""
    since = time.monotonic()
    deadline = since + WAIT_S
    while time.monotonic() < since + REST_S:
        held = [row for row in run.journal("select held from hedges where state = 'open'") if Decimal(row["held"]) > 0]
        if len(held) != hedges or run.open_intents():
            since = time.monotonic()
        assert since < deadline, f"{len(held)} hedges, not {hedges}\n{run.log()[-8000:]}"
        time.sleep(0.2)
    assert len(shorts(run.books())) == hedges


def one_round(run: Run, wanted: argparse.Namespace, partly: bool) -> None:
    """Open a hedge in every pair, by the strategy's own signal, close a part of each and then the rest."""
    if wanted.resting:
        run.wait("all ordered", lambda: len(run.trades()) == wanted.pairs, WAIT_S)
        run.loops(1, WAIT_S)
        fill_in_parts(run, wanted.pairs)
    pause(run, wanted.pairs)
    if partly:
        for trade in run.trades():
            amount = Decimal(str(trade["amount"])) * PARTLY
            run.rest("POST", "forceexit", tradeid=str(trade["trade_id"]), amount=str(amount))
        pause(run, wanted.pairs)
    run.rest("POST", "forceexit", tradeid="all")
    pause(run, 0)


def unlock(run: Run) -> None:
    """Let the strategy enter again in the candle in which it was closed."""
    for lock in run.rest("GET", "locks")["locks"]:
        run.rest("DELETE", f"locks/{lock['id']}")


class Gap(NamedTuple):
    """From a futures fill until the legs were equal again, milliseconds since 1970."""

    pair: str
    since: int
    until: int


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


def gaps(books: dict[str, Any], pairs: int) -> dict[str, list[Gap]]:
    """For each futures fill, when the legs differed by less than a few lots again, earlier rounds' dust."""
    found: dict[str, list[Gap]] = {kind: [] for kind in KINDS}
    for market in markets(pairs):
        lots = DUST_LOTS * LOTS.get(market.coin, market.lot)
        delta, short, waiting = Decimal(0), Decimal(0), []
        for at, change, kind in moves(books, market):
            delta += change
            if kind:
                short -= change
                waiting.append((at, "partial exit" if kind == "exit" and short > 0 else kind))
            if waiting and abs(delta) < lots:
                for since, what in waiting:
                    found[what].append(Gap(market.pair, since, at))
                waiting = []
        assert not waiting, f"{market.pair} is left with {delta}"
    return found


def between(log: list[dict[str, Any]], found: list[Gap]) -> int:
    """How many of these requests there are in most of these times."""
    applied = sorted(request["applied"] for request in log if request["applied"])
    return int(statistics.median_low(bisect(applied, gap.until) - bisect(applied, gap.since) for gap in found))


def callbacks_after(fills: list[Gap], told: list[dict[str, Any]]) -> list[float]:
    """How long after each fill Freqtrade told the strategy of it, in milliseconds."""
    # The exchange leaves fractions of a millisecond out.
    return [min(c["at"] for c in told if c["pair"] == gap.pair and c["at"] >= gap.since) - gap.since for gap in fills]


def own(kind: str, fills: list[Gap], log: list[dict[str, Any]], wanted: argparse.Namespace) -> tuple[list[float], str]:
    """What of the gaps is ours to answer for, and the limit that it has to keep to, if there is one.

    Without the stream that is what comes after Freqtrade's callback; a part of a resting entry waits for the next loop.
    """
    gaps_ms, limit = [float(gap.until - gap.since) for gap in fills], f"1 round trip + {MEDIAN_MS} ms"
    if wanted.stream:
        return gaps_ms, f"{limit}; worst 2 + {WORST_MS} ms"
    if kind == KINDS[1]:
        return gaps_ms, ""
    freqtrades = callbacks_after(fills, wanted.told)
    text = f"{limit} after Freqtrade's callback, which comes after {statistics.median(freqtrades):.0f} ms"
    ours = [gap - freqtrade for gap, freqtrade in zip(gaps_ms, freqtrades, strict=True)]
    return ours, f"{text} and {between(log, fills)} of its requests; worst 2 + {WORST_MS} ms"


def told(path: Path) -> list[dict[str, Any]]:
    """When Freqtrade told the strategy of fills, if that was written down."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def round_trip_ms(url: str) -> float:
    """What one small request takes that waits on nothing, over a connection that is open: the yardstick beside it."""
    took = []
    with requests.Session() as session:
        for _ in range(PINGS):
            began = time.perf_counter()
            session.get(f"{url}/api/v3/time", timeout=10).raise_for_status()
            took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


def rows(found: dict[str, list[Gap]], log: list[dict[str, Any]], wanted: argparse.Namespace) -> list[Row]:
    """A row a kind of fill."""
    trip, stream = wanted.trip_ms, "with" if wanted.stream else "without"
    made = []
    for kind, fills in ((kind, fills) for kind, fills in found.items() if fills):
        times = [gap.until - gap.since for gap in fills]
        middle, worst = statistics.median(times), max(times)
        ours, limit = own(kind, fills, log, wanted)
        kept = statistics.median(ours) <= trip + MEDIAN_MS and max(ours) <= 2 * trip + WORST_MS
        about = f"leg gap, {wanted.latency_ms} ms a request, {wanted.margin}, {stream} the stream"
        made.append(row(
            f"{about}: {kind}, {len(times)} fills", times, "ms", digits=0,
            against=f"{middle / trip:.2f} and {worst / trip:.2f} round trips of {trip:.1f} ms",
            limit=limit, kept=kept if limit else None,
        ))  # fmt: skip
    return made


def measure(wanted: argparse.Namespace) -> list[Row]:
    """One bot."""
    traded = markets(wanted.pairs)
    server = {"spot_usdt": 100_000, "futures_usdt": 100_000, "more_coins": max(0, wanted.pairs - len(MARKETS))}
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder), settings(wanted), traded, own_process=True, **server) as run,
    ):
        os.environ["FUNDHEDGE_PROBE"] = str(Path(folder) / "told.jsonl")
        run.start()
        run.wait("the API", run.answers)
        run.sandbox.post("latency", ms=wanted.latency_ms)
        for number in range(wanted.rounds):
            if number:
                unlock(run)
            one_round(run, wanted, partly=number < wanted.partly)
        wanted.trip_ms = round_trip_ms(run.sandbox.url)
        books, log = run.books(), run.sandbox.requests("GET", FREQTRADES)
        wanted.told = told(Path(folder) / "told.jsonl")
    found = rows(gaps(books, wanted.pairs), log, wanted)
    if wanted.resting:
        buys = len([o for o in books["orders"]["spot"] if o["side"] == "BUY"])
        each = buys / wanted.rounds / wanted.pairs
        what = f"{found[0].what.rpartition(':')[0]}: spot orders an entry"
        found.append(row(what, [each], limit=f"{PARTS}", kept=each <= PARTS))
    return found


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--partly", type=int, default=1, help="rounds in which a part is closed before the rest")
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--latency-ms", type=int, default=50)
    parser.add_argument("--margin", choices=("isolated", "cross"), default="isolated")
    parser.add_argument("--no-stream", dest="stream", action="store_false")
    parser.add_argument("--resting", action="store_true", help="entries rest in the book and are filled in parts")
    parser.add_argument("--all", action="store_true", help="5, 50 and 200 ms, both margin modes, with and without")
    wanted = parser.parse_args()
    if wanted.quick:
        wanted.rounds, wanted.pairs = 1, 3
    if not wanted.all:
        show(measure(wanted), wanted.json)
        return
    every = itertools.product((5, 50, 200), ("isolated", "cross"), (True, False), (False, True))
    for latency_ms, margin, stream, resting in every:
        case = {"latency_ms": latency_ms, "margin": margin, "stream": stream, "resting": resting}
        show(measure(argparse.Namespace(**{**vars(wanted), **case})), wanted.json)


if __name__ == "__main__":
    main()
