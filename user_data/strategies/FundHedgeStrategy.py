"""Short the perpetual while funding pays for it, hedged on spot.

The rule is in `freqtrade_fundhedge.core.carry`, the hedge in `FundHedgeMixin`; this file only joins them. Thresholds
come from `fundhedge.carry` in the configuration, and may be hyperopted (spaces buy and sell, loss HedgedCarryLoss).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from freqtrade.strategy import DecimalParameter, IntParameter, IStrategy
from pandas import DataFrame

from freqtrade_fundhedge import FundHedgeMixin
from freqtrade_fundhedge.core.carry import CarryParams, hedge_spans
from freqtrade_fundhedge.frames import decide_again, startup_candles


class FundHedgeStrategy(FundHedgeMixin, IStrategy):
    INTERFACE_VERSION = 3
    timeframe = "1h"
    can_short = True
    process_only_new_candles = True
    fundhedge_gate = True  # the predicted rate has a say between candles
    startup_candle_count = startup_candles(timeframe)

    # The spot leg carries the price risk: a stop or a target on the short alone would break the hedge. At leverage 3
    # a stop of -0.99 is a rise of 33 %, which margin that was added survives: so it is out of reach.
    stoploss = -99.0
    minimal_roi: ClassVar[dict[str, float]] = {}
    use_exit_signal = True
    exit_profit_only = False
    ignore_roi_if_entry_signal = False
    order_types: ClassVar[dict[str, Any]] = {
        "entry": "market",
        "exit": "market",
        "emergency_exit": "market",
        "force_entry": "market",
        "force_exit": "market",
        "stoploss": "market",
        "stoploss_on_exchange": False,
    }

    entry_apr = DecimalParameter(0.0, 0.2, default=CarryParams.entry_apr, decimals=3, space="buy")
    max_breakeven_hours = IntParameter(72, 2160, default=int(CarryParams.max_breakeven_hours), space="buy")
    exit_apr = DecimalParameter(-0.3, 0.0, default=CarryParams.exit_apr, decimals=3, space="sell")

    plot_config: ClassVar[dict[str, Any]] = {
        "main_plot": {"spot_close": {"color": "#4c9f70"}, "mark_close": {"color": "#8a8a8a"}},
        "subplots": {
            "Funding APR": {
                "funding_apr": {"color": "#b0b7c3"},
                "funding_apr_smooth": {"color": "#2f6fde"},
            },
            "Account": {"carry_balance": {"color": "#4c9f70"}, "net_carry": {"color": "#e0a030"}},
            "Basis": {"basis": {"color": "#b0b7c3"}, "basis_gain": {"color": "#c2503f"}},
            "Break-even (h)": {"breakeven_h": {"color": "#8e5bb5"}},
        },
    }

    @property
    def buy_params(self) -> dict[str, float]:
        """The configuration's thresholds; a hyperopt result file goes before them."""
        params = super().fundhedge_carry_params()
        return {"entry_apr": params.entry_apr, "max_breakeven_hours": params.max_breakeven_hours}

    @property
    def sell_params(self) -> dict[str, float]:
        """See `buy_params`."""
        return {"exit_apr": super().fundhedge_carry_params().exit_apr}

    def fundhedge_carry_params(self) -> CarryParams:
        """The costs of the configuration with the thresholds in force."""
        return replace(
            super().fundhedge_carry_params(),
            entry_apr=float(self.entry_apr.value),
            exit_apr=float(self.exit_apr.value),
            max_breakeven_hours=float(self.max_breakeven_hours.value),
        )

    def populate_indicators(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        return self.hedge_frame(dataframe, metadata)

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        enter, _ = decide_again(dataframe, self.fundhedge_carry_params())
        return dataframe.assign(enter_short=enter.astype(int), enter_tag="carry")

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        _, leave = decide_again(dataframe, self.fundhedge_carry_params())
        cheap = -dataframe["basis_gain"].to_numpy() > self.fundhedge_carry_params().round_trip / 2
        return dataframe.assign(exit_short=leave.astype(int), exit_tag=np.where(cheap, "basis", "funding"))

    def plot_annotations(
        self, pair: str, start_date: datetime, end_date: datetime, dataframe: DataFrame, **kwargs: Any
    ) -> list[Any]:
        """Spans in which a hedge that follows the rule is held."""
        if "hedge_enter" not in dataframe.columns or dataframe.empty:
            return []
        held = hedge_spans(dataframe["hedge_enter"].to_numpy(bool), dataframe["hedge_exit"].to_numpy(bool))
        dates = list(dataframe["date"])
        edges = np.flatnonzero(np.diff(held, prepend=False, append=False))
        return [
            {
                "type": "area",
                "start": dates[first],
                "end": dates[min(last, len(dates) - 1)],
                "color": "rgba(76, 159, 112, 0.12)",
                "label": "hedge pays",
            }
            for first, last in list(pairwise(edges))[::2]
        ]
