"""All costs in one table, each row with the command that measures it alone.

python -m benchmarks [--quick] [--only loop_cost bot_cost hedge_cost frame_cost] [--to docs/costs.md]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.rows import Row, markdown, show

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- table -->", "<!-- end of table -->"
TIMEOUT_S = 3600


@dataclass(frozen=True)
class Part:
    """One benchmark: how it is run, in full and quickly; `old` ones print lines of their own instead of rows."""

    name: str
    words: str = ""
    quick: str = "--quick"
    old: bool = False

    def command(self, quick: bool) -> str:
        """What a user would type."""
        script = f"python benchmarks/{self.name}.py" if self.old else f"python -m benchmarks.{self.name}"
        return " ".join(word for word in (script, self.words, self.quick if quick else "") if word)


PARTS = (
    Part("hedge_cost"),
    Part("leg_gap", quick="--rounds 1", old=True),
    Part("leg_gap", "--no-stream", quick="--rounds 1", old=True),
    Part("leg_gap", "--resting", quick="--rounds 1", old=True),
    Part("bot_cost"),
    Part("loop_cost", "--only loop"),
    Part("loop_cost", "--only past"),
    Part("loop_cost", "--only memory start"),
    Part("frame_cost"),
    Part("backtest_cost", quick="--repeat 1", old=True),
    Part("report_cost", "--trades 100000", quick="--trades 2000 --repeat 1", old=True),
)


def measured(part: Part, quick: bool) -> list[Row]:
    """Run one benchmark in a process of its own."""
    command = part.command(quick)
    words = [sys.executable, *command.split()[1:], *([] if part.old else ["--json"])]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    if done.returncode:
        tail = (done.stderr or done.stdout).strip().splitlines() or ["no word"]
        return [Row(f"{part.name} failed: {tail[-1][:120]}", "-", kept=False, limit="no failure", command=command)]
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    if part.old:
        return [replace(_plain(line), command=command) for line in lines]
    return [replace(Row(**json.loads(line)), command=command) for line in lines]


def _plain(line: str) -> Row:
    """A line that an older benchmark prints for people: its figures begin where its words end."""
    words, gap, figures = line.strip().partition(": ")
    if not gap:
        words, _, figures = re.sub(r" {2,}", "  ", line.strip()).partition("  ")
    return Row(words, figures)


def load() -> str:
    """Under what the table was made."""
    one, five, _ = os.getloadavg()
    return f"{os.cpu_count()} cores, load {one:.1f} (5 minutes: {five:.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small runs")
    parser.add_argument("--only", nargs="+", choices=sorted({part.name for part in PARTS}))
    parser.add_argument("--to", type=Path, help="a Markdown file: the table goes between its marks")
    wanted = parser.parse_args()
    under, rows = load(), []
    print(f"before the first: {under}", flush=True)
    for part in PARTS:
        if wanted.only is None or part.name in wanted.only:
            found = measured(part, wanted.quick)
            show(found, as_json=False)
            rows += found
    table = f"Measured with {'`make bench QUICK=1`' if wanted.quick else '`make bench`'}: {under}.\n\n{markdown(rows)}"
    if wanted.to is not None:
        text = wanted.to.read_text()
        head, rest = text.split(BEGIN)
        wanted.to.write_text(f"{head}{BEGIN}\n{table}\n{END}{rest.partition(END)[2]}")
    else:
        print(f"\n{table}")
    broken = [row.what for row in rows if row.kept is False]
    if broken:
        raise SystemExit("not kept: " + "; ".join(broken))


if __name__ == "__main__":
    main()
