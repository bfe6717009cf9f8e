"""The hyperopt loss sees both legs."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

PATH = Path(__file__).parents[1] / "user_data" / "hyperopts" / "HedgedCarryLoss.py"
DATES = pd.date_range("2024-01-01", periods=4, freq="h", tz="UTC")


@pytest.fixture(scope="module")
def loss() -> Any:
    spec = importlib.util.spec_from_file_location("HedgedCarryLoss", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.HedgedCarryLoss.hyperopt_loss_function


def measure(loss: Any, close_rate: float, funding: float, spot_open: list[float]) -> float:
    trade = {
        "pair": "BTC/USDT:USDT",
        "open_date": DATES[0],
        "close_date": DATES[3],
        "open_rate": 100.0,
        "close_rate": close_rate,
        "amount": 2.0,
        "fee_open": 0.0005,
        "fee_close": 0.0005,
        "funding_fees": funding,
    }
    frame = pd.DataFrame({"date": DATES, "open": [100.0, 100.0, 100.0, close_rate], "spot_open": spot_open})
    return loss(
        results=pd.DataFrame([trade]),
        trade_count=1,
        min_date=DATES[0],
        max_date=DATES[3],
        config={"fundhedge": {"carry": {"spot_fee": 0.001}}},
        processed={"BTC/USDT:USDT": frame},
        backtest_stats={},
        starting_balance=1000.0,
    )


def test_price_does_not_matter_funding_does(loss: Any) -> None:
    """A short that lost half its stake to the price is as good as one that won it, if the funding is the same."""
    up, down = measure(loss, 150.0, 5.0, [100.0] * 3 + [150.0]), measure(loss, 50.0, 5.0, [100.0] * 3 + [50.0])
    assert up == pytest.approx(-(5.0 - 2 * 250 * 0.0015) / 1000)
    assert down == pytest.approx(-(5.0 - 2 * 150 * 0.0015) / 1000)


def test_basis_counts(loss: Any) -> None:
    """What the basis moved is part of the result."""
    flat, paid = measure(loss, 100.0, 5.0, [100.0] * 4), measure(loss, 100.0, 5.0, [99.0] * 3 + [100.0])
    assert flat - paid == pytest.approx(2 * 1.0 / 1000, rel=0.01)


def test_loss_weighs_its_drawdown_twice(loss: Any) -> None:
    """A losing hedge is punished for the loss and for the drawdown it made."""
    assert measure(loss, 100.0, -5.0, [100.0] * 4) == pytest.approx(2 * 5.6 / 1000)


def test_unknown_spot_price_earns_nothing(loss: Any) -> None:
    """Without spot prices only the futures fees are known."""
    assert measure(loss, 100.0, 5.0, [float("nan")] * 4) == pytest.approx(2 * 0.2 / 1000)
