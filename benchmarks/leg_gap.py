"""How long a hedge stands on one leg: from the fill of a futures order to its spot order.

A real bot opens and closes hedges in a dozen pairs against the sandbox exchange, which adds 50 ms to each request.
The sandbox's own log says when the futures order was filled, when the spot order arrived, and what was asked between.

    python benchmarks/leg_gap.py [--rounds 5] [--latency-ms 50]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))

from harness import BTC, ETH, ORDER, PEPE, SPOT_ORDER, Market, Run, running, shorts

COINS = ("BNB", "SOL", "XRP", "DOGE", "ADA", "LINK", "LTC")
MARKETS = (BTC, ETH, PEPE, *(Market(f"{c}USDT", f"{c}/USDT:USDT", c, f"{c}USDT", 1, Decimal(1)) for c in COINS))
SETTINGS: dict[str, Any] = {
    "stake_amount": 100,
    "max_open_trades": len(MARKETS),
    "fundhedge": {"margin": {"fund_entries": False}},
}


def one_round(run: Run) -> None:
    """Open a hedge in every pair, by the strategy's own signal, and close them all."""
    run.wait("all open", lambda: len(shorts(run.books())) == len(MARKETS), 120)
    run.calm(120)
    run.rest("POST", "forceexit", tradeid="all")
    run.wait("all closed", lambda: not shorts(run.books()), 120)
    run.calm(120)
    for lock in run.rest("GET", "locks")["locks"]:
        run.rest("DELETE", f"locks/{lock['id']}")


def gaps(log: list[dict[str, Any]], side: str) -> list[tuple[float, list[str]]]:
    """For each futures order of a side: milliseconds to the arrival of its spot order, and the requests between."""
    spot_of = {market.symbol: market.spot for market in MARKETS}
    found = []
    for number, first in enumerate(log):
        if (first["method"], first["path"], first["params"].get("side")) != ("POST", ORDER, side):
            continue
        symbol, between = spot_of[first["params"]["symbol"]], []
        for later in log[number + 1 :]:
            if (later["method"], later["path"], later["params"].get("symbol")) == ("POST", SPOT_ORDER, symbol):
                found.append((later["received"] - first["applied"], between))
                break
            between.append(f"{later['method']} {later['path']}")
    return found


def report(name: str, found: list[tuple[float, list[str]]]) -> None:
    times = sorted(ms for ms, _ in found)
    counts = [len(between) for _, between in found]
    usual = Counter(tuple(between) for _, between in found).most_common(1)[0][0]
    print(f"{name}: {len(times)} legs, from the futures fill to the arrival of the spot order")
    print(f"    median {statistics.median(times):.0f} ms, worst {times[-1]:.0f} ms")
    print(f"    requests between: median {statistics.median(counts):.0f}, worst {max(counts)}")
    print(f"    usually: {', '.join(usual) or 'none'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--latency-ms", type=int, default=50)
    wanted = parser.parse_args()
    server = {"spot_usdt": 100_000, "futures_usdt": 100_000}
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), SETTINGS, MARKETS, **server) as run:
        run.sandbox.post("latency", ms=wanted.latency_ms)
        run.start()
        for _ in range(wanted.rounds):
            one_round(run)
        run.hold_entries()
        log: list[Any] = run.sandbox.requests(".*", ".*")
    print(f"{wanted.latency_ms} ms added to each request")
    report("open", gaps(log, "SELL"))
    report("close", gaps(log, "BUY"))


if __name__ == "__main__":
    main()
