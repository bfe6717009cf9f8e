"""The README's few lines: a strategy of one's own gets a spot leg."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from harness import BTC, ROOT, running, shorts

pytestmark = pytest.mark.e2e
# With callbacks of its own that do not know of hedges, as a user's has them.
OWN = """
from pathlib import Path

import pandas as pd
from freqtrade.strategy import IStrategy


class MyStrategy(IStrategy):
    timeframe = "1h"
    can_short = True
    stoploss = -0.5
    startup_candle_count = 30

    def populate_indicators(self, dataframe, metadata):
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        return dataframe.assign(enter_short=1)

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe

    def confirm_trade_entry(self, pair, order_type, amount, rate, time_in_force, current_time, **kwargs):
        return Path("enter").exists()

    def custom_exit(self, pair, trade, current_time, current_rate, current_profit, **kwargs):
        return "mine" if Path("leave").exists() else None
"""


def test_a_few_lines_hedge_a_strategy_of_ones_own(tmp_path: Path) -> None:
    """Its shorts get their coins, its exits sell them, its own callbacks are asked, and all USDT comes home."""
    lines = re.search(r"```python\n(from freqtrade_fundhedge.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert lines is not None
    assert len([line for line in lines[1].splitlines() if line.strip()]) <= 5
    strategies = tmp_path / "user_data" / "strategies"
    strategies.mkdir(parents=True)
    (strategies / "MyStrategy.py").write_text(OWN)
    (strategies / "MyHedgedStrategy.py").write_text(lines[1])
    with running(tmp_path, {"strategy": "MyHedgedStrategy", "strategy_path": None}) as run:
        run.start()
        run.loops(3)
        assert run.moves()["entries"] == 0
        (tmp_path / "enter").touch()
        run.wait("a hedge", lambda: run.hedged(BTC))
        run.hold_entries()
        (tmp_path / "leave").touch()
        run.wait("the exit", lambda: not shorts(run.books()))
        run.calm()
        assert run.rest("GET", "trades")["trades"][0]["exit_reason"] == "mine"
        run.check_flat()
