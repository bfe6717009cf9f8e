"""Whether markets trade, may only be reduced, or are announced to end.

Source: Binance API documentation, "Exchange Information" (spot and USD-M futures) and "Get Spot Delist Schedule";
elsewhere ccxt's unified `active` of the loaded markets, which is as old as Freqtrade's last reload.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from freqtrade_fundhedge.errors import BackOff, Rejected
from freqtrade_fundhedge.venue.ccxt_call import call
from freqtrade_fundhedge.venue.perpetuals import PerpState

# What a perpetual without an end has for a delivery date.
ENDLESS_MS = 4_133_404_800_000
SIDES_THAT_LET_A_SHORT_GROW = {"NONE", "LONG"}


def perp_states(api: Any, pairs: Collection[str]) -> dict[str, PerpState]:
    """States of perpetuals by pair; a pair that the venue no longer lists takes no orders."""
    rows = {pair: api.markets.get(pair, {}) for pair in pairs}
    if not _is_binance(api):
        return {pair: PerpState(opens=_active(row), closes=_active(row)) for pair, row in rows.items()}
    listed = {row["symbol"]: row for row in call(api, api.fapiPublicGetExchangeInfo)["symbols"]}
    return {pair: _perp_state(listed.get(row.get("id"), {})) for pair, row in rows.items()}


def spot_trading(api: Any, symbols: Collection[str]) -> dict[str, bool]:
    """Whether spot markets take orders, by symbol."""
    known = {symbol: api.markets.get(symbol, {}) for symbol in symbols}
    if not _is_binance(api) or not known:
        return {symbol: _active(row) for symbol, row in known.items()}
    ids = sorted(row["id"] for row in known.values() if row)
    try:
        trading = _trading(api, ids)
    except BackOff:
        raise
    except Rejected:
        # One that is gone from the list makes the exchange refuse the whole question.
        trading = {name for name in ids if name in _trading_alone(api, name)}
    return {symbol: row.get("id") in trading for symbol, row in known.items()}


def _trading(api: Any, ids: Collection[str]) -> set[str]:
    names = json.dumps(list(ids), separators=(",", ":"))
    listed = call(api, api.publicGetExchangeInfo, {"symbols": names})["symbols"]
    return {row["symbol"] for row in listed if row.get("status") == "TRADING"}


def _trading_alone(api: Any, name: str) -> set[str]:
    try:
        return _trading(api, [name])
    except BackOff:
        raise
    except Rejected:
        return set()


def spot_ends(api: Any) -> dict[str, float]:
    """Announced ends of spot markets by symbol, seconds since 1970; nothing where the venue or the key can't say."""
    if not _is_binance(api) or not api.apiKey:
        return {}
    by_id = {row["id"]: symbol for symbol, row in api.markets.items() if row.get("spot")}
    return {
        by_id[name]: float(entry["delistTime"]) / 1000
        for entry in call(api, api.sapi_get_spot_delist_schedule)
        for name in entry.get("symbols", [])
        if name in by_id
    }


def _perp_state(info: Mapping[str, Any]) -> PerpState:
    status = info.get("status")
    sides = [f.get("positionControlSide", "NONE") for f in info.get("filters", [])]
    ends_ms = int(info.get("deliveryDate") or ENDLESS_MS)
    return PerpState(
        opens=status == "TRADING" and all(side in SIDES_THAT_LET_A_SHORT_GROW for side in sides),
        closes=status in {"TRADING", "SETTLING"},
        ends_at=ends_ms / 1000 if ends_ms != ENDLESS_MS else None,
    )


def _is_binance(api: Any) -> bool:
    return str(api.id).startswith("binance")


def _active(market: Mapping[str, Any]) -> bool:
    """Unknown counts as trading: most venues leave the field out where nothing is wrong."""
    return bool(market) and market.get("active") is not False
