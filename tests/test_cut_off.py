"""Output that nobody reads, or that has nowhere to go: every command ends without a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from freqtrade_fundhedge.cli import BAD_USAGE, CUT_OFF, NEEDS_A_PERSON
from freqtrade_fundhedge.journal import Journal

PROGRAM = str(Path(sys.executable).parent / "fundhedge")
CONFIG = {
    "trading_mode": "futures",
    "margin_mode": "isolated",
    "stake_currency": "USDT",
    "dry_run": True,
    "exchange": {"name": "binance"},
    "fundhedge": {"db_url": "sqlite:///journal.sqlite"},
}
READS = (["status"], ["status", "--json", "--watch", "1"], ["journal", "--json"])


@pytest.fixture(autouse=True)
def _journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.json").write_text(json.dumps(CONFIG))
    journal = Journal("sqlite:///journal.sqlite", "freqtrade")
    for number in range(300):  # more than a pipe's buffer of Python's
        journal.event("note", f"something happened, and took a few words to tell: {number}", time.time())
    journal.close()


def ran(command: list[str], **streams: Any) -> tuple[int, str]:
    """The exit code and standard error."""
    done = subprocess.run(command, check=False, text=True, timeout=60, **{"stderr": subprocess.PIPE, **streams})
    return done.returncode, done.stderr or ""


def unread(*arguments: str, **streams: Any) -> tuple[int, str]:
    """Of a command whose output has no reader from the start."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return ran([PROGRAM, *arguments], stdout=writing, **streams)
    finally:
        os.close(writing)


@pytest.mark.parametrize("arguments", READS, ids=" ".join)
def test_a_closed_pipe_ends_a_command(arguments: list[str]) -> None:
    """Whoever reads the output has gone: the command ends at once, in silence, as a shell expects."""
    assert unread(*arguments, "-c", "config.json") == (CUT_OFF, "")


def test_help_and_errors_without_a_reader() -> None:
    """So do the list of commands, and an error that nobody can read."""
    assert unread("--help") == (CUT_OFF, "")
    assert unread("status", "-c", "absent.json", stderr=subprocess.STDOUT)[0] == CUT_OFF


def test_output_that_has_nowhere_to_go() -> None:
    """Output that does not fit on the disk is an error in one line; standard output that is closed is none."""
    with Path("/dev/full").open("w") as full:
        code, told = ran([PROGRAM, "status", "-c", "config.json", "--json"], stdout=full)
    assert (code, told.count("\n")) == (NEEDS_A_PERSON, 1), told
    assert "No space left" in told
    assert ran(["sh", "-c", '"$0" status -c config.json >&-', PROGRAM]) == (0, "")
    assert ran(["sh", "-c", '"$0" status -c absent.json >&- 2>&-', PROGRAM])[0] == BAD_USAGE
