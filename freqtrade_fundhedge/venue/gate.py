"""Gate: unified and classic accounts.

A classic account's transfers carry no key and have no list of their own; the futures wallet's ledger books each as
`dnw` with the exact amount, and that is where they are looked up.

Source: Gate API v4 documentation, "Query mode of the unified account", "Get unified account information", "Get futures
account", "Query futures account change history", "Query All Main Account Key Information", "Retrieve user account
information", "Update position margin".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from freqtrade_fundhedge.errors import Denied, NoSuchOrder
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

LEDGER_PAGE = 1000
ORDERS_PAGE = 100
FLOWS = frozenset({"pnl", "fee", "fund", "refr", "bonus_offset"})
UNREADABLE = "exchange.key: Gate does not let this key see its own permissions; check by hand that it can't withdraw"


class GateAccount(CcxtAccount):
    """See `Account`."""

    trades_by = "order_id"
    _ips: Sequence[str] = ()
    _keys_hidden = False

    @property
    def _settle(self) -> dict[str, str]:
        return {"settle": self._stake.lower()}

    def _is_unified(self) -> bool:
        mode = call(self._api, self._api.privateUnifiedGetUnifiedMode).get("mode")
        return mode in {"single_currency", "multi_currency", "portfolio"}

    def _route(self, unified: bool) -> None:
        for api in self._apis():
            api.options["unifiedAccount"] = unified

    def _positions_params(self) -> dict[str, Any]:
        return {"type": "swap", "holding": True, **self._settle}

    def _figures(self, positions: tuple[Position, ...], unified: bool) -> Figures:
        if unified:
            accounts = call(self._futures, self._futures.privateUnifiedGetAccounts, {"currency": self._stake})
            row: Row = (accounts.get("balances") or {}).get(self._stake, {})
            wallet = decimal(row.get("cross_balance")) + decimal(row.get("iso_balance")) or decimal(row.get("equity"))
            free = decimal(row.get("available"))
            return wallet, free, free
        row = call(self._futures, self._futures.privateFuturesGetSettleAccounts, self._settle)
        free = decimal(row.get("available"))
        return decimal(row.get("total")), free, free - decimal(row.get("bonus"))

    def _find(self, api: Any, symbol: str, intent: str) -> dict[str, Any]:
        """By our id for an hour after its end, then among the newest that are over."""
        try:
            return super()._find(api, symbol, intent)
        except NoSuchOrder:
            mine = f"t-{self.order_key(intent)}"
            rows = call(api, api.fetch_closed_orders, symbol, None, ORDERS_PAGE)
            found: dict[str, Any] | None = next((row for row in rows if row.get("clientOrderId") == mine), None)
            if found is None:
                raise
            return found

    def _move_margin(self, pair: str, change: Decimal) -> None:
        request = {**self._settle, "contract": self._futures.market(pair)["id"], "change": f"{change:f}"}
        call(self._futures, self._futures.privateFuturesPostSettlePositionsContractMargin, request)

    def _ledger(self, since: float, kind: str = "") -> Iterable[Row]:
        request: dict[str, Any] = {**self._settle, "from": int(since), "limit": LEDGER_PAGE}
        if kind:
            request["type"] = kind
        for page in range(PAGES):
            request["offset"] = page * LEDGER_PAGE
            rows = call(self._futures, self._futures.privateFuturesGetSettleAccountBook, dict(request))
            yield from rows
            if len(rows) < LEDGER_PAGE:
                break

    def _history(self, direction: Direction, asset: str, since: float) -> Sequence[TransferRecord]:
        return [_record(row, self._stake) for row in self._ledger(since, "dnw") if row.get("type") == "dnw"]

    def _flows(self, asset: str, since: float) -> Decimal:
        booked = (row for row in self._ledger(since) if row.get("type") in FLOWS and decimal(row.get("time")) >= since)
        return sum((decimal(row.get("change")) for row in booked), ZERO)

    def _reasons(self, unified: bool) -> Iterable[str]:
        detail: Row = call(self._api, self._api.privateAccountGetDetail)
        self._ips = detail.get("ip_whitelist") or ()
        rights = self._rights()
        self._keys_hidden = rights is None
        if rights is not None:
            wanted = {"spot": "trade spot", "futures": "trade futures"}
            wanted |= {} if unified else {"wallet": "move USDT between wallets"}
            for name, what in wanted.items():
                if not rights.get(name):
                    yield lacks(what, f"'{name}' with Read And Write")
            if any("withdraw" in name for name in rights):
                yield may_withdraw("'Withdraw'")
        futures: Row = call(self._futures, self._futures.privateFuturesGetSettleAccounts, self._settle)
        if str(futures.get("in_dual_mode")).lower() == "true" or futures.get("position_mode") in {"dual", "split"}:
            yield hedge_mode("Position Mode")

    def _rights(self) -> Mapping[str, bool] | None:
        """Whether each permission of our key may write; None when the exchange does not tell which key is ours."""
        try:
            answer = call(self._api, self._api.privateAccountGetMainKeys)
        except Denied:
            return None
        keys: list[Row] = answer if isinstance(answer, list) else [answer]
        mine = [k for k in keys if str(self._api.apiKey).startswith(str(k.get("key") or "").partition("*")[0])]
        if len(mine) != 1:
            return None
        return {str(p.get("name")): not p.get("read_only") for p in mine[0].get("perms") or ()}

    def advice(self) -> Sequence[str]:
        """See `CcxtAccount.advice`."""
        return [line for line, wanted in ((NO_IP, not self._ips), (UNREADABLE, self._keys_hidden)) if wanted]


def _record(row: Row, asset: str) -> TransferRecord:
    direction = Direction.TOP_UP if decimal(row.get("change")) > 0 else Direction.SWEEP
    ms = decimal(row.get("time")) * 1000
    # The ledger's ids are small numbers that only this ledger counts.
    exchange_id = f"{row.get('id') or row.get('time')}:{row.get('change')}"
    return record(exchange_id, direction, asset, row.get("change"), ms, Evidence.APPLIED)
