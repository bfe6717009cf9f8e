"""A transfer's own key, on the venues that take one: the surest way to find it again.

Source: the venues' API documentation of "create internal transfer" (bybit `transferId`, okx `clientId`, bitget and
kucoin `clientOid`). Binance and gate take none; there amounts carry the mark.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Final

_NAMESPACE: Final = uuid.UUID("5d7a5f2e-7f0b-5c1e-9a43-2f6b1d0c8e11")


def _as_it_is(intent: str) -> str:
    return intent


def _as_uuid(intent: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, intent))


def _letters_and_digits(intent: str) -> str:
    return "".join(c for c in intent if c.isalnum())[:32]


KEYS: Final[dict[str, tuple[str, Callable[[str], str]]]] = {
    "bybit": ("transferId", _as_uuid),
    "okx": ("clientId", _letters_and_digits),
    "bitget": ("clientOid", _as_it_is),
    "kucoin": ("clientOid", _as_it_is),
}


def transfer_key(exchange: str, intent: str) -> str:
    """An intent's key in the form that the venue takes, always the same for the same intent; "" where it takes none."""
    known = KEYS.get(exchange)
    return known[1](intent) if known is not None else ""


def key_params(exchange: str, intent: str) -> dict[str, str]:
    """The extra parameter for ccxt's `transfer` that carries the key; empty where the venue takes none."""
    known = KEYS.get(exchange)
    return {known[0]: known[1](intent)} if known is not None else {}
