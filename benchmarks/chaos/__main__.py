"""python -m benchmarks.chaos: see the package's docstring."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Sequence

from benchmarks.chaos.batch import Day, Job, play_in_processes, play_many
from benchmarks.chaos.plan import CLASSES, scenario
from benchmarks.chaos.stream import BEHAVIOURS
from benchmarks.chaos.table import stream_table, table

SHOWN = 30


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.chaos", description="Chaos, measured, in virtual time.")
    parser.add_argument("--scenarios", type=int, default=1000, help="how many in all, spread over the classes")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--class", dest="klass", choices=CLASSES, help="only this class")
    parser.add_argument("--seed", type=int, help="play just this seed, of --class or of every class")
    parser.add_argument("--streams", nargs="+", choices=BEHAVIOURS, default=BEHAVIOURS, help="only these behaviours")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("-v", "--verbose", action="store_true", help="tell what happens, with --seed")
    return parser.parse_args(words)


def _jobs(arguments: argparse.Namespace) -> list[Job]:
    classes = (arguments.klass,) if arguments.klass else CLASSES
    if arguments.seed is not None:
        return [(klass, arguments.seed) for klass in classes]
    each = -(-arguments.scenarios // len(classes))
    return [(klass, seed) for seed in range(arguments.first_seed, arguments.first_seed + each) for klass in classes]


def _play(arguments: argparse.Namespace, jobs: Sequence[Job]) -> list[Day]:
    if arguments.seed is None:
        return list(play_in_processes(jobs, arguments.processes, arguments.streams))
    if arguments.verbose:
        logging.basicConfig(level=logging.INFO, format="%(message)s")
        logging.getLogger("benchmarks.chaos").setLevel(logging.DEBUG)
        for job in jobs:
            print(scenario(*job))
    else:
        logging.disable(logging.CRITICAL)
    days = play_many(jobs, streams=arguments.streams)
    if arguments.verbose:
        for day in days:
            for result in (*day.streams, day.snippet):
                print(result)
    return days


def main(words: Sequence[str] | None = None) -> int:
    """Run, print the table and the violations; 1 when there are any."""
    arguments = _arguments(words)
    began, jobs = time.monotonic(), _jobs(arguments)
    days = _play(arguments, jobs)
    shown = [next((r for r in day.streams if r.stream == "prompt"), day.streams[0]) for day in days]
    print(table(shown, [day.snippet for day in days]))
    print(stream_table(days))
    bad = [(job, day.violations) for job, day in zip(jobs, days, strict=True) if day.violations]
    for (klass, seed), violations in bad[:SHOWN]:
        print(
            f"VIOLATION {'; '.join(violations)}\n    again: python -m benchmarks.chaos --class {klass} --seed {seed} -v"
        )
    took = time.monotonic() - began
    print(
        f"{len(jobs)} scenarios, {len(jobs) * len(arguments.streams)} days in {took:.0f} s, {len(bad)} with violations"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
