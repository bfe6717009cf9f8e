"""Freqtrade's trades and dry-run wallet as plain values; duck-typed, so that nothing here imports Freqtrade."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.journal_rows import HedgeRow, epoch
from freqtrade_fundhedge.venue.port import ZERO, FuturesAccount, Position

SAME_TRADE_S = 2.0
# Each loop reads all trades, of which hardly any has changed.
NUMBERS_KEPT = 8192


@lru_cache(NUMBERS_KEPT, typed=True)
def number(value: Hashable) -> Decimal:
    """A float of Freqtrade's as the shortest decimal that stands for it; None is 0."""
    return Decimal(str(value)) if value is not None else ZERO


@lru_cache(NUMBERS_KEPT, typed=True)
def money(value: Hashable) -> Decimal:
    """The same, without the dust that float arithmetic leaves behind the eighth digit."""
    return round(number(value), 8)


def short_leg(trade: Any) -> ShortLeg:
    """A trade of Freqtrade's as it is now, partial fills of open orders included."""
    entered = waiting = exited = sold = bought = ZERO
    heard: dict[str, Decimal] = {}
    for order in trade.orders:
        filled = heard[str(order.order_id)] = number(order.filled)
        if order.ft_order_side == trade.entry_side:
            entered += filled
            sold += filled * number(order.safe_price) if filled else ZERO
            if order.ft_is_open:
                waiting += max(ZERO, number(order.amount) - filled)
        else:
            exited += filled
            bought += filled * number(order.safe_price) if filled else ZERO
    is_open = bool(trade.is_open)
    held = max(ZERO, entered - exited) if is_open else ZERO
    stake = money(trade.stake_amount)
    return ShortLeg(
        trade_id=int(trade.id),
        pair=str(trade.pair),
        opened_at=trade.open_date_utc.timestamp(),
        filled=held,
        reachable=held + waiting if is_open else ZERO,
        is_open=is_open,
        stake_in=max(money(trade.max_stake_amount), stake),
        stake_left=stake if is_open else ZERO,
        realised=money(trade.realized_profit),
        funding=money(trade.funding_fees),
        entered=entered,
        sold=sold,
        bought=bought,
        fees=number(trade.fee_open) * sold + number(trade.fee_close) * bought,
        heard=heard,
    )


def legs_of_bot(
    open_trades: Iterable[Any], hedges: Sequence[HedgeRow], by_ids: Callable[[Sequence[int]], Iterable[Any]]
) -> list[ShortLeg]:
    """Open shorts, and the closed trades of hedges that are not finished yet.

    Parameters
    ----------
    open_trades : Freqtrade's open trades
    hedges : unsettled hedges of the journal
    by_ids : looks trades up by their ids, open or not
    """
    legs = {leg.trade_id: leg for leg in (short_leg(t) for t in open_trades if t.is_short)}
    missing = [hedge.trade_id for hedge in hedges if hedge.trade_id not in legs]
    found = [short_leg(t) for t in by_ids(missing)] if missing else []
    for hedge in hedges:
        for leg in found:
            # Ids start again when a user begins a new database; the opening time tells two trades apart.
            same_time = abs(leg.opened_at - epoch(hedge.opened_at)) < SAME_TRADE_S
            if leg.trade_id == hedge.trade_id and leg.pair == hedge.pair and same_time:
                legs[leg.trade_id] = leg
    return list(legs.values())


class FreqtradeWallet:
    """Freqtrade's dry-run wallet as the futures side of the paper venue.

    Freqtrade computes it from the configured start and the trades; what paper transfers moved is added to that start,
    so that its free amount, its stakes and its `/balance` agree with ours.
    """

    def __init__(self, wallets: Any, stake: str, open_trades: Callable[[], Iterable[Any]]) -> None:
        self._wallets = wallets
        self._stake = stake
        self._open_trades = open_trades
        wallets._start_cap = dict(wallets._start_cap)
        self._first = number(wallets._start_cap.get(stake, 0))

    def account(self) -> FuturesAccount:
        """See `PaperFutures.account`."""
        self._wallets.update()
        free = money(self._wallets.get_free(self._stake))
        positions = tuple(_paper_position(t) for t in self._open_trades() if t.is_short)
        return FuturesAccount(
            wallet=money(self._wallets.get_total(self._stake)),
            free=free,
            withdrawable=max(ZERO, free),
            positions=tuple(p for p in positions if p.quantity > 0),
        )

    def set_transferred(self, net: Decimal) -> None:
        """See `PaperFutures.set_transferred`."""
        self._wallets._start_cap[self._stake] = float(self._first + net)
        self._wallets.update()


def _paper_position(trade: Any) -> Position:
    leg = short_leg(trade)
    notional = leg.filled * number(trade.open_rate)
    return Position(leg.pair, leg.filled, notional, leg.stake_left, ZERO, ZERO, isolated_margin=leg.stake_left)
