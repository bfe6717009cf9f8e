"""Bybit: unified trading accounts, and the classic ones that are left.

Source: Bybit API documentation V5, "Get Wallet Balance", "Get Position Info", "Get API Key Information", "Get Account
Info", "Get Internal Transfer Records", "Get Open & Closed Orders", "Add Or Reduce Margin", "Get Transaction Log".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from freqtrade_fundhedge.errors import NoSuchOrder
from freqtrade_fundhedge.venue.ccxt_account import (
    NO_IP,
    PAGES,
    CcxtAccount,
    Figures,
    Row,
    lacks,
    may_withdraw,
    record,
)
from freqtrade_fundhedge.venue.ccxt_call import call, decimal
from freqtrade_fundhedge.venue.port import ZERO, Direction, Evidence, Position, TransferRecord

STATUS = {"SUCCESS": Evidence.APPLIED, "PENDING": Evidence.PENDING, "FAILED": Evidence.FAILED}
SIDES = {("CONTRACT", "SPOT"): Direction.SWEEP, ("SPOT", "CONTRACT"): Direction.TOP_UP}
PAGE = 50


class BybitAccount(CcxtAccount):
    """See `Account`."""

    closed_orders = "fetch_canceled_and_closed_orders"
    _ips: Sequence[str] = ("*",)

    def _is_unified(self) -> bool:
        return str(self._key_info().get("uta")) == "1"

    def _route(self, unified: bool) -> None:
        for api in self._apis():
            api.options["enableUnifiedMargin"], api.options["enableUnifiedAccount"] = False, unified

    def _key_info(self) -> Row:
        info: Row = call(self._api, self._api.privateGetV5UserQueryApi)["result"]
        return info

    def _positions_params(self) -> dict[str, Any]:
        return {"type": "swap", "subType": "linear", "settleCoin": self._stake}

    def _is_isolated(self, raw: Row) -> bool:
        # The mode is the unified account's own, and the start refused any other.
        return self.unified or str(raw["info"].get("tradeMode")) == "1"

    def _figures(self, positions: tuple[Position, ...], unified: bool) -> Figures:
        coins = self._balance("swap")["result"]["list"][0]["coin"]
        row: Row = next((c for c in coins if c.get("coin") == self._stake), {})
        if not unified:
            free = decimal(row.get("availableToWithdraw"))
            return decimal(row.get("walletBalance")), free, free
        wallet = decimal(row.get("walletBalance")) - decimal(row.get("spotBorrow"))
        taken = ("totalPositionIM", "totalOrderIM", "locked", "bonus")
        free = wallet - sum((decimal(row.get(name)) for name in taken), ZERO)
        # Margin that was added to a position is not in the sum of initial margins.
        free -= sum((max(ZERO, (p.isolated_margin or ZERO) - p.initial_margin) for p in positions), ZERO)
        return wallet, free, free

    def _find(self, api: Any, symbol: str, intent: str) -> dict[str, Any]:
        """Recent orders first; after a restart of the exchange's only the history has those that are over."""
        market = api.market(symbol)
        category = "spot" if market["spot"] else "linear"
        wanted = {"category": category, "symbol": market["id"], "orderLinkId": self.order_key(intent)}
        for method in (api.privateGetV5OrderRealtime, api.privateGetV5OrderHistory):
            rows = call(api, method, dict(wanted))["result"].get("list") or []
            if rows:
                found: dict[str, Any] = api.parse_order(rows[0], market)
                return found
        raise NoSuchOrder(f"bybit does not know the order {wanted['orderLinkId']}")

    def _close_params(self, pair: str) -> dict[str, Any]:
        return {"positionIdx": 0}

    def _move_margin(self, pair: str, change: Decimal) -> None:
        # ccxt has no unified call for it; Bybit takes four decimals
        request = {"category": "linear", "symbol": self._futures.market(pair)["id"], "margin": f"{change:.4f}"}
        call(self._futures, self._futures.privatePostV5PositionAddMargin, {**request, "positionIdx": 0})

    def _pages(self, api: Any, method: Any, request: dict[str, Any]) -> Iterator[Row]:
        cursor = ""
        for _ in range(PAGES):
            more = {"cursor": cursor} if cursor else {}
            result = call(api, method, {**request, "limit": PAGE, **more})["result"]
            yield from result.get("list") or []
            cursor = result.get("nextPageCursor") or ""
            if not cursor or len(result.get("list") or []) < PAGE:
                break

    def _history(self, direction: Direction, asset: str, since: float) -> Sequence[TransferRecord]:
        request = {"coin": asset, "startTime": int(since) * 1000}
        rows = self._pages(self._api, self._api.privateGetV5AssetTransferQueryInterTransferList, request)
        return [_record(r, side) for r in rows if (side := SIDES.get((r["fromAccountType"], r["toAccountType"])))]

    def _flows(self, asset: str, since: float) -> Decimal:
        request = {"currency": asset, "startTime": int(since * 1000)}
        rows = self._pages(self._futures, self._futures.privateGetV5AccountContractTransactionLog, request)
        kept = (r for r in rows if not str(r.get("type")).startswith("TRANSFER"))
        return sum((decimal(r.get("change")) for r in kept), ZERO)

    def _reasons(self, unified: bool) -> Iterable[str]:
        info = self._key_info()
        self._ips = info.get("ips") or ("*",)
        granted: Row = info.get("permissions") or {}
        if str(info.get("readOnly")) != "0":
            yield lacks("write", "'Read-Write'")
        if not {"Order", "Position"} <= set(granted.get("ContractTrade") or ()):
            yield lacks("trade futures", "'Contract - Orders' and 'Contract - Positions'")
        if "SpotTrade" not in (granted.get("Spot") or ()):
            yield lacks("trade spot", "'SPOT - Trade'")
        if not unified and "AccountTransfer" not in (granted.get("Wallet") or ()):
            yield lacks("move USDT between wallets", "'Wallet - Account Transfer'")
        if "Withdraw" in (granted.get("Wallet") or ()):
            yield may_withdraw("'Wallet - Withdrawal'")
        if unified:
            mode = call(self._api, self._api.privateGetV5AccountInfo)["result"].get("marginMode")
            if mode != "ISOLATED_MARGIN":
                yield f"the unified account is in {mode}; switch its Margin Mode to Isolated Margin, as Freqtrade does"

    def advice(self) -> Sequence[str]:
        """See `CcxtAccount.advice`."""
        return (NO_IP,) if "*" in self._ips else ()


def _record(row: Row, direction: Direction) -> TransferRecord:
    own = str(row.get("transferId")).removeprefix("selfTransfer_")
    evidence = STATUS.get(str(row.get("status")), Evidence.PENDING)
    return record(row.get("transferId"), direction, row.get("coin"), row.get("amount"), row["timestamp"], evidence, own)
