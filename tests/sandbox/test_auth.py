"""Keys, signatures, clocks and permissions."""

from __future__ import annotations

import ccxt
import pytest


def code(control) -> int:
    return control.requests()[-1]["code"]


def test_a_wrong_secret_is_a_wrong_signature(connect, control):
    """A request that is signed with another secret is refused with -1022."""
    client = connect(secret="wrong")
    with pytest.raises(ccxt.AuthenticationError):
        client.private_get_account()
    assert code(control) == -1022


def test_an_unknown_key_is_refused(connect, control):
    """A key that the exchange does not know is refused with -2015."""
    with pytest.raises(ccxt.AuthenticationError):
        connect(apiKey="nobody").private_get_account()
    assert code(control) == -2015


def test_private_endpoints_need_a_key(connect, control):
    """Without a key header the answer is -2014."""
    client = connect()
    request = client.sign("account", ["private"], "GET", {})
    with pytest.raises(ccxt.AuthenticationError):
        client.fetch(request["url"], "GET", {}, None)
    assert code(control) == -2014


def test_a_changed_parameter_breaks_the_signature(connect, control):
    """The signature covers the parameters exactly as they were sent."""
    client = connect()
    request = client.sign("order", ["private"], "GET", {"symbol": "BTCUSDT", "orderId": 1})
    with pytest.raises(ccxt.AuthenticationError):
        client.fetch(request["url"].replace("orderId=1", "orderId=2"), "GET", request["headers"], None)
    assert code(control) == -1022


@pytest.mark.parametrize("offset", [60_000, -60_000])
def test_a_wrong_clock_is_refused(connect, control, offset):
    """A clock that is a minute off either way gets -1021, until the client adjusts to the exchange's."""
    control.post("clock", offset_ms=offset)
    client = connect()
    with pytest.raises(ccxt.InvalidNonce):
        client.private_get_account()
    assert code(control) == -1021
    client.load_time_difference()
    assert client.private_get_account()["canTrade"] is True


@pytest.mark.parametrize(
    ("permission", "call", "still"),
    [
        ("enableSpotAndMarginTrading", "private_post_order", "private_get_account"),
        ("enableFutures", "fapiprivatev3_get_account", "private_get_account"),
        ("permitsUniversalTransfer", "sapi_post_asset_transfer", "private_get_account"),
        ("enableReading", "private_get_account", "public_get_time"),
    ],
)
def test_a_missing_permission_is_refused(connect, control, permission, call, still):
    """Each permission guards its endpoints with -2015 and leaves the others alone."""
    control.post("permissions", **{permission: False})
    client = connect()
    with pytest.raises(ccxt.AuthenticationError):
        getattr(client, call)({"symbol": "BTCUSDT"})
    assert code(control) == -2015
    getattr(client, still)()


def test_an_expired_trading_authority_is_refused(connect, control):
    """After tradingAuthorityExpirationTime the key reads but does not trade."""
    control.post("permissions", tradingAuthorityExpirationTime=1628985600000)
    client = connect()
    client.private_get_account()
    # ccxt takes -2015 for a ban once a private spot call has succeeded.
    with pytest.raises(ccxt.DDoSProtection):
        client.fapiprivate_post_leverage({"symbol": "BTCUSDT", "leverage": 2})


def test_restrictions_are_shown_for_the_calling_key(connect, control):
    """Each key sees its own permissions; a second key can do less."""
    control.post("keys", key="spot-only", secret="s", enableFutures=False, ipRestrict=False)
    first = connect().sapi_get_account_apirestrictions()
    second = connect(apiKey="spot-only", secret="s").sapi_get_account_apirestrictions()
    assert (first["enableFutures"], second["enableFutures"]) == (True, False)
    assert (first["ipRestrict"], second["ipRestrict"]) == (True, False)
    assert first["enableWithdrawals"] is False
    assert "tradingAuthorityExpirationTime" not in first
