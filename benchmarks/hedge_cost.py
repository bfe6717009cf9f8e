"""What one hedge costs at the exchange: time on one leg, requests, and their weight against Binance's limits.

Two real bots open twenty hedges, rest with a loop each five seconds, and close them one after the other, each against
a sandbox exchange of its own, which adds so many milliseconds to each request. Margin of the first is fetched just in
time, as by default; the other's waits in the futures wallet (`fund_entries` false). While one trades the other rests.
Ours are the requests that have this package on their stack; what they cost on top of the quiet loops' two is the
entry's or the exit's. Weights are ccxt's cost fields times the limit that ccxt counts in, and Binance's documented
weight where ccxt counts less (`/fapi/v3/account` 5, `/fapi/v1/premiumIndex` of all 10).

    python -m benchmarks.hedge_cost [--hedges 20] [--latency-ms 50] [--loops 13]
"""

from __future__ import annotations

import statistics
import tempfile
from collections import Counter
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

from benchmarks.bots import ORDER, SPOT_ORDER, SWEEP, TOP_UP, TRANSFER, Line, Probed, coins, loops, probed, shorts
from benchmarks.rows import Row, options, row, show

WAIT_S = 300.0
LOOP_S = 5.0  # Freqtrade's default
FUNDED = {True: "margin fetched just in time", False: "margin waiting"}
# Weight a minute of each host's limit, and how much of it one of ccxt's units is: Binance, "Limits", and ccxt's own
# comments (`Weight(IP): 20 => cost = 0.2 * 20`).
LIMITS = {"spot": 6000.0, "sapi by IP": 12_000.0, "sapi by account": 180_000.0, "futures": 2400.0}
UNIT = {"spot": 5.0, "sapi by IP": 10.0, "sapi by account": 150.0, "futures": 1.0}
DOCUMENTED = {
    ("fapiPrivateV3", "account"): 5.0, ("fapiPrivateV3", "positionRisk"): 5.0, ("fapiPublic", "premiumIndex"): 10.0,
}  # fmt: skip
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


def segments(lines: list[Line], path: str, **fields: str) -> list[list[Line]]:
    """Lines up to each request of ours like this one, itself included; what follows the last one is left out."""
    found, open_one = [], []
    for line in lines:
        open_one.append(line)
        if line.get("ours") and line["path"] == path and fields.items() <= line.items():
            found.append(open_one)
            open_one = []
    return found


def each(found: list[list[Line]]) -> tuple[list[float], list[float]]:
    """Requests of ours in each segment, less the two of each loop that began in it; Freqtrade's own."""
    ours = [len(mine(lines)) - 2.0 * sum("loop" in line for line in lines) for lines in found]
    return ours, [float(len(mine(lines, False))) for lines in found]


def called(line: Line) -> str:
    """What people would call a request."""
    return f"{host(line).split()[0]} {line['method']} {line['path'].rpartition('/')[2]}"


def usual(found: list[list[Line]]) -> str:
    """What we ask in most of the segments and how often, loops' own included, and its weights."""
    counts = [Counter(map(called, mine(lines))) for lines in found]
    names = dict.fromkeys(name for one in counts for name in one)
    often = {name: int(statistics.median_low(one[name] for one in counts)) for name in names}
    asked = ", ".join(f"{name}{f' x {count}' if count > 1 else ''}" for name, count in often.items() if count)
    sums = {name: [sum(weight(x) for x in mine(lines) if host(x) == name) for lines in found] for name in LIMITS}
    weighed = (f"{name} {statistics.median(each):.0f}" for name, each in sums.items() if statistics.median(each))
    return f"{asked}; weight: {', '.join(weighed)}"


