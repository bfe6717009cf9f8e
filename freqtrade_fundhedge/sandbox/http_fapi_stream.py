"""Listen keys of the futures user-data stream; they need the API key and no signature."""

from __future__ import annotations

from freqtrade_fundhedge.sandbox.auth import Need
from freqtrade_fundhedge.sandbox.exchange import Exchange
from freqtrade_fundhedge.sandbox.params import Params
from freqtrade_fundhedge.sandbox.routes import Routes

routes = Routes()


@routes.add("POST", "/fapi/v1/listenKey", Need.KEY)
def start(exchange: Exchange, params: Params) -> object:
    """Make a key, or renew the one there is."""
    return {"listenKey": exchange.listen_keys.start(exchange.caller().key, exchange.now_ms())}


@routes.add("PUT", "/fapi/v1/listenKey", Need.KEY)
def renew(exchange: Exchange, params: Params) -> object:
    """Renew the key."""
    return {"listenKey": exchange.listen_keys.renew(exchange.caller().key, exchange.now_ms())}


@routes.add("DELETE", "/fapi/v1/listenKey", Need.KEY)
def close(exchange: Exchange, params: Params) -> object:
    """End the key."""
    exchange.listen_keys.close(exchange.caller().key)
    return {}
