"""Many scenarios, in as many processes as wanted."""

from __future__ import annotations

import logging
import multiprocessing
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.chaos.ours import Alter, as_it_is
from benchmarks.chaos.outcome import differences
from benchmarks.chaos.plan import Scenario, scenario
from benchmarks.chaos.run import Result, play_ours, play_snippet
from benchmarks.chaos.stream import BEHAVIOURS
from benchmarks.chaos.world import World
from freqtrade_fundhedge.journal import Journal

CHUNK = 5
Job = tuple[str, int]


@dataclass(frozen=True)
class Day:
    """One scenario: ours by what the stream did, the first of them without one if any was; the snippet's."""

    streams: tuple[Result, ...]
    snippet: Result

    @property
    def violations(self) -> tuple[str, ...]:
        """What is wrong with any of ours, and what the stream has changed."""
        plain = self.streams[0]
        found = [f"{result.stream}: {why}" for result in self.streams for why in result.violations]
        for other in self.streams[1:]:
            if plain.outcome is not None and other.outcome is not None and other.slack is not None:
                found += [f"{other.stream}: {why}" for why in differences(plain.outcome, other.outcome, other.slack)]
        return tuple(found)


def play_many(jobs: Sequence[Job], alter: Alter = as_it_is, streams: Sequence[str] = BEHAVIOURS) -> list[Day]:
    """Play scenarios (class, seed) one after the other."""
    shared = Path("/dev/shm")
    with World() as world, tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        template = Path(folder) / "template.sqlite"
        Journal(f"sqlite:///{template}", "chaos").close()
        days = []
        for plan in (scenario(*job) for job in jobs):
            ours = tuple(_play(world, plan, template, alter, stream) for stream in streams)
            days.append(Day(ours, replace(play_snippet(world, plan), violations=())))
        return days


def _play(world: World, plan: Scenario, template: Path, alter: Alter, stream: str) -> Result:
    try:
        return play_ours(world, plan, template, alter, stream)
    except Exception as error:
        logging.getLogger(__name__).debug("%s", plan.name, exc_info=True)
        why = f"{type(error).__name__} out of the controller: {error}"
        return Result(plan.klass, plan.seed, stream=stream, violations=(why,))


def _quietly(jobs: Sequence[Job], streams: Sequence[str]) -> list[Day]:
    logging.disable(logging.CRITICAL)
    return play_many(jobs, streams=streams)


def play_in_processes(jobs: Sequence[Job], processes: int, streams: Sequence[str]) -> Iterator[Day]:
    """The same on several cores, in order."""
    chunks = [jobs[i : i + CHUNK] for i in range(0, len(jobs), CHUNK)]
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        for days in pool.map(_quietly, chunks, [streams] * len(chunks)):
            yield from days
