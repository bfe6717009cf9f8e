"""An exchange that is away, or asks for a pause: bounded time, log and journal, and recovery without a restart."""

from __future__ import annotations

import gc
import logging
import socket
import time
import tracemalloc
from collections.abc import Callable, Iterator
from decimal import Decimal as D
from pathlib import Path

import ccxt
import pytest
import requests
from fake_venue import PAIR, FakeVenue

from freqtrade_fundhedge.config import FundHedgeConfig
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.controller import Controller
from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.errors import BackOff
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_rows import EventRow, OrderRow, TransferRow
from freqtrade_fundhedge.sandbox import SandboxServer, ccxt_urls
from freqtrade_fundhedge.sandbox.settings import DEFAULT_KEY, DEFAULT_SECRET
from freqtrade_fundhedge.venue.live import LiveVenue
from freqtrade_fundhedge.venue.port import Venue

LOOPS_IN_TEN_MINUTES = 120
REQUEST_S = 0.25
QUANTITY = D("0.020")
PRICE = D(50_000)


def controller(venue: Venue, folder: Path, clock: Callable[[], float], fund_entries: bool = True) -> Controller:
    journal = Journal(f"sqlite:///{folder}/journal.sqlite", "bot")
    settings = FundHedgeConfig.model_validate(
        {"hedge": {"unhedged_timeout_s": 3600}, "margin": {"fund_entries": fund_entries}}
    )
    return Controller(Context(venue, journal, settings, "USDT", clock=clock, sleep=lambda _s: None))


class Clock:
    """Real time, and what a loop would have waited."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


def rows(bot: Controller) -> dict[str, int]:
    return {kind.__name__: len(bot.ctx.journal.recent(kind, 10_000)) for kind in (OrderRow, TransferRow, EventRow)}


# --- the real client, the real socket


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer(spot_usdt=10_000, futures_usdt=5_000) as running:
        yield running


@pytest.fixture
def api(server: SandboxServer) -> Iterator[ccxt.binance]:
    client = ccxt.binance(
        {
            "apiKey": DEFAULT_KEY, "secret": DEFAULT_SECRET, "enableRateLimit": False,
            "timeout": int(REQUEST_S * 1000), "urls": ccxt_urls(server.url), "options": {"defaultType": "spot"},
        }
    )  # fmt: skip
    client.session.trust_env = False
    client.timeout = 10_000
    client.load_markets()
    client.timeout = int(REQUEST_S * 1000)
    yield client
    client.session.close()


def outage(bot: Controller, clock: Clock, leg: ShortLeg, loops: int) -> float:
    """Loops of a bot that can't reach its exchange; the longest one, in seconds."""
    longest = 0.0
    for _ in range(loops):
        clock.ahead += 5
        started = time.monotonic()
        assert not bot.converge(lambda _hedges: [leg])
        bot.after_fill(leg)
        assert bot.allow_entry("ETH/USDT:USDT", QUANTITY, PRICE)
        longest = max(longest, time.monotonic() - started)
    return longest


