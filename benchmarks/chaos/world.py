"""Virtual time, the sandbox exchange on loopback, and a ccxt client whose process may die at any request."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable
from random import Random
from types import SimpleNamespace, TracebackType
from typing import Any
from unittest.mock import patch

import ccxt
import ccxt.pro
from aiohttp import web

from benchmarks.chaos.plan import COINS
from freqtrade_fundhedge.sandbox.app import Sandbox
from freqtrade_fundhedge.sandbox.client import ccxt_urls
from freqtrade_fundhedge.sandbox.exchange import Exchange, Options
from freqtrade_fundhedge.sandbox.faults import Faults
from freqtrade_fundhedge.sandbox.http_fapi_account import account_v3
from freqtrade_fundhedge.sandbox.params import Params
from freqtrade_fundhedge.sandbox.requestlog import RequestLog
from freqtrade_fundhedge.sandbox.streams import Streams
from freqtrade_fundhedge.sandbox.views import Desk
from freqtrade_fundhedge.venue import ccxt_call

HANG_S = 9.5
ACCOUNT = re.compile(r"/fapi/v\d/account\b")


class Killed(BaseException):
    """The process died here; nothing catches it on the way out."""


class Clock:
    """Virtual time, in milliseconds since 1970 for the exchange and in seconds for the bot."""

    def __init__(self) -> None:
        self.ms = 0.0

    def __call__(self) -> int:
        return int(self.ms)

    def seconds(self) -> float:
        """Read in seconds."""
        return self.ms / 1000

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.ms += seconds * 1000


class Mortality:
    """Counts the steps of a process; it dies when its lives are used up."""

    def __init__(self) -> None:
        self.lives: int | None = None

    def step(self) -> None:
        """One more step, maybe the last."""
        if self.lives is not None:
            self.lives -= 1
            if self.lives < 0:
                self.lives = None
                raise Killed


class Client(ccxt.binance):  # type: ignore[misc]
    """ccxt's binance in virtual time: a request takes a while, and may be the last thing that the process does."""

    world: World

    def milliseconds(self) -> int:
        """See ccxt."""
        return self.world.clock()

    def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        """See ccxt."""
        world = self.world
        world.step()
        world.travel()
        try:
            answer = super().fetch(url, method, headers, body)
            return world.as_shown(answer) if ACCOUNT.search(url) and isinstance(answer, dict) else answer
        finally:
            world.after_request()
            world.travel()
            world.step()


class World:
    """One loopback server and one ccxt instance for many scenarios; a context manager."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.death = Mortality()
        self.dice = Random(0)
        self.latency_s = 0.1
        self.watch: Callable[[], None] | None = None
        self.hear: Callable[[], None] | None = None
        self.behind_s = 0.0
        self._shown: list[tuple[float, Any]] = []
        self.sandbox = Sandbox(Exchange(Options(coins=COINS), self.clock))
        # The pause that an exchange asks for passes in virtual time too.
        self._virtual_pauses = patch.object(ccxt_call, "time", SimpleNamespace(monotonic=self.clock.seconds))
        self._loop = asyncio.new_event_loop()
        self._port = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def exchange(self) -> Exchange:
        """The exchange of the scenario under way."""
        return self.sandbox.desk.exchange

    def __enter__(self) -> World:
        self._virtual_pauses.start()
        self._thread.start()
        if not self._ready.wait(20):
            raise RuntimeError("the sandbox did not start")
        self.api = self._client()
        self.api.load_markets()
        self.reader = ccxt.pro.binance({"options": {"defaultType": "swap"}})
        self.reader.set_markets_from_exchange(self.api)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._virtual_pauses.stop()
        self.api.session.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _client(self) -> Client:
        api = Client({"apiKey": "sandbox-key", "secret": "sandbox-secret", "enableRateLimit": False})
        api.world = self
        api.urls.update(ccxt_urls(f"http://127.0.0.1:{self._port}"))
        api.options["defaultType"] = "spot"
        return api

    def _serve(self) -> None:
        # Without the sandbox's heartbeat: between requests the exchange belongs to the scenario's thread.
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self.sandbox.serve)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        self._loop.run_until_complete(runner.setup())
        self._loop.run_until_complete(web.TCPSite(runner, "127.0.0.1", 0).start())
        self._port = int(runner.addresses[0][1])
        self._ready.set()
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(runner.cleanup())
            self._loop.close()

    def reset(self, options: Options, start_s: float, latency_s: float, dice: int) -> None:
        """A new exchange at a new time."""
        self.clock.ms = start_s * 1000
        self.death.lives = None
        self.dice, self.latency_s = Random(dice), latency_s
        self.watch = self.hear = None
        self.behind_s = 0.0
        self._shown.clear()
        self.new_process()
        exchange = Exchange(options, self.clock)
        self.sandbox.desk = Desk(exchange, Faults(options.seed), RequestLog(), Streams(exchange))

    def new_process(self) -> None:
        """A process that starts knows nothing that the one before had kept in its ccxt instance."""
        for name in [name for name in self.api.options if name.startswith("fundhedge_")]:
            del self.api.options[name]

    def step(self) -> None:
        """Between any two things that the bot does the stream may tell of something, and the process may die."""
        if self.hear is not None:
            self.hear()
        self.death.step()

    def before_fill(self) -> None:
        """Positions change next; for a while the account goes on showing them as they are now."""
        if self.behind_s:
            shown = account_v3(self.exchange, Params("", ""))
            self._shown.append((self.clock.seconds() + self.behind_s, shown["positions"]))

    def as_shown(self, answer: dict[str, Any]) -> dict[str, Any]:
        """An account whose positions are some seconds old."""
        late = next((positions for until, positions in self._shown if self.clock.seconds() < until), None)
        return answer if late is None else {**answer, "positions": late}

    def travel(self) -> None:
        """One way through the network."""
        self.clock.forward(self.latency_s * self.dice.uniform(0.25, 0.75))

    def after_request(self) -> None:
        """The exchange has done what it did; an answer that is lost is waited for."""
        if self.watch is not None:
            self.watch()
        log = self.sandbox.desk.log.entries
        if log and (log[-1].fault or "").startswith("drop"):
            self.clock.forward(self.dice.uniform(0, HANG_S))

    @property
    def requests(self) -> int:
        """Requests since the reset."""
        return self.sandbox.desk.log.made
