"""User-data streams as ccxt.pro asks for them, and how they go wrong."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import ccxt
import ccxt.pro
import pytest

from freqtrade_fundhedge.sandbox import SandboxControl, SandboxServer

SYMBOL = "BTC/USDT:USDT"


def run(
    server: SandboxServer, known: ccxt.binance, work: Callable[[Any], Awaitable[Any]], kind: str = "swap", **more: Any
) -> Any:
    """Do work with a ccxt.pro client that is closed afterwards."""

    async def main() -> Any:
        api = ccxt.pro.binance(
            {
                "apiKey": "sandbox-key",
                "secret": "sandbox-secret",
                "enableRateLimit": False,
                "urls": server.ccxt_urls(),
                "options": {"defaultType": kind},
            }
        )
        api.set_markets_from_exchange(known)
        try:
            return await asyncio.wait_for(work(api), 10)
        finally:
            await api.close()

    return asyncio.run(main())


async def listening(control: SandboxControl, connections: int = 1) -> None:
    """Wait until so many streams are open."""
    while control.streams()["connections"] != connections:
        await asyncio.sleep(0.02)


async def orders_until_bought(api: Any, control: SandboxControl, act: Callable[[], Any]) -> list[Any]:
    """What ccxt reports of orders that are made while it listens, until a purchase is complete."""
    seen: list[Any] = []

    async def watch() -> None:
        while not seen or (seen[-1]["side"], seen[-1]["status"]) != ("buy", "closed"):
            seen.extend([dict(order) for order in await api.watch_orders()])

    task = asyncio.create_task(watch())
    await listening(control)
    await asyncio.to_thread(act)
    await asyncio.wait_for(task, 5)
    return seen


def test_a_futures_order_in_parts(server, control, swap, known_markets):
    """ccxt sees the cumulative fill of a resting order grow, and what opened and what closes the position."""

    def act() -> None:
        order = swap.create_order(SYMBOL, "limit", "sell", 0.01, 200_000)
        control.post("fill", market="perp", order_id=order["id"], quantity="0.004")
        control.post("fill", market="perp", order_id=order["id"], quantity="0.006")
        swap.create_order(SYMBOL, "market", "buy", 0.01, None, {"reduceOnly": True})

    seen = run(server, known_markets, lambda api: orders_until_bought(api, control, act))
    first = [order for order in seen if order["side"] == "sell"]
    last = [order for order in seen if order["side"] == "buy"][-1]
    assert {order["symbol"] for order in seen} == {SYMBOL}
    assert (first[-1]["filled"], first[-1]["status"], first[-1]["reduceOnly"]) == (0.01, "closed", False)
    assert (last["filled"], last["status"], last["reduceOnly"]) == (0.01, "closed", True)
    assert first[-1]["clientOrderId"].startswith(swap.options["broker"]["swap"])


def test_spot_through_the_websocket_api(server, control, spot, known_markets):
    """A spot purchase arrives by the signed subscription that ccxt uses; a wrong secret is refused."""

    def act() -> None:
        spot.create_order("BTC/USDT", "market", "buy", 0.01)

    seen = run(server, known_markets, lambda api: orders_until_bought(api, control, act), "spot")
    assert (seen[-1]["symbol"], seen[-1]["filled"], seen[-1]["status"]) == ("BTC/USDT", 0.01, "closed")

    async def with_a_wrong_secret(api: Any) -> None:
        api.secret = "another"
        # ccxt stumbles over its own handling of the refusal.
        with pytest.raises((ccxt.AuthenticationError, KeyError)):
            await api.watch_orders()
        assert control.streams()["connections"] == 0

    run(server, known_markets, with_a_wrong_secret, "spot")


def test_the_life_of_a_listen_key(control, swap):
    """A key is given once, renewed while it lives, and gone when it has expired or was closed."""
    key = swap.fapiPrivatePostListenKey()["listenKey"]
    assert swap.fapiPrivatePostListenKey()["listenKey"] == key
    assert swap.fapiPrivatePutListenKey()["listenKey"] == key
    control.post("streams", expire=True)
    with pytest.raises(ccxt.ExchangeError, match="-1125"):
        swap.fapiPrivatePutListenKey()
    other = swap.fapiPrivatePostListenKey()["listenKey"]
    assert other != key
    swap.fapiPrivateDeleteListenKey()
    assert control.streams()["keys"] == []


def test_a_key_that_may_not_read_gets_no_stream(server, control, known_markets):
    """Without the permission there is no listen key; under an unknown one nothing is told."""
    control.post("permissions", enableReading=False)

    async def refused(api: Any) -> None:
        with pytest.raises(ccxt.BaseError):
            await api.watch_orders()

    run(server, known_markets, refused)
    assert control.streams()["keys"] == []


async def texts(server: SandboxServer, swap: ccxt.binance, act: Callable[[], Any], patience: float = 0.6) -> list[Any]:
    """Everything that a bare websocket hears."""
    key = swap.fapiPrivatePostListenKey()["listenKey"]
    heard: list[Any] = []
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{server.url}/private/ws?listenKey={key}") as socket,
    ):
        await listening(server.control)
        await asyncio.to_thread(act)
        # Silence, or the end of the connection.
        with contextlib.suppress(TimeoutError, TypeError):
            while True:
                heard.append(await asyncio.wait_for(socket.receive_json(), patience))
    return heard


@pytest.mark.parametrize(
    ("fault", "executions"),
    [
        ({}, ["NEW", "TRADE"]),
        ({"dead": True}, []),
        ({"duplicate": True}, ["NEW", "NEW", "TRADE", "TRADE"]),
        ({"reorder": 3}, ["TRADE", "NEW"]),
        ({"drop_every": 3}, ["NEW"]),
        ({"delay_ms": 200}, ["NEW", "TRADE"]),
    ],
)
def test_how_a_stream_goes_wrong(server, control, swap, fault, executions):
    """Each fault does what its name says to the messages of one market order."""
    control.post("streams", **fault)
    heard = asyncio.run(texts(server, swap, lambda: swap.create_order(SYMBOL, "market", "sell", 0.01)))
    assert [m["o"]["x"] for m in heard if m["e"] == "ORDER_TRADE_UPDATE"] == executions
    control.post("streams", clear=True)
    assert not any(control.streams()["faults"].values())


def test_disconnected_and_expired(server, control, swap):
    """A connection is broken off on demand; an expired key is announced and then carries nothing."""
    assert asyncio.run(texts(server, swap, lambda: control.post("streams", disconnect=True))) == []

    def act() -> None:
        control.post("streams", expire=True)
        swap.create_order(SYMBOL, "market", "sell", 0.01)

    assert [m["e"] for m in asyncio.run(texts(server, swap, act))] == ["listenKeyExpired"]
    control.post("streams", refuse=True)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        asyncio.run(texts(server, swap, lambda: None))


def test_an_unknown_stream_fault_is_refused(control):
    """A misspelt fault is an error, not a stream that works."""
    with pytest.raises(Exception, match="no such stream fault"):
        control.post("streams", dread=True)
