"""KuCoin: classic accounts. Freqtrade has no KuCoin futures, so no bot gets here yet.

Source: KuCoin API documentation, "Get API Key Info", "Get Account - Futures", "Get Account Ledgers - Futures", "Flex
Transfer", "Get Account Mode".
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

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

TYPES = {Direction.SWEEP: "TransferOut", Direction.TOP_UP: "TransferIn"}
STATUS = {"completed": Evidence.APPLIED, "pending": Evidence.PENDING}
PAGE = 50


class KucoinAccount(CcxtAccount):
    """See `Account`. The transfer carries our key; the ledger that shows it does not."""

    # ccxt reports every new order as closed.
    answer_is_final = False
    futures_name = "contract"
    spot_name = "trade"
    _ips = ""

    def _is_unified(self) -> bool:
        mode = call(self._api, self._api.utaPrivateGetAccountMode)["data"].get("selfAccountMode")
        return bool(mode == "UNIFIED")

    def _route(self, unified: bool) -> None:
        for api in self._apis():
            api.options["uta"] = unified

    def _figures(self, positions: tuple[Position, ...], unified: bool) -> Figures:
        row: Row = call(self._futures, self._futures.futuresPrivateGetAccountOverview, {"currency": self._stake})[
            "data"
        ]
        wallet = decimal(row.get("accountEquity")) - decimal(row.get("unrealisedPNL"))
        free = decimal(row.get("availableBalance"))
        return wallet, free, decimal(row.get("maxWithdrawAmount", free))

    def _close_amount(self, contracts: Decimal) -> str | int:
        return int(contracts)

    def _move_margin(self, pair: str, change: Decimal) -> None:
        api, market, amount = self._futures, self._futures.market(pair)["id"], f"{abs(change):f}"
        if change > 0:
            request = {"symbol": market, "margin": amount, "bizNo": str(uuid.uuid4())}
            call(api, api.futuresPrivatePostPositionMarginDepositMargin, request)
        else:
            call(api, api.futuresPrivatePostMarginWithdrawMargin, {"symbol": market, "withdrawAmount": amount})

    def _close_params(self, pair: str) -> dict[str, Any]:
        return {"marginMode": "ISOLATED"}

    def _ledger(self, asset: str, since: float, kind: str = "") -> Iterable[Row]:
        request: dict[str, Any] = {"currency": asset, "startAt": int(since) * 1000, "maxCount": PAGE}
        if kind:
            request["type"] = kind
        for _ in range(PAGES):
            data = call(self._futures, self._futures.futuresPrivateGetTransactionHistory, dict(request))["data"]
            rows = data.get("dataList") or []
            yield from rows
            if not data.get("hasMore") or not rows:
                break
            request["offset"] = rows[-1]["offset"]

    def _history(self, direction: Direction, asset: str, since: float) -> Sequence[TransferRecord]:
        kind = TYPES[direction]
        return [_record(row, direction) for row in self._ledger(asset, since, kind) if row.get("type") == kind]

    def _flows(self, asset: str, since: float) -> Decimal:
        booked = [r for r in self._ledger(asset, since) if not str(r.get("type")).lower().startswith("transfer")]
        late = (row for row in booked if decimal(row.get("time")) >= Decimal(since) * 1000)
        return sum((decimal(row.get("amount")) for row in late), ZERO)

    def _reasons(self, unified: bool) -> Iterable[str]:
        info: Row = call(self._api, self._api.privateGetUserApiKey)["data"]
        self._ips = str(info.get("ipWhitelist") or "")
        granted = {part.strip() for part in str(info.get("permission")).split(",")}
        if unified:
            yield "KuCoin's unified account is not supported; switch the account to Classic"
        for names, what, switch in (
            ({"Spot", "Trade"}, "trade spot", "'Spot'"),
            ({"Futures"}, "trade futures", "'Futures'"),
            ({"Transfer", "InnerTransfer", "FlexTransfers"}, "move USDT between wallets", "'FlexTransfers'"),
        ):
            if not names & granted:
                yield lacks(what, switch)
        if {"Withdrawal", "Withdraw"} & granted:
            yield may_withdraw("'Withdrawal'")

    def advice(self) -> Sequence[str]:
        """See `CcxtAccount.advice`."""
        return () if self._ips else (NO_IP,)


def _record(row: Row, direction: Direction) -> TransferRecord:
    evidence = STATUS.get(str(row.get("status")).lower(), Evidence.PENDING)
    return record(row.get("offset"), direction, row.get("currency"), row.get("amount"), row["time"], evidence)
