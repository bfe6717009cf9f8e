"""Who sends a request, whether it is signed, fresh and allowed."""

from __future__ import annotations

import hashlib
import hmac
from enum import Enum

from freqtrade_fundhedge.sandbox.errors import BinanceError, missing, not_permitted
from freqtrade_fundhedge.sandbox.exchange import Exchange
from freqtrade_fundhedge.sandbox.params import Params
from freqtrade_fundhedge.sandbox.settings import ApiKey, Permissions

_MAX_WINDOW_MS = 60_000


class Need(Enum):
    """What an endpoint asks of the key that calls it."""

    NOTHING = "public"
    KEY = "enableReading, unsigned"
    READ = "enableReading"
    SPOT = "enableSpotAndMarginTrading"
    FUTURES = "enableFutures"
    TRANSFER = "permitsUniversalTransfer"


def authorise(exchange: Exchange, need: Need, header: str | None, params: Params) -> None:
    """Refuse a private request that is not signed, fresh or permitted.

    Raises
    ------
    BinanceError : -2014, -2015, -1022, -1021 or -1102
    """
    if need is Need.NOTHING:
        return
    if not header:
        raise BinanceError(-2014, "API-key format invalid.", 401)
    key = exchange.keys.get(header)
    if key is None:
        raise not_permitted()
    if need is not Need.KEY:
        _check_signature(key, params)
        _check_time(exchange, params)
    exchange.calling = key
    if not _allowed(key.permissions, need, exchange.server_time()):
        raise not_permitted()


def _check_signature(key: ApiKey, params: Params) -> None:
    given = params.text("signature")
    wanted = hmac.new(key.secret.encode(), params.payload.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(given, wanted):
        raise BinanceError(-1022, "Signature for this request is not valid.")


def _check_time(exchange: Exchange, params: Params) -> None:
    stamp = params.integer("timestamp")
    if stamp is None:
        raise missing("timestamp")
    window = params.integer("recvWindow")
    window = 5000 if window is None else window
    if window > _MAX_WINDOW_MS:
        raise BinanceError(-1131, "recvWindow must be less than 60000")
    now = exchange.server_time()
    if stamp >= now + 1000:
        raise BinanceError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if now - stamp > window:
        raise BinanceError(-1021, "Timestamp for this request is outside of the recvWindow.")


def _allowed(permissions: Permissions, need: Need, now: int) -> bool:
    expires = permissions.tradingAuthorityExpirationTime
    expired = expires is not None and expires <= now and need in {Need.SPOT, Need.FUTURES}
    given = {
        Need.KEY: permissions.enableReading,
        Need.READ: permissions.enableReading,
        Need.SPOT: permissions.enableSpotAndMarginTrading,
        Need.FUTURES: permissions.enableFutures,
        Need.TRANSFER: permissions.permitsUniversalTransfer,
    }
    return permissions.enableReading and given[need] and not expired
