"""What one hedge costs at the exchange: time on one leg, requests, and their weight against Binance's limits.

A real bot whose margin waits in the futures wallet opens twenty hedges, rests, and closes them one after the other,
against the sandbox exchange, which adds so many milliseconds to each request. Ours are the requests that have this
package on their stack; what they cost on top of the quiet loops' two is the entry's or the exit's. Weights are ccxt's
cost fields times the limit that ccxt counts in, and Binance's documented weight where ccxt counts less
(`/fapi/v3/account` 5, `/fapi/v1/premiumIndex` of all 10).

    python -m benchmarks.hedge_cost [--hedges 20] [--latency-ms 50] [--loops 20]
"""

from __future__ import annotations

import statistics
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.bots import ORDER, SPOT_ORDER, SWEEP, TRANSFER, Line, Probed, coins, loops, probed, shorts
from benchmarks.rows import Row, options, row, show

WAIT_S = 600.0
# Weight a minute of each host's limit, and how much of it one of ccxt's units is: Binance, "Limits", and ccxt's own
# comments (`Weight(IP): 20 => cost = 0.2 * 20`).
LIMITS = {"spot": 6000.0, "sapi by IP": 12_000.0, "sapi by account": 180_000.0, "futures": 2400.0}
UNIT = {"spot": 5.0, "sapi by IP": 10.0, "sapi by account": 150.0, "futures": 1.0}
DOCUMENTED = {("fapiPrivateV3", "account"): 5.0, ("fapiPublic", "premiumIndex"): 10.0}
BY_ACCOUNT = {"asset/transfer"}
Log = list[dict[str, Any]]


def host(line: Line) -> str:
    """Which limit a request counts against."""
    api = line["api"][0]
    if api.startswith("sapi"):
        return "sapi by account" if line["path"] in BY_ACCOUNT and line["method"] == "POST" else "sapi by IP"
    return "futures" if api.startswith("fapi") else "spot"


def weight(line: Line) -> float:
    """Of one request, in Binance's units."""
    documented = DOCUMENTED.get((line["api"][0], line["path"]))
    if documented is not None and "symbol" not in line:
        return documented
    return float(line["cost"]) * UNIT[host(line)]


def mine(lines: list[Line], ours: bool = True) -> list[Line]:
    """Requests of ours, or of Freqtrade's."""
    return [line for line in lines if line.get("ours") is ours]


def each(lines: list[Line], count: int) -> tuple[float, float]:
    """Requests of ours and of Freqtrade's for each of so many entries or exits, less the quiet loops' two."""
    quiet = len(loops(lines)) + 1
    return (len(mine(lines)) - 2 * quiet) / count, len(mine(lines, False)) / count


def gaps(log: Log, side: str) -> list[tuple[float, float]]:
    """For each futures order of a side: milliseconds until its spot order took effect, and its notional in USDT."""
    found = []
    for number, first in enumerate(log):
        if (first["method"], first["path"], first["params"].get("side")) != ("POST", ORDER, side):
            continue
        for later in log[number + 1 :]:
            same = later["params"].get("symbol") == first["params"]["symbol"]
            if same and (later["method"], later["path"]) == ("POST", SPOT_ORDER) and later["params"]["side"] != side:
                notional = float(later["params"]["quantity"]) * float(later["params"]["price"])
                found.append((later["applied"] - first["applied"], notional))
                break
    return found


def to_spot(log: Log) -> list[float]:
    """For each exit, milliseconds from its fill until a sweep took effect."""
    sweeps = [r["applied"] for r in log if r["path"] == TRANSFER and r["params"].get("type") == SWEEP]
    exits = [r["applied"] for r in log if r["path"] == ORDER and r["method"] == "POST" and r["params"]["side"] == "BUY"]
    return [min(at for at in sweeps if at > done) - done for done in exits]


def sweeps(lines: list[Line]) -> Counter[str]:
    """What we asked between the sale of the coins and the sweep, the sweep included; how often which."""
    found: Counter[str] = Counter()
    between: list[str] = []
    for line in mine(lines):
        name = f"{line['method']} {line['path']}"
        between.append(name)
        if name == "POST order":
            between = []
        elif name == "POST asset/transfer" and line.get("type") == SWEEP:
            found[", ".join(between)] += 1
    return found


