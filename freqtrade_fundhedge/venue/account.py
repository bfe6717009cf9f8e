"""What differs between exchanges: wallet names, transfer history, the truly withdrawable amount, permissions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, Protocol

from freqtrade_fundhedge.errors import ConfigError
from freqtrade_fundhedge.venue.binance import BinanceAccount
from freqtrade_fundhedge.venue.bitget import BitgetAccount
from freqtrade_fundhedge.venue.bybit import BybitAccount
from freqtrade_fundhedge.venue.gate import GateAccount
from freqtrade_fundhedge.venue.hyperliquid import HyperliquidAccount
from freqtrade_fundhedge.venue.kucoin import KucoinAccount
from freqtrade_fundhedge.venue.okx import OkxAccount
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

    answer_is_final: bool
    untried: bool

    @property
    def separate_wallets(self) -> bool:
        """Whether spot and futures are two wallets, as the account itself says."""

    def route(self) -> None:
        """Find out what kind of account this is, before anything is sent for which ccxt has to know it."""

    def spot(self) -> dict[str, Decimal]:
        """Free amounts on spot by coin."""

    def futures(self) -> FuturesAccount:
        """Wallet, withdrawable amount and positions."""

    def order_key(self, intent: str) -> str:
        """The client order id of an intent."""

    def order(self, symbol: str, intent: str) -> dict[str, Any]:
        """The spot order of an intent. Raises NoSuchOrder."""

    def trades(self, symbol: str, order_id: str) -> list[dict[str, Any]]:
        """The trades of one spot order."""

    def wallets(self, direction: Direction) -> tuple[str, str]:
        """From and to, in ccxt's unified account names."""

    def history(self, direction: Direction, asset: str, since: float) -> Sequence[TransferRecord]:
        """All transfers of one direction since a time (seconds since 1970)."""

    def flows(self, asset: str, since: float) -> Decimal:
        """Realised P&L, commissions and funding booked since a time."""

    def refuse_reasons(self) -> Sequence[str]:
        """Why this key or account can't hedge."""

    def advice(self) -> Sequence[str]:
        """What a careful user would change or know, without which the bot starts all the same."""

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


ACCOUNTS: Final[dict[str, Callable[[Any, Any, str], Account]]] = {
    "binance": BinanceAccount,
    "bitget": BitgetAccount,
    "bybit": BybitAccount,
    "gate": GateAccount,
    "hyperliquid": HyperliquidAccount,
    "kucoin": KucoinAccount,
    "okx": OkxAccount,
}


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
