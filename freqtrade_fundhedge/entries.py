"""Entries of the strategy: sized so that both legs fit, and held back until margin is there. No Freqtrade."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pandas as pd

from freqtrade_fundhedge import frames
from freqtrade_fundhedge.bot import Bot
from freqtrade_fundhedge.carry_columns import is_live
from freqtrade_fundhedge.core.entry import EntryPlan
from freqtrade_fundhedge.maker import Maker
from freqtrade_fundhedge.sizes import Asks, Book, Market, Sizing, bounded, entry_leverage, free_slots
from freqtrade_fundhedge.venue.port import FuturesAccount


class Entries(Maker):
    """The part of `FundHedgeMixin` that lets a signal through when, and in the size in which, it can be hedged."""

    stoploss: float
    custom_stake_amount: Callable[..., Any]
    _book: Callable[[], Book]
    _fundhedge_plans: dict[str, EntryPlan]
    _fundhedge_ask_stake: Callable[..., Any]

    def get_entry_signal(self, pair: str, timeframe: str, dataframe: pd.DataFrame) -> tuple[Any, str | None]:
        """Freqtrade's entry signal, held back until the margin for it is in the futures wallet.

        Freqtrade checks its wallet before it asks any callback, so a signal that came through unfunded would only
        end in its warning about the balance. The next loop fetches the margin and lets the signal pass.
        """
        self._as_configured()
        signal, tag = super().get_entry_signal(pair, timeframe, dataframe)  # type: ignore[misc]
        if signal is None or not is_live(self.config):
            return signal, tag
        ready = self._safely("the entry plan", lambda: self._ready(pair, dataframe, signal, tag), False)
        return (signal, tag) if ready else (None, None)

    def _ready(self, pair: str, dataframe: pd.DataFrame, signal: Any, tag: str | None) -> bool:
        bot, book = self._running(), self._book()
        self._fundhedge_plans.pop(pair, None)
        if bot.health.refusal:
            self._say_once(pair, f"{pair}: not entered: {bot.health.refusal}")
            return False
        if self.is_pair_locked(pair, candle_date=dataframe["date"].iloc[-1], side=signal):
            return True  # Freqtrade says why it does not enter; no margin is fetched for it
        if self.fundhedge_gate and (why := self._funding_refusal(bot, pair)):
            self._say_once(pair, f"{pair}: not entered: {why}")
            return False
        if not self._its_turn(pair, book.open_pairs):
            return False
        controller = bot.controller
        controller.entries.asked_for(pair)
        if controller.trouble:
            return False
        if not controller.entries.open_to(pair):
            if controller.plan is None:
                self._pass_over(pair)
            return False
        waits = self._under_way(bot, pair)
        plan = self._plan(bot, book, pair, float(dataframe["close"].iloc[-1]), tag)
        if plan is not None and waits and controller.funds_entries:
            controller.entries.keep(plan)
        if plan is None or waits or not controller.ready_for(plan):
            return False
        self._fundhedge_plans[pair] = plan
        self._post_or_take(bot, plan)
        return True

    def _plan(self, bot: Bot, book: Book, pair: str, close: float, tag: str | None) -> EntryPlan | None:
        candle_s = frames.timeframe_ms(self.timeframe) / 1000
        expires_at = (time.time() // candle_s + 1) * candle_s
        controller, known = bot.controller, bot.controller.plan
        if known is not None and known.expires_at == expires_at:
            return known
        spot, account = controller.purse.spot(), controller.purse.futures()
        if spot is None or account is None:
            return None
        plan = self._sizing(bot, book, pair, close, tag, spot, account).plan(expires_at)
        if isinstance(plan, EntryPlan):
            self._fundhedge_said.pop(f"size {pair}", None)
            return plan
        if f"size {pair}" not in self._fundhedge_said:
            # Its figures change a little with each loop; that is no news.
            self._say_once(f"size {pair}", f"{pair}: not entered: {plan}")
        controller.entries.pass_over(pair)
        self._pass_over(pair)
        return None

    def _sizing(
        self, bot: Bot, book: Book, pair: str, close: float, tag: str | None, spot: Decimal, account: FuturesAccount
    ) -> Sizing:
        controller = bot.controller
        twin, funding = bot.venue.market(pair), controller.funding.get(pair)
        price, discount = close, 0.0
        if funding is not None and funding.mark_price > 0:
            price, discount = funding.mark_price, funding.index_price / funding.mark_price - 1
        return Sizing(
            market=Market(twin, controller.ctx.quote(twin.symbol), self.dp._exchange, price, self.stoploss, discount),
            capital=bounded(
                self.config,
                book,
                spot - controller.claims.total(besides=pair),
                account,
                movable=controller.funds_entries,
                pooled=not bot.venue.separate_wallets,
            ),
            rules=controller.treasurer.rules(),
            slots=free_slots(self.config, book, len(self.dp.current_whitelist())),
            config=self.config,
            slippage=controller.ctx.settings.hedge.max_slippage,
            asks=self._asks(pair, price, tag),
        )

    def _asks(self, pair: str, price: float, tag: str | None) -> Asks:
        """The callbacks of the strategy, whoever overrides them, asked as Freqtrade would."""
        common: dict[str, Any] = {
            "pair": pair, "current_time": datetime.now(UTC), "current_rate": price, "entry_tag": tag, "side": "short"
        }  # fmt: skip
        return Asks(
            lambda most: self.leverage(proposed_leverage=1.0, max_leverage=most, **common),
            lambda proposed, least, most, leverage: self._fundhedge_ask_stake(
                proposed_stake=proposed, min_stake=least, max_stake=most, leverage=leverage, **common
            ),
        )

    def _plan_stakes(self) -> None:
        """From now on a strategy's own `custom_stake_amount` is asked when an entry is planned, and its answer kept.

        Asked again at the entry, with other figures of Freqtrade's, it might want more than the wallets were made
        ready for.
        """
        ask = self._fundhedge_ask_stake = self.custom_stake_amount

        def planned(pair: str, **kwargs: Any) -> Any:
            plan = self._fundhedge_plans.get(pair)
            return ask(pair=pair, **kwargs) if plan is None else float(plan.stake)

        self.custom_stake_amount = planned

    def leverage(
        self, pair: str, current_time: datetime, current_rate: float, proposed_leverage: float, max_leverage: float,
        entry_tag: str | None, side: str, **kwargs: Any,
    ) -> float:  # fmt: skip
        """`fundhedge.margin.leverage`, as far as the pair allows it, and no more than the entry was planned with."""
        plan = self._fundhedge_plans.get(pair)
        most = max_leverage if plan is None else min(max_leverage, float(plan.leverage))
        return entry_leverage(self.fundhedge_settings, most)
