"""What the exchange says of a key and an account.

Source: Binance API documentation, "Get API Key Permission", "Get Current Position Mode", "Get Current Multi-Assets
Mode". A key made in a portfolio margin account carries `enablePortfolioMarginTrading`, and no other key can.
"""

from __future__ import annotations

import time
from typing import Any

from freqtrade_fundhedge.core.account_checks import AccountFacts, KeyFacts
from freqtrade_fundhedge.venue.ccxt_call import call, resync_clock


def account_facts(api: Any, futures_api: Any) -> AccountFacts | None:
    """Keys and modes in three requests, four with two keys; None for exchanges that have no such questions.

    Parameters
    ----------
    api : serves spot and transfers
    futures_api : serves futures; the same object unless spot has a key of its own

    Raises
    ------
    VenueError : the exchange could not be asked, or refuses the key
    """
    if str(api.id) != "binance":
        return None
    shared = futures_api is api
    keys = [_key(api, "exchange.key" if shared else "fundhedge.spot.key", spot=True)]
    if not shared:
        keys.append(_key(futures_api, "exchange.key", spot=False))
    if not keys[-1].trades_futures(time.time()):
        return AccountFacts(tuple(keys))  # which the modes would be refused to
    position = call(futures_api, futures_api.fapiPrivateGetPositionSideDual)
    assets = call(futures_api, futures_api.fapiPrivateGetMultiAssetsMargin)
    return AccountFacts(tuple(keys), _true(position.get("dualSidePosition")), _true(assets.get("multiAssetsMargin")))


def clock_ahead(api: Any) -> tuple[float, float]:
    """Milliseconds that this machine's clock is ahead of the exchange's, and the round trip's; one public request.

    Raises
    ------
    VenueError : the exchange could not be asked
    """
    began, sent = time.monotonic(), time.time()
    theirs = float(call(api, api.fetch_time))
    rtt = time.monotonic() - began
    return (sent + rtt / 2) * 1000 - theirs, rtt * 1000


def _key(api: Any, name: str, spot: bool) -> KeyFacts:
    resync_clock(api)
    answer = call(api, api.sapi_get_account_apirestrictions)
    expires = answer.get("tradingAuthorityExpirationTime")
    return KeyFacts(
        name=name,
        trades_spot=spot,
        reads=_true(answer.get("enableReading")),
        spot=_true(answer.get("enableSpotAndMarginTrading")),
        futures=_true(answer.get("enableFutures")),
        transfers=_true(answer.get("permitsUniversalTransfer")),
        withdraws=_true(answer.get("enableWithdrawals")),
        ip_bound=_true(answer.get("ipRestrict")),
        expires_at=float(expires) / 1000 if expires else None,
        portfolio=_true(answer.get("enablePortfolioMarginTrading")),
    )


def _true(value: object) -> bool:
    return str(value).lower() == "true"
