"""Our own ccxt instance for the spot market.

Freqtrade's object can't serve: with `defaultType: swap` it answers for a spot symbol with the perpetual, orders
included. This is also the one place that touches the private attribute behind which Freqtrade keeps its keys.
"""

from __future__ import annotations

import copy
from typing import Any

from freqtrade_fundhedge.config import Spot
from freqtrade_fundhedge.venue.order_stream import OPTIONS, socket_class


def freqtrade_api(exchange: Any) -> Any:
    """The synchronous ccxt object inside Freqtrade's exchange, keys included."""
    return exchange._api


def spot_api(source: Any, exchange_config: dict[str, Any], own: Spot, with_keys: bool) -> Any:
    """A ccxt instance like Freqtrade's, but for spot.

    Parameters
    ----------
    source : Freqtrade's ccxt object: class, keys and loaded markets come from it
    exchange_config : Freqtrade's `exchange` section: proxies, URLs and time-outs come from its `ccxt_config`
    own : a key of its own for spot, if the user gave one
    with_keys : False for paper trading, which must not be able to send a private request
    """
    user = user_settings(exchange_config)
    options = {**user.get("options", {}), "defaultType": "spot", "adjustForTimeDifference": True}
    api = type(source)({"enableRateLimit": True, **user, "options": options})
    if with_keys:
        _give_keys(api, source, own)
    api.set_markets_from_exchange(source)
    if with_keys and source.options.get("timeDifference") is not None:
        api.options["timeDifference"] = source.options["timeDifference"]
    return api


def stream_api(source: Any, exchange_config: dict[str, Any]) -> Any:
    """A ccxt.pro instance for the futures account's own events, with Freqtrade's keys and markets; None if there is
    none for this exchange.

    Parameters
    ----------
    source, exchange_config : as for `spot_api`
    """
    kind = socket_class(str(source.id))
    if kind is None:
        return None
    user = _merged(exchange_config.get("ccxt_config", {}), exchange_config.get("ccxt_async_config", {}))
    options = {**user.get("options", {}), "defaultType": "swap", **OPTIONS}
    proxy = {"wssProxy": user["httpsProxy"]} if "httpsProxy" in user and "wssProxy" not in user else {}
    api = kind({"enableRateLimit": True, **proxy, **user, "options": options})
    _give_keys(api, source, Spot())
    api.set_markets_from_exchange(source)
    return api


def order_prefix(source: Any) -> str:
    """With what the client ids of Freqtrade's futures orders begin; "" when ccxt marks them with nothing."""
    return str(source.options.get("broker", {}).get("swap", ""))


def refresh_markets(api: Any, source: Any) -> None:
    """Take over the markets that Freqtrade reloaded, without a request of our own."""
    if api.markets is not source.markets:
        api.set_markets_from_exchange(source)


def user_settings(exchange_config: dict[str, Any]) -> dict[str, Any]:
    """What the user has set for ccxt, as Freqtrade merges it for its synchronous object."""
    return _merged(exchange_config.get("ccxt_config", {}), exchange_config.get("ccxt_sync_config", {}))


def _give_keys(api: Any, source: Any, own: Spot) -> None:
    if own.key is not None and own.secret is not None:
        api.apiKey, api.secret = own.key.get_secret_value(), own.secret.get_secret_value()
        api.password = own.password.get_secret_value() if own.password is not None else None
        return
    for name in ("apiKey", "secret", "password", "uid", "walletAddress", "privateKey"):
        setattr(api, name, getattr(source, name, None))


def _merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    merged = copy.deepcopy(first)
    for key, value in second.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else copy.deepcopy(value)
    return merged
