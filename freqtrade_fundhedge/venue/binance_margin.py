"""Binance: margin of one isolated position of USD-M futures.

ccxt's `add_margin` cuts the amount to the contract's lot, whole USDT for many pairs, and gives history as floats; so
the endpoints are called by their own names, with exact text.

Source: Binance API documentation, "Modify Isolated Position Margin", "Get Position Margin Change History".
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from freqtrade_fundhedge.errors import OutcomeUnknown
from freqtrade_fundhedge.venue.ccxt_call import call, decimal, resync_clock
from freqtrade_fundhedge.venue.port import MarginKind, MarginRecord

MARGIN_STEP = Decimal("0.00000001")
TYPES = {MarginKind.ADD: 1, MarginKind.REDUCE: 2}
HISTORY_ROWS = 500


def change_margin(api: Any, pair: str, kind: MarginKind, amount: Decimal) -> None:
    """`POST /fapi/v1/positionMargin`, once."""
    resync_clock(api)
    request = {"symbol": api.market(pair)["id"], "type": TYPES[kind], "amount": f"{amount:f}"}
    answer = call(api, api.fapiPrivatePostPositionMargin, request)
    if str(answer.get("code")) != "200":
        raise OutcomeUnknown(f"the answer to the margin of {pair} does not say that it was changed")


def margin_history(api: Any, pair: str, kind: MarginKind, since: float) -> Sequence[MarginRecord]:
    """`GET /fapi/v1/positionMargin/history` of one symbol; margin that trades took is left out."""
    resync_clock(api)
    request = {
        "symbol": api.market(pair)["id"], "type": TYPES[kind], "startTime": int(since * 1000), "limit": HISTORY_ROWS,
    }  # fmt: skip
    rows = call(api, api.fapiPrivateGetPositionMarginHistory, request)
    return [
        MarginRecord(kind, decimal(row.get("amount")), float(row["time"]) / 1000)
        for row in rows
        if row.get("deltaType") != "TRADE"
    ]
