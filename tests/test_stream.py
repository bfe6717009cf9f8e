"""The fill stream's threads against the sandbox exchange: they listen, come back, and end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ccxt
import ccxt.pro
import hypothesis.strategies as st
import pytest
from hypothesis import given

from freqtrade_fundhedge import stream as stream_module
from freqtrade_fundhedge.client import order_prefix, stream_api
from freqtrade_fundhedge.sandbox import SandboxControl, SandboxServer, ccxt_urls, streams
from freqtrade_fundhedge.stream import FillStream
from freqtrade_fundhedge.venue import order_stream
from freqtrade_fundhedge.venue.port import OrderFill

PAIR, KEYS = "BTC/USDT:USDT", "/fapi/v1/listenKey"
NAMES = {"fundhedge-stream", "fundhedge-fills"}


@pytest.fixture(scope="module")
def loaded() -> ccxt.binance:
    """Markets are the same in every sandbox."""
    with SandboxServer() as server:
        client = ccxt.binance({"enableRateLimit": False, "urls": server.ccxt_urls()})
        client.load_markets()
        client.session.close()
    return client


class Bench:
    """A stream on a sandbox, and Freqtrade's own client beside it."""

    def __init__(self, server: SandboxServer, loaded: ccxt.binance, **settings: Any) -> None:
        self.control: SandboxControl = server.control
        config = {"enableRateLimit": False, "urls": ccxt_urls(server.url), **settings}
        keys = {"apiKey": "sandbox-key", "secret": "sandbox-secret", "options": {"defaultType": "swap"}}
        self.source = ccxt.binance({**config, **keys})
        self.source.set_markets_from_exchange(loaded)
        make = partial(stream_api, self.source, {"ccxt_config": config})
        self.fills: list[OrderFill] = []
        self.worked = 0
        self.stream = FillStream(partial(order_stream.listen, make), self.fills.append, self.work)

    def work(self) -> None:
        self.worked += 1

    def sell(self) -> str:
        order = self.source.create_order(PAIR, "market", "sell", 0.001)
        return str(order["id"])

    def connected(self, count: int = 1) -> None:
        wait(lambda: self.control.streams()["connections"] == count)

    def hears(self) -> None:
        """An order that is made now is heard of."""
        order = self.sell()
        wait(lambda: any(fill.order_id == order and fill.filled for fill in self.fills))

    def goes_through(self, trouble: dict[str, bool]) -> None:
        """A trouble, and the connection after it: it tells, and its key is renewed."""
        known, renewals = self.control.streams()["opened"], self.control.count("PUT", KEYS)
        if trouble:
            self.control.post("streams", **trouble)
            self.connected(0 if "refuse" in trouble else 1)
            self.control.post("streams", clear=True)
            wait(lambda: self.control.streams()["opened"] > known)
        self.hears()
        wait(lambda: self.control.count("PUT", KEYS) >= renewals + 2)

    def tasks(self) -> int:
        """What runs in the stream's own loop."""
        assert self.stream._loop is not None
        return len(asyncio.all_tasks(self.stream._loop))


def wait(ready: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "never happened"
        time.sleep(0.01)


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()} & NAMES


def sockets() -> int:
    """Sockets, pipes and pollers of this process."""
    found = 0
    for name in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the one that this listing itself had open
            found += str(name.readlink()).startswith(("socket:", "anon_inode:", "pipe:"))
    return found


