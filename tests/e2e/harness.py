"""A real `freqtrade trade` process against the sandbox exchange, judged by the sandbox's books."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import requests
from freqtrade_fundhedge.sandbox import SandboxControl, SandboxServer, freqtrade_config

ROOT = Path(__file__).parents[2]
USER, PASSWORD = "tester", "only-on-loopback"


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def deep_merge(base: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    """`extra` over `base`, objects merged."""
    out = dict(base)
    for key, value in extra.items():
        both = isinstance(value, dict) and isinstance(out.get(key), dict)
        out[key] = deep_merge(out[key], value) if both else value
    return out


@dataclass
class Run:
    """One bot in one folder against one sandbox."""

    folder: Path
    sandbox: SandboxControl
    settings: dict[str, Any] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    port: int = 0

    def config(self) -> dict[str, Any]:
        """Freqtrade's configuration, the test's own settings merged in."""
        self.port = self.port or free_port()
        base = {
            "bot_name": "e2e",
            "dry_run": False,
            "initial_state": "running",
            "trading_mode": "futures",
            "margin_mode": "isolated",
            "stake_currency": "USDT",
            "stake_amount": 1000,
            "max_open_trades": 3,
            "strategy": "FundHedgeStrategy",
            "strategy_path": str(ROOT / "user_data" / "strategies"),
            "user_data_dir": str(self.folder / "user_data"),
            "db_url": f"sqlite:///{self.folder}/trades.sqlite",
            "exchange": freqtrade_config(self.sandbox.url),
            "pairlists": [{"method": "StaticPairList"}],
            "entry_pricing": {"price_side": "other", "use_order_book": True, "order_book_top": 1},
            "exit_pricing": {"price_side": "other", "use_order_book": True, "order_book_top": 1},
            "internals": {"process_throttle_secs": 1},
            "api_server": {
                "enabled": True, "listen_ip_address": "127.0.0.1", "listen_port": self.port,
                "username": USER, "password": PASSWORD, "jwt_secret_key": "x" * 40, "ws_token": "y" * 40,
                "verbosity": "error",
            },
            "fundhedge": {},
        }  # fmt: skip
        return deep_merge(base, self.settings)

    def start(self, **environment: str) -> None:
        """Start the process; it writes to bot.log."""
        (self.folder / "user_data").mkdir(exist_ok=True)
        path = self.folder / "config.json"
        path.write_text(json.dumps(self.config(), indent=1))
        log = (self.folder / "bot.log").open("ab")
        command = [sys.executable, "-m", "freqtrade", "trade", "-c", str(path)]
        self.process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder, env={**os.environ, **environment}
        )
        log.close()

    def log(self) -> str:
        """Everything that the bot printed."""
        return (self.folder / "bot.log").read_text(errors="replace")

    def stop(self, how: int = signal.SIGINT) -> int:
        """End the process by its pid and wait for it."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        return int(self.process.returncode)

    def wait(self, what: str, ready: Callable[[], Any], timeout: float = 60.0) -> Any:
        """The first true answer of `ready`, else a failure with the end of the log."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            answer = ready()
            if answer:
                return answer
            if self.process is not None and self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise AssertionError(f"never happened: {what}\n{self.log()[-6000:]}")

    def rest(self, method: str, path: str, **body: Any) -> Any:
        """Call Freqtrade's REST API."""
        answer = requests.request(
            method, f"http://127.0.0.1:{self.port}/api/v1/{path}", json=body or None, auth=(USER, PASSWORD), timeout=30
        )
        answer.raise_for_status()
        return answer.json()

    def spot(self, coin: str) -> Decimal:
        """Spot holdings of a coin on the exchange, free and locked."""
        return holding(self.sandbox.books(), coin)

    def shorts(self) -> dict[str, Decimal]:
        """Open shorts on the exchange by symbol."""
        return shorts(self.sandbox.books())


def holding(books: dict[str, Any], coin: str) -> Decimal:
    """Spot holdings in a snapshot."""
    entry = books["spot"].get(coin, {})
    return Decimal(entry.get("free", "0")) + Decimal(entry.get("locked", "0"))


def shorts(books: dict[str, Any]) -> dict[str, Decimal]:
    """Short positions in a snapshot, as positive quantities."""
    return {p["symbol"]: -Decimal(p["positionAmt"]) for p in books["positions"] if Decimal(p["positionAmt"]) < 0}


@contextlib.contextmanager
def running(folder: Path, settings: dict[str, Any] | None = None, **server: Any) -> Iterator[Run]:
    """A sandbox and a bot that is not started yet; both are ended whatever happens."""
    with SandboxServer(**server) as exchange:
        run = Run(folder, SandboxControl(exchange.url), settings or {})
        try:
            yield run
        finally:
            run.stop()


def make_funding_pay(control: SandboxControl, symbols: tuple[str, ...], rate: str = "0.0004") -> None:
    """Two months of high funding behind us, more to come, and a basis a little above its usual level."""
    for symbol in symbols:
        control.post("funding", symbol=symbol, rate=rate, past=rate, hours=24 * 60)
        control.post("basis", symbol=symbol, basis="0", past_hours=24 * 60)
        control.post("basis", symbol=symbol, basis="0.001", past_hours=6)
