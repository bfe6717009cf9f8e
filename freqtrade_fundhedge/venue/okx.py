"""OKX: one trading account for spot and futures.

Source: OKX API documentation V5, "Get balance", "Get positions", "Get account configuration", "Increase/decrease
margin".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from freqtrade_fundhedge.venue.ccxt_account import (
    NO_IP,
    CcxtAccount,
    Figures,
    Row,
    hedge_mode,
    lacks,
    may_withdraw,
)
from freqtrade_fundhedge.venue.ccxt_call import call, decimal
from freqtrade_fundhedge.venue.port import Position


class OkxAccount(CcxtAccount):
    """See `Account`. USDT in the funding account is not seen: it is the user's to move."""

    trades_by = "ordId"
    _ip = ""

    def _positions_params(self) -> dict[str, Any]:
        return {"instType": "SWAP"}

    def _figures(self, positions: tuple[Position, ...], unified: bool) -> Figures:
        details = (self._balance("trading").get("data") or [{}])[0].get("details") or []
        row: Row = next((d for d in details if d.get("ccy") == self._stake), {})
        # Empty where the account level does not know the one or the other.
        free = min((decimal(row[name]) for name in ("availEq", "availBal") if row.get(name)), default=decimal(None))
        return decimal(row.get("cashBal")), free, free

    def _close_params(self, pair: str) -> dict[str, Any]:
        return {"tdMode": "isolated"}

    def _move_margin(self, pair: str, change: Decimal) -> None:
        request = {"instId": self._futures.market(pair)["id"], "posSide": "net", "amt": f"{abs(change):f}"}
        request["type"] = "add" if change > 0 else "reduce"
        call(self._futures, self._futures.privatePostAccountPositionMarginBalance, request)

    def _reasons(self, unified: bool) -> Iterable[str]:
        config: Row = call(self._api, self._api.privateGetAccountConfig)["data"][0]
        self._ip = str(config.get("ip") or "")
        granted = str(config.get("perm")).split(",")
        if "trade" not in granted:
            yield lacks("trade", "'Trade'")
        if "withdraw" in granted:
            yield may_withdraw("'Withdraw'")
        if str(config.get("acctLv")) == "1":
            yield "the account is in Spot mode and can't trade futures; switch Account mode to Futures mode"
        if config.get("posMode") != "net_mode":
            yield hedge_mode("Position mode")

    def advice(self) -> Sequence[str]:
        """See `CcxtAccount.advice`."""
        return () if self._ip else (NO_IP,)
