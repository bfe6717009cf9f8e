"""What goes wrong on the way: lost answers, refusals, a spot leg that can't be had."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from harness import BTC, CANDLE_MS, ORDER, SPOT_ORDER, SWEEP, TOP_UP, TRANSFER, running, shorts

pytestmark = pytest.mark.e2e


def test_lost_answers_are_found_and_refused_sweeps_reduced(tmp_path: Path) -> None:
    """What was applied is found in the exchange's records, never sent twice; a refused sweep goes out smaller."""
    with running(tmp_path) as run:
        run.sandbox.fault("drop_after", TRANSFER, method="POST", params={"type": TOP_UP})
        run.sandbox.fault("drop_after", SPOT_ORDER, method="POST", params={"side": "BUY"})
        run.enter()
        assert run.moves() == {"entries": 1, "exits": 0, "buys": 1, "sales": 0, "top_ups": 1, "sweeps": 1}
        run.sandbox.fault("error", TRANSFER, method="POST", params={"type": SWEEP}, code=-5013, msg="insufficient")
        run.sandbox.fault("drop_after", SPOT_ORDER, method="POST", params={"side": "SELL"})
        run.close(BTC, "0.4")
        run.wait("the rest of the hedge", lambda: run.hedged(BTC))
        run.calm()
        assert run.moves() == {"entries": 1, "exits": 1, "buys": 1, "sales": 1, "top_ups": 1, "sweeps": 3}
        last = run.journal("select attempts, attempt_log, state from transfers order by serial desc")[0]
        asked = [Decimal(attempt["amount"]) for attempt in json.loads(last["attempt_log"])]
        assert (last["attempts"], last["state"], len(asked)) == (2, "done", 2)
        assert Decimal("0.998") < asked[1] / asked[0] < Decimal("0.9991")
        run.sandbox.fault("drop_after", TRANSFER, method="POST", params={"type": SWEEP})
        run.close(BTC)
        run.calm()
        assert run.moves() == {"entries": 1, "exits": 2, "buys": 1, "sales": 2, "top_ups": 1, "sweeps": 4}
        assert all(rule["times"] == 0 for rule in run.sandbox.get("faults"))
        run.check_flat()


def test_an_order_that_never_arrived_is_sent_again_once(tmp_path: Path) -> None:
    """A spot order that the exchange has not seen for as long as it could still appear is sent once more."""
    with running(tmp_path, {"fundhedge": {"hedge": {"unhedged_timeout_s": 90}}}) as run:
        run.sandbox.fault("drop_before", SPOT_ORDER, method="POST")
        run.enter()
        rows = run.journal("select state, amount from spot_orders order by serial")
        assert [row["state"] for row in rows] == ["absent", "done"]
        assert len(run.books()["orders"]["spot"]) == 1
        assert run.moves() == {"entries": 1, "exits": 0, "buys": 2, "sales": 0, "top_ups": 1, "sweeps": 1}


def test_an_entry_whose_answer_is_lost(tmp_path: Path) -> None:
    """A short of ours that Freqtrade never heard of is bought back once, and its margin returns."""
    with running(tmp_path) as run:
        run.sandbox.fault("drop_after", ORDER, method="POST", params={"side": "SELL"})
        run.start()
        run.wait("the short bought back", lambda: run.moves()["exits"])
        run.hold_entries()
        entry, close = run.requests("POST", ORDER)[:2]
        assert (entry["params"]["side"], close["params"]["side"]) == ("SELL", "BUY")
        assert close["params"]["reduceOnly"] == "true"
        assert run.journal("select message from events where kind = 'orphan_closed'")
        run.calm()
        assert not shorts(run.books()) or run.hedged(BTC)


def test_spot_leg_refused(tmp_path: Path) -> None:
    """A spot leg that is refused again and again closes the short in time, and the pair rests until the next candle."""
    timeout, loop_s = 2, 1
    settings = {"fundhedge": {"hedge": {"unhedged_timeout_s": timeout}}, "internals": {"process_throttle_secs": loop_s}}
    with running(tmp_path, settings) as run:
        run.sandbox.fault("error", SPOT_ORDER, method="POST", code=-1013, msg="Filter failure", times=None)
        run.start()
        run.wait("the short closed", lambda: run.moves()["exits"])
        entry, leave = run.requests("POST", ORDER, side="SELL")[0], run.requests("POST", ORDER, side="BUY")[0]
        assert (leave["received"] - entry["answered"]) / 1000 < timeout + 2 * loop_s + 1
        run.loops(4)
        closed = run.rest("GET", "trades")["trades"]
        assert closed[0]["exit_reason"] == "hedge_failed"
        early = [r for r in run.requests("POST", ORDER, side="SELL")[1:] if same_candle(r, leave)]
        assert early == []
        run.stop()
        run.start()
        run.loops(2)
        run.hold_entries()
        run.calm()
        # What a new bot in the same candle must not do either: enter, or fetch margin for an entry that can't be.
        again = [*run.requests("POST", ORDER, side="SELL"), *run.requests("POST", TRANSFER, type=TOP_UP)]
        assert len([r for r in again if same_candle(r, leave)]) <= 2
        assert len(run.requests("POST", SPOT_ORDER)) >= 3
        assert run.books()["orders"]["spot"] == []
        run.check_flat()


def same_candle(one: dict[str, float], other: dict[str, float]) -> bool:
    return one["received"] // CANDLE_MS == other["received"] // CANDLE_MS
