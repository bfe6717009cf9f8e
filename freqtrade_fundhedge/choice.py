"""The best pairs enter first: Freqtrade asks in the order of its whitelist, and is told to wait. No Freqtrade here."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection
from typing import Any

from freqtrade_fundhedge.bot import Bot
from freqtrade_fundhedge.carry_columns import CarryColumns
from freqtrade_fundhedge.core.ranking import best_first

# Long enough for margin to be fetched and an order to be made, short beside a candle of a carry that lasts days.
PATIENCE_S = 60.0


class Choice(CarryColumns):
    """The part of `FundHedgeMixin` that chooses among pairs by the column `net_carry`.

    A pair that had its turn for `PATIENCE_S`, or was refused by the pre-flight check, goes behind all others until
    the next candle: one market that can't be entered must not keep the slots empty.
    """

    is_pair_locked: Callable[..., bool]
    fundhedge_gate: bool
    _fundhedge_queue: list[str] | None
    _fundhedge_turns: dict[str, tuple[Any, float]]

    def _new_loop(self) -> None:
        """What qualifies is looked at once in a loop, when the first signal comes."""
        self._fundhedge_queue = None

    def _its_turn(self, pair: str, open_pairs: Collection[str]) -> bool:
        """Whether `pair` is among the best of those that would enter now.

        Parameters
        ----------
        pair : with an entry signal, not locked
        open_pairs : of Freqtrade's open trades, one entry each
        """
        if "net_carry" not in self._analysed(pair):
            return True  # a strategy without the column: the order is Freqtrade's own
        if self._fundhedge_queue is None:
            self._fundhedge_queue = self._queue()
        waiting = [name for name in self._fundhedge_queue if name not in open_pairs]
        if pair not in waiting[: self._room(len(open_pairs), waiting)]:
            return False
        candle = self._candle(pair)
        if self._fundhedge_turns.get(pair, (None, 0.0))[0] != candle:
            self._fundhedge_turns[pair] = candle, time.time()
        return True

    def _room(self, open_trades: int, waiting: list[str]) -> int:
        """How many of those who wait may enter now; one, if each needs its margin fetched first."""
        settings, plan = self.fundhedge_settings, self._running().controller.plan
        slots = self.config["max_open_trades"] - open_trades
        if settings.margin.fund_entries and settings.transfer.enabled:
            # Margin that is on its way for a pair is used for that pair.
            if plan is not None and plan.pair in waiting:
                return waiting.index(plan.pair) + 1
            slots = min(slots, 1)
        return len(waiting) if math.isinf(slots) else max(0, int(slots))

    def _queue(self) -> list[str]:
        """Every pair that would enter now, best first."""
        bot, now = self._running(), time.time()
        whitelist = self.dp.current_whitelist()
        carry = {pair: self._last(pair, "net_carry") for pair in whitelist if self._qualifies(bot, pair)}
        late = {pair for pair in carry if self._had_its_turn(pair, now)}
        return best_first(carry, late)

    def _qualifies(self, bot: Bot, pair: str) -> bool:
        frame = self._analysed(pair)
        if not len(frame):
            return False
        signal, _ = super().get_entry_signal(pair, self.timeframe, frame)  # type: ignore[misc]
        if signal is None or self.is_pair_locked(pair, candle_date=frame["date"].iloc[-1], side=signal):
            return False
        return not (self.fundhedge_gate and self._funding_refusal(bot, pair))

    def _pass_over(self, pair: str) -> None:
        """The pair was refused: others first, for the rest of this candle."""
        self._fundhedge_turns[pair] = self._candle(pair), 0.0

    def _had_its_turn(self, pair: str, now: float) -> bool:
        candle, since = self._fundhedge_turns.get(pair, (None, 0.0))
        return candle is not None and candle == self._candle(pair) and now - since > PATIENCE_S

    def _candle(self, pair: str) -> Any:
        frame = self._analysed(pair)
        return frame["date"].iloc[-1] if len(frame) else None

    def _analysed(self, pair: str) -> Any:
        return self.dp.get_analyzed_dataframe(pair, self.timeframe)[0]