@pytest.fixture
def bench(loaded: ccxt.binance, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(stream_module, "FIRST_PAUSE_S", 0.05)
    with SandboxServer(futures_usdt=5000, proxy=True) as server:
        made = Bench(server, loaded)
        made.stream.start()
        made.connected()
        yield made
        assert made.stream.stop(10)
        assert threads() == set()
        made.connected(0)
        made.source.session.close()


def test_an_order_as_it_is_told(bench: Bench) -> None:
    """Size, side, fill, price and the mark of Freqtrade's orders arrive as they are at the exchange."""
    bench.hears()
    last = bench.fills[-1]
    assert (last.pair, last.sells, last.reduce_only, last.quantity) == (PAIR, True, False, last.filled)
    assert last.client_id.startswith(order_prefix(bench.source))
    assert last.price > 1000
    assert abs(last.at - time.time()) < 30
    wait(lambda: bench.worked > 0)


@pytest.mark.parametrize("trouble", [{"disconnect": True}, {"expire": True}])
def test_it_comes_back(bench: Bench, trouble: dict[str, bool], caplog: pytest.LogCaptureFixture) -> None:
    """After a broken connection or an expired key it listens again, and nobody has to read about it."""
    bench.hears()
    for _ in range(3):
        opened = bench.control.streams()["opened"]
        bench.control.post("streams", **trouble)
        wait(lambda known=opened: bench.control.streams()["opened"] > known)
        bench.hears()
    assert [r.message for r in caplog.records if r.levelno >= logging.WARNING] == []


def test_nothing_stays_behind(loaded: ccxt.binance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnects, expired and renewed keys, refusals, stops and fresh starts leave no thread, socket or task."""
    monkeypatch.setattr(stream_module, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(stream_module, "LONGEST_PAUSE_S", 0.05)
    monkeypatch.setattr(order_stream, "SETTLED_AFTER_S", 0.02)
    troubles: list[dict[str, bool]] = [{}, {"disconnect": True}, {"expire": True}, {"refuse": True, "disconnect": True}]
    with SandboxServer(futures_usdt=5000) as server:
        bench = Bench(server, loaded)
        bench.sell()
        before, opened = set(threading.enumerate()), sockets()
        for _ in range(2):
            bench.stream = FillStream(bench.stream._connection, bench.fills.append, bench.work)
            bench.stream.start()
            bench.connected()
            seen: list[tuple[int, int, int]] = []
            for trouble in troubles:
                monkeypatch.setattr(order_stream, "RENEW_EVERY_S", 0.05)
                bench.goes_through(trouble)
                monkeypatch.setattr(order_stream, "RENEW_EVERY_S", 60.0)
                time.sleep(0.2)
                seen.append((bench.tasks(), sockets(), threading.active_count()))
            assert len(set(seen)) == 1, seen
            assert bench.stream.stop(10)
            bench.connected(0)
            assert set(threading.enumerate()) == before
            wait(lambda: sockets() == opened)
        bench.source.session.close()


def test_an_exchange_that_is_away(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An outage that lasts is said once, without the stream's key, and so is its end: a refusal that takes its time
    is no connection."""
    monkeypatch.setattr(stream_module, "TELL_AFTER_S", 0.1)
    monkeypatch.setattr(stream_module, "LONGEST_PAUSE_S", 0.1)
    monkeypatch.setattr(order_stream, "SETTLED_AFTER_S", 0.2)
    caplog.set_level(logging.INFO, "freqtrade_fundhedge")
    key = bench.control.streams()["keys"][0]
    bench.control.post("latency", ms=500)
    bench.control.post("streams", refuse=True, disconnect=True)
    wait(lambda: "is down" in caplog.text)
    time.sleep(1.5)
    assert "is connected" not in caplog.text
    bench.control.post("latency", ms=0)
    bench.control.post("streams", clear=True)
    wait(lambda: "is connected" in caplog.text)
    assert caplog.text.count("is down") == caplog.text.count("is connected") == 1
    assert key not in caplog.text
    bench.hears()


def test_the_key_is_renewed(loaded: ccxt.binance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Again and again, for ccxt would do it once; when that fails, a new connection has a new key."""
    monkeypatch.setattr(order_stream, "RENEW_EVERY_S", 0.3)
    monkeypatch.setattr(order_stream, "SETTLED_AFTER_S", 0.1)
    monkeypatch.setattr(stream_module, "FIRST_PAUSE_S", 0.05)
    with SandboxServer(futures_usdt=5000) as server:
        bench = Bench(server, loaded)
        bench.stream.start()
        wait(lambda: bench.control.count("PUT", KEYS) >= 3)
        assert bench.control.streams()["opened"] == bench.control.count("POST", KEYS) == 1
        bench.control.fault("error", KEYS, method="PUT", code=-1125, msg="This listenKey does not exist.")
        wait(lambda: bench.control.streams()["opened"] == 2)
        bench.hears()
        assert bench.stream.stop(10)
        bench.source.session.close()


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_through_a_proxy(loaded: ccxt.binance) -> None:
    """A proxy for requests serves the stream too, with Binance's own host names."""
    with SandboxServer(futures_usdt=5000, proxy=True) as server:
        bench = Bench(server, loaded, urls={}, **server.ccxt_proxy())
        bench.source.session.trust_env = False
        bench.stream.start()
        bench.connected()
        bench.hears()
        assert bench.stream.stop(10)
        bench.source.session.close()


def test_a_worker_that_fails_goes_on(loaded: ccxt.binance, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the work raises is said once, and the next fill finds somebody at work."""
    with SandboxServer(futures_usdt=5000) as server:
        bench = Bench(server, loaded)
        calls: list[int] = []

        def fail() -> None:
            calls.append(1)
            raise RuntimeError("broken")

        bench.stream = FillStream(bench.stream._connection, bench.fills.append, fail)
        bench.stream.start()
        bench.connected()
        bench.hears()
        wait(lambda: len(calls) == 1)
        bench.hears()
        wait(lambda: len(calls) == 2)
        assert bench.stream.stop(10)
        bench.source.session.close()
    assert caplog.text.count("RuntimeError: broken") == 1


def test_stopped_before_it_could_connect() -> None:
    """Ended right after its start, or while nobody answers, it leaves no thread behind."""
    for pause in (0.0, 0.3):
        source = ccxt.binance({"apiKey": "k", "secret": "s"})
        source.markets, source.markets_by_id, source.symbols, source.ids = {}, {}, [], []
        config = {"ccxt_config": {"urls": ccxt_urls("http://127.0.0.1:1"), "enableRateLimit": False}}
        stream = FillStream(
            partial(order_stream.listen, partial(stream_api, source, config)), lambda _fill: None, lambda: None
        )
        stream.start()
        time.sleep(pause)
        assert stream.stop(10)
        assert threads() == set()
        source.session.close()


def test_a_busy_thread_lets_the_stream_in_soon() -> None:
    """While it listens, threads take turns quickly; afterwards as before, whoever had changed that."""
    before = sys.getswitchinterval()
    stream = FillStream(lambda *_: asyncio.sleep(60), lambda _: None, lambda: None)
    sys.setswitchinterval(0.004)
    try:
        stream.start()
        assert sys.getswitchinterval() < 0.001
        assert stream.stop(10)
        assert sys.getswitchinterval() == pytest.approx(0.004)
    finally:
        sys.setswitchinterval(before)


def test_an_exchange_without_a_stream() -> None:
    """Where ccxt.pro tells of no orders, there is simply no stream."""
    assert order_stream.socket_class("kraken") is None


NONSENSE = (
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8) | st.just([]) | st.just({})
    | st.sampled_from(["NaN", "sNaN", "-Infinity", "1e999999", "1e-999999", "-1", "0", "1e15", "1e16", "9" * 5000])
)  # fmt: skip
FIELDS = st.sampled_from(["e", "o", "stream", "data", "event", "id", "error", "status", "s", "listenKey", "result"])
TOLD: dict[str, Any] = {
    "s": "BTCUSDT", "c": "x-cvBPrNm91", "S": "SELL", "o": "LIMIT", "f": "GTC", "q": "0.020", "p": "50000.0",
    "ap": "50000.0", "sp": "0", "x": "TRADE", "X": "PARTIALLY_FILLED", "i": 8886774, "l": "0.004", "z": "0.004",
    "L": "50000.0", "n": "0.1", "N": "USDT", "T": 1568879465651, "t": 1, "m": False, "R": False, "ps": "BOTH",
}  # fmt: skip


class Handler:
    """What ccxt calls with each message, on a client that only remembers what it is told to do."""

    def __init__(self, loaded: ccxt.binance) -> None:
        api = ccxt.pro.binance({"options": {"defaultType": "swap"}})
        api.set_markets_from_exchange(loaded)
        self.fills: list[OrderFill] = []
        self.rejected: list[Exception] = []
        order_stream._overhear(api, self.fills.append)
        self.handle = api.handle_message
        self.client = SimpleNamespace(
            subscriptions={}, futures={}, url="ws://", rejections={}, resolve=lambda *_: None,
            reject=lambda error, *_: self.rejected.append(error), reset=self.rejected.append,
        )  # fmt: skip

    def hears(self, message: Any) -> list[OrderFill]:
        known = len(self.fills)
        self.handle(self.client, message)
        return self.fills[known:]


@pytest.fixture(scope="module")
def handler(loaded: ccxt.binance) -> Handler:
    return Handler(loaded)


def order_message(**changes: Any) -> dict[str, Any]:
    return {"e": "ORDER_TRADE_UPDATE", "E": 1568879465651, "T": 1568879465650, "o": {**TOLD, **changes}}


@given(
    st.dictionaries(st.sampled_from(sorted(TOLD)), NONSENSE, max_size=5),
    st.sets(st.sampled_from(sorted(TOLD)), max_size=3),
)
def test_nonsense_in_an_order_is_no_fill(handler: Handler, changes: dict[str, Any], without: set[str]) -> None:
    """Whatever stands in its fields, only amounts that can be reckoned with pass; the next order is heard."""
    message = order_message(**changes)
    message["o"] = {name: value for name, value in message["o"].items() if name not in without}
    for fill in handler.hears(message):
        assert fill.order_id
        assert fill.pair
        for amount in (fill.filled, fill.quantity, fill.price, Decimal(fill.at)):
            assert amount.is_finite()
            assert 0 <= amount <= order_stream.LARGEST
        assert fill.filled <= fill.quantity
    (good,) = handler.hears(order_message())
    assert (good.filled, good.quantity, good.price) == (Decimal("0.004"), Decimal("0.020"), Decimal("50000.0"))


@given(
    st.recursive(
        NONSENSE, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4), max_leaves=8
    )
)
def test_nonsense_for_a_message(handler: Handler, message: Any) -> None:
    """Nothing that comes through the connection leaves the handler as an exception: ccxt would read no further."""
    handler.hears(message)
    assert len(handler.hears(order_message())) == 1
    handler.rejected.clear()
    handler.hears({"e": "listenKeyExpired", "E": 1, "listenKey": message})
    assert len(handler.rejected) == 1


def test_a_message_that_cannot_be_read(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The connection that brought it goes on telling; it is said once, and not what was in it."""
    good = streams.order_trade_update
    monkeypatch.setattr(streams, "order_trade_update", lambda *_: {"e": "ORDER_TRADE_UPDATE", "o": {"z": "secret"}})
    bench.sell()
    bench.sell()
    monkeypatch.setattr(streams, "order_trade_update", good)
    bench.hears()
    assert bench.control.streams()["opened"] == 1
    assert caplog.text.count("can't be read") == 1
    assert "secret" not in caplog.text
