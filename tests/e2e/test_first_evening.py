"""The README's first evening on a sandbox, typed as it stands there."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import BTC, ETH, PEPE, ROOT, free_port, holding, shorts

from freqtrade_fundhedge.sandbox import SandboxControl

pytestmark = pytest.mark.e2e
PATIENCE_S = 120.0
PLACE = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "120"}


def lines_to_type(port: int) -> list[str]:
    """What is to be typed, in its order; only the port is another, so that tests do not meet each other."""
    section = (ROOT / "README.md").read_text().split("### The same evening on a sandbox")[1].split("\n## ")[0]
    typed = re.findall(
        r"^(?:fundhedge|freqtrade|echo) .*", "".join(re.findall(r"```\n(.*?)```", section, re.DOTALL)), re.M
    )
    return [line.replace("fundhedge sandbox", f"fundhedge sandbox --port {port}") for line in typed]


@contextlib.contextmanager
def started(line: str, folder: Path, how: int = signal.SIGINT) -> Iterator[None]:
    """A command that stays, ended as Ctrl-C ends it."""
    with (folder / "out.log").open("ab") as log:
        process = subprocess.Popen(["bash", "-c", f"exec {line}"], cwd=folder, env=PLACE, stdout=log, stderr=log)
    try:
        yield
        assert process.poll() is None, (folder / "out.log").read_text()[-4000:]
        process.send_signal(how)
        process.wait(30)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(10)


def typed(line: str, folder: Path) -> str:
    """What a command prints that ends by itself, and well."""
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, env=PLACE, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, (line, done.stdout, done.stderr)
    return done.stdout


def hedges(journal: Path) -> int:
    """Hedges with coins; none before there is a journal."""
    with (
        contextlib.suppress(sqlite3.OperationalError),
        contextlib.closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as db,
    ):
        return int(db.execute("select count(*) from hedges where cast(held as real) > 0").fetchone()[0])
    return 0


def wait_for_hedges(journal: Path) -> None:
    """Until the journal holds coins for three pairs."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if hedges(journal) == 3:
            return
        time.sleep(0.5)
    raise AssertionError((journal.parent / "out.log").read_text()[-6000:])


def test_the_readme_can_be_typed(tmp_path: Path) -> None:
    """From an empty folder: a dry-run with hedges, a doctor that is content, live with hedges, and a look at them."""
    port = free_port()
    sandbox, section, dry, live_json, doctor, live, status, sweep, report = lines_to_type(port)
    typed("fundhedge init", tmp_path)
    with started(sandbox, tmp_path):
        typed(section, tmp_path)
        with started(dry, tmp_path):
            wait_for_hedges(tmp_path / "tradesv3.dryrun-fundhedge.sqlite")
        typed(live_json, tmp_path)
        assert "All well" in typed(doctor, tmp_path)
        with started(live, tmp_path):
            wait_for_hedges(tmp_path / "tradesv3-fundhedge.sqlite")
            looked = typed(status, tmp_path)
            assert "Nothing needs a person." in looked
            assert looked.count("liquidation at") == 3
            assert "to sweep" in typed(sweep, tmp_path)
            assert "Against the exchange's income history" in typed(report, tmp_path)
        books = SandboxControl(f"http://127.0.0.1:{port}").books()
        held = shorts(books)
        for market in (BTC, ETH, PEPE):
            assert 0 <= holding(books, market.coin) - held[market.symbol] * market.multiplier < market.lot
