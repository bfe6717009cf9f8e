"""No key, secret or signature in anything that a run leaves behind."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal as D
from pathlib import Path

import ccxt
import pytest

from freqtrade_fundhedge.config import FundHedgeConfig
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.controller import Controller
from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.errors import FundHedgeError
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.sandbox import SandboxServer
from freqtrade_fundhedge.venue.live import LiveVenue

PAIR, QUANTITY = "BTC/USDT:USDT", D("0.020")
# Long and unlike any word, so that a find is a find.
KEY = "k3yVmPUHxSANDBOXqJ8Ff0oHAXtkZ5yKEYn2XwL7e4bRdSc9Ui1GaTzMWyEv6hBp"
SECRET = "s3cRq1NtSANDBOXZb7xYlPw0KoUd2hSECRETvJm4fGy9eTa6iXzLkWrEu5CpBnHV"
MOVES = ("/fapi/v3/account", "/api/v3/order", "/sapi/v1/asset/transfer", "/api/v3/depth", "/fapi/v1/order")
HOW = (
    {"kind": "drop_after"},
    {"kind": "drop_before"},
    {"kind": "cut_after"},
    {"kind": "empty_after"},
    {"kind": "http_after", "status": 503},
    {"kind": "http", "status": 408, "body": "empty"},
    {"kind": "limit", "status": 418, "retry_after": 0},
    {"kind": "error", "code": -2015, "msg": "Invalid API-key, IP, or permissions for action.", "status": 401},
    {"kind": "error", "code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."},
    {"kind": "error", "code": -1022, "msg": "Signature for this request is not valid."},
    {"kind": "error_after", "code": -1007, "msg": "Timeout waiting for response from backend server."},
    {"kind": "delay", "seconds": 0.6},
)


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(spot_usdt=10_000, futures_usdt=5_000) as running:
        running.control.post("keys", key=KEY, secret=SECRET)
        yield running


@pytest.fixture(scope="module")
def api(server: SandboxServer) -> Iterator[ccxt.binance]:
    client = ccxt.binance(
        {
            "apiKey": KEY, "secret": SECRET, "enableRateLimit": False, "urls": server.ccxt_urls(),
            "options": {"defaultType": "spot"},
        }
    )  # fmt: skip
    client.session.trust_env = False
    client.load_markets()
    client.timeout = 400
    yield client
    client.session.close()


def test_nothing_leaks(
    server: SandboxServer, api: ccxt.binance, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Entry, partial exit and exit under every kind of fault: logs, messages, journal files and errors are clean."""
    left: list[str] = []
    journal = Journal(f"sqlite:///{tmp_path}/journal.sqlite", "bot")
    settings = FundHedgeConfig.model_validate({"hedge": {"unhedged_timeout_s": 3600}})
    ahead = [0.0]
    venue = LiveVenue(api, api, "USDT")
    bot = Controller(
        Context(
            venue, journal, settings, "USDT", clock=lambda: time.time() + ahead[0], sleep=lambda _s: None,
            tell=left.append,
        )
    )  # fmt: skip
    legs: list[ShortLeg] = []

    def loops(count: int) -> None:
        for _ in range(count):
            bot.converge(lambda _hedges: legs)
            left.append(bot.trouble)
            left.append(bot.allow_entry("ETH/USDT:USDT", D("0.1"), D(2_500)))
            for ask in (venue.refuse_reasons, venue.spot_balances, venue.futures_account):
                try:
                    ask()
                except FundHedgeError as error:
                    left.extend((str(error), repr(error)))
        server.control.clear_faults()

    def trouble(how: dict[str, object], path: str) -> None:
        server.control.fault(**{"times": 2, "path": path, **how})  # type: ignore[arg-type]

    with caplog.at_level(logging.INFO):
        api.create_order(PAIR, "market", "sell", str(QUANTITY))
        legs.append(ShortLeg(1, PAIR, time.time(), QUANTITY, QUANTITY, True))
        for number, how in enumerate(HOW):
            filled = QUANTITY if number % 2 else QUANTITY / 2
            legs[0] = replace(legs[0], filled=filled, reachable=filled)
            server.control.post("balance", asset="USDT", amount=50, wallet="futures")
            for path in MOVES:
                trouble(how, path)
            loops(4)
            ahead[0] += 150
            loops(3)
    journal.close()
    assert server.control.count(".*", ".*") > 200
    text = "\n".join([*left, *(r.getMessage() for r in caplog.records), *(r.exc_text or "" for r in caplog.records)])
    assert "refuses" in text
    raw = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for hidden in (KEY, SECRET):
        assert hidden not in text
        assert hidden.encode() not in raw
    for mark in ("signature=", "apiKey", "X-MBX-APIKEY"):
        assert mark not in text.replace("signature=***", "")
        assert mark.encode() not in raw.replace(b"signature=***", b"")
