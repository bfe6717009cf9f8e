"""Hyperliquid: unified accounts only, in USDC.

A transfer between its classic wallets has no id in its answer and no key, and ccxt lists none: a lost answer could not
be settled, so a classic account is refused.

Source: Hyperliquid documentation, "Info endpoint" (userAbstraction, spotClearinghouseState, clearinghouseState,
orderStatus), "Exchange endpoint" (order, updateIsolatedMargin), "Margining".
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from freqtrade_fundhedge.venue.ccxt_account import CcxtAccount, Figures, Row
from freqtrade_fundhedge.venue.ccxt_call import call, decimal
from freqtrade_fundhedge.venue.port import Position

UNIFIED = frozenset({"unifiedAccount", "portfolioMargin"})


class HyperliquidAccount(CcxtAccount):
    """See `Account`. A wallet address and the private key of an API wallet stand for key and secret."""

    trades_by = ""
    closed_orders = "fetch_orders"

    def __init__(self, api: Any, futures_api: Any, stake: str) -> None:
        super().__init__(api, futures_api, stake)
        # Before its first order ccxt would sign two more actions: a fee for its builder, and a referrer.
        api.initialize_client = _nothing

    def _is_unified(self) -> bool:
        request = {"type": "userAbstraction", "user": self._api.walletAddress}
        answer = call(self._api, self._api.publicPostInfo, request)
        return str(answer).strip('"') in UNIFIED

    def _route(self, unified: bool) -> None:
        for api in self._apis():
            api.options["enableUnifiedMargin"] = unified

    def _figures(self, positions: tuple[Position, ...], unified: bool) -> Figures:
        balances = self._balance("spot").get("balances") or []
        row: Row = next((b for b in balances if b.get("coin") == self._stake), {})
        wallet = decimal(row.get("total"))
        free = wallet - decimal(row.get("hold"))
        return wallet, free, free

    def trades(self, symbol: str, order_id: str) -> list[dict[str, Any]]:
        """See `OrderLookup.trades`. ccxt maps UBTC to BTC everywhere but in the fee."""
        found = super().trades(symbol, order_id)
        for fee in (trade.get("fee") or {} for trade in found):
            fee["currency"] = self._api.update_spot_currency_code(fee.get("currency"))
        return [{**trade, "fees": None} for trade in found]

    def _move_margin(self, pair: str, change: Decimal) -> None:
        method = self._futures.add_margin if change > 0 else self._futures.reduce_margin
        call(self._futures, method, pair, f"{abs(change):f}")

    def _maintenance(self, raw: Row, notional: Decimal) -> Decimal:
        """Half of the initial margin at the pair's highest leverage."""
        highest = decimal(raw["info"]["position"].get("maxLeverage"))
        return notional / highest / 2 if highest else Decimal(0)

    def _close_price(self, pair: str) -> float | None:
        """A market order is a limit order as far from this price as ccxt's slippage allows."""
        book = call(self._futures, self._futures.fetch_order_book, pair)
        return float(book["asks"][0][0])

    def _reasons(self, unified: bool) -> Iterable[str]:
        if not unified:
            yield (
                "Hyperliquid's classic account is not supported: a transfer between its wallets could not be looked "
                "up; switch the account to Unified"
            )
        address = str(self._api.walletAddress or "").lower()
        signer = str(self._api.eth_get_address_from_private_key(self._api.privateKey)).lower()
        if signer == address:
            yield "exchange.privateKey: the wallet's own key may withdraw; make an API wallet and use its key"


def _nothing() -> bool:
    return True