def weights(quiet: list[list[Line]], about: str, loop_s: float = 5.0) -> list[Row]:
    """Of ours a minute while nothing happens, with Freqtrade's usual five seconds a loop."""
    used: Counter[str] = Counter()
    for line in (line for loop in quiet for line in mine(loop)):
        used[host(line)] += weight(line)
    minutes = len(quiet) * loop_s / 60
    return [
        row(
            f"weight a minute on Binance's {name} limit, {about}, a loop each {loop_s:.0f} s", [used[name] / minutes],
            digits=0, against=f"{used[name] / minutes / limit:.1%} of {limit:,.0f}",
        )
        for name, limit in LIMITS.items()
    ]  # fmt: skip


def rows(phases: dict[str, list[Line]], log: Log, count: int, latency: int) -> list[Row]:
    """The whole table of one run."""
    opened, closed, trip = gaps(log, "SELL"), gaps(log, "BUY"), f"{latency} ms a request"
    exposed = [(a[0] * a[1] + b[0] * b[1]) / 1000 for a, b in zip(opened, closed, strict=True)]
    usdt = statistics.median(notional for _, notional in opened)
    floor = 2 * latency / 1000 * usdt
    times, clean = to_spot(log), sweeps(phases["exit"])
    usual, often = clean.most_common(1)[0]
    found = [
        row(
            f"USDT-seconds on one leg in the whole life of a hedge of {usdt:.0f} USDT, {trip}", exposed,
            against=f"{floor:.0f} with one round trip an entry and one an exit: "
            f"{statistics.median(exposed) / floor if floor else 0:.1f} x",
        ),
        row(
            f"from the exit's fill to USDT on spot, {trip}", times, "ms", digits=0,
            against=f"{statistics.median(times) / latency if latency else 0:.1f} round trips",
        ),
    ]  # fmt: skip
    for name in ("entry", "exit"):
        ours, theirs = each(phases[name], count)
        what = f"requests of ours for an {name}" + (" and its sweep" if name == "exit" else "")
        found.append(row(what, [ours], against=f"{theirs:.1f} of Freqtrade's meanwhile"))
    kept = usual.count(",") <= 1
    found.append(Row(f"requests of a sweep: {usual}", f"{usual.count(',') + 1}", limit="one read, one send", kept=kept,
                     against=f"{often} of {clean.total()} sweeps"))  # fmt: skip
    return found + weights(loops(phases["quiet"]), f"{count} hedges")


def run(hedges: int, latency: int, count: int) -> tuple[dict[str, list[Line]], Log]:
    """Open, rest, close; the probe's lines of each, and the exchange's log."""
    wallets = {"spot_usdt": 10**6, "futures_usdt": 10**5}
    settings = {"fundhedge": {"margin": {"fund_entries": False}}}
    with (
        tempfile.TemporaryDirectory() as folder,
        probed(Path(folder), "Hedged", hedges, hedges, settings, **wallets) as bot,
    ):
        bot.sandbox.post("latency", ms=latency)
        bot.start()
        bot.all_open(WAIT_S)
        bot.hold_entries()
        bot.looped(3, WAIT_S)
        entered = len(bot.lines())
        bot.looped(count, WAIT_S)
        rested = len(bot.lines())
        _close_all(bot, hedges)
        lines, log = bot.lines(), bot.sandbox.requests("POST", ".*")
    phases = {"entry": lines[:entered], "quiet": lines[entered:rested], "exit": lines[rested:]}
    begun = next(n for n, line in enumerate(phases["entry"]) if "loop" in line)
    phases["entry"] = phases["entry"][begun:]
    return phases, log  # type: ignore[return-value]


def _close_all(bot: Probed, hedges: int) -> None:
    """One after the other, each with time to be swept."""
    for left, market in enumerate(reversed(coins(hedges)), start=1):
        bot.close(market)
        bot.wait("a short closed", lambda n=hedges - left: len(shorts(bot.sandbox.books())) <= n, WAIT_S)
    bot.looped(3, WAIT_S)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--hedges", type=int, default=20)
    parser.add_argument("--latency-ms", type=int, default=50)
    parser.add_argument("--loops", type=int, default=20)
    wanted = parser.parse_args()
    if wanted.quick:
        wanted.hedges, wanted.loops = 5, 8
    show(rows(*run(wanted.hedges, wanted.latency_ms, wanted.loops), wanted.hedges, wanted.latency_ms), wanted.json)


if __name__ == "__main__":
    main()
