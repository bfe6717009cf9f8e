"""Many scenarios, in as many processes as wanted."""

from __future__ import annotations

import logging
import multiprocessing
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

from benchmarks.chaos.ours import Alter, as_it_is
from benchmarks.chaos.plan import Scenario, scenario
from benchmarks.chaos.run import Result, play_ours, play_snippet
from benchmarks.chaos.world import World
from freqtrade_fundhedge.journal import Journal

CHUNK = 20
Job = tuple[str, int]
Pair = tuple[Result, Result]


def play_many(jobs: Sequence[Job], alter: Alter = as_it_is) -> list[Pair]:
    """Play scenarios (class, seed) one after the other: ours and the snippet's result of each."""
    shared = Path("/dev/shm")
    with World() as world, tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        template = Path(folder) / "template.sqlite"
        Journal(f"sqlite:///{template}", "chaos").close()
        return [_play(world, scenario(*job), template, alter) for job in jobs]


def _play(world: World, plan: Scenario, template: Path, alter: Alter) -> Pair:
    try:
        ours = play_ours(world, plan, template, alter)
    except Exception as error:
        logging.getLogger(__name__).debug("%s", plan.name, exc_info=True)
        ours = Result(plan.klass, plan.seed, violations=(f"{type(error).__name__} out of the controller: {error}",))
    theirs = play_snippet(world, plan)
    return ours, replace(theirs, violations=())


def _quietly(jobs: Sequence[Job]) -> list[Pair]:
    logging.disable(logging.CRITICAL)
    return play_many(jobs)


def play_in_processes(jobs: Sequence[Job], processes: int) -> Iterator[Pair]:
    """The same on several cores, in order."""
    chunks = [jobs[i : i + CHUNK] for i in range(0, len(jobs), CHUNK)]
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        for pairs in pool.map(_quietly, chunks):
            yield from pairs
