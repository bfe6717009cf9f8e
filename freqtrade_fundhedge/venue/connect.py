"""ccxt instances for tools beside the bot, built from Freqtrade's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from freqtrade_fundhedge.client import spot_api, user_settings
from freqtrade_fundhedge.config import Spot
from freqtrade_fundhedge.venue.bulk import public_api
from freqtrade_fundhedge.venue.live import LiveVenue

# As Freqtrade reads its `exchange` section: the first name that is there counts.
_CREDENTIALS: Final = {
    "apiKey": ("api_key", "apiKey", "key"),
    "secret": ("secret",),
    "password": ("password",),
    "uid": ("uid",),
    "walletAddress": ("wallet_address", "walletAddress"),
    "privateKey": ("private_key", "privateKey"),
}


def credentials(exchange: Mapping[str, Any]) -> dict[str, str]:
    """The keys that Freqtrade would give to ccxt, by ccxt's names; empty ones are left out."""
    user = user_settings(dict(exchange))
    found = {}
    for name, spellings in _CREDENTIALS.items():
        own = next((exchange[spelling] for spelling in spellings if spelling in exchange), None)
        if value := user.get(name, own):
            found[name] = str(value)
    return found


def connect_public(exchange: Mapping[str, Any]) -> Any:
    """A ccxt instance without keys, spot and linear markets loaded: see `public_api`."""
    return public_api(str(exchange["name"]), user_settings(dict(exchange)))


def connect_account(public: Any, exchange: Mapping[str, Any], spot: Spot, stake: str) -> LiveVenue:
    """The account behind the configuration's keys, by the markets of `public`; no request.

    Raises
    ------
    ConfigError : the exchange is not supported for live hedging
    """
    # A copy of its own with Freqtrade's keys; the public one never gets any.
    futures = spot_api(public, dict(exchange), Spot(), with_keys=False)
    if public.options.get("timeDifference") is not None:
        futures.options["timeDifference"] = public.options["timeDifference"]
    for name, value in credentials(exchange).items():
        setattr(futures, name, value)
    api = spot_api(futures, dict(exchange), spot, with_keys=True) if spot.key is not None else futures
    return LiveVenue(api, futures, stake)
