"""Time and memory of `fundhedge report` for a bot with a long past: made-up hedges over four years, hourly readings.

python -m benchmarks.live_report_cost [--hedges 10000]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from made_up import write_books

DAYS = 1500
PROGRAM = """
import sys, time
from freqtrade_fundhedge import cli, cli_report
first = time.process_time()
code = cli.run(sys.argv[1:])
# Not getrusage: that counts what the parent held when it forked.
highest = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(time.process_time() - first, int(highest.split()[1]) / 1024, file=sys.stderr)
sys.exit(code)
"""


def main() -> None:
    """Make both databases, report them as JSON and as a page, and print what each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hedges", type=int, default=10_000)
    count = parser.parse_args().hedges
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.json").write_text(json.dumps(write_books(Path(folder), count, DAYS)))
        for options in (["--json"], ["--html", "page.html"]):
            words = [sys.executable, "-c", PROGRAM, "report", "-c", "config.json", *options]
            done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=folder)
            seconds, megabytes = map(float, done.stderr.split())
            print(f"{count:,} hedges, {options[0]:6}: {seconds:.1f} s of CPU, at most {megabytes:.0f} MB")


if __name__ == "__main__":
    main()
