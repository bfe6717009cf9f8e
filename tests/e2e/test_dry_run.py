"""The same path on paper: no key, no private request, one wallet that Freqtrade and the journal agree on."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from harness import BTC, Run, running

pytestmark = pytest.mark.e2e
SETTINGS: dict[str, Any] = {
    "dry_run": True,
    "dry_run_wallet": 100,
    "exchange": {"key": None, "secret": None},
    "fundhedge": {"paper": {"spot_usdt": 5000}},
}
MOVED = "select direction, amount from transfers where state = 'done' order by serial"


def in_freqtrade(run: Run) -> Decimal:
    """USDT that Freqtrade's wallet shows, locked margin included."""
    rows: list[dict[str, Any]] = run.rest("GET", "balance")["currencies"]
    return Decimal(str(next((row["balance"] for row in rows if row["currency"] == "USDT"), 0)))


def check_wallet(run: Run) -> None:
    """Freqtrade's wallet is what it began with, what transfers moved, and what closed trades made."""
    sign = {"futures_to_spot": -1, "spot_to_futures": 1}
    moved = sum((sign[row["direction"]] * Decimal(row["amount"]) for row in run.journal(MOVED)), Decimal(0))
    made = sum((Decimal(row["short_realised"]) for row in run.journal("select * from hedges")), Decimal(0))
    assert abs(in_freqtrade(run) - (100 + moved + made)) < Decimal("1e-6")


def test_paper_hedge(tmp_path: Path) -> None:
    """A paper hedge opens, survives a restart, closes and is swept, and Freqtrade's wallet shows each transfer."""
    with running(tmp_path, SETTINGS) as run:
        run.start()
        run.wait("a paper hedge", lambda: run.journal("select * from spot_orders where state = 'done'"))
        run.hold_entries()
        run.loops(2)
        check_wallet(run)
        before, transfers = in_freqtrade(run), run.journal(MOVED)
        assert [row["direction"] for row in transfers] == ["futures_to_spot", "spot_to_futures", "futures_to_spot"]
        run.stop()
        run.start()
        run.hold_entries()
        run.loops(1)
        assert (in_freqtrade(run), run.journal(MOVED)) == (before, transfers)
        for part in ("0.4", "1"):
            run.close(BTC, part)
            run.loops(1)
            check_wallet(run)
        assert in_freqtrade(run) < 1
        assert len(run.journal(MOVED)) == 5
        orders = run.journal("select side, state from spot_orders order by serial")
        assert [(row["side"], row["state"]) for row in orders] == [("buy", "done"), ("sell", "done"), ("sell", "done")]
        hedge = run.journal("select * from hedges")[0]
        assert hedge["state"] == "closed"
        assert 0 <= Decimal(hedge["held"]) < BTC.lot
        asked = run.requests(".*", ".*")
        assert [r for r in asked if r["method"] != "GET" or "signature" in r["params"]] == []
