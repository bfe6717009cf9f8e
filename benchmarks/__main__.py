"""All costs in one table, each row with the command that measures it alone.

python -m benchmarks [--quick] [--only leg_gap hedge_cost bot_cost loop_cost] [--to docs/costs.md]
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.apart import measured
from benchmarks.rows import markdown, show

BEGIN, END = "<!-- table -->", "<!-- end of table -->"


@dataclass(frozen=True)
class Part:
    """One benchmark, what it is told, the seconds after which it is ended, and whether small runs have it."""

    name: str
    words: str = ""
    limit_s: float = 300.0
    quick: bool = True

    def command(self, quick: bool) -> str:
        """What a user would type."""
        words = ("python -m", f"benchmarks.{self.name}", self.words, "--quick" if quick else "")
        return " ".join(word for word in words if word)


PARTS = (
    Part("leg_gap", "--rounds 8 --pairs 25 --partly 0", limit_s=720),
    Part("leg_gap", "--rounds 4 --pairs 11 --partly 2 --resting", limit_s=480),
    Part("leg_gap", "--pairs 5 --no-stream"),
    Part("leg_gap", "--pairs 3 --no-stream --resting", quick=False),
    Part("leg_gap", "--pairs 5 --margin cross", quick=False),
    Part("leg_gap", "--pairs 3 --margin cross --resting", quick=False),
    Part("leg_gap", "--pairs 10 --latency-ms 5", quick=False),
    Part("leg_gap", "--pairs 3 --latency-ms 5 --resting", quick=False),
    Part("leg_gap", "--pairs 3 --latency-ms 200", quick=False),
    Part("leg_gap", "--pairs 3 --latency-ms 200 --resting", quick=False),
    Part("hedge_cost", limit_s=500),
    Part("bot_cost", limit_s=420),
    Part("loop_cost", "--only loop"),
    Part("loop_cost", "--only past"),
    Part("loop_cost", "--only start"),
    Part("loop_cost", "--only memory", limit_s=600),
    Part("frame_cost"),
    Part("backtest_cost", limit_s=600),
    Part("report_cost"),
)


def load() -> str:
    """Under what the table is made."""
    one, five, _ = os.getloadavg()
    return f"{os.cpu_count()} cores, load {one:.1f} (5 minutes: {five:.1f}) before the first row"


def between_marks(text: str, table: str) -> str:
    """A page with another table.

    Raises
    ------
    ValueError : it has not one place for it
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"there must be one {BEGIN}, and one {END} after it")
    return f"{text.partition(BEGIN)[0]}{BEGIN}\n{table}\n{END}{text.partition(END)[2]}"


def end_with_what_runs() -> None:
    """Ctrl-C and a kill of this process end the benchmark that runs, too, and by it what it has started."""
    signal.signal(signal.SIGTERM, _ended)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background ignores it


def _ended(*_: Any) -> None:
    raise SystemExit("ended from outside")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small runs")
    parser.add_argument("--only", nargs="+", choices=sorted({part.name for part in PARTS}))
    parser.add_argument("--to", type=Path, help="a Markdown file: the table goes between its marks")
    wanted = parser.parse_args(arguments)
    if wanted.to is not None:
        between_marks(wanted.to.read_text(), "")  # not after half an hour
    under, begun, rows = load(), time.monotonic(), []
    print(under, flush=True)
    for part in PARTS:
        if part.name in (wanted.only or [part.name]) and (part.quick or not wanted.quick):
            started = time.monotonic()
            found = measured(part.command(wanted.quick), part.limit_s)
            show(found, as_json=False)
            print(f"  ({time.monotonic() - started:.0f} s: {part.command(wanted.quick)})", flush=True)
            rows += found
    with_what = f"`python -m benchmarks{' --quick' if wanted.quick else ''}`"
    took = f"{(time.monotonic() - begun) / 60:.0f} minutes"
    table = f"Measured with {with_what} in {took} on {under}.\n\n{markdown(rows)}"
    if wanted.to is None:
        print(f"\n{table}")
    else:
        wanted.to.write_text(between_marks(wanted.to.read_text(), table))
    broken = [row.what for row in rows if row.kept is False]
    if broken:
        raise SystemExit("not kept: " + "; ".join(broken))


if __name__ == "__main__":
    end_with_what_runs()
    main()
