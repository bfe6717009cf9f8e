"""The demo: what it tells, what it returns, and that it leaves nothing running."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import pytest
from figures import Figures

from freqtrade_fundhedge.demo.bot import find_strategies
from freqtrade_fundhedge.demo.command import run_demo

pytestmark = pytest.mark.e2e
# A shell that runs tests in the background ignores SIGINT, and its children would too.
SCRIPT = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from freqtrade_fundhedge.cli import main
main()
"""
COMMAND = [sys.executable, "-c", SCRIPT, "demo", "--output"]
LIMIT_S = 150


def processes_of(folder: Path) -> list[int]:
    """Ids of processes that work on a configuration in this folder."""
    config = str(folder / "config.json")
    return [process.pid for process in psutil.process_iter(["cmdline"]) if config in (process.info["cmdline"] or [])]


def test_the_demo_tells_the_whole_story(tmp_path: Path) -> None:
    """It ends with exit code 0, tells each turn in 80 columns, and all its checks hold."""
    done = subprocess.run([*COMMAND, str(tmp_path)], capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    turns = [
        "Stays out", "Sells 0.069 BTC perpetual", "BTC on spot at", "Funding is settled",
        "forceexit 0.028 of 0.069 BTC", "refused as insufficient", "(attempt 2)", "no answer comes",
        "exchange's history", "Wallets", "Transfers", "The hedge's result", "Checks",
    ]  # fmt: skip
    told = " ".join(done.stdout.split())
    places = [told.find(turn) for turn in turns]
    assert -1 not in places
    assert places == sorted(places)
    assert "✗" not in done.stdout
    assert done.stdout.count("✓") == 11
    assert all(len(line) <= 80 for line in done.stdout.splitlines() if str(tmp_path) not in line)
    assert (tmp_path / "bot.log").stat().st_size
    assert (tmp_path / "journal.sqlite").stat().st_size
    assert not processes_of(tmp_path)


def test_the_demo_speaks_json(tmp_path: Path) -> None:
    """One object on standard output: the story, exact amounts, both sets of books, and the checks."""
    done = subprocess.run(
        [*COMMAND, str(tmp_path), "--json"], capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == 0, answer
    assert answer["ok"] is True
    assert all(check["holds"] for check in answer["checks"])
    assert [row["attempts"] for row in answer["transfers"] if row["outcome"] != "done"] == [2, 1]
    assert answer["own_coins"] == {"asset": "BTC", "before": "0.5", "after": "0.5"}
    together = answer["result"][-1]
    assert abs(Decimal(together["bot"]) - Decimal(together["exchange"])) < Decimal("0.01")
    assert answer["seconds"] < 120
    page = Figures(Path(answer["report"]).read_text()).found
    assert abs(page["cards"][0] - float(together["exchange"])) < 0.01


def test_a_bot_that_dies_ends_the_demo(tmp_path: Path) -> None:
    """A strategy that can't be loaded: the demo says so at once and shows the end of the bot's log."""
    broken = tmp_path / "strategies"
    broken.mkdir()
    (broken / "FundHedgeStrategy.py").write_text("raise RuntimeError('no such luck')\n")
    answer = run_demo(tmp_path, broken, quiet=True)
    assert answer["ok"] is False
    assert "ended by itself" in answer["error"]
    assert any("FundHedgeStrategy" in line for line in answer["log"])


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing_running(tmp_path: Path, how: signal.Signals) -> None:
    """Ctrl-C in the middle ends the bot too, with the exit code of an interruption."""
    with subprocess.Popen(
        [*COMMAND, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as demo:
        try:
            deadline = time.monotonic() + 60
            while not processes_of(tmp_path) and time.monotonic() < deadline:
                time.sleep(0.1)
            assert processes_of(tmp_path)
            time.sleep(2)
            os.kill(demo.pid, how)
            output, _ = demo.communicate(timeout=60)
        finally:
            demo.terminate()
    assert demo.returncode == 130, output
    assert "Interrupted. Ending the bot" in output
    assert not re.search("Traceback", output)
    assert not processes_of(tmp_path)


def test_a_second_demo_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    """It would take the first one's files away."""
    from filelock import FileLock

    with FileLock(tmp_path / ".lock"):
        done = subprocess.run([*COMMAND, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("fundhedge: another demo is running in")


def test_the_strategy_is_the_one_of_the_clone() -> None:
    """Installed from a clone, the demo finds the strategy wherever it is started."""
    assert find_strategies() == Path(__file__).parents[1] / "user_data" / "strategies"
