"""What a strategy sees of the carry rule: columns, and the gates between candles. No import of Freqtrade."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd

from freqtrade_fundhedge import frames
from freqtrade_fundhedge.bot import Bot
from freqtrade_fundhedge.config import FundHedgeConfig
from freqtrade_fundhedge.core.carry import CarryParams, entry_allowed, funding_turned
from freqtrade_fundhedge.errors import FundHedgeError, VenueError
from freqtrade_fundhedge.market import spot_symbol

logger = logging.getLogger("freqtrade_fundhedge")
FUNDING_TIMEFRAME = "1h"
FUNDING_S = 3600.0
# So long after a new hour or a new whitelist each loop asks for its candles; then now and then, for those that failed.
NEWS_S = 60.0
ASK_EVERY_S = 30.0
# The hour may be over before Freqtrade has looked.
AHEAD_S = 10.0
LIVE_MODES = ("live", "dry_run")


def is_live(config: Mapping[str, Any]) -> bool:
    """Live or dry-run: there is a bot, and time passes."""
    return str(getattr(config.get("runmode"), "value", config.get("runmode"))) in LIVE_MODES


class CarryColumns:
    """The signal half of `FundHedgeMixin`."""

    config: dict[str, Any]
    dp: Any
    timeframe: str
    fundhedge_settings: FundHedgeConfig
    _fundhedge: Bot | None
    _fundhedge_said: dict[str, str]
    _fundhedge_figures: dict[tuple[str, str], tuple[pd.DataFrame, float]]
    _fundhedge_listed: Sequence[str] = ()
    _fundhedge_listed_at: float = 0.0
    _fundhedge_asked_at: float = float("-inf")

    def fundhedge_carry_params(self) -> CarryParams:
        """Thresholds and costs of the carry rule, from the configuration."""
        carry = self.fundhedge_settings.carry
        return CarryParams(**carry.thresholds())

    def informative_pairs(self) -> list[tuple[str, str, str]]:
        """Settled funding and mark of every pair; spot candles too in a backtest."""
        whitelist = self.dp.current_whitelist()
        if is_live(self.config) and not self._candles_due(whitelist):
            return [*super().informative_pairs()]  # type: ignore[misc]
        pairs = {}
        for pair in whitelist:
            found = spot_symbol(pair, self._markets())
            if found is not None:
                pairs[pair] = found[0]
        live = is_live(self.config)
        mine: list[tuple[str, str, str]] = frames.informative_pairs(pairs, self.timeframe, FUNDING_TIMEFRAME, live)
        return [*super().informative_pairs(), *mine]  # type: ignore[misc]

    def _candles_due(self, whitelist: list[str]) -> bool:
        """Whether there may be candles that Freqtrade has not; it keeps what it has, but looks at all it is given."""
        now = time.time()
        if whitelist != self._fundhedge_listed:
            self._fundhedge_listed, self._fundhedge_listed_at = whitelist, now
            self._keep_candles(whitelist)
        since_hour = now % FUNDING_S
        settled = now - self._fundhedge_listed_at > NEWS_S and NEWS_S < since_hour < FUNDING_S - AHEAD_S
        if settled and 0 <= now - self._fundhedge_asked_at < ASK_EVERY_S:
            return False
        self._fundhedge_asked_at = now
        return True

    def _keep_candles(self, whitelist: list[str]) -> None:
        """A list that rotates would leave the candles of every market that was ever on it."""
        if self._fundhedge is not None:
            found = (spot_symbol(pair, self._markets()) for pair in whitelist)
            self._fundhedge.candles.retain(symbol for symbol, _ in filter(None, found))

    def hedge_frame(self, dataframe: pd.DataFrame, metadata: dict[str, Any]) -> pd.DataFrame:
        """The candles with funding, basis and the carry rule's columns, see `frames`."""
        pair = str(metadata["pair"])
        symbol, multiplier = spot_symbol(pair, self._markets()) or ("", Decimal(1))
        funding = self.dp.get_pair_dataframe(pair, FUNDING_TIMEFRAME, "funding_rate")
        mark = self.dp.get_pair_dataframe(pair, FUNDING_TIMEFRAME, "mark")
        spot = self._spot_candles(symbol)
        params = self.fundhedge_carry_params()
        return frames.hedge_frame(dataframe, float(multiplier), self.timeframe, funding, mark, spot, params)

    def _spot_candles(self, symbol: str) -> pd.DataFrame:
        if not symbol:
            return pd.DataFrame()
        if not is_live(self.config):
            frame: pd.DataFrame = self.dp.get_pair_dataframe(symbol, self.timeframe, "spot")
            return frame
        bot = self._running()
        if bot.controller.troubles.unreachable:
            return pd.DataFrame()  # one request that waits for its time-out is enough for a loop
        try:
            return bot.candles.get(symbol, int(time.time() * 1000))
        except VenueError as error:
            # Without spot candles there is no basis and so no entry; exits go by funding alone.
            self._say_once(symbol, f"{symbol}: no spot candles now: {error}")
            return pd.DataFrame()

    def _markets(self) -> Mapping[str, Any]:
        markets: Mapping[str, Any] = self.dp._exchange.markets
        return markets

    def _once_a_candle(self, pair: str, what: str, of: Callable[[pd.DataFrame], float]) -> float:
        """A figure of the analysed candles; made again when they are: every open trade asks for it in every loop."""
        frame, _ = self.dp.get_analyzed_dataframe(pair, self.timeframe)
        known = self._fundhedge_figures.get((pair, what))
        if known is None or known[0] is not frame:
            known = self._fundhedge_figures[pair, what] = frame, of(frame)
        return known[1]

    def _last(self, pair: str, column: str) -> float:
        def newest(frame: pd.DataFrame) -> float:
            return float(frame[column].iloc[-1]) if len(frame) and column in frame else math.nan

        return self._once_a_candle(pair, column, newest)

    def _basis_gain(self, pair: str) -> float:
        return self._last(pair, "basis_gain")

    def _funding_refusal(self, bot: Bot, pair: str) -> str:
        quote = bot.controller.funding.get(pair)
        if quote is None:
            return "its predicted funding rate is not known"
        return entry_allowed(quote.rate, quote.interval_h, self.fundhedge_carry_params(), self._basis_gain(pair)).reason

    def _funding_turned(self, bot: Bot, pair: str) -> bool:
        quote = bot.controller.funding.get(pair)
        if quote is None or not quote.rate < 0:
            return False  # what is paid for can't turn a hedge out, and candles and costs need no looking up
        params, balance = self.fundhedge_carry_params(), self._last(pair, "carry_balance")
        return funding_turned(quote.rate, quote.interval_h, balance, params, self._basis_gain(pair))

    def _running(self) -> Bot:
        if self._fundhedge is None:
            raise FundHedgeError("fundhedge is not running")
        return self._fundhedge

    def _say_once(self, topic: str, text: str) -> None:
        if self._fundhedge_said.get(topic) != text:
            self._fundhedge_said[topic] = text
            logger.info("%s", text)
