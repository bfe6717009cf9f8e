"""Spares a backtest work that Freqtrade repeats on every candle while a trade is open. No import of Freqtrade.

A hedge is open for months. On each of its candles Freqtrade sums up the funding since its last fill anew, though only
a settlement changes the sum, and works out profits for stops and targets that a hedge has not. Both answers stay
Freqtrade's own, to the last bit: the first is kept until the next settlement, the second is not asked for while no
check could say anything. Dry-run and live are left alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from weakref import ReferenceType, ref

import pandas as pd

NEVER = datetime.max.replace(tzinfo=UTC)
FUNDING = "calculate_funding_fees"
# A strategy's own version of one of these may see something on any candle.
CHECKS = ("custom_exit", "ft_stoploss_adjust", "ft_stoploss_reached", "min_roi_reached", "min_roi_reached_entry")
# If one of these is set, the profit of each candle counts.
PROFIT_RULES = ("minimal_roi", "trailing_stop", "use_custom_roi", "use_custom_stoploss")


class QuickBacktest:
    """The part of `FundHedgeMixin` that shortens backtests and hyperopts."""

    _fundhedge_quick: bool = False

    def speed_up(self, exchange: Any) -> None:
        """Take the shorter ways from now on, as far as exchange and strategy are Freqtrade's own here."""
        self._fundhedge_quick = all(_is_own(getattr(self, name, None), "IStrategy") for name in CHECKS)
        if _is_own(getattr(exchange, FUNDING, None), "Exchange"):
            setattr(exchange, FUNDING, FundingUntilSettled(exchange))

    def should_exit(
        self, trade: Any, rate: float, current_time: datetime, *, enter: bool, exit_: bool,
        low: float | None = None, high: float | None = None, force_stoploss: float = 0,
    ) -> list[Any]:  # fmt: skip
        """Freqtrade's exit checks; not asked on candles of a backtest on which none can answer."""
        if self._fundhedge_quick and low and high and not force_stoploss:
            signal = exit_ and not enter
            if not signal and _beyond_reach(trade, high) and not any(getattr(self, rule) for rule in PROFIT_RULES):
                trade.adjust_min_max_rates(high, low)
                return []
        exits: list[Any] = super().should_exit(  # type: ignore[misc]
            trade, rate, current_time, enter=enter, exit_=exit_, low=low, high=high, force_stoploss=force_stoploss
        )
        return exits


def _beyond_reach(trade: Any, high: float) -> bool:
    """Whether a short has a stop, which a new one has not, and neither that nor liquidation is within the candle."""
    if not trade.is_short or trade.stop_loss <= high:
        return False
    return not trade.liquidation_price or bool(trade.liquidation_price > high)


@dataclass
class _Answer:
    """Funding of one trade, which holds for every time of closing from `since` to before `until`."""

    amount: float
    is_short: bool
    open_date: datetime
    since: datetime
    until: datetime
    fees: float


@dataclass
class _Frame:
    frame: ReferenceType[pd.DataFrame]
    dates: pd.DatetimeIndex
    answer: _Answer | None = None


@dataclass
class FundingUntilSettled:
    """Freqtrade's `Exchange.calculate_funding_fees`, asked again only when a settlement has passed.

    A frame of settlements is known by its identity, weakly: Freqtrade makes it once for a backtest and changes none.

    Attributes
    ----------
    exchange : whose class has the function
    """

    exchange: Any
    _frames: dict[int, _Frame] = field(default_factory=dict, repr=False)

    def __call__(
        self, df: pd.DataFrame, amount: float, is_short: bool, open_date: datetime, close_date: datetime
    ) -> float:
        """See Freqtrade; the answer is the same to the last bit."""
        known = self._known(df)
        if known is None or open_date.tzinfo is None or close_date.tzinfo is None:
            return self._ask(df, amount, is_short, open_date, close_date)
        answer = known.answer
        if (
            answer is not None
            and answer.since <= close_date < answer.until
            and answer.open_date == open_date
            and answer.amount == amount
            and answer.is_short == is_short
        ):
            return answer.fees
        fees = self._ask(df, amount, is_short, open_date, close_date)
        after = int(known.dates.searchsorted(pd.Timestamp(close_date), side="right"))
        # Rounded down it ends too early at worst.
        until = known.dates[after].floor("us").to_pydatetime() if after < len(known.dates) else NEVER
        known.answer = _Answer(amount, is_short, open_date, close_date, until, fees)
        return fees

    def _ask(self, *arguments: Any) -> float:
        fees: float = getattr(type(self.exchange), FUNDING)(self.exchange, *arguments)
        return fees

    def _known(self, df: pd.DataFrame) -> _Frame | None:
        known = self._frames.get(id(df))
        if known is not None and known.frame() is df:
            return known
        dates = pd.DatetimeIndex(df["date"]) if "date" in df else pd.DatetimeIndex([])
        if not len(dates) or dates.tz is None or dates.hasnans or not dates.is_monotonic_increasing:
            return None
        number, frames = id(df), self._frames
        known = _Frame(ref(df, lambda _: frames.pop(number, None)), dates)
        frames[number] = known
        return known

    def __getstate__(self) -> dict[str, Any]:
        """Hyperopt sends the exchange to its workers, where the frames are others."""
        return {"exchange": self.exchange, "_frames": {}}


def _is_own(function: Any, owner: str) -> bool:
    return str(getattr(function, "__qualname__", "")).startswith(f"{owner}.")
