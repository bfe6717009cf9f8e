"""Both legs with the exchange's own fill stream: at once when it works, and just the same when it does not."""

from __future__ import annotations

import signal
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from harness import BTC, ROOT, SPOT_ORDER, Run, running, shorts

pytestmark = pytest.mark.e2e
RESTING: dict[str, Any] = {
    # A loop is far away: what is hedged before it comes was hedged by the stream.
    "internals": {"process_throttle_secs": 4},
    "unfilledtimeout": {"entry": 60, "exit": 60, "unit": "minutes"},
    "cancel_open_orders_on_exit": True,
    "fundhedge": {"carry": {"maker_entries": True}},
}
THREADS = """


import logging
import threading


class Threads(FundHedgeStrategy):
    def bot_loop_start(self, current_time, **kwargs):
        super().bot_loop_start(current_time, **kwargs)
        ours = sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("fundhedge"))
        logging.getLogger("threads").warning("threads: %s", ", ".join(ours))
"""


def resting_order(run: Run) -> Any:
    """The order in the book, if there is one."""
    orders = [o for o in run.books()["orders"]["futures"] if o["status"] in ("NEW", "PARTIALLY_FILLED")]
    return orders[0] if orders else None


def test_a_resting_entry_in_parts(tmp_path: Path) -> None:
    """Posted for the maker's fee, each part hedged before the next loop or by it; what is left is withdrawn."""
    troubles: list[dict[str, Any]] = [{}, {}, {"dead": True}, {"duplicate": True, "reorder": 3}]
    with running(tmp_path, RESTING) as run:
        # Neither the basis nor a settlement within the hour may cost more than the fee that waiting saves.
        run.sandbox.post("basis", symbol=BTC.symbol, basis="0", past_hours=24 * 60)
        run.sandbox.post("funding", symbol=BTC.symbol, rate="0.00025", past="0.00025", hours=24 * 60)
        run.start()
        order = run.wait("a resting order", lambda: resting_order(run))
        run.hold_entries()
        run.wait("the trade", run.trades)
        run.loops(1)
        assert (order["type"], order["timeInForce"]) == ("LIMIT", "GTX")
        part = Decimal("0.004")
        for number, trouble in enumerate(troubles, 1):
            run.sandbox.post("streams", clear=True, **trouble)
            run.sandbox.post("fill", market="perp", order_id=order["orderId"], quantity=part)
            filled = time.time() * 1000
            run.wait("a hedge", lambda: run.hedged(BTC))
            assert shorts(run.books())[BTC.symbol] == part * number
            assert run.moves()["buys"] == number
            if not trouble:
                between = run.requests("GET", "/fapi/v1/premiumIndex|/fapi/v3/account")
                bought = run.requests("POST", SPOT_ORDER)[-1]["received"]
                assert not [r for r in between if filled < r["received"] < bought]
        run.sandbox.post("streams", clear=True)
        run.sandbox.post("funding", symbol=BTC.symbol, rate="0.00001")
        run.wait("the rest to be withdrawn", lambda: not resting_order(run))
        run.loops(1)
        assert (run.moves()["entries"], run.moves()["buys"]) == (1, len(troubles))
        assert shorts(run.books())[BTC.symbol] == part * len(troubles)
        sold = run.books()["orders"]["futures"][0]["fills"]
        paid = sum(Decimal(fill["commission"]) for fill in sold)
        assert paid == sum(Decimal(fill["price"]) * Decimal(fill["qty"]) for fill in sold) * Decimal("0.0002")
        assert run.trades()[0]["fee_open"] == pytest.approx(0.0002)
        assert [row["trade_id"] for row in run.journal("select trade_id from hedges")] == [1]
        run.close(BTC)
        run.calm()
        run.check_flat()


def test_killed_then_reloaded_then_stopped(tmp_path: Path) -> None:
    """Dead between the fill and its hedge, reloaded, expired, stopped: one hedge, one stream, none at the end."""
    strategies = tmp_path / "user_data" / "strategies"
    strategies.mkdir(parents=True)
    usual = (ROOT / "user_data" / "strategies" / "FundHedgeStrategy.py").read_text()
    (strategies / "Threads.py").write_text(usual + THREADS)
    settings = {"strategy": "Threads", "strategy_path": None}
    with running(tmp_path, {**settings, "fundhedge": {"hedge": {"unhedged_timeout_s": 90}}}) as run:
        run.sandbox.fault("delay", SPOT_ORDER, method="POST", seconds=3)
        run.start()
        run.wait("the order on its way", lambda: run.requests("POST", SPOT_ORDER))
        assert run.stop(signal.SIGKILL) == -signal.SIGKILL
        run.enter()
        assert run.moves()["buys"] == 1
        for known in (2, 3, 4):
            assert run.log().count("Using resolved strategy Threads") == known
            run.rest("POST", "reload_config")
            run.wait("the reload", lambda was=known: run.log().count("Using resolved strategy Threads") > was)
            run.wait("one stream again", lambda: run.sandbox.streams()["connections"] == 1)
        run.loops(2)
        counts = [line.rpartition("threads: ")[2] for line in run.log().splitlines() if "threads: " in line]
        assert counts[-1] == "fundhedge-fills, fundhedge-stream"
        run.calm()
        opened = run.sandbox.streams()["opened"]
        run.sandbox.post("streams", expire=True)
        run.wait("another stream", lambda: run.sandbox.streams()["opened"] > opened)
        run.close(BTC)
        run.calm()
        run.check_flat()
        run.stop()
        run.process = None
        run.wait("no stream", lambda: run.sandbox.streams()["connections"] == 0)
        assert "Traceback" not in run.log()
        assert "did not end in time" not in run.log()