def held() -> int:
    """Bytes in use that are not just waiting to be collected."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@pytest.mark.parametrize("how", ["silent", "refused"])
def test_ten_minutes_without_the_exchange(
    server: SandboxServer, api: ccxt.binance, tmp_path: Path, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    """No loop takes longer than a request may; log, journal and memory stand still; then it goes on by itself."""
    clock = Clock()
    bot = controller(LiveVenue(api, api, "USDT", clock), tmp_path, clock, fund_entries=False)
    api.timeout = 10_000
    bot.converge(lambda _hedges: [])
    api.create_order(PAIR, "market", "sell", str(QUANTITY))
    leg = ShortLeg(1, PAIR, clock(), QUANTITY, QUANTITY, True)
    api.timeout = int(REQUEST_S * 1000)
    urls = api.urls["api"]
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        if how == "silent":
            deaf.listen(128)
        away = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        api.urls["api"] = ccxt_urls(away)["api"]
        loops = LOOPS_IN_TEN_MINUTES if how == "refused" else 20
        with caplog.at_level(logging.INFO):
            # A loop and a fill that is announced in it: one request each that waits for its time-out.
            assert outage(bot, clock, leg, 10) < 2 * REQUEST_S + 1
            before, lines = rows(bot), len(caplog.records)
            tracemalloc.start()
            outage(bot, clock, leg, 10)
            first = held()
            outage(bot, clock, leg, loops - 20)
            grown = held() - first
            tracemalloc.stop()
    assert rows(bot) == before
    assert len(caplog.records) == lines <= 4
    assert grown < 200_000
    api.urls["api"], api.timeout = urls, 10_000
    api.session.close()
    api.session = requests.Session()
    api.session.trust_env = False
    for _ in range(4):
        clock.ahead += 5
        done = bot.converge(lambda _hedges: [leg])
    assert done
    assert abs(D(server.control.books()["spot"]["BTC"]["total"]) - QUANTITY) < D("0.00001")
    assert server.control.count("POST", "/api/v3/order") == 1
    bot.ctx.journal.close()


@pytest.mark.parametrize("status", [429, 418])
def test_pause(server: SandboxServer, api: ccxt.binance, tmp_path: Path, status: int) -> None:
    """After 429 or 418 with Retry-After no request of any kind leaves before that time, and nothing is entered."""
    clock = Clock()
    api.timeout = 10_000
    venue = LiveVenue(api, api, "USDT", clock)
    bot = controller(venue, tmp_path, clock)
    assert bot.converge(lambda _hedges: [])
    server.control.fault("limit", "/fapi/v3/account", status=status, retry_after=2)
    started = time.monotonic()
    assert not bot.converge(lambda _hedges: [])
    server.control.clear_requests()
    leg = ShortLeg(1, PAIR, clock(), QUANTITY, QUANTITY, True)
    while time.monotonic() - started < 1.5:
        assert not bot.converge(lambda _hedges: [leg])
        assert not bot.after_fill(leg)
        assert "pause" in bot.allow_entry(PAIR, QUANTITY, PRICE)
        for ask in (venue.spot_balances, venue.funding, venue.refuse_reasons, venue.futures_account):
            with pytest.raises(BackOff):
                ask()
        time.sleep(0.1)
    assert server.control.count(".*", ".*") == 0
    assert rows(bot)["OrderRow"] == 0
    time.sleep(max(0.0, started + 2.6 - time.monotonic()))
    bot.converge(lambda _hedges: [])  # goes without the futures wallet once, so that spot is not starved by it
    assert bot.converge(lambda _hedges: [])
    bot.ctx.journal.close()


# --- refusals that do not end


class Day:
    """A clock that is moved by the loop."""

    now = 1_700_000_000.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


@pytest.mark.parametrize("fault", ["reject", "not_sent", "back_off"])
def test_a_day_of_refused_sales(tmp_path: Path, caplog: pytest.LogCaptureFixture, fault: str) -> None:
    """A sale that is refused all day costs the journal some rows, not one in each loop, and goes through in the end."""
    day = Day()
    venue = FakeVenue(day, {"USDT": D(10_000)}, D(2_000))
    bot = controller(venue, tmp_path, day)
    bot.converge(lambda _hedges: [])
    venue.open_short(QUANTITY, D(3))
    leg = ShortLeg(1, PAIR, day.now, QUANTITY, QUANTITY, True)
    bot.converge(lambda _hedges: [leg])
    venue.close_short_by(QUANTITY)
    gone = ShortLeg(1, PAIR, leg.opened_at, D(0), D(0), False)
    venue.faults = {"order": [fault] * 100_000}
    with caplog.at_level(logging.WARNING):
        for _ in range(1_000):
            day.now += 5
            bot.converge(lambda _hedges: [gone])
    assert 10 < rows(bot)["OrderRow"] < 40
    assert rows(bot)["EventRow"] < 150
    assert len(caplog.records) < 150
    venue.faults = {}
    for _ in range(70):
        day.now += 5
        bot.converge(lambda _hedges: [gone])
    assert venue.spot["BTC"] < D("0.00002")
    bot.ctx.journal.close()


def test_a_day_of_refused_sweeps(tmp_path: Path) -> None:
    """A sweep that is refused as too much, whatever is asked for, does not fill the journal."""
    day = Day()
    venue = FakeVenue(day, {"USDT": D(10_000)}, D(2_000))
    bot = controller(venue, tmp_path, day)
    venue.faults = {"transfer": ["shrink"] * 100_000}
    for _ in range(1_000):
        day.now += 5
        bot.converge(lambda _hedges: [])
    assert 10 < rows(bot)["TransferRow"] < 40
    venue.faults = {}
    for _ in range(70):
        day.now += 5
        bot.converge(lambda _hedges: [])
    assert venue.wallet < 1
    bot.ctx.journal.close()
