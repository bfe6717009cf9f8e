"""Freqtrade's callbacks: the only place that knows its strategy API.

Freqtrade wraps every callback and takes an exception for a yes, so everything here is caught, said, and answered
with no where it would add risk. Exits are never denied.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from freqtrade.exceptions import OperationalException
from freqtrade.leverage.liquidation_price import update_liquidation_prices
from freqtrade.persistence import Trade
from freqtrade.strategy import IStrategy

from freqtrade_fundhedge.backtest_speed import QuickBacktest
from freqtrade_fundhedge.bot import Bot, check_exits, start_bot
from freqtrade_fundhedge.carry_columns import is_live
from freqtrade_fundhedge.config import FundHedgeConfig, check_freqtrade, parse
from freqtrade_fundhedge.core.entry import EntryPlan
from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.entries import Entries
from freqtrade_fundhedge.errors import FundHedgeError
from freqtrade_fundhedge.guard_answers import GuardAnswers
from freqtrade_fundhedge.journal_rows import HedgeRow
from freqtrade_fundhedge.legs import legs_of_bot, money, number, short_leg
from freqtrade_fundhedge.messages import for_channels
from freqtrade_fundhedge.sizes import Book
from freqtrade_fundhedge.trades_seen import TradesSeen

logger = logging.getLogger("freqtrade_fundhedge")
Answer = TypeVar("Answer")
# Exits that reduce no risk of a hedge.
PROFIT_EXITS = {"exit_signal", "roi"}


class FundHedgeMixin(Entries, GuardAnswers, QuickBacktest):
    """Gives every short of a strategy a spot leg: `class Mine(FundHedgeMixin, IStrategy)`.

    A strategy that overrides one of the callbacks below calls `super()` in it.

    Attributes
    ----------
    fundhedge_gate : also refuse entries, and ask for exits, by the predicted funding rate between candles
    """

    config: dict[str, Any]
    dp: Any
    wallets: Any
    timeframe: str
    is_pair_locked: Callable[..., bool]
    fundhedge_gate: bool = False
    can_short: bool = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse an order of base classes in which Freqtrade's own callbacks would stand before ours.

        Raises
        ------
        ImportError : which Freqtrade tells as one line, and does not load the strategy
        """
        super().__init_subclass__(**kwargs)
        order = cls.__mro__
        if IStrategy in order and any(part in order[order.index(IStrategy) :] for part in FundHedgeMixin.__mro__[:-1]):
            raise ImportError(
                f"{cls.__name__} would trade without its spot leg: name FundHedgeMixin before the strategy, "
                f"class {cls.__name__}(FundHedgeMixin, ...)"
            )

    def __init__(self, config: dict[str, Any]) -> None:
        try:
            self.fundhedge_settings: FundHedgeConfig = parse(config)
            check_freqtrade(config, self.fundhedge_settings)
        except FundHedgeError as error:
            raise OperationalException(str(error)) from None
        self._fundhedge: Bot | None = None
        self._fundhedge_trades: TradesSeen | None = None
        self._fundhedge_refusal = ""
        self._fundhedge_said: dict[str, str] = {}
        self._fundhedge_figures = {}
        self._fundhedge_queue: list[str] | None = None
        self._fundhedge_turns: dict[str, tuple[Any, float]] = {}
        self._fundhedge_plans: dict[str, EntryPlan] = {}
        super().__init__(config)  # type: ignore[call-arg]

    # --- start and stop

    def bot_start(self, **kwargs: Any) -> None:
        """Connect to the journal and the account, and check that both are fit."""
        super().bot_start(**kwargs)  # type: ignore[misc]
        if not is_live(self.config):
            if type(self).custom_exit is FundHedgeMixin.custom_exit:
                # Freqtrade copies the trade for every call of a callback that is not its own; a backtest asks each
                # candle, and between candles there is nothing for us to see.
                self.custom_exit = super().custom_exit  # type: ignore[method-assign]
            self.speed_up(self.dp._exchange)
            return
        try:
            check_exits(self)
            self.check_maker_entries()
            self._fundhedge = start_bot(
                self.config, self.fundhedge_settings, self.dp._exchange, self.wallets, Trade.get_open_trades,
                self.dp.current_whitelist, lambda text: self.dp.send_msg(for_channels(text), always_send=True),
            )  # fmt: skip
            self._plan_stakes()
            self._spare_copies()
        except FundHedgeError as error:
            self._fundhedge_refusal = str(error)

    def ft_bot_start(self, **kwargs: Any) -> None:
        """Freqtrade's own start; a refusal of ours ends it with one line instead of a traceback."""
        super().ft_bot_start(**kwargs)  # type: ignore[misc]
        if is_live(self.config) and self._fundhedge is None:
            raise OperationalException(
                self._fundhedge_refusal or "fundhedge did not start: a bot_start() of the strategy must call super()"
            )

    def ft_bot_cleanup(self) -> None:
        """Let go of the journal when the bot stops or reloads."""
        if self._fundhedge is not None:
            self._fundhedge.close()
            self._fundhedge = None
        if self._fundhedge_trades is not None:
            self._fundhedge_trades.close()
            self._fundhedge_trades = None
        super().ft_bot_cleanup()  # type: ignore[misc]

    # --- every loop, every fill

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        """Converge: resolve, hedge, move USDT."""
        super().bot_loop_start(current_time=current_time, **kwargs)  # type: ignore[misc]
        if is_live(self.config):
            self._new_loop()
            self._safely("the loop", self._converge, None)

    def _converge(self) -> None:
        bot = self._running()
        bot.before_loop()
        seen = self._trades_seen()
        self._safely("the volatility", lambda: self._learn_volatility(bot, seen.open()), None)
        try:
            bot.controller.converge(self._legs)
        finally:
            self._let_adjust(bot)
        if self._true_liquidation_prices(bot, Trade.get_open_trades, update_liquidation_prices):
            Trade.commit()
        seen.refresh()
        bot.after_loop()

    def _trades_seen(self) -> TradesSeen:
        if self._fundhedge_trades is None:
            self._fundhedge_trades = TradesSeen(Trade)
        return self._fundhedge_trades

    def _legs(self, hedges: Sequence[HedgeRow]) -> Sequence[ShortLeg]:
        def by_ids(ids: Sequence[int]) -> Sequence[Any]:
            found: Sequence[Any] = Trade.get_trades([Trade.id.in_(ids)]).all()
            return found

        return legs_of_bot(self._trades_seen().again(), hedges, by_ids)

    def order_filled(self, pair: str, trade: Any, order: Any, current_time: datetime, **kwargs: Any) -> None:
        """Balance the hedge at once; after an exit also sweep. Repeated or missed calls change nothing."""
        super().order_filled(  # type: ignore[misc]
            pair=pair, trade=trade, order=order, current_time=current_time, **kwargs
        )
        if trade.is_short and is_live(self.config):
            self._safely(
                "a fill",
                lambda: self._running().controller.after_fill(short_leg(trade), number(order.safe_price)),
                False,
            )

    # --- entries: any doubt is a no

    def confirm_trade_entry(
        self, pair: str, order_type: str, amount: float, rate: float, time_in_force: str, current_time: datetime,
        entry_tag: str | None, side: str, **kwargs: Any,
    ) -> bool:  # fmt: skip
        """Pre-flight of both legs."""
        self._as_configured()  # what the order is to be has been read by now
        ask = super().confirm_trade_entry  # type: ignore[misc]
        allowed = self._safely(
            "another pre-flight check",
            lambda: ask(
                pair=pair, order_type=order_type, amount=amount, rate=rate, time_in_force=time_in_force,
                current_time=current_time, entry_tag=entry_tag, side=side, **kwargs,
            ),
            False,
        )  # fmt: skip
        if not allowed or not is_live(self.config):
            return bool(allowed)
        why = self._safely(
            "the pre-flight check", lambda: self._entry_refusal(pair, amount, rate, side), "the check itself failed"
        )
        self._fundhedge_plans.pop(pair, None)
        if why:
            self._say_once(pair, f"{pair}: not entered: {why}")
            self._safely("the order of entries", lambda: self._pass_over(pair), None)
        return why == ""

    def _entry_refusal(self, pair: str, amount: float, rate: float, side: str) -> str:
        if side != "short":
            return "only shorts can be hedged with spot"
        bot = self._running()
        if bot.health.refusal:
            return bot.health.refusal
        why = self._funding_refusal(bot, pair) if self.fundhedge_gate else ""
        return why or bot.controller.allow_entry(pair, number(amount), number(rate))

    def _book(self) -> Book:
        trades = self._trades_seen().open()
        return Book(
            open_pairs=tuple(trade.pair for trade in trades),
            stakes=sum((money(trade.stake_amount) for trade in trades), Decimal(0)),
            tied_up=sum((money(trade.stake_amount * (1 + trade.leverage)) for trade in trades), Decimal(0)),
            closed_profit=money(Trade.get_total_closed_profit()) if "available_capital" in self.config else Decimal(0),
        )

    # --- exits

    def custom_exit(
        self, pair: str, trade: Any, current_time: datetime, current_rate: float, current_profit: float, **kwargs: Any
    ) -> str | bool | None:
        """`margin_low` or `hedge_failed` when the hedge can't be kept, `funding_turned` when staying costs too much."""
        answer: str | bool | None = super().custom_exit(
            pair=pair, trade=trade, current_time=current_time, current_rate=current_rate,
            current_profit=current_profit, **kwargs,
        )  # fmt: skip
        if not is_live(self.config) or not trade.is_short:
            return answer
        return self._safely("the exit check", lambda: self._exit_reason(pair), None) or answer

    def _spare_copies(self) -> None:
        """From now on `should_exit` decides whether ours is asked; a strategy's own is always."""
        if type(self).custom_exit is FundHedgeMixin.custom_exit:
            self._fundhedge_silent = super().custom_exit

    def confirm_trade_exit(self, pair: str, trade: Any, exit_reason: str, **kwargs: Any) -> bool:
        """No, while the spot market is halted, to an exit for profit: the coins would be left without their short."""
        allowed = bool(super().confirm_trade_exit(pair=pair, trade=trade, exit_reason=exit_reason, **kwargs))  # type: ignore[misc]
        if not allowed or exit_reason not in PROFIT_EXITS or not is_live(self.config) or not trade.is_short:
            return allowed
        halted = self._safely("the exit check", lambda: self._running().controller.outside.spot_halted(pair), False)
        if halted:
            self._say_once(pair, f"{pair}: {exit_reason} waits: its spot market is halted")
        return not halted

    def adjust_trade_position(
        self, trade: Any, current_time: datetime, current_rate: float, current_profit: float, min_stake: float | None,
        max_stake: float, current_entry_rate: float, current_exit_rate: float, current_entry_profit: float,
        current_exit_profit: float, **kwargs: Any,
    ) -> float | tuple[float | None, str | None] | None:  # fmt: skip
        """A reduction of both legs where margin is low and USDT for it has run out; the spot leg follows the fill."""
        stake = self._safely("the margin guard", lambda: self._shrink(trade, current_exit_rate), None)
        if stake is not None:
            return stake, "margin_low"
        answer: float | tuple[float | None, str | None] | None = super().adjust_trade_position(  # type: ignore[misc]
            trade=trade, current_time=current_time, current_rate=current_rate, current_profit=current_profit,
            min_stake=min_stake, max_stake=max_stake, current_entry_rate=current_entry_rate,
            current_exit_rate=current_exit_rate, current_entry_profit=current_entry_profit,
            current_exit_profit=current_exit_profit, **kwargs,
        )  # fmt: skip
        return answer

    def _safely(self, doing: str, work: Callable[[], Answer], otherwise: Answer) -> Answer:
        try:
            return work()
        except FundHedgeError as error:
            self._say_once(doing, f"fundhedge, in {doing}: {error}")
        except Exception as error:
            # Freqtrade would swallow it and say yes in our name.
            if self._fundhedge_said.get(doing) != repr(error):
                self._fundhedge_said[doing] = repr(error)
                logger.exception("fundhedge, in %s: unexpected; no new entries until it works again", doing)
        bot = self._fundhedge
        if bot is not None:
            bot.controller.trouble = f"{doing} failed"
        return otherwise
