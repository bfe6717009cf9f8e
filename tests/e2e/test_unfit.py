"""A real bot whose key is no longer fit: nothing is entered, open hedges are closed all the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import BTC, running

pytestmark = pytest.mark.e2e


def test_an_unfit_key_stops_entries_and_not_exits(tmp_path: Path) -> None:
    """A bot that starts with an open hedge and a key that may withdraw enters nothing, says so once, and closes."""
    with running(tmp_path) as run:
        run.enter()
        run.stop()
        run.sandbox.post("permissions", enableWithdrawals=True)
        before = run.moves()
        run.start()
        run.wait("the API", run.answers)
        run.loops(3)
        assert run.hedged(BTC)
        run.close(BTC)
        run.wait("a flat account", lambda: not run.hedged(BTC))
        run.calm()
        run.check_flat()
        after = run.moves()
        told = run.journal("select message from events where kind = 'attention'")
    assert after["exits"] == before["exits"] + 1
    assert after["entries"] == before["entries"]
    assert len([row for row in told if row["message"].startswith("no new entries, open hedges are looked")]) == 1
    assert "not entered: exchange.key: the key may withdraw" in run.log()
