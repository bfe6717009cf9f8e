"""Start and stop a sandbox, in a thread of this process or in a process of its own."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType

from aiohttp import web

from freqtrade_fundhedge.sandbox.app import Sandbox
from freqtrade_fundhedge.sandbox.client import SandboxControl, ccxt_urls, freqtrade_config
from freqtrade_fundhedge.sandbox.exchange import Exchange, Options
from freqtrade_fundhedge.sandbox.proxy import TlsProxy

LOOPBACK = ("127.0.0.1", "::1", "localhost")
_START_S = 20.0


@dataclass
class Site:
    """A sandbox that listens."""

    runner: web.AppRunner
    port: int
    proxy: TlsProxy | None

    async def close(self) -> None:
        """Stop listening and answering."""
        if self.proxy is not None:
            await self.proxy.stop()
        await self.runner.cleanup()


async def open_site(sandbox: Sandbox, host: str, port: int, proxy_port: int | None = None) -> Site:
    """Listen, on loopback only; with a proxy port also as an HTTPS proxy for Binance's host names.

    Raises
    ------
    ValueError : the address is not a loopback address
    """
    if host not in LOOPBACK:
        raise ValueError(f"the sandbox listens on loopback only, not on {host}")
    runner = web.AppRunner(sandbox.application(), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    site = Site(runner, int(runner.addresses[0][1]), None)
    if proxy_port is not None:
        site.proxy = TlsProxy(host, site.port)
        await site.proxy.start(proxy_port)
    return site


class SandboxServer:
    """A running sandbox. Use it as a context manager, or call :meth:`start` and :meth:`stop`.

    Parameters
    ----------
    spot_usdt, futures_usdt : what the wallets hold at the start
    seed : of the generated history and of the faults' dice
    alive : prices move on their own instead of standing still
    port : to listen on; 0 takes a free one
    more_coins : how many made-up coins are listed besides the usual ones
    own_process : run as a process of its own instead of a thread
    proxy : also be an HTTPS proxy for Binance's host names (see :meth:`ccxt_proxy`)
    """

    def __init__(
        self,
        *,
        spot_usdt: Decimal | int | str = 10_000,
        futures_usdt: Decimal | int | str = 0,
        seed: int = 1,
        alive: bool = False,
        more_coins: int = 0,
        port: int = 0,
        own_process: bool = False,
        proxy: bool = False,
    ) -> None:
        self.options = Options(Decimal(spot_usdt), Decimal(futures_usdt), seed, alive, more_coins=more_coins)
        self.port = port
        self.own_process = own_process
        self.proxy_port: int | None = 0 if proxy else None
        self.sandbox: Sandbox | None = None
        self._process: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._error: BaseException | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def proxy_url(self) -> str:
        """Where its HTTPS proxy listens; only with ``proxy=True``."""
        if self.proxy_port is None:
            raise ValueError("this sandbox was started without its proxy")
        return f"http://127.0.0.1:{self.proxy_port}"

    def ccxt_proxy(self) -> dict[str, object]:
        """Return ccxt settings that keep Binance's host names (and so ccxt's exact error classes)."""
        return {"httpsProxy": self.proxy_url, "verify": False}

    @property
    def control(self) -> SandboxControl:
        """A client of its control API."""
        return SandboxControl(self.url)

    def ccxt_urls(self) -> dict[str, dict[str, object]]:
        """Return the ``urls`` setting for ccxt."""
        return ccxt_urls(self.url)

    def freqtrade_config(self, **overrides: object) -> dict[str, object]:
        """Return the ``exchange`` section for Freqtrade."""
        return freqtrade_config(self.url, **overrides)

    def start(self) -> SandboxServer:
        """Start and wait until it answers."""
        if self.own_process:
            self._start_process()
        else:
            self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)
            self._thread.start()
            if not self._ready.wait(_START_S):
                raise TimeoutError("the sandbox did not start")
            if self._error is not None:
                raise self._error
        return self

    def stop(self) -> None:
        """Stop; nothing is left running."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None
        if self._thread is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
            self._thread = None

    def __enter__(self) -> SandboxServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_process(self) -> None:
        options = self.options
        command = [sys.executable, "-m", "freqtrade_fundhedge.sandbox", "--json-ready"]
        command += ["--port", str(self.port), "--seed", str(options.seed)]
        command += ["--spot-usdt", str(options.spot_usdt), "--futures-usdt", str(options.futures_usdt)]
        command += ["--more-coins", str(options.more_coins)]
        if options.alive:
            command.append("--alive")
        if self.proxy_port is not None:
            command += ["--proxy-port", str(self.proxy_port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line:
            self.stop()
            raise RuntimeError("the sandbox process ended before it was ready")
        ready = json.loads(line)
        self.port, self.proxy_port = int(ready["port"]), ready["proxy_port"]

    def _run(self) -> None:
        loop = asyncio.new_event_loop()
        self._loop = loop
        try:
            self.sandbox = Sandbox(Exchange(self.options))
            opened = open_site(self.sandbox, "127.0.0.1", self.port, self.proxy_port)
            site = loop.run_until_complete(opened)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for the start
            self._error = error
            loop.close()
            self._ready.set()
            return
        self.port = site.port
        self.proxy_port = site.proxy.port if site.proxy is not None else None
        self._ready.set()
        try:
            loop.run_forever()
        finally:
            loop.run_until_complete(site.close())
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
