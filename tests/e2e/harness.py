"""A real `freqtrade trade` process against the sandbox exchange, judged by the sandbox's books."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
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
from freqtrade_fundhedge.sandbox.settings import DEFAULT_KEY, DEFAULT_SECRET

ROOT = Path(__file__).parents[2]
USER, PASSWORD = "tester", "only-on-loopback"
ORDER, SPOT_ORDER, TRANSFER = "/fapi/v1/order", "/api/v3/order", "/sapi/v1/asset/transfer"
SWEEP, TOP_UP = "UMFUTURE_MAIN", "MAIN_UMFUTURE"
CANDLE_MS = 3_600_000


@dataclass(frozen=True)
class Market:
    """A perpetual and its spot market; `lot` is the spot market's, `multiplier` spot units per perpetual unit."""

    symbol: str
    pair: str
    coin: str
    spot: str
    multiplier: int
    lot: Decimal


BTC = Market("BTCUSDT", "BTC/USDT:USDT", "BTC", "BTCUSDT", 1, Decimal("0.00001"))
ETH = Market("ETHUSDT", "ETH/USDT:USDT", "ETH", "ETHUSDT", 1, Decimal("0.0001"))
PEPE = Market("1000PEPEUSDT", "1000PEPE/USDT:USDT", "PEPE", "PEPEUSDT", 1000, Decimal(1))


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def deep_merge(base: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    """`extra` over `base`, objects merged; None takes a key away."""
    out = dict(base)
    for key, value in extra.items():
        if value is None:
            out.pop(key, None)
            continue
        both = isinstance(value, dict) and isinstance(out.get(key), dict)
        out[key] = deep_merge(out[key], value) if both else value
    return out


@dataclass
class Run:
    """One bot in one folder against one sandbox."""

    folder: Path
    sandbox: SandboxControl
    settings: dict[str, Any] = field(default_factory=dict)
    markets: tuple[Market, ...] = (BTC,)
    process: subprocess.Popen[bytes] | None = None
    port: int = 0

    # --- the process

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
            "stake_amount": 500,
            "max_open_trades": 3,
            "strategy": "FundHedgeStrategy",
            "strategy_path": str(ROOT / "user_data" / "strategies"),
            "user_data_dir": str(self.folder / "user_data"),
            "db_url": f"sqlite:///{self.folder}/trades.sqlite",
            "exchange": freqtrade_config(self.sandbox.url, pair_whitelist=[m.pair for m in self.markets]),
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

    def start(self) -> None:
        """Start the process; it writes to bot.log."""
        (self.folder / "user_data").mkdir(exist_ok=True)
        path = self.folder / "config.json"
        path.write_text(json.dumps(self.config(), indent=1))
        command = [sys.executable, "-m", "freqtrade", "trade", "-c", str(path)]
        with (self.folder / "bot.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder, env={**os.environ, "COLUMNS": "400"}
            )

    def log(self) -> str:
        """Everything that the bot printed."""
        path = self.folder / "bot.log"
        return path.read_text(errors="replace") if path.exists() else ""

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
            time.sleep(0.05)
        raise AssertionError(f"never happened: {what}\n{self.log()[-8000:]}")

    def loops(self, count: int, timeout: float = 60.0) -> None:
        """Wait for so many whole loops of ours: each ends with one request for all funding rates."""
        done = self.sandbox.count("GET", "/fapi/v1/premiumIndex") + count + 1
        self.wait("loops", lambda: self.sandbox.count("GET", "/fapi/v1/premiumIndex") >= done, timeout)

    def calm(self, timeout: float = 60.0) -> None:
        """Wait until every intent has an outcome and two loops have sent nothing that moves anything."""
        deadline = time.monotonic() + timeout
        while True:
            before = self.moves()
            self.loops(2, timeout)
            if self.moves() == before and not self.open_intents():
                return
            assert time.monotonic() < deadline, f"no rest\n{self.log()[-8000:]}"

    def enter(self) -> None:
        """Start, wait until each market is hedged, and let it rest there; no more entries from then on."""
        self.start()
        self.wait("a hedge in each market", lambda: self.hedged(*self.markets))
        self.hold_entries()
        self.calm()
        assert self.hedged(*self.markets)

    # --- Freqtrade's REST API

    def rest(self, method: str, path: str, **body: Any) -> Any:
        """Call Freqtrade's REST API."""
        answer = requests.request(
            method, f"http://127.0.0.1:{self.port}/api/v1/{path}", json=body or None, auth=(USER, PASSWORD), timeout=30
        )
        answer.raise_for_status()
        return answer.json()

    def answers(self) -> bool:
        """Whether the API is up."""
        with contextlib.suppress(requests.ConnectionError):
            return bool(self.rest("GET", "ping"))
        return False

    def hold_entries(self) -> None:
        """No new entries from here on, whatever candle begins."""
        self.wait("the API", self.answers)
        self.rest("POST", "stopentry")

    def trades(self) -> list[dict[str, Any]]:
        """Open trades."""
        found: list[dict[str, Any]] = self.rest("GET", "status")
        return found

    def close(self, market: Market, part: str = "1") -> None:
        """Force an exit of a part of the short in a market.

        Never just a half: when Freqtrade counts a fill twice, as it can under load, it takes the rest for closed too.
        """
        trade = next(t for t in self.trades() if t["pair"] == market.pair)
        body = {"tradeid": str(trade["trade_id"])}
        if part != "1":
            body["amount"] = str(Decimal(str(trade["amount"])) * Decimal(part))
        self.rest("POST", "forceexit", **body)

    # --- what the exchange and the journal say

    def books(self) -> dict[str, Any]:
        """The exchange's books, which must balance to a millionth of a USDT whenever anybody looks."""
        books: dict[str, Any] = self.sandbox.books()
        assert books["equity"]["faults"] == []
        assert abs(Decimal(books["equity"]["residual"])) <= Decimal("1e-6")
        return books

    def delta(self, market: Market, own: Decimal = Decimal(0)) -> Decimal:
        """Spot quantity less what is the user's own less short x multiplier."""
        books = self.books()
        return holding(books, market.coin) - own - shorts(books).get(market.symbol, Decimal(0)) * market.multiplier

    def hedged(self, *markets: Market, own: Decimal = Decimal(0)) -> bool:
        """Both legs are there and equal to within one lot of the spot market."""
        held = shorts(self.books())
        return all(m.symbol in held and abs(self.delta(m, own)) < m.lot for m in markets)

    def requests(self, method: str, path: str, **params: str) -> list[dict[str, Any]]:
        """Requests in the sandbox's log with these parameters."""
        found: list[Any] = self.sandbox.requests(method, path)
        return [r for r in found if all(r["params"].get(name) == value for name, value in params.items())]

    def moves(self) -> dict[str, int]:
        """How many requests left the machine that move anything."""
        return {
            "entries": len(self.requests("POST", ORDER, side="SELL")),
            "exits": len(self.requests("POST", ORDER, side="BUY")),
            "buys": len(self.requests("POST", SPOT_ORDER, side="BUY")),
            "sales": len(self.requests("POST", SPOT_ORDER, side="SELL")),
            "top_ups": len(self.requests("POST", TRANSFER, type=TOP_UP)),
            "sweeps": len(self.requests("POST", TRANSFER, type=SWEEP)),
        }

    def journal(self, query: str) -> list[dict[str, Any]]:
        """Rows of the journal; none before there is one."""
        path = self.folder / "trades-fundhedge.sqlite"
        if not path.exists():
            return []
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            db.row_factory = sqlite3.Row
            with contextlib.suppress(sqlite3.OperationalError):  # its tables are just being made
                return [dict(row) for row in db.execute(query)]
            return []

    def open_intents(self) -> list[dict[str, Any]]:
        """Orders and transfers whose outcome the journal does not know."""
        lost = "state in ('planned', 'sent', 'unknown')"
        return [
            *self.journal(f"select intent_id, state from spot_orders where {lost}"),
            *self.journal(f"select intent_id, state from transfers where {lost}"),
            *self.journal(f"select intent_id, state from margin_changes where {lost}"),
        ]

    def steps(self) -> list[str]:
        """Kinds of the margin guard's steps, in their order."""
        kinds = "('margin_topped_up', 'margin_added', 'margin_taken_back', 'shrink_asked', 'exit_asked')"
        return [row["kind"] for row in self.journal(f"select kind from events where kind in {kinds} order by id")]

    def price(self, market: Market) -> Decimal:
        """Of the spot market, now."""
        return Decimal(self.sandbox.get("state")["spot"][market.spot]["mid"])

    def dust(self, market: Market) -> Decimal:
        """What the journal says is still held of a coin."""
        rows = self.journal(f"select held from hedges where pair = '{market.pair}'")
        return sum((Decimal(row["held"]) for row in rows), Decimal(0))

    def check_flat(self) -> None:
        """No short, no coin beyond dust that the journal knows of, no freed USDT in the futures wallet."""
        books = self.books()
        assert shorts(books) == {}
        for market in self.markets:
            assert 0 <= self.delta(market) < market.lot
            assert self.delta(market) == self.dust(market)
        assert in_futures(books) < 1
        self.check_journal_against_books()
        self.check_result()

    def check_journal_against_books(self) -> None:
        """Every order and transfer that took effect is in the journal once, with the exchange's id and amount."""
        books = self.books()
        done = self.journal("select exchange_id, amount from transfers where state = 'done'")
        mine = sorted((row["exchange_id"], Decimal(row["amount"])) for row in done)
        assert mine == sorted((str(t["id"]), Decimal(t["amount"])) for t in books["transfers"])
        orders = self.journal("select exchange_id, filled from spot_orders where state = 'done'")
        filled = sorted((row["exchange_id"], Decimal(row["filled"])) for row in orders)
        assert filled == sorted((str(o["orderId"]), Decimal(o["executedQty"])) for o in books["orders"]["spot"])

    def check_result(self) -> None:
        """Once all is closed, what the hedges made by the journal is what the account has more or less than before."""
        equity, prices = self.books()["equity"], self.sandbox.get("state")["spot"]
        hedges = self.journal("select short_realised, spot_cash from hedges")
        made = sum((Decimal(row["short_realised"]) + Decimal(row["spot_cash"]) for row in hedges), Decimal(0))
        dust = sum((self.dust(m) * Decimal(prices[m.spot]["mid"]) for m in self.markets), Decimal(0))
        assert abs(made + dust - (Decimal(equity["total"]) - Decimal(equity["deposits"]))) < Decimal("0.001")

    def check_secrets(self) -> None:
        """No file but the configuration holds the key, the secret or a signature."""
        signed = {str(r["params"]["signature"]) for r in self.requests(".*", ".*") if "signature" in r["params"]}
        own = self.settings.get("fundhedge", {}).get("spot", {}).values()
        listened = self.sandbox.streams()["keys"]
        secrets = [text.encode() for text in (DEFAULT_KEY, DEFAULT_SECRET, *own, *signed, *listened)]
        for path in self.folder.rglob("*"):
            if path.is_file() and path.name != "config.json":
                content = path.read_bytes()
                assert not [secret for secret in secrets if secret in content], f"a secret in {path.name}"


def holding(books: dict[str, Any], coin: str) -> Decimal:
    """Spot holdings in a snapshot."""
    return Decimal(books["spot"].get(coin, {}).get("total", "0"))


def shorts(books: dict[str, Any]) -> dict[str, Decimal]:
    """Short positions in a snapshot, as positive quantities."""
    return {p["symbol"]: -Decimal(p["positionAmt"]) for p in books["positions"] if Decimal(p["positionAmt"]) < 0}


def in_futures(books: dict[str, Any]) -> Decimal:
    """USDT in the futures wallet."""
    return Decimal(books["futures"]["walletBalance"])


@contextlib.contextmanager
def running(
    folder: Path, settings: dict[str, Any] | None = None, markets: tuple[Market, ...] = (BTC,), **server: Any
) -> Iterator[Run]:
    """A sandbox whose funding pays, and a bot that is not started yet; both are ended whatever happens."""
    with SandboxServer(**server) as exchange:
        run = Run(folder, SandboxControl(exchange.url), settings or {}, markets)
        make_funding_pay(run.sandbox, *markets)
        try:
            yield run
        finally:
            run.stop()
        run.check_secrets()
        run.books()


def make_funding_pay(control: SandboxControl, *markets: Market, rate: str = "0.0004") -> None:
    """Two months of high funding behind us, more to come, and a basis a little above its usual level.

    Each market pays a little less than the one before it, so that they are entered in their order.
    """
    for number, market in enumerate(markets):
        own = max(Decimal("0.0002"), Decimal(rate) - number * Decimal("0.00005"))
        control.post("funding", symbol=market.symbol, rate=own, past=own, hours=24 * 60)
        control.post("basis", symbol=market.symbol, basis="0", past_hours=24 * 60)
        # PEPE's spot price has three digits: rounding alone moves its basis by more than a thousandth.
        basis = "0.001" if market.multiplier == 1 else "0.004"
        control.post("basis", symbol=market.symbol, basis=basis, past_hours=6)
