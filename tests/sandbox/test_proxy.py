"""The HTTPS proxy: Binance's own host names, and so ccxt's exact error classes, without leaving loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import ccxt
import ccxt.async_support
import pytest

from freqtrade_fundhedge.sandbox import SandboxServer

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
KEY = {"apiKey": "sandbox-key", "secret": "sandbox-secret", "enableRateLimit": False}


@pytest.fixture
def proxied() -> Iterator[SandboxServer]:
    with SandboxServer(spot_usdt=1_000, proxy=True) as server:
        yield server


@pytest.fixture
def client(proxied) -> Iterator[ccxt.binance]:
    made = ccxt.binance(KEY | proxied.ccxt_proxy() | {"options": {"defaultType": "spot"}})
    made.load_markets()
    yield made
    made.session.close()


def test_insufficient_is_insufficient_funds(client, proxied):
    """Through the proxy, ccxt raises the class that it raises live."""
    with pytest.raises(ccxt.InsufficientFunds, match="-5013"):
        client.transfer("USDT", 5_000, "spot", "swap")
    assert client.transfer("USDT", 500, "spot", "swap")["id"]
    assert proxied.control.books()["futures"]["walletBalance"] == "500.00000000"


def test_a_lost_answer_is_lost_through_the_proxy_too(client, proxied):
    """A dropped answer looks dropped, and was applied."""
    proxied.control.fault("drop_after", "/sapi/v1/asset/transfer")
    with pytest.raises(ccxt.NetworkError):
        client.transfer("USDT", 500, "spot", "swap")
    assert len(proxied.control.books()["transfers"]) == 1


def test_the_async_client_works_too(proxied):
    """Freqtrade's asynchronous ccxt loads markets through the proxy."""

    async def load() -> int:
        made = ccxt.async_support.binance(KEY | proxied.ccxt_proxy())
        try:
            return len(await made.load_markets())
        finally:
            await made.close()

    assert asyncio.run(load()) > 20


@pytest.mark.parametrize("host", ["example.com", "notbinance.com", "binance.com.example.org"])
def test_no_other_host_is_reached(proxied, host):
    """The proxy refuses every host that is not Binance's."""
    with socket.create_connection(("127.0.0.1", proxied.proxy_port), timeout=5) as sock:
        sock.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert sock.recv(64).startswith(b"HTTP/1.1 403")


def test_a_process_has_a_proxy_too():
    """A sandbox in a process of its own tells its proxy's port."""
    with SandboxServer(own_process=True, proxy=True) as server:
        made = ccxt.binance(server.ccxt_proxy())
        assert made.fetch_time() > 0
        made.session.close()