def gaps(log: Log, side: str) -> dict[str, tuple[float, float]]:
    """For each futures order of a side: milliseconds until its spot order took effect, and its notional in USDT."""
    found = {}
    for number, first in enumerate(log):
        if (first["method"], first["path"], first["params"].get("side")) != ("POST", ORDER, side):
            continue
        symbol = first["params"]["symbol"]
        for later in log[number + 1 :]:
            is_spot = (later["method"], later["path"]) == ("POST", SPOT_ORDER)
            if is_spot and later["params"]["symbol"] == symbol and later["params"]["side"] != side:
                notional = float(later["params"]["quantity"]) * float(later["params"]["price"])
                found[symbol] = (later["applied"] - first["applied"], notional)
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
        between.append(called(line))
        if between[-1] == "spot POST order":
            between = []
        elif line["path"] == "asset/transfer" and line.get("type") == SWEEP:
            found[", ".join(between)] += 1
    return found


def weights(quiet: list[list[Line]], about: str) -> list[Row]:
    """Of each minute of quiet loops; Freqtrade's own beside ours."""
    minute = min(round(60 / LOOP_S), len(quiet))
    used: dict[tuple[str, bool], list[float]] = {}
    for first in range(len(quiet) - minute + 1):
        lines = [line for loop in quiet[first : first + minute] for line in loop if "ours" in line]
        for name, ours in ((name, ours) for name in LIMITS for ours in (True, False)):
            weighed = sum(weight(line) for line in lines if host(line) == name and line["ours"] is ours)
            used.setdefault((name, ours), []).append(weighed * 60 / LOOP_S / minute)
    return [
        row(
            f"weight a minute on Binance's {name} limit, {about}, a loop each {LOOP_S:.0f} s", used[name, True],
            digits=0, against=f"{max(used[name, True]) / limit:.1%} of {limit:,.0f} at worst; "
            f"Freqtrade's own {statistics.median(used[name, False]):.0f}",
        )
        for name, limit in LIMITS.items()
        if max(used[name, True])
    ]  # fmt: skip


def one_leg(log: Log, latency: int, trip: str) -> Row:
    """How much stood on one leg, and for how long, in the life of a hedge."""
    opened, closed = gaps(log, "SELL"), gaps(log, "BUY")
    exposed = [sum(ms * usdt for ms, usdt in (opened[name], closed[name])) / 1000 for name in opened]
    usdt = statistics.median(notional for _, notional in opened.values())
    floor = 2 * latency / 1000 * usdt
    ratio = f": {statistics.median(exposed) / floor:.1f} x" if floor else ""
    return row(
        f"USDT-seconds on one leg in the whole life of a hedge of {usdt:.0f} USDT, {trip}", exposed,
        against=f"{floor:.0f} with one round trip an entry and one an exit{ratio}",
    )  # fmt: skip


def rows(during: dict[str, list[Line]], log: Log, about: str, count: int, latency: int) -> list[Row]:
    """The whole table of one run."""
    trip, times = f"{latency} ms a request, {about}", to_spot(log)
    trips = f"{statistics.median(times) / latency:.1f} round trips; three at least" if latency else ""
    found = [
        one_leg(log, latency, trip),
        row(f"from the exit's fill to USDT on spot, {trip}", times, "ms", digits=0, against=trips),
    ]
    entries = segments(during["entry"], "order", method="POST", side="BUY")
    exits = segments(during["exit"], "asset/transfer", type=SWEEP)
    for name, parts in (("entry", entries), ("exit and its sweep", exits)):
        ours, theirs = each(parts[1:])
        against = f"{statistics.median(theirs):.0f} of Freqtrade's meanwhile; with the loop: {usual(parts[1:])}"
        found.append(row(f"requests of ours for an {name}, {about}", ours, digits=0, against=against))
    clean = sweeps(during["exit"])
    most, often = clean.most_common(1)[0]
    found.append(Row(
        f"requests of a sweep, {about}: {most}", f"{most.count(',') + 1}", limit="one read, one send",
        kept=most.count(",") <= 1, against=f"{often} of {clean.total()} sweeps",
    ))  # fmt: skip
    return found + weights(loops(during["quiet"]), f"{count} hedges, {about}")


