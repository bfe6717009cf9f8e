"""A bot that is killed, reloaded, or away while its short is closed goes on where it was."""

from __future__ import annotations

import contextlib
import signal
import threading
from pathlib import Path

import pytest
import requests
from harness import BTC, SPOT_ORDER, SWEEP, TRANSFER, Run, running

pytestmark = pytest.mark.e2e


def test_killed_between_the_legs(tmp_path: Path) -> None:
    """A bot that dies while its spot order is under way hedges exactly once after a restart."""
    with running(tmp_path, {"fundhedge": {"hedge": {"unhedged_timeout_s": 90}}}) as run:
        run.sandbox.fault("delay", SPOT_ORDER, method="POST", seconds=3)
        run.start()
        run.wait("the order on its way", lambda: run.requests("POST", SPOT_ORDER))
        assert run.stop(signal.SIGKILL) == -signal.SIGKILL
        assert [row["state"] for row in run.open_intents()] == ["sent"]
        run.enter()
        assert run.moves() == {"entries": 1, "exits": 0, "buys": 1, "sales": 0, "top_ups": 1, "sweeps": 1}
        run.close(BTC)
        run.calm()
        run.check_flat()


def test_killed_during_a_sweep(tmp_path: Path) -> None:
    """A sweep that was applied while the bot died is found after a restart and not sent again; without the stream."""
    with running(tmp_path, {"fundhedge": {"hedge": {"stream": False}}}) as run:
        run.enter()
        assert run.sandbox.streams()["opened"] == 0
        run.sandbox.fault("drop_after", TRANSFER, method="POST", params={"type": SWEEP}, seconds=5)
        closing = threading.Thread(target=close_until_killed, args=(run,))
        closing.start()
        run.wait("the sweep on its way", lambda: len(run.requests("POST", TRANSFER, type=SWEEP)) == 2)
        run.stop(signal.SIGKILL)
        closing.join(30)
        assert [row["state"] for row in run.open_intents()] == ["sent"]
        run.start()
        run.hold_entries()
        run.calm()
        assert run.moves() == {"entries": 1, "exits": 1, "buys": 1, "sales": 1, "top_ups": 1, "sweeps": 2}
        run.check_flat()


def close_until_killed(run: Run) -> None:
    with contextlib.suppress(requests.RequestException):
        run.close(BTC)


def test_reloaded_then_closed_by_hand_while_down(tmp_path: Path) -> None:
    """A reload keeps the hedge; a short that was closed by hand while the bot was down has its spot sold."""
    with running(tmp_path) as run:
        run.enter()
        held, moved = run.delta(BTC), run.moves()
        run.rest("POST", "reload_config")
        run.wait("the reload", lambda: run.log().count("Using resolved strategy FundHedgeStrategy") == 2)
        run.calm()
        assert (run.delta(BTC), run.moves()) == (held, moved)
        run.stop()
        run.sandbox.post("position", symbol=BTC.symbol, action="close")
        run.start()
        run.wait("spot sold", lambda: run.delta(BTC) < BTC.lot and run.moves()["sales"])
        run.calm()
        assert run.moves() == {**moved, "sales": 1, "sweeps": moved["sweeps"] + 1}
        run.check_flat()
