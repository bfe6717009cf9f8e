"""The margin guard with a real bot: prices rise, and the shorts live."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from harness import BTC, Run, in_futures, running, shorts

from freqtrade_fundhedge.cli import run as fundhedge
from freqtrade_fundhedge.journal_steps import STEPS

pytestmark = pytest.mark.e2e
MARGIN = "/fapi/v1/positionMargin"


def rise(run: Run, factor: str, seconds: int) -> None:
    """Prices of both markets go up to a multiple of what they are; both legs are equal whenever Freqtrade rests."""
    start = run.price(BTC)
    run.sandbox.post("price", symbol=BTC.symbol, price=str(start * Decimal(factor)), ramp_s=seconds)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert not forced(run), run.log()[-6000:]
        time.sleep(0.5)
    run.calm()


def forced(run: Run) -> list[Any]:
    """Liquidations so far."""
    return [o for o in run.books()["orders"]["futures"] if str(o["clientOrderId"]).startswith("autoclose-")]


def position(run: Run) -> dict[str, Any]:
    return next(p for p in run.books()["positions"] if p["symbol"] == BTC.symbol)


def own_price(run: Run) -> Decimal:
    """At which Freqtrade itself would take the short for liquidated."""
    return Decimal(str(run.trades()[0]["liquidation_price"]))


def test_margin_is_added_and_taken_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An isolated short that comes near its liquidation gets margin from spot, Freqtrade learns of it, and once the
    price is back the margin is home again."""
    with running(tmp_path) as run:
        run.enter()
        quantity, before = shorts(run.books()), own_price(run)
        rise(run, "1.4", 12)
        assert shorts(run.books()) == quantity
        assert run.hedged(BTC)
        steps = run.steps()
        assert steps.count("margin_added") >= 2
        assert steps == ["margin_topped_up", "margin_added"] * (len(steps) // 2)
        assert run.sandbox.count("POST", MARGIN) == steps.count("margin_added")
        held = position(run)
        far = Decimal(held["liquidationPrice"]) / Decimal(held["markPrice"]) - 1
        assert far > Decimal("0.15")
        # Freqtrade keeps 5 % of the way from the entry as a buffer.
        assert before * Decimal("1.15") < own_price(run) < Decimal(held["liquidationPrice"])
        rise(run, "0.7", 4)
        assert "margin_taken_back" in run.steps()
        assert in_futures(run.books()) < 1 + Decimal(position(run)["isolatedWallet"])
        run.rest("POST", "forceexit", tradeid="all")
        run.calm()
        run.check_flat()
        assert fundhedge(["report", "-c", str(tmp_path / "config.json"), "--json"]) == 0
        given = json.loads(capsys.readouterr().out)
        assert [STEPS[kind] for kind in run.steps()] == [row["step"] for row in given["guard"]]
        assert all(row["amount"] and 0 < row["distance"] < 1 for row in given["guard"])
        moved = {row["direction"] for row in given["margin_changes"] if row["state"] == "done"}
        assert moved == {"add", "reduce"}


def test_cross_shorts_are_topped_up(tmp_path: Path) -> None:
    """On cross margin USDT alone does it, and Freqtrade's own liquidation price follows."""
    with running(tmp_path, {"margin_mode": "cross"}) as run:
        run.enter()
        quantity, before = shorts(run.books()), own_price(run)
        rise(run, "1.4", 12)
        assert shorts(run.books()) == quantity
        assert run.hedged(BTC)
        assert set(run.steps()) == {"margin_topped_up"}
        assert own_price(run) > before * Decimal("1.15")
        assert run.sandbox.count("POST", MARGIN) == 0
        rise(run, "0.7", 4)
        run.rest("POST", "forceexit", tradeid="all")
        run.calm()
        run.check_flat()


@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_without_usdt_both_legs_shrink(tmp_path: Path, mode: str) -> None:
    """Where spot has nothing left, a part of both legs goes and what it brings becomes margin for the rest."""
    with running(tmp_path, {"margin_mode": mode}, spot_usdt=2080) as run:
        run.enter()
        before = shorts(run.books())[BTC.symbol]
        rise(run, "1.45", 15)
        after = shorts(run.books())[BTC.symbol]
        assert before / 2 < after < before
        assert run.hedged(BTC)
        steps = run.steps()
        assert "shrink_asked" in steps
        assert "exit_asked" not in steps
        last_shrink = len(steps) - 1 - steps[::-1].index("shrink_asked")
        assert "margin_topped_up" in steps[last_shrink:]
        held = position(run)
        assert Decimal(held["liquidationPrice"]) / Decimal(held["markPrice"]) - 1 > Decimal("0.14")
        reasons = {o["ft_order_tag"] for o in run.trades()[0]["orders"] if o["ft_order_side"] == "buy"}
        assert reasons == {"margin_low"}
        run.rest("POST", "forceexit", tradeid="all")
        run.calm()
        run.check_flat()


def test_without_any_help_the_hedge_is_closed(tmp_path: Path) -> None:
    """With transfers off, a short that a gap has brought to the edge gets what is there, and leaves."""
    settings = {"fundhedge": {"transfer": {"enabled": False}}}
    with running(tmp_path, settings, futures_usdt=520, spot_usdt=1700) as run:
        run.enter()
        rise(run, "1.28", 0)
        run.wait("the exit", lambda: not run.trades())
        run.calm()
        assert not forced(run)
        assert shorts(run.books()) == {}
        assert 0 <= run.delta(BTC) < BTC.lot
        assert run.steps() == ["margin_added", "exit_asked"]


def test_the_guard_can_be_switched_off(tmp_path: Path) -> None:
    """The same rise without it ends in a liquidation: so the tests above can fail."""
    settings = {"fundhedge": {"margin": {"guard": False}}, "liquidation_buffer": 0.0}
    with running(tmp_path, settings) as run:
        run.enter()
        start = run.price(BTC)
        run.sandbox.post("price", symbol=BTC.symbol, price=str(start * Decimal("1.4")), ramp_s=8)
        run.wait("the liquidation", lambda: forced(run), 30)
        assert run.steps() == []
