"""Hyperopt loss on what the hedge earned, not on what the naked short did.

freqtrade hyperopt --strategy FundHedgeStrategy --hyperopt-loss HedgedCarryLoss --spaces buy sell
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
from freqtrade.optimize.hyperopt_loss.hyperopt_loss_interface import IHyperOptLoss
from pandas import DataFrame

from freqtrade_fundhedge.config import parse
from freqtrade_fundhedge.core.pnl import drawdown, hedged_result


class HedgedCarryLoss(IHyperOptLoss):
    """Hedged profit less its deepest drawdown, as a fraction of the starting balance; lower is better."""

    @staticmethod
    def hyperopt_loss_function(
        *,
        results: DataFrame,
        trade_count: int,
        min_date: datetime,
        max_date: datetime,
        config: dict[str, Any],
        processed: dict[str, DataFrame],
        backtest_stats: dict[str, Any],
        starting_balance: float,
        **kwargs: Any,
    ) -> float:
        spot_fee = parse(config).carry.spot_fee
        closed = results.sort_values("close_date")
        spot_in, spot_out = np.full(len(closed), np.nan), np.full(len(closed), np.nan)
        for pair, frame in processed.items():
            mine = np.flatnonzero(closed["pair"] == pair)
            # The spot order fills at the short's price less the basis at the candle's open.
            ratio = frame.set_index("date")["spot_open"] / frame.set_index("date")["open"]
            for prices, date, rate in ((spot_in, "open_date", "open_rate"), (spot_out, "close_date", "close_rate")):
                fills = closed.iloc[mine]
                prices[mine] = fills[rate].to_numpy() * ratio.reindex(fills[date]).to_numpy()
        amount, entered, left = (closed[name].to_numpy(float) for name in ("amount", "open_rate", "close_rate"))
        futures_fees = entered * closed["fee_open"].to_numpy(float) + left * closed["fee_close"].to_numpy(float)
        fees = amount * (futures_fees + (spot_in + spot_out) * spot_fee)
        total = hedged_result(
            amount, entered, left, spot_in, spot_out, closed["funding_fees"].to_numpy(float), fees
        ).total
        # Without spot prices nothing is known to have been earned, but the futures fees were paid.
        total = np.where(np.isnan(total), -amount * futures_fees, total)
        return -(float(total.sum()) - drawdown(total)) / starting_balance
