"""An order's and a transfer's own key, in the form that each venue takes: the surest way to find either again.

Source: the venues' API documentation of "place order" (bybit `orderLinkId`, okx `clOrdId`, bitget and kucoin
`clientOid`, gate `text`, hyperliquid `cloid`) and "create internal transfer" (bybit `transferId`, okx `clientId`,
bitget and kucoin `clientOid`). Binance and gate take no key on a transfer; there amounts carry the mark.
"""

from __future__ import annotations

import hashlib
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


def _hex128(intent: str) -> str:
    return f"0x{hashlib.sha256(intent.encode()).hexdigest()[:32]}"


KEYS: Final[dict[str, tuple[str, Callable[[str], str]]]] = {
    "bybit": ("transferId", _as_uuid),
    "okx": ("clientId", _letters_and_digits),
    "bitget": ("clientOid", _as_it_is),
    "kucoin": ("clientOid", _as_it_is),
}
# Sent, so that one attempt can't be booked twice, but not shown again in the history.
UNSEEN: Final = frozenset({"kucoin"})
# Gate: 28 characters behind the "t-" that ccxt adds.
ORDER_KEYS: Final[dict[str, Callable[[str], str]]] = {
    "okx": _letters_and_digits,
    "gate": _letters_and_digits,
    "hyperliquid": _hex128,
}


def order_key(exchange: str, intent: str) -> str:
    """An intent's client order id in the form that the venue takes, always the same for the same intent."""
    return ORDER_KEYS.get(exchange, _as_it_is)(intent)


def transfer_key(exchange: str, intent: str) -> str:
    """The key under which the history shows an intent's transfer; "" where it shows none."""
    known = KEYS.get(exchange)
    return known[1](intent) if known is not None and exchange not in UNSEEN else ""


def key_params(exchange: str, intent: str) -> dict[str, str]:
    """The extra parameter for ccxt's `transfer` that carries the key; empty where the venue takes none."""
    known = KEYS.get(exchange)
    return {known[0]: known[1](intent)} if known is not None else {}
