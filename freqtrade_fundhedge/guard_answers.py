"""What Freqtrade is asked to close or to reduce, in Freqtrade's own terms. No import of Freqtrade."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pandas as pd
import talib

from freqtrade_fundhedge import frames
from freqtrade_fundhedge.bot import Bot
from freqtrade_fundhedge.carry_columns import CarryColumns
from freqtrade_fundhedge.core.margin import stress_of
from freqtrade_fundhedge.legs import number
from freqtrade_fundhedge.market import ceil_to

Update = Callable[..., None]
NATR_CANDLES = 14
# A tenth of a lot more than whole lots, or Freqtrade's floats may cut off one of them.
A_TENTH = Decimal("0.1")
REREADS = 4


class GuardAnswers(CarryColumns):
    """The part of `FundHedgeMixin` that keeps shorts alive, and closes what can't stay."""

    wallets: Any
    fundhedge_gate: bool
    stoploss: float
    position_adjustment_enable: bool
    custom_exit: Callable[..., Any]
    _fundhedge_adjusts: bool | None = None
    _fundhedge_silent: Callable[..., Any] | None = None
    _fundhedge_rereads: Mapping[str, int] = MappingProxyType({})

    def _learn_volatility(self, bot: Bot, trades: Iterable[Any]) -> None:
        """Stress of open pairs from the candles of the last loop; what is not known yet is not guessed."""
        if self.fundhedge_settings.margin.stress_move is None:
            hours = frames.timeframe_ms(self.timeframe) / 3_600_000
            bot.controller.guard.moves = {t.pair: stress_of(self._natr(t.pair), hours) for t in trades}

    def _natr(self, pair: str) -> float:
        """See `natr`, of the analysed candles."""
        return self._once_a_candle(pair, "natr", natr)

    def _let_adjust(self, bot: Bot) -> None:
        """Freqtrade asks for adjustments, one more book request a trade, only while there is one to ask for."""
        if self._fundhedge_adjusts is None:
            self._fundhedge_adjusts = bool(self.position_adjustment_enable)
        self.position_adjustment_enable = self._fundhedge_adjusts or bool(bot.controller.guard.shrinks)

    def _shrink(self, trade: Any, rate: float) -> float | None:
        """Stake by which Freqtrade should reduce a short, negative; None when it should not."""
        if self._fundhedge is None or not trade.is_short:
            return None
        guard, exchange = self._fundhedge.controller.guard, self.dp._exchange
        pair = str(trade.pair)
        if pair not in guard.shrinks or trade.has_open_orders or not trade.amount:
            return None
        lot = number(exchange.get_precision_amount(pair)) * number(exchange.get_contract_size(pair) or 1)
        quantity, held = ceil_to(guard.shrinks[pair], lot), number(trade.amount)
        smallest = exchange.get_min_pair_stake_amount(pair, rate, self.stoploss, trade.leverage)
        if held - quantity <= 0 or (smallest and (held - quantity) * number(rate) < number(smallest)):
            guard.too_small_to_shrink(pair)
            return None
        guard.shrink_now(pair)
        return -float((quantity + lot * A_TENTH) * number(trade.stake_amount) / held)

    def should_exit(self, trade: Any, rate: float, current_time: datetime, **kwargs: Any) -> list[Any]:
        """Freqtrade's exit checks; it copies the trade for each call of a `custom_exit` that is not its own.

        So ours stands only while it has something to say of this trade, or that can't be known.
        """
        if self._fundhedge_silent is not None:
            try:
                silent = self._why_exit(str(trade.pair)) is None
            except Exception:  # noqa: BLE001 - it is raised and told again where it is asked for
                silent = False
            if silent:
                self.custom_exit = self._fundhedge_silent
            else:
                self.__dict__.pop("custom_exit", None)
        exits: list[Any] = super().should_exit(trade, rate, current_time, **kwargs)  # type: ignore[misc]
        return exits

    def _exit_reason(self, pair: str) -> str | None:
        why = self._why_exit(pair)
        if why == "margin_low":
            self._running().controller.guard.leave_now(pair)
        return why

    def _why_exit(self, pair: str) -> str | None:
        bot = self._running()
        if pair in bot.controller.guard.leaves:
            return "margin_low"
        if bot.controller.hedge_failed(pair):
            return "hedge_failed"
        if why := bot.controller.outside.exit_reason(pair):
            return why
        turned = (
            self.fundhedge_gate and self._funding_turned(bot, pair) and not bot.controller.outside.spot_halted(pair)
        )
        return "funding_turned" if turned else None

    def _true_liquidation_prices(self, bot: Bot, open_trades: Callable[[], Iterable[Any]], update: Update) -> bool:
        """Let Freqtrade read anew where shorts are liquidated: it would exit at a price that margin has moved.

        Parameters
        ----------
        update : Freqtrade's own refresh, of one isolated trade or of all cross ones

        Returns
        -------
        whether a trade was changed, and has to be committed
        """
        desk = bot.controller.guard.desk
        changed, desk.changed = desk.changed, set()
        if not changed:
            return False
        trades = [trade for trade in open_trades() if trade.pair in changed and trade.has_open_position]
        settings = {
            "exchange": self.dp._exchange, "wallets": self.wallets, "stake_currency": self.config["stake_currency"],
            "dry_run": self.config["dry_run"],
        }  # fmt: skip
        before = {trade.pair: trade.liquidation_price for trade in trades}
        try:
            for trade in trades[:1] if bot.controller.ctx.cross else trades:
                update(trade, **settings)
        except BaseException:
            desk.changed |= changed
            raise
        # Freqtrade only logs a read that failed, and right after a change the exchange may show the old price.
        same = {trade.pair for trade in trades if trade.liquidation_price == before[trade.pair]}
        self._fundhedge_rereads = {pair: self._fundhedge_rereads.get(pair, 0) + 1 for pair in same}
        desk.changed |= {pair for pair, count in self._fundhedge_rereads.items() if count < REREADS}
        return bool(trades)


def natr(frame: pd.DataFrame) -> float:
    """Normalised average true range, per cent of the price per candle; NaN without enough candles."""
    if len(frame) <= NATR_CANDLES:
        return math.nan
    last = frame.iloc[-5 * NATR_CANDLES :]
    high, low, close = (last[name].to_numpy("float64") for name in ("high", "low", "close"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(talib.NATR(high, low, close, timeperiod=NATR_CANDLES)[-1])
