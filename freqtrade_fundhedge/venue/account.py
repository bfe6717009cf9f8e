"""What differs between exchanges: wallet names, transfer history, the truly withdrawable amount, permissions."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Protocol

from freqtrade_fundhedge.errors import ConfigError
from freqtrade_fundhedge.venue.binance import BinanceAccount
from freqtrade_fundhedge.venue.port import (
    Direction,
    Evidence,
    FuturesAccount,
    MarginKind,
    MarginRecord,
    ShortEntry,
    TransferRecord,
)


class Account(Protocol):
    """The exchange-specific half of `LiveVenue`."""

    margin_step: Decimal
    """See `Venue.margin_step`."""

    def futures(self) -> FuturesAccount:
        """Wallet, withdrawable amount and positions."""

    def wallets(self, direction: Direction) -> tuple[str, str]:
        """From and to, in ccxt's unified account names."""

    def history(self, direction: Direction, asset: str, since: float) -> Sequence[TransferRecord]:
        """All transfers of one direction since a time (seconds since 1970)."""

    def flows(self, asset: str, since: float) -> Decimal:
        """Realised P&L, commissions and funding booked since a time."""

    def refuse_reasons(self) -> Sequence[str]:
        """Why this key or account can't hedge."""

    def entries(self, pair: str, since: float) -> Sequence[ShortEntry]:
        """Orders that sold a perpetual since a time."""

    def close_short(self, pair: str, quantity: Decimal, client_id: str) -> Decimal:
        """Buy back once, reduce-only; returns the quantity filled."""

    def find_close(self, pair: str, client_id: str) -> tuple[Evidence, Decimal]:
        """What became of a close, and the quantity filled."""

    def change_margin(self, pair: str, kind: MarginKind, amount: Decimal) -> None:
        """Move margin into or out of an isolated position, once."""

    def margin_history(self, pair: str, kind: MarginKind, since: float) -> Sequence[MarginRecord]:
        """Changes of an isolated position's margin since a time."""


ACCOUNTS: dict[str, type[BinanceAccount]] = {"binance": BinanceAccount}


def account_for(api: Any, futures_api: Any, stake: str) -> Account:
    """The account kind of an exchange.

    Raises
    ------
    ConfigError : the exchange is not supported
    """
    kind = ACCOUNTS.get(str(api.id))
    if kind is None:
        raise ConfigError(
            f"exchange.name: {api.id} is not supported for live hedging; supported: {', '.join(ACCOUNTS)}"
        )
    return kind(api, futures_api, stake)
