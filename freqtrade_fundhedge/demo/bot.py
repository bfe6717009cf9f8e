"""A real `freqtrade trade` process: its folder, its configuration, its REST API, and an end by its pid."""

from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from freqtrade_fundhedge.errors import ConfigError, FundHedgeError
from freqtrade_fundhedge.sandbox import freqtrade_config

STRATEGY = "FundHedgeStrategy"
NAME = "demo"
PAIR = "BTC/USDT:USDT"
STAKE = 1500
_STOP_S = 15.0
# What an earlier run left behind; nothing else in the folder is touched.
_OURS = ("bot.log", "config.json", "result.json", "report.html", "trades.sqlite*", "journal.sqlite", "journal.sqlite-*")


class DemoFailed(FundHedgeError):
    """A step did not happen in its time, or the bot is gone."""


def find_strategies() -> Path:
    """The folder of the strategy file: of the clone that is installed, else of the working folder.

    Raises
    ------
    ConfigError : neither has it
    """
    for root in (Path(__file__).parents[2], Path.cwd()):
        folder = root / "user_data" / "strategies"
        if (folder / f"{STRATEGY}.py").is_file():
            return folder
    raise ConfigError(f"user_data/strategies/{STRATEGY}.py is not here: run the demo in the folder of the clone")


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass
class BotProcess:
    """One bot in one folder.

    Attributes
    ----------
    folder : absolute; log, journal, trades and configuration stay there
    exchange : URL of the sandbox
    """

    folder: Path
    exchange: str
    strategies: Path
    port: int = field(default_factory=free_port)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """Everything that the bot prints."""
        return self.folder / "bot.log"

    @property
    def journal_file(self) -> Path:
        """The plugin's journal."""
        return self.folder / "journal.sqlite"

    @property
    def journal_url(self) -> str:
        """The same for SQLAlchemy."""
        return f"sqlite:///{self.journal_file}"

    def config(self) -> dict[str, Any]:
        """Freqtrade's configuration: live mode, all defaults of the plugin."""
        pricing = {"price_side": "other", "use_order_book": True, "order_book_top": 1}
        return {
            "bot_name": NAME,
            "dry_run": False,
            "initial_state": "running",
            "trading_mode": "futures",
            "margin_mode": "isolated",
            "stake_currency": "USDT",
            "stake_amount": STAKE,
            "max_open_trades": 1,
            "strategy": STRATEGY,
            "strategy_path": str(self.strategies),
            "user_data_dir": str(self.folder / "user_data"),
            "db_url": f"sqlite:///{self.folder / 'trades.sqlite'}",
            "exchange": freqtrade_config(self.exchange, pair_whitelist=[PAIR]),
            "pairlists": [{"method": "StaticPairList"}],
            "entry_pricing": pricing,
            "exit_pricing": pricing,
            "internals": {"process_throttle_secs": 1},
            "api_server": {
                "enabled": True, "listen_ip_address": "127.0.0.1", "listen_port": self.port, "username": NAME,
                "password": self.password, "jwt_secret_key": secrets.token_urlsafe(32),
                "ws_token": secrets.token_urlsafe(24), "verbosity": "error",
            },
            "fundhedge": {"db_url": self.journal_url},
        }  # fmt: skip

    def start(self) -> None:
        """Start with a clean folder, in a session of its own so that Ctrl-C reaches it through us, in order."""
        for pattern in _OURS:
            for old in self.folder.glob(pattern):
                old.unlink()
        (self.folder / "user_data").mkdir(exist_ok=True)
        config = self.folder / "config.json"
        config.touch(mode=0o600)
        config.write_text(json.dumps(self.config(), indent=1))
        # The user's own Freqtrade settings have no business here, nor has a proxy between us and loopback.
        environment = {k: v for k, v in os.environ.items() if not k.upper().startswith("FREQTRADE__")}
        environment["NO_PROXY"] = environment["no_proxy"] = "127.0.0.1,localhost"
        # Freqtrade wraps its log to the width of a terminal; a file has none.
        environment["COLUMNS"] = "400"
        command = [sys.executable, "-m", "freqtrade", "trade", "-c", str(config)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder,
                env=environment, start_new_session=True,
            )  # fmt: skip

    def check_alive(self) -> None:
        """Raises DemoFailed when the process has ended."""
        if self.process is None or self.process.poll() is not None:
            code = None if self.process is None else self.process.returncode
            raise DemoFailed(f"the bot ended by itself (exit code {code})")

    def stop(self) -> None:
        """End the process by its pid and wait for it; kill it when it takes too long or Ctrl-C comes again."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(_STOP_S)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            self.process.kill()
            self.process.wait()

    def said(self, text: str) -> bool:
        """Whether the log has this text."""
        return text in " ".join(self.log.read_text(errors="replace").split())

    def last_lines(self, count: int = 25) -> list[str]:
        """The end of the log."""
        if not self.log.exists():
            return []
        return self.log.read_text(errors="replace").splitlines()[-count:]

    def rest(self, path: str, **body: object) -> Any:
        """Ask Freqtrade's REST API: GET, or POST when there is a body.

        Raises
        ------
        DemoFailed : no answer, or one that says no
        """
        credentials = base64.b64encode(f"{NAME}:{self.password}".encode()).decode()
        headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body else None
        request = Request(f"http://127.0.0.1:{self.port}/api/v1/{path}", data=data, headers=headers)
        try:
            with build_opener(ProxyHandler({})).open(request, timeout=20) as answer:
                return json.load(answer)
        except (URLError, OSError, ValueError) as error:
            raise DemoFailed(f"Freqtrade's REST API, {path}: {error}") from None
