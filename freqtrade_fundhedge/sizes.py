"""What bounds an entry: the configuration, Freqtrade's trades and limits, both wallets, as `core.sizing` wants them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from typing import Any

from freqtrade_fundhedge.config import FundHedgeConfig
from freqtrade_fundhedge.core.entry import EntryPlan
from freqtrade_fundhedge.core.hedge import price_cap
from freqtrade_fundhedge.core.margin import same_for_all
from freqtrade_fundhedge.core.sizing import (
    CENT,
    ONE,
    Capital,
    Terms,
    Wish,
    entry_margin,
    largest_stake,
    settle_stake,
)
from freqtrade_fundhedge.core.treasury import Rules
from freqtrade_fundhedge.legs import number
from freqtrade_fundhedge.market import SpotMarket
from freqtrade_fundhedge.venue.port import ZERO, FuturesAccount, Quote, Side

# The fee, the price above the market at which Binance reckons a short's margin, and what it moves until the order.
MARGIN_SLACK = Decimal("0.003")
# What the spot price may do against the perpetual's between plan and entry, and the lot that a quantity is rounded to.
SPOT_DRIFT = Decimal("0.002")
# Freqtrade reckons the least stake anew at the price of the entry.
LEAST_SLACK = Decimal("1.02")


@dataclass(frozen=True)
class Book:
    """Freqtrade's trades in sums, in the stake currency.

    Attributes
    ----------
    open_pairs : one entry per open trade
    stakes, tied_up : margin of open trades; both of their legs
    closed_profit : of the short legs, as Freqtrade adds it to `available_capital`
    """

    open_pairs: tuple[str, ...]
    stakes: Decimal
    tied_up: Decimal
    closed_profit: Decimal


@dataclass(frozen=True)
class Asks:
    """What a strategy has a say in; both as Freqtrade will ask it again when the entry is made.

    Attributes
    ----------
    leverage : from the highest that the pair allows to the one to use
    stake : from (proposed, least, most, leverage) to the stake, 0 or None for no entry
    """

    leverage: Callable[[float], float]
    stake: Callable[[float, float, float, float], float | None]


def entry_leverage(settings: FundHedgeConfig, max_leverage: float) -> float:
    """The configured leverage, as far as the pair allows it, in whole numbers above 1 as Binance takes them."""
    return max(1.0, float(math.floor(min(settings.margin.leverage, max_leverage))))


def free_slots(config: Mapping[str, Any], book: Book, whitelist: int) -> int:
    """How many entries share what is free; without `max_open_trades` as many as there are pairs."""
    slots = float(config["max_open_trades"])
    most = int(slots) if math.isfinite(slots) and slots >= 0 else whitelist
    return max(1, most - len(book.open_pairs))


def bounded(
    config: Mapping[str, Any], book: Book, spot: Decimal, account: FuturesAccount, *, movable: bool, pooled: bool
) -> Capital:
    """Both wallets and what the configuration lets the bot use of them.

    `available_capital` bounds both legs of all hedges together, besides Freqtrade's own use of it for the stakes.
    """
    ratio = number(config.get("tradable_balance_ratio", 0.99))
    base = Capital(spot, account, book.stakes, book.tied_up, ratio, ratio, movable=movable, pooled=pooled)
    if "available_capital" not in config:
        return base
    own = number(config["available_capital"])
    return replace(base, ratio=ONE, shown_ratio=ONE, limit=own, stakes_left=own + book.closed_profit - book.stakes)


@dataclass(frozen=True)
class Market:
    """One pair on both markets.

    Attributes
    ----------
    exchange : Freqtrade's, for the limits and tiers of the perpetual
    price : of the perpetual, quote
    stoploss : the strategy's, which Freqtrade counts into the least stake
    discount : index less mark as the exchange gave them last, fraction of mark
    """

    spot: SpotMarket
    quote: Quote
    exchange: Any
    price: float
    stoploss: float
    discount: float = 0.0

    def highest_leverage(self, stake: Decimal) -> float:
        """What the pair's tiers allow a stake."""
        most = float(self.exchange.get_max_pair_stake_amount(self.spot.pair, self.price, 1.0))
        return float(self.exchange.get_max_leverage(self.spot.pair, min(float(stake), most)))

    def terms(self, leverage: float, notional: Decimal, slippage: Decimal) -> Terms:
        """See `Terms`; the maintenance margin is that of `notional`."""
        pair, spot, price = self.spot.pair, self.spot, number(self.price)
        least = number(self.exchange.get_min_pair_stake_amount(pair, self.price, self.stoploss, leverage)) * LEAST_SLACK
        most = self.exchange.get_max_pair_stake_amount(pair, self.price, leverage)
        rate, _ = self.exchange.get_maintenance_ratio_and_amt(pair, float(notional))
        cap = price_cap(Side.BUY, self.quote, slippage, spot.tick)
        on_spot = max(spot.min_notional, spot.min_quantity * cap) * LEAST_SLACK / number(leverage)
        # The book is newer than the perpetual's price: where that has fallen since, the discount tells more.
        premium = max(cap * spot.multiplier / price, cap / self.quote.best(Side.BUY) * (ONE + number(self.discount)))
        return Terms(
            pair=pair,
            leverage=number(leverage),
            spot=premium / (ONE - spot.taker_fee) * (ONE + SPOT_DRIFT),
            slack=MARGIN_SLACK,
            maintenance=number(rate),
            least=max(least, on_spot),
            most=number(most),
        )


