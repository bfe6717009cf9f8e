"""A sandbox per test and real ccxt clients that talk to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import ccxt
import pytest

from freqtrade_fundhedge.sandbox import SandboxControl, SandboxServer
from freqtrade_fundhedge.sandbox.exchange import Exchange, Options

START_MS = 1_790_000_000_000


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = START_MS

    def __call__(self) -> int:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += int(seconds * 1000)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def exchange(clock: Clock) -> Exchange:
    """The engine alone, with money in both wallets and no fees to get in the way of plain numbers."""
    engine = Exchange(Options(spot_usdt=Decimal(10_000), futures_usdt=Decimal(5_000)), clock)
    return engine


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer(spot_usdt=10_000, futures_usdt=5_000) as running:
        yield running


@pytest.fixture
def control(server: SandboxServer) -> SandboxControl:
    return server.control


@pytest.fixture
def connect(server: SandboxServer) -> Iterator[Callable[..., ccxt.binance]]:
    """Make real ccxt clients of the sandbox."""
    clients: list[ccxt.binance] = []

    def make(kind: str = "spot", **settings: object) -> ccxt.binance:
        client = ccxt.binance(
            {
                "apiKey": "sandbox-key",
                "secret": "sandbox-secret",
                "enableRateLimit": False,
                "urls": server.ccxt_urls(),
                "options": {"defaultType": kind},
            }
            | settings
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.session.close()


@pytest.fixture(scope="session")
def known_markets() -> ccxt.binance:
    """A client with markets loaded: they are the same in every sandbox, so one load serves all tests."""
    with SandboxServer() as server:
        client = ccxt.binance(
            {
                "apiKey": "sandbox-key",
                "secret": "sandbox-secret",
                "enableRateLimit": False,
                "urls": server.ccxt_urls(),
            }
        )
        client.load_markets()
        client.session.close()
    return client


@pytest.fixture
def spot(connect: Callable[..., ccxt.binance], known_markets: ccxt.binance) -> ccxt.binance:
    client = connect("spot")
    client.set_markets_from_exchange(known_markets)
    return client


@pytest.fixture
def swap(connect: Callable[..., ccxt.binance], known_markets: ccxt.binance) -> ccxt.binance:
    client = connect("swap")
    client.set_markets_from_exchange(known_markets)
    return client
