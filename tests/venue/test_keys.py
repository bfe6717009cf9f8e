"""Keys of transfers, in the requests that real ccxt would send."""

from __future__ import annotations

import re
import uuid
from typing import Any

import ccxt
import hypothesis.strategies as st
import pytest
from hypothesis import given

from freqtrade_fundhedge.core.intents import intent_id
from freqtrade_fundhedge.venue.keys import KEYS, key_params, order_key, transfer_key

INTENT = intent_id("transfer", "bot", 7, "futures_to_spot")
ACCOUNTS = {"bybit": ("contract", "spot"), "okx": ("trading", "funding"), "bitget": ("swap", "spot"),
            "kucoin": ("contract", "trade"), "binance": ("swap", "spot")}  # fmt: skip


class Captured(Exception):
    """The request that would have left."""

    def __init__(self, params: dict[str, Any]) -> None:
        self.params = params


def request_of(exchange: str) -> dict[str, Any]:
    """What ccxt would send for a transfer under our key; nothing leaves."""
    api = getattr(ccxt, exchange)({"apiKey": "k", "secret": "s", "password": "p"})
    api.currencies = {"USDT": {"id": "USDT", "code": "USDT", "precision": 1e-6}}
    api.markets = {}
    api.options["enableUnifiedAccount"], api.options["enableUnifiedMargin"] = False, False
    api.options["uta"], api.options["hf"] = False, False

    def capture(
        _path: str, _api: object = "", _method: str = "", params: Any = None, *_rest: object, **_kw: object
    ) -> None:
        raise Captured(dict(params or {}))

    api.request = capture
    with pytest.raises(Captured) as caught:
        api.transfer("USDT", "12.345678", *ACCOUNTS[exchange], key_params(exchange, INTENT))
    return caught.value.params


@pytest.mark.parametrize("exchange", sorted(KEYS))
def test_the_key_leaves_with_the_request(exchange: str) -> None:
    """ccxt sends our key instead of one that it would draw itself, so that the transfer can be found by it."""
    name, _ = KEYS[exchange]
    assert request_of(exchange)[name] == key_params(exchange, INTENT)[name]
    assert transfer_key(exchange, INTENT) in (request_of(exchange)[name], "")


def test_binance_takes_no_key() -> None:
    """Nothing of ours is added to Binance's request: it knows no such parameter."""
    assert key_params("binance", INTENT) == {}
    assert INTENT not in str(request_of("binance"))


@given(st.text(min_size=1))
def test_keys_have_the_venues_form(purpose: str) -> None:
    """A UUID for bybit, at most 32 letters and digits for okx, and the same intent always has the same key."""
    intent = intent_id(purpose)
    assert str(uuid.UUID(transfer_key("bybit", intent))) == transfer_key("bybit", intent)
    assert transfer_key("okx", f"{intent}-2").isalnum()
    assert len(transfer_key("okx", f"{intent}-2")) <= 32
    assert all(key_params(name, intent) != key_params(name, f"{intent}-2") for name in KEYS)


@given(st.text(min_size=1))
def test_order_keys_have_the_venues_form(purpose: str) -> None:
    """At most 32 letters and digits for okx, 28 for gate that don't begin with a t, a 128-bit hex for hyperliquid."""
    intent = intent_id(purpose)
    assert order_key("okx", intent).isalnum()
    assert len(order_key("okx", intent)) <= 32
    assert re.fullmatch(r"[0-9A-Za-z]{1,28}", order_key("gate", intent))
    assert not order_key("gate", intent).startswith("t")
    assert re.fullmatch(r"0x[0-9a-f]{32}", order_key("hyperliquid", intent))
    assert {order_key(name, intent) for name in ("binance", "bybit", "bitget", "kucoin")} == {intent}
    names = ("okx", "gate", "hyperliquid", "binance")
    assert all(order_key(name, intent) != order_key(name, intent_id(purpose, 2)) for name in names)


def test_kucoins_ledger_shows_no_key() -> None:
    """The key leaves with the transfer, and the lookup goes by the unmistakable amount."""
    assert key_params("kucoin", INTENT) == {"clientOid": INTENT}
    assert transfer_key("kucoin", INTENT) == ""
