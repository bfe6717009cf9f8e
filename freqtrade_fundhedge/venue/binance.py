"""Binance: spot and USD-M futures wallets of one account.

Source: Binance API documentation, "User Universal Transfer", "Account Information V3", "Get Income History",
"Get API Key Permission".
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from freqtrade_fundhedge.core.account_checks import AccountFacts, fitness
from freqtrade_fundhedge.core.checks import Verdict
from freqtrade_fundhedge.venue import binance_margin
from freqtrade_fundhedge.venue.ccxt_call import call, decimal, resync_clock
from freqtrade_fundhedge.venue.facts import account_facts
from freqtrade_fundhedge.venue.income_pages import income_lines
from freqtrade_fundhedge.venue.lookup import OrderLookup
from freqtrade_fundhedge.venue.port import (
    ZERO,
    Direction,
    Evidence,
    FuturesAccount,
    MarginKind,
    MarginRecord,
    Position,
    ShortEntry,
    TransferRecord,
)

WALLETS = {Direction.SWEEP: ("swap", "spot"), Direction.TOP_UP: ("spot", "swap")}
TYPES = {Direction.SWEEP: "UMFUTURE_MAIN", Direction.TOP_UP: "MAIN_UMFUTURE"}
STATUS = {"CONFIRMED": Evidence.APPLIED, "PENDING": Evidence.PENDING, "FAILED": Evidence.FAILED}
HISTORY_PAGE = 100
PAGES = 50


class BinanceAccount(OrderLookup):
    """See `Account`. Binance takes no client key on a transfer: amounts carry the mark instead."""

    margin_step = binance_margin.MARGIN_STEP
    separate_wallets = True
    untried = False

    def __init__(self, api: Any, futures_api: Any, stake: str) -> None:
        self._api = api
        self._futures = futures_api
        self._stake = stake

    def futures(self) -> FuturesAccount:
        """One request: `GET /fapi/v3/account` has balances and positions."""
        resync_clock(self._futures)
        info = call(self._futures, self._futures.fapiPrivateV3GetAccount)
        asset: dict[str, Any] = next((a for a in info.get("assets", []) if a.get("asset") == self._stake), {})
        positions = tuple(self._position(p) for p in info.get("positions", []) if decimal(p.get("positionAmt")))
        return FuturesAccount(
            wallet=decimal(asset.get("walletBalance")),
            free=decimal(asset.get("availableBalance")),
            withdrawable=decimal(asset.get("maxWithdrawAmount")),
            positions=positions,
        )

    def _position(self, raw: dict[str, Any]) -> Position:
        amount = decimal(raw["positionAmt"])
        return Position(
            pair=str(self._futures.safe_symbol(raw["symbol"], None, None, "swap")),
            quantity=abs(amount),
            notional=abs(decimal(raw.get("notional"))),
            initial_margin=decimal(raw.get("initialMargin")),
            maintenance_margin=decimal(raw.get("maintMargin")),
            unrealised=decimal(raw.get("unrealizedProfit")),
            is_short=amount < 0,
            isolated_margin=decimal(raw.get("isolatedWallet")) or None,
        )

    def wallets(self, direction: Direction) -> tuple[str, str]:
        """Never 'future': ccxt takes that for an isolated-margin symbol."""
        return WALLETS[direction]

    def history(self, direction: Direction, asset: str, since: float) -> Sequence[TransferRecord]:
        """Page by page; time-stamps are whole seconds, so the start is rounded down."""
        records: list[TransferRecord] = []
        for page in range(1, PAGES + 1):
            rows = call(
                self._api,
                self._api.fetch_transfers,
                asset,
                int(since) * 1000,
                HISTORY_PAGE,
                {"type": TYPES[direction], "current": page},
            )
            records.extend(_record(row, direction) for row in rows)
            if len(rows) < HISTORY_PAGE:
                break
        return [record for record in records if record.asset == asset]

    def flows(self, asset: str, since: float) -> Decimal:
        """Income history without transfers, `GET /fapi/v1/income`."""
        lines = income_lines(self._futures, since)
        own = (row for row in lines if row.get("asset") == asset and row.get("incomeType") != "TRANSFER")
        return sum((decimal(row.get("income")) for row in own), ZERO)

    def refuse_reasons(self) -> Sequence[str]:
        """Key permissions and position mode; the asset mode is Freqtrade's to refuse."""
        facts = account_facts(self._api, self._futures) or AccountFacts()
        return [f.line for f in fitness(facts, "cross", time.time()) if f.verdict is Verdict.FAIL]

    def advice(self) -> Sequence[str]:
        """Nothing that the permissions did not say."""
        return ()

    def entries(self, pair: str, since: float) -> Sequence[ShortEntry]:
        """`GET /fapi/v1/allOrders` of one symbol."""
        rows = call(self._futures, self._futures.fetch_orders, pair, int(since * 1000), None, {"subType": "linear"})
        return [
            ShortEntry(decimal(row.get("amount")), decimal(row.get("filled")), float(row["timestamp"]) / 1000)
            for row in rows
            if row.get("side") == "sell" and not row.get("reduceOnly")
        ]

    def change_margin(self, pair: str, kind: MarginKind, amount: Decimal) -> None:
        """See `binance_margin`."""
        binance_margin.change_margin(self._futures, pair, kind, amount)

    def margin_history(self, pair: str, kind: MarginKind, since: float) -> Sequence[MarginRecord]:
        """See `binance_margin`."""
        return binance_margin.margin_history(self._futures, pair, kind, since)


def _record(row: dict[str, Any], direction: Direction) -> TransferRecord:
    info = row.get("info") or {}
    return TransferRecord(
        exchange_id=str(row.get("id")),
        direction=direction,
        asset=str(row.get("currency")),
        # ccxt's float would be good to 15 digits; the exchange's own text is exact
        amount=decimal(info.get("amount", row.get("amount"))),
        at=float(row.get("timestamp") or 0) / 1000,
        evidence=STATUS.get(str(info.get("status")), Evidence.PENDING),
    )
