"""Run a benchmark in a process of its own, bounded in time, and read its rows."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.rows import Row

ROOT = Path(__file__).parents[1]
# What is interrupted ends its bots and sandboxes itself; so long it may take.
GRACE_S = 60.0


def measured(command: str, limit_s: float) -> list[Row]:
    """The rows of one benchmark; the last one says so if it failed or took too long."""
    words = [sys.executable, *shlex.split(command)[1:], "--json"]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(words, cwd=ROOT, stdout=out, stderr=err, start_new_session=True)
        trouble = ""
        try:
            process.wait(limit_s)
        except subprocess.TimeoutExpired:
            trouble = f"not done after {limit_s:.0f} s"
        finally:
            end(process)
        out.seek(0)
        err.seek(0)
        lines, said = out.read().splitlines(), err.read().strip().splitlines()
    rows = [replace(Row(**json.loads(line)), command=command) for line in lines if line.startswith('{"what": ')]
    if not trouble and process.returncode:
        trouble = reason(said)
    if not trouble and not rows:
        trouble = "no row"
    if trouble:
        what = f"FAILED: {trouble.replace('|', '/')}"
        rows.append(Row(what, "-", limit="no failure", kept=False, command=command))
    return rows


def reason(said: list[str]) -> str:
    """What a program that failed said last; its error, if a log follows that."""
    errors = [line for line in said if re.match(r"[\w.]*(Error|Exception|Expired|Interrupt)\b", line)]
    return (errors or said or ["no word"])[-1][:160]


def end(process: subprocess.Popen[bytes]) -> None:
    """Let it end what it has started, then end what is left of its own session."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)
    if process.returncode != 0:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
