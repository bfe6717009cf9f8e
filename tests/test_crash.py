"""A bot that is killed at any journal boundary: the next one ends where it should be, by the exchange's own books."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from crash_driver import PHASES, READS, SENDS, WRITES

from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.sandbox import SandboxServer

PARTS = 3
BOUNDARIES = {f"{when} journal.{name}" for when in ("before", "after") for name in WRITES} | {
    f"{when} venue.{name}" for when in ("before", "after") for name in SENDS
}
Lives = list[dict[str, dict[str, list[str]]]]


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Lives:
    """Every boundary of every phase, each met by a real SIGKILL; the books are checked after each restart."""
    driver = Path(__file__).with_name("crash_driver.py")
    folders = [tmp_path_factory.mktemp("crash") for _ in range(PARTS)]
    # One thread a process: OpenBLAS would start some, and forking beside threads is asking for trouble.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    with contextlib.ExitStack() as stack:
        running = []
        for part, folder in enumerate(folders):
            server = stack.enter_context(SandboxServer(own_process=True))
            command = [sys.executable, str(driver), server.url, str(folder), str(part), str(PARTS)]
            process = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            running.append(process)
        errors = [process.communicate(timeout=280)[1] for process in running]
    assert [process.returncode for process in running] == [0] * PARTS, "\n".join(errors)
    return [json.loads((folder / "lives.json").read_text()) for folder in folders]


def test_every_journal_method_is_classified() -> None:
    """A method that the journal gains has to be named a read or a write, or the boundaries would miss it."""
    public = {name for name in dir(Journal) if not name.startswith("_") and callable(getattr(Journal, name))}
    assert public == WRITES | READS
    assert not WRITES & READS


@pytest.mark.parametrize("phase", [phase.name for phase in PHASES])
def test_killed_at_every_boundary(lives: Lives, phase: str) -> None:
    """Each boundary of this phase has seen a kill, and the books were right after the restart."""
    known = lives[0]["known"][phase]
    assert len(known) >= 4
    assert set(known) <= BOUNDARIES
    assert all(life["known"][phase] == known for life in lives)
    died: list[Any] = [line.split(" ", 1) for life in lives for line in life["died"][phase]]
    assert sorted((int(number), name) for number, name in died) == list(enumerate(known))


def test_boundaries_cover_the_journal(lives: Lives) -> None:
    """Every write of the journal and every send is a boundary in some phase."""
    assert {name for names in lives[0]["known"].values() for name in names} == BOUNDARIES
