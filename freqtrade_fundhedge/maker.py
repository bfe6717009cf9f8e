"""Entries that wait in the book for the maker's fee, where the carry allows it. No Freqtrade here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from threading import get_ident
from types import MappingProxyType
from typing import Any

from freqtrade_fundhedge import frames
from freqtrade_fundhedge.bot import Bot
from freqtrade_fundhedge.carry_columns import is_live
from freqtrade_fundhedge.choice import Choice
from freqtrade_fundhedge.core.entry import EntryPlan
from freqtrade_fundhedge.core.maker import Offer, Tries, missed_funding, next_try
from freqtrade_fundhedge.errors import ConfigError
from freqtrade_fundhedge.journal_closes import CLOCK_SLACK_S, Allowance
from freqtrade_fundhedge.legs import number
from freqtrade_fundhedge.orphans import ABSENT_AFTER_S, fits

POST_ONLY = "PO"
FORCED = "force_entry"
# From the end of one order to the next: it is cancelled, its hedge closed and the next one planned, in a loop each.
LOOPS_BETWEEN = 3


class Maker(Choice):
    """The part of `FundHedgeMixin` that posts an entry at the ask, or leaves it the order type of the configuration.

    Freqtrade reads type and time in force of an entry from the strategy, under its lock, right after it has asked for
    the signal. So they are set for the one entry that is let through, and set back before anything else is asked.
    """

    order_types: dict[str, Any]
    order_time_in_force: dict[str, Any]
    _safely: Callable[..., Any]
    _fundhedge_usual: tuple[dict[str, Any], dict[str, Any]] | None = None
    _fundhedge_posts: tuple[str, int] | None = None
    _fundhedge_tries: Mapping[str, Tries] = MappingProxyType({})
    _fundhedge_looked_up: Mapping[str, int] = MappingProxyType({})

    def check_maker_entries(self) -> None:
        """Refuse `maker_entries` where they can't be made.

        Raises
        ------
        ConfigError : one line with the remedy
        """
        if not self.fundhedge_settings.carry.maker_entries:
            return
        key, exchange = "fundhedge.carry.maker_entries", self.dp._exchange
        if POST_ONLY not in exchange.get_option("order_time_in_force", ()):
            raise ConfigError(f"{key}: Freqtrade has no post-only orders on {exchange.name}; set it to false")
        if math.isinf(self._rest_s()):
            raise ConfigError(f"{key}: unfilledtimeout.entry is needed, or an order would wait without end")
        if not self.config.get("cancel_open_orders_on_exit"):
            raise ConfigError(
                f"{key}: cancel_open_orders_on_exit: true is needed, or an entry could fill while no bot hedges it"
            )

    # --- which order

    def _post_or_take(self, bot: Bot, plan: EntryPlan) -> None:
        """Choose the order of the entry that Freqtrade is about to make."""
        if not self.fundhedge_settings.carry.maker_entries:
            return
        pair, now = plan.pair, bot.controller.ctx.clock()
        tries = next_try(self._offer(bot, plan, now), self._fundhedge_tries.get(pair), now)
        if isinstance(tries, str):
            self._say_once(f"order {pair}", f"{pair}: not posted, but taken: {tries}")
            return
        self._fundhedge_tries = {**self._fundhedge_tries, pair: tries}
        self._say_once(f"order {pair}", f"{pair}: posted at the best ask for the maker's fee")
        self._fundhedge_usual = self.order_types, self.order_time_in_force
        self._fundhedge_posts = pair, get_ident()
        self.order_types = {**self.order_types, "entry": "limit"}
        self.order_time_in_force = {**self.order_time_in_force, "entry": POST_ONLY}

    def _offer(self, bot: Bot, plan: EntryPlan, now: float) -> Offer:
        settings, exchange, spot = self.fundhedge_settings, self.dp._exchange, bot.venue.market(plan.pair)
        maker, taker = (exchange.get_fee(plan.pair, taker_or_maker=kind) for kind in ("maker", "taker"))
        quote, rest_s = bot.controller.funding.get(plan.pair), self._rest_s()
        coin = plan.price / spot.multiplier
        return Offer(
            saved=min(taker, settings.carry.futures_fee) - maker,
            missed=math.inf
            if quote is None
            else missed_funding(quote.rate, quote.interval_h, quote.next_at, now, rest_s),
            basis_gain=self._basis_gain(plan.pair),
            notional=float(plan.quantity * plan.price),
            smallest=float(max(spot.min_notional, spot.min_quantity * coin, spot.lot * coin)),
            slippage=float(settings.hedge.max_slippage),
            rest_s=rest_s,
            patience_s=frames.timeframe_ms(self.timeframe) / 1000,
        )

    def _rest_s(self) -> float:
        """How long an entry order rests at most, until the next one could be made; inf when nothing ends it."""
        limits = self.config.get("unfilledtimeout") or {}
        if limits.get("entry") is None:
            return math.inf
        pause = float((self.config.get("internals") or {}).get("process_throttle_secs", 5))
        rest = timedelta(**{limits.get("unit", "minutes"): limits["entry"]})
        return rest.total_seconds() + LOOPS_BETWEEN * pause

    def _as_configured(self) -> None:
        """Back to the order type and the time in force of the configuration."""
        if self._fundhedge_usual is not None:
            self.order_types, self.order_time_in_force = self._fundhedge_usual
        self._fundhedge_usual = self._fundhedge_posts = None

    def _new_loop(self) -> None:
        self._as_configured()
        super()._new_loop()

    def custom_entry_price(
        self, pair: str, trade: Any, current_time: datetime, proposed_rate: float, entry_tag: str | None, side: str,
        **kwargs: Any,
    ) -> float:  # fmt: skip
        """The best ask for an entry that is posted."""
        rate = super().custom_entry_price(  # type: ignore[misc]
            pair=pair, trade=trade, current_time=current_time, proposed_rate=proposed_rate, entry_tag=entry_tag,
            side=side, **kwargs,
        )  # fmt: skip
        if trade is not None or self._fundhedge_posts != (pair, get_ident()):
            return float(rate)
        # Where this fails, the trouble that it leaves refuses the entry.
        return float(self._safely("the price of an entry", lambda: self.dp.orderbook(pair, 5)["asks"][0][0], rate))

    # --- while it rests, and after

    def check_entry_timeout(self, pair: str, trade: Any, order: Any, current_time: datetime, **kwargs: Any) -> bool:
        """Withdraw an entry that rests, and would not be made any more or could not be hedged."""
        if super().check_entry_timeout(pair=pair, trade=trade, order=order, current_time=current_time, **kwargs):  # type: ignore[misc]
            return True
        ours = self.fundhedge_settings.carry.maker_entries and is_live(self.config) and trade.is_short
        if not ours or len(trade.orders) > 1 or trade.enter_tag == FORCED:
            return False
        # Its turn ended with its order; once that is gone it is a pair like any other.
        self._fundhedge_turns.pop(pair, None)
        return bool(self._safely("an entry that rests", lambda: self._unwanted(pair), True))

    def _unwanted(self, pair: str) -> bool:
        bot = self._running()
        controller = bot.controller
        why = bot.health.refusal or controller.trouble or controller.guard.refusal()
        if not why and controller.outside.spot_halted(pair):
            why = "its spot market is halted"
        if not why and not self._qualifies(bot, pair):
            why = "its signal is gone"
        if why:
            self._say_once(f"order {pair}", f"{pair}: its entry is withdrawn: {why}")
        return bool(why)

    def _under_way(self, bot: Bot, pair: str) -> bool:
        """Whether an earlier entry in a pair is not over yet; its margin waits for the next one."""
        if not self.fundhedge_settings.carry.maker_entries:
            return False
        controller = bot.controller
        with controller.lock:
            journal = controller.ctx.journal
            if any(hedge.pair == pair and hedge.state != "closed" for hedge in journal.unsettled()):
                if controller.plan is None:
                    controller.purse.forget()  # the order that was cancelled has just freed margin
                return True
            allowance = journal.allowance(pair)
        if allowance is None or self._fundhedge_looked_up.get(pair) == allowance.id:
            return False
        if controller.ctx.clock() - allowance.at < ABSENT_AFTER_S:
            return True
        if self._rests_unknown(bot, allowance):
            controller.entries.give_up(pair)
            controller.entries.pass_over(pair)
            return True
        self._fundhedge_looked_up = {**self._fundhedge_looked_up, pair: allowance.id}
        return False

    def _rests_unknown(self, bot: Bot, allowance: Allowance) -> bool:
        """Whether an order of ours rests whose answer was lost: filled later, it would come on top of the next one."""
        pair, ctx = allowance.pair, bot.controller.ctx
        since = datetime.fromtimestamp(allowance.at - CLOCK_SLACK_S, UTC)
        try:
            orders = self.dp._exchange.fetch_orders(pair, since)
        except Exception as error:  # noqa: BLE001 - one of Freqtrade's; whatever it is, nothing is known
            self._say_once(f"orders {pair}", f"{pair}: not entered: its orders could not be read: {error}")
            return True
        for order in orders:
            ours = fits(number(order["amount"]), float(order["timestamp"]) / 1000, allowance)
            if order["side"] == "sell" and order["status"] == "open" and not order.get("reduceOnly") and ours:
                ctx.once(
                    f"resting {pair}",
                    f"{pair}: order {order['id']} of an earlier entry rests on the exchange, and Freqtrade does not "
                    "know it; cancel it by hand. No entries in this pair until it is gone",
                )
                return True
        ctx.settled(f"resting {pair}")
        return False