def opened(folder: Path, hedges: int, funded: bool) -> AbstractContextManager[Probed]:
    """A bot and its sandbox, not started."""
    wallets = {"spot_usdt": 10**6, "futures_usdt": 0 if funded else 10**5}
    settings = {"fundhedge": {"margin": {"fund_entries": funded}}}
    return probed(folder / str(funded), "Hedged", hedges, hedges, settings, **wallets)


def run(hedges: int, latency: int, count: int) -> dict[bool, tuple[dict[str, list[Line]], Log]]:
    """Open, rest, close; the probe's lines of each, and the exchange's log; with and without `fund_entries`."""
    marks: dict[bool, list[int]] = {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        bots = {funded: stack.enter_context(opened(Path(folder), hedges, funded)) for funded in FUNDED}
        for funded, bot in bots.items():
            bot.sandbox.post("latency", ms=latency)
            bot.start()
            bot.all_open(WAIT_S)
            bot.hold_entries()
            bot.looped(3, WAIT_S)
            marks[funded] = [len(bot.lines())]
            bot.keep_pace(LOOP_S)
        for funded, bot in bots.items():
            bot.looped(count, WAIT_S, since=marks[funded][0])
            marks[funded].append(len(bot.lines()))
        logs = {}
        for funded, bot in bots.items():
            _close_all(bot, hedges)
            logs[funded] = bot.sandbox.requests("POST", ".*")
            expect(logs[funded], hedges, funded)
        return {funded: (phases(bot.lines(), *marks[funded]), logs[funded]) for funded, bot in bots.items()}


def phases(lines: list[Line], entered: int, rested: int) -> dict[str, list[Line]]:
    """From the first loop on, while it enters, rests and exits; what it rested at a loop a second is left out."""
    begun = next(n for n, line in enumerate(lines) if "loop" in line)
    return {"entry": lines[begun:entered], "quiet": lines[entered:rested], "exit": lines[rested:]}


def expect(log: Log, hedges: int, funded: bool) -> None:
    """What was sent is what so many hedges take, each order once; else the figures are of something else."""
    sent = Counter((r["path"], r["params"].get("side") or r["params"].get("type")) for r in log)
    orders = {path: (sent[path, "BUY"], sent[path, "SELL"]) for path in (ORDER, SPOT_ORDER)}
    if set(orders.values()) != {(hedges, hedges)} or sent[TRANSFER, SWEEP] < hedges:
        raise SystemExit(f"not {hedges} hedges opened, closed and swept: {dict(sent)}")
    if bool(sent[TRANSFER, TOP_UP]) is not funded:
        raise SystemExit(f"{sent[TRANSFER, TOP_UP]} top-ups with fund_entries {funded}")


def _close_all(bot: Probed, hedges: int) -> None:
    """One after the other, each with time to be swept."""
    for left, market in enumerate(reversed(coins(hedges)), start=1):
        swept = len(bot.requests("POST", TRANSFER, type=SWEEP))
        bot.close(market)
        bot.wait("a short closed", lambda n=hedges - left: len(shorts(bot.sandbox.books())) <= n, WAIT_S)
        bot.wait("its sweep", lambda n=swept: len(bot.requests("POST", TRANSFER, type=SWEEP)) > n, WAIT_S)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--hedges", type=int, default=20)
    parser.add_argument("--latency-ms", type=int, default=50)
    parser.add_argument("--loops", type=int, default=13)
    wanted = parser.parse_args()
    if wanted.quick:
        wanted.hedges, wanted.loops = 5, 12
    for funded, (found, log) in run(wanted.hedges, wanted.latency_ms, wanted.loops).items():
        show(rows(found, log, FUNDED[funded], wanted.hedges, wanted.latency_ms), wanted.json)


if __name__ == "__main__":
    main()
