"""Bitget: unified (UTA) and classic accounts.

Source: Bitget API documentation, "Get Account Settings", "Get Account Info", "Get Account Assets" (V3); "Get Account
List", "Get Account Information", "Get Transfer Record", "Get Account Bills" (V2).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from freqtrade_fundhedge.errors import BackOff, NotSent, OutcomeUnknown, VenueError
from freqtrade_fundhedge.venue.ccxt_account import (
    NO_IP,
    PAGES,
    CcxtAccount,
    Figures,
    Row,
    hedge_mode,
    lacks,
    may_withdraw,
    record,
)
from freqtrade_fundhedge.venue.ccxt_call import call, decimal
from freqtrade_fundhedge.venue.port import ZERO, Direction, Evidence, Position, TransferRecord

STATUS = {"successful": Evidence.APPLIED, "processing": Evidence.PENDING, "failed": Evidence.FAILED}
TYPES = {Direction.SWEEP: ("usdt_futures", "spot"), Direction.TOP_UP: ("spot", "usdt_futures")}
HISTORY_PAGE = 500
BILLS_PAGE = 100


class BitgetAccount(CcxtAccount):
    """See `Account`."""

    _ips = ""

    def _is_unified(self) -> bool:
        """Answered by the one kind of account, refused with a code by the other; anything else is no answer."""
        try:
            call(self._api, self._api.privateUtaGetV3AccountSettings)
        except (NotSent, BackOff):
            raise
        except VenueError as error:
            if isinstance(error, OutcomeUnknown) and not error.code:
                raise
            # A classic account's own answer is the proof.
            call(self._api, self._api.privateSpotGetV2SpotAccountInfo)
            return False
        return True

    def _route(self, unified: bool) -> None:
        for api in self._apis():
            api.options["uta"] = unified

    def _positions_params(self) -> dict[str, Any]:
        return {"productType": f"{self._stake}-FUTURES"}

    def _figures(self, positions: tuple[Position, ...], unified: bool) -> Figures:
        product = {"type": "swap", "productType": f"{self._stake}-FUTURES"}
        info: Any = call(self._futures, self._futures.fetch_balance, {} if unified else product)["info"]
        if unified:
            row = _of_coin((info.get("data") or {}).get("assets") or [], "coin", self._stake)
            free = decimal(row.get("available"))
            return decimal(row.get("balance")), free, free
        row = _of_coin(info, "marginCoin", self._stake)
        wallet = decimal(row.get("accountEquity")) - sum((p.unrealised for p in positions), ZERO)
        free = min(decimal(row.get("available")), decimal(row.get("isolatedMaxAvailable")))
        return wallet, free, decimal(row.get("maxTransferOut"))

    def trades(self, symbol: str, order_id: str) -> list[dict[str, Any]]:
        """See `OrderLookup.trades`."""
        params = {"orderId": order_id, **({"category": "SPOT"} if self.unified else {})}
        found: list[dict[str, Any]] = call(self._api, self._api.fetch_my_trades, symbol, None, None, params)
        mine = [trade for trade in found if str(trade.get("order")) == order_id]
        for fee in (trade.get("fee") or {} for trade in mine):
            # A unified account's fills say what was paid as a positive number, which ccxt takes for a rebate.
            fee["cost"] = abs(decimal(fee.get("cost")))
        return [{**trade, "fees": None} for trade in mine]

    def _close_params(self, pair: str) -> dict[str, Any]:
        return {"marginMode": "isolated"}

    def _move_margin(self, pair: str, change: Decimal) -> None:
        # ccxt knows only the classic request, and rounds the amount as if it were a quantity
        request: dict[str, Any] = {"symbol": self._futures.market(pair)["id"], "amount": f"{change:f}"}
        if self.unified:
            request |= {"category": f"{self._stake}-FUTURES", "posSide": "short", "amount": f"{abs(change):f}"}
            request["operation"] = "add" if change > 0 else "remove"
            call(self._futures, self._futures.privateUtaPostV3AccountSetMargin, request)
        else:
            request |= {"productType": f"{self._stake}-FUTURES", "marginCoin": self._stake, "holdSide": "short"}
            call(self._futures, self._futures.privateMixPostV2MixAccountSetMargin, request)

    def _history(self, direction: Direction, asset: str, since: float) -> Sequence[TransferRecord]:
        source, target = TYPES[direction]
        request = {"coin": asset, "fromType": source, "startTime": int(since) * 1000, "limit": HISTORY_PAGE}
        rows: list[Row] = []
        for page in range(1, PAGES + 1):
            found = call(self._api, self._api.privateSpotGetV2SpotAccountTransferRecords, {**request, "pageNum": page})
            rows.extend(found.get("data") or [])
            if len(found.get("data") or []) < HISTORY_PAGE:
                break
        return [_record(row, direction) for row in rows if row.get("toType") == target]

    def _flows(self, asset: str, since: float) -> Decimal:
        request: dict[str, Any] = {"productType": f"{self._stake}-FUTURES", "onlyFunding": "yes", "limit": BILLS_PAGE}
        total, last = ZERO, ""
        for _ in range(PAGES):
            more = {"idLessThan": last} if last else {}
            request["startTime"] = int(since * 1000)
            data = call(self._futures, self._futures.privateMixGetV2MixAccountBill, {**request, **more})["data"]
            bills = data.get("bills") or []
            kept = (b for b in bills if b.get("coin") == asset and not str(b.get("businessType")).startswith("trans_"))
            total += sum((decimal(b.get("amount")) + decimal(b.get("fee")) for b in kept), ZERO)
            last = str(data.get("endId") or "")
            if len(bills) < BILLS_PAGE or not last:
                break
        return total

    def _reasons(self, unified: bool) -> Iterable[str]:
        return self._unified_reasons() if unified else self._classic_reasons()

    def _unified_reasons(self) -> Iterable[str]:
        info: Row = call(self._api, self._api.privateUtaGetV3AccountInfo)["data"]
        self._ips = str(info.get("ips") or "")
        granted = set(info.get("permissions") or ())
        if "write" not in str(info.get("permType")):
            yield lacks("write", "'Read-Write'")
        if not {"uta_trade", "uta_mgt"} <= granted:
            yield lacks("trade", "'Unified account - Trade' and 'Unified account - Management'")
        if "withdraw" in granted:
            yield may_withdraw("'Withdrawal'")
        settings: Row = call(self._api, self._api.privateUtaGetV3AccountSettings)["data"]
        if settings.get("holdMode") != "one_way_mode":
            yield hedge_mode("Position Mode")

    def _classic_reasons(self) -> Iterable[str]:
        info: Row = call(self._api, self._api.privateSpotGetV2SpotAccountInfo)["data"]
        self._ips = str(info.get("ips") or "")
        granted = set(info.get("authorities") or ())
        for rights, what, switch in (
            ({"coow", "cpow"}, "trade futures", "'Futures - Orders' and 'Futures - Holdings'"),
            ({"stow"}, "trade spot", "'Spot - Trade'"),
            ({"wtow"}, "move USDT between wallets", "'Wallet - Transfer'"),
        ):
            if not rights <= granted:
                yield lacks(what, switch)
        if "wwow" in granted:
            yield may_withdraw("'Wallet - Withdrawal'")

    def advice(self) -> Sequence[str]:
        """See `CcxtAccount.advice`."""
        return () if self._ips else (NO_IP,)


def _of_coin(rows: Iterable[Row], name: str, coin: str) -> Row:
    return next((row for row in rows if row.get(name) == coin), {})


def _record(row: Row, direction: Direction) -> TransferRecord:
    evidence = STATUS.get(str(row.get("status")).lower(), Evidence.PENDING)
    coin = str(row.get("coin")).upper()
    return record(row.get("transferId"), direction, coin, row.get("size"), row["ts"], evidence, row.get("clientOid"))