@dataclass(frozen=True)
class Sizing:
    """Everything that the size of an entry in one pair depends on."""

    market: Market
    capital: Capital
    rules: Rules
    slots: int
    config: Mapping[str, Any]
    slippage: Decimal
    asks: Asks

    def plan(self, expires_at: float) -> EntryPlan | str:
        """The next entry, or why it has to wait; it expires with the candle that gave the signal."""
        if self.market.quote.best(Side.BUY) <= 0:
            return f"{self.market.spot.symbol} has no asks"
        proposed, terms = self._terms()
        wish = self._wish(proposed)
        room = float(min(terms.most, largest_stake(1, terms, self.capital, self.rules)))
        if proposed > 0:
            answer = self.asks.stake(float(proposed), float(terms.least), room, float(terms.leverage))
            if not answer or answer <= 0:
                return "the strategy's custom_stake_amount wants no entry"
            wish = replace(wish, stake=number(answer))
        stake, why = settle_stake(wish, terms, self.capital, self.rules)
        if why:
            return why
        margin = entry_margin(stake, wish.shown, terms, self.capital, self.rules.cross)
        price, leverage = number(self.market.price), terms.leverage
        return EntryPlan(
            terms.pair, stake * leverage / price, price, margin.quantize(CENT, ROUND_CEILING), stake, expires_at,
            leverage, terms.spot,
        )  # fmt: skip

    def _terms(self) -> tuple[Decimal, Terms]:
        """The stake before the strategy is asked, and the terms with the leverage that such a stake may have."""
        fixed = self._fixed()
        proposed = ZERO if fixed is None else fixed
        highest = self.market.highest_leverage(proposed)
        while True:
            leverage = min(max(self.asks.leverage(highest), 1.0), highest)
            # No slot's notional can be larger than its share, and a smaller one needs no more maintenance margin.
            terms = self.market.terms(leverage, proposed * number(leverage) or self.capital.free, self.slippage)
            if fixed is None:
                proposed = largest_stake(self.slots, terms, self.capital, self.rules)
            highest = self.market.highest_leverage(proposed)
            if leverage <= highest:
                return proposed, terms

    def _fixed(self) -> Decimal | None:
        stake = self.config["stake_amount"]
        return number(stake) if isinstance(stake, (int, float)) else None

    def _wish(self, proposed: Decimal) -> Wish:
        """Freqtrade wants to see a fixed stake in full, unless it may amend it."""
        if self._fixed() is None:
            return Wish(proposed, reducible_to=ZERO)
        if self.config.get("amend_last_stake_amount", False):
            return Wish(proposed, reducible_to=number(self.config.get("last_stake_amount_min_ratio", 0.5)))
        return Wish(proposed, shown=proposed)


def usual_hedge(
    config: Mapping[str, Any], settings: FundHedgeConfig, total: Decimal, slots: int, cross: bool
) -> tuple[Decimal, Decimal]:
    """Margin and spot cost of one hedge from `total` USDT, in a pair at the usual fee that allows any leverage."""
    transfer, margin = settings.transfer, settings.margin
    stress = same_for_all(margin.stress_move)
    rules = Rules(transfer.keep_usdt, transfer.min_usdt, stress, cross, margin.fund_entries)
    leverage = number(entry_leverage(settings, math.inf))
    fee = number(settings.carry.spot_fee)
    terms = Terms("", leverage, (ONE + settings.hedge.max_slippage) * (ONE + SPOT_DRIFT) / (ONE - fee), MARGIN_SLACK)
    nothing = FuturesAccount(ZERO, ZERO, ZERO)
    capital = bounded(config, Book((), ZERO, ZERO, ZERO), total, nothing, movable=True, pooled=False)
    fixed = config.get("stake_amount")
    stake = number(fixed) if isinstance(fixed, (int, float)) else largest_stake(slots, terms, capital, rules)
    return entry_margin(stake, ZERO, terms, capital, cross), stake * leverage * terms.spot
