"""What a turn of converge() costs: requests, SQL, CPU, memory, and what a long past adds to it.

The real controller and journal, on an exchange in memory, in virtual time: so that CPU is ours alone and a million
rows or ten thousand loops don't take a day. What is compared takes turns. CPU seconds, because machines do other
things, too.

    python -m benchmarks.loop_cost [--hedges 50] [--rows 1000000] [--loops 10000] [--only loop past memory start]
"""

from __future__ import annotations

import gc
import logging
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks.rows import Row, options, row, show
from benchmarks.wide import ROWS_EACH, Wide
from freqtrade_fundhedge.venue.port import Direction

PAST_LIMIT = 1.2
GROWTH_LIMIT_KB = 1024.0


def cpu_ms(work: Callable[[], object]) -> float:
    """CPU milliseconds of this process."""
    begun = time.process_time()
    work()
    return (time.process_time() - begun) * 1000


def settled(folder: str, name: str, hedges: int, past: int = 0, listed: int = 300) -> Wide:
    """A bot whose hedges all stand."""
    home = Path(folder) / name
    home.mkdir()
    wide = Wide(home, hedges, past, listed)
    wide.settle()
    return wide


def requests_and_sql(wide: Wide, loops: int) -> tuple[list[int], list[int]]:
    """Of each of so many quiet loops."""
    requests, statements = [], []
    for _ in range(loops):
        before = wide.venue.asked
        with wide.statements() as sql:
            wide.loop()
        requests.append(wide.venue.asked - before)
        statements.append(len(sql.seen))
    return requests, statements


def quiet_loop(folder: str, hedges: int, loops: int) -> list[Row]:
    """Requests, SQL and CPU, beside the same with one hedge and ten markets."""
    small, large = settled(folder, "one", 1, listed=10), settled(folder, "many", hedges)
    (asked, sql), (asked_small, sql_small) = (requests_and_sql(wide, loops) for wide in (large, small))
    times = [(cpu_ms(large.loop), cpu_ms(small.loop)) for _ in range(loops)]
    many, one = ([pair[i] for pair in times] for i in (0, 1))
    name = f"quiet loop, {hedges} hedges, 300 markets"
    than = "with 1 hedge and 10 markets"
    hourly = max(asked) - 2  # the hourly reading of wallets asks for the spot balance
    return [
        row(
            f"{name}: requests", asked, digits=0, against=f"{statistics.median(asked_small):.0f} {than}",
            limit="2; 3 once an hour", kept=statistics.median(asked) <= 2 and hourly <= 1,
        ),
        row(
            f"{name}: SQL statements", sql, digits=0, against=f"{statistics.median(sql_small):.0f} {than}",
            limit="the same", kept=statistics.median(sql) == statistics.median(sql_small),
        ),
        row(
            f"{name}: CPU of converge()", many, "ms",
            against=f"{statistics.median(one):.1f} ms {than}: {statistics.median(many) / statistics.median(one):.1f} x",
        ),
    ]  # fmt: skip


def ratio_row(name: str, long: Sequence[float], empty: Sequence[float], limit: bool = True) -> Row:
    """A row of milliseconds with a long past against those without one."""
    ratio = statistics.median(long) / statistics.median(empty)
    against = f"{statistics.median(empty):.1f} ms with an empty journal: {ratio:.2f} x"
    return row(name, long, "ms", against=against, **_limit(ratio) if limit else {})


def _limit(ratio: float) -> dict[str, object]:
    return {"limit": f"{PAST_LIMIT} x", "kept": ratio <= PAST_LIMIT}


def started(wide: Wide) -> None:
    """A restart: open the journal, and the first loop."""
    wide.bot.close()
    wide.bot = wide.start()
    assert wide.loop()


def long_past(folder: str, hedges: int, rows: int, loops: int) -> list[Row]:
    """A quiet loop, an entry, an exit and a start beside a long past."""
    empty, long = settled(folder, "empty", hedges), settled(folder, "long", hedges, rows)
    steps: dict[str, Callable[[Wide, int], object]] = {
        "quiet loop": lambda wide, _n: wide.loop(),
        "entry": lambda wide, n: wide.enter(hedges + n),
        "exit, its sweep and the loop after it": lambda wide, _n: wide.leave(),
        "start": lambda wide, _n: started(wide),
    }
    found = []
    for name, step in steps.items():
        repeat = loops if name == "quiet loop" else min(loops, 40)
        both = [[cpu_ms(partial(step, wide, n)) for wide in (long, empty)] for n in range(repeat)]
        what = f"journal of {rows:,} rows, {hedges} hedges: CPU of a{'n' if name[0] in 'ae' else ''} {name}"
        found.append(ratio_row(what, *([pair[i] for pair in both] for i in (0, 1))))
    return found


def resident_kb() -> float:
    """What the process holds of the machine's memory, C libraries included."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024


def memory(folder: str, hedges: int, loops: int) -> list[Row]:
    """What the process holds more after so many loops; what a tenth as many loops took is its warming up."""
    wide = settled(folder, "memory", hedges)
    for _ in range(max(100, loops // 10)):
        wide.loop()
    before = resident_kb()
    for _ in range(loops):
        wide.loop()
    grown = resident_kb() - before
    what = f"memory after {loops:,} loops, {hedges} hedges"
    against = f"{before / 1024:.0f} MB before them"
    return [
        row(what, [grown], "kB more", digits=0, against=against, limit=f"{GROWTH_LIMIT_KB:.0f} kB more",
            kept=grown <= GROWTH_LIMIT_KB)
    ]  # fmt: skip


def interrupted(wide: Wide) -> None:
    """The process died after it had written down a sweep and before it sent it."""
    journal = wide.bot.ctx.journal
    row = journal.begin_transfer(Direction.SWEEP, "USDT", wide.venue.wallet, wide.venue.wallet, {}, wide.time)
    assert journal.open_transfers() == [row]
    started(wide)
    assert journal.open_transfers() == []


def start_up(folder: str, past_hedges: int, repeat: int) -> list[Row]:
    """A start, and a start after a death, with so many hedges behind us and ten open."""
    empty, long = settled(folder, "new", 10), settled(folder, "old", 10, past_hedges * ROWS_EACH)
    found = []
    for name, step in (("start", started), ("start after a death between intent and send", interrupted)):
        both = [[cpu_ms(partial(step, wide)) for wide in (long, empty)] for _ in range(repeat)]
        what = f"{past_hedges:,} past hedges: CPU of a {name}"
        found.append(ratio_row(what, *([pair[i] for pair in both] for i in (0, 1))))
    return found


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--hedges", type=int, default=50)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--loops", type=int, default=10_000)
    kinds = ("loop", "past", "memory", "start")
    parser.add_argument("--only", nargs="+", choices=kinds, default=kinds)
    wanted = parser.parse_args()
    logging.disable(logging.CRITICAL)
    if wanted.quick:
        wanted.rows, wanted.loops = min(wanted.rows, 50_000), min(wanted.loops, 500)
    timed = 60 if wanted.quick else 300
    with tempfile.TemporaryDirectory() as folder:
        parts: dict[str, Callable[[], list[Row]]] = {
            "loop": lambda: quiet_loop(folder, wanted.hedges, timed),
            "past": lambda: long_past(folder, wanted.hedges, wanted.rows, timed),
            "memory": lambda: memory(folder, wanted.hedges, wanted.loops),
            "start": lambda: start_up(folder, 1000, 10 if wanted.quick else 40),
        }
        for name in wanted.only:
            show(parts[name](), wanted.json)


if __name__ == "__main__":
    main()
