"""What a real bot sends through Freqtrade's webhook: one message for each change, with the exchange's own figures."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from harness import BTC, SWEEP, TRANSFER, Run, holding, in_futures, running

from freqtrade_fundhedge.cli import run as fundhedge

pytestmark = pytest.mark.e2e


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """A webhook on loopback: its address, and the messages that came."""
    heard: list[str] = []

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            heard.append(body["text"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Ear)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def webhook(url: str) -> dict[str, Any]:
    """The section as the README shows it."""
    return {
        "enabled": True, "url": url, "format": "json", "allow_custom_messages": True,
        "strategy_msg": {"text": "{msg}"},
    }  # fmt: skip


def kinds(heard: list[str]) -> list[str]:
    """Each message by what it is about."""
    known = {
        r"^top-up of [\d.]+ USDT done, 1 attempt$": "top-up",
        r"^sweep of [\d.]+ USDT done, 1 attempt$": "sweep",
        r"^sweep of [\d.]+ USDT done, 2 attempts$": "sweep at the second attempt",
        r"^sweep of [\d.]+ USDT done, 1 attempt, found in the history": "sweep found",
        r"^sweep of [\d.]+ USDT: outcome not known yet": "sweep unknown",
        r": hedge opened: short [\d.]+ at [\d.]+, spot [\d.]+ at [\d.]+, basis [+-][\d.]+%, funding \+[\d.]+% a year":
            "opened",
        r": hedge reduced to [\d.]+: [\d.]+ bought back at [\d.]+, [\d.]+ BTC sold on spot at [\d.]+$": "reduced",
        r": hedge closed after ": "closed",
    }  # fmt: skip
    return [next((kind for text, kind in known.items() if re.search(text, line)), line) for line in heard]


def signed(text: str, name: str) -> Decimal:
    """A figure of a message."""
    found = re.search(rf"\b{name} ([+-][\d,.]+\d)", text)
    assert found is not None, text
    return Decimal(found[1].replace(",", ""))


def test_a_whole_hedge_in_messages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Opened, reduced, swept and closed are one message each, and the result is what the exchange has booked.

    On the way `status --exchange`, beside the bot, says what the books say.
    """
    with listening() as (url, heard), running(tmp_path, {"webhook": webhook(url)}) as run:
        run.enter()
        check_status(run, capsys)
        run.sandbox.fault("error", TRANSFER, method="POST", params={"type": SWEEP}, code=-5013, msg="insufficient")
        run.close(BTC, "0.4")
        run.wait("the rest of the hedge", lambda: run.hedged(BTC))
        run.calm()
        run.sandbox.post("settle", symbol=BTC.symbol, record=True)
        run.loops(2)
        run.close(BTC)
        run.calm()
        said = kinds(heard)
        assert said[:3] == ["top-up", "opened", "sweep"]
        # A loop that sees the position change before Freqtrade hears of it sweeps first.
        assert sorted(said[3:5]) == ["reduced", "sweep at the second attempt"]
        assert sorted(said[5:]) == ["closed", "sweep"]
        check_result(run, heard[said.index("closed")])


def check_status(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Both legs, margin, wallets and what was earned so far, to the cent; and the same for people at 80 columns."""
    before = run.moves()
    capsys.readouterr()
    assert fundhedge(["status", "-c", str(run.folder / "config.json"), "--exchange", "--json"]) == 0
    seen = json.loads(capsys.readouterr().out)["exchange"]
    books, mid = run.books(), Decimal(run.sandbox.get("state")["spot"][BTC.spot]["mid"])
    (hedge,), wallets, cent = seen["hedges"], seen["wallets"], Decimal("0.0051")
    (position,) = books["positions"]
    assert Decimal(hedge["short"]) == -Decimal(position["positionAmt"])
    assert Decimal(hedge["delta"]) == Decimal(hedge["held"]) - Decimal(hedge["short"])
    assert Decimal(hedge["held"]) == holding(books, "BTC")
    assert abs(Decimal(hedge["margin"]) - Decimal(position["isolatedWallet"])) < cent
    assert Decimal(wallets["spot"]) == holding(books, "USDT")
    assert Decimal(wallets["wallet"]) == in_futures(books)
    assert wallets["next"] is None
    sold_at_mid = Decimal(hedge["held"]) * (mid - Decimal(hedge["bid"]))
    equity = Decimal(books["equity"]["total"]) - Decimal(books["equity"]["deposits"])
    assert abs(Decimal(hedge["earned"]["total"]) + sold_at_mid - equity) < cent
    assert 0 < Decimal(hedge["basis"]) < Decimal("0.01")
    assert hedge["apr"] > 0.3
    assert Decimal(hedge["distance"]) > Decimal("0.15")
    assert fundhedge(["status", "-c", str(run.folder / "config.json"), "--exchange"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in shown if not line.startswith("Journal:"))
    assert [line for line in shown if line.startswith("Treasury: nothing to move")]
    assert run.moves() == before


def check_result(run: Run, text: str) -> None:
    """Each figure of the closing message against the exchange's books, to the cent."""
    sums: dict[str, Decimal] = {}
    for line in run.books()["income"]:
        sums[line["kind"]] = sums.get(line["kind"], Decimal(0)) + Decimal(line["amount"])
    assert sums["FUNDING_FEE"] > 0
    row = run.journal("select * from hedges")[0]
    cent = Decimal("0.0051")
    assert abs(signed(text, "funding") - sums["FUNDING_FEE"]) < cent
    assert abs(signed(text, "short") - sums["REALIZED_PNL"]) < cent
    assert abs(signed(text, "fees") - (sums["COMMISSION"] - Decimal(row["spot_fees"]))) < cent
    assert abs(signed(text, "spot") - Decimal(row["spot_cash"]) - Decimal(row["spot_fees"])) < cent
    equity = run.books()["equity"]
    assert abs(signed(text, "together") - Decimal(row["short_realised"]) - Decimal(row["spot_cash"])) < cent
    mid = Decimal(run.sandbox.get("state")["spot"][BTC.spot]["mid"])
    made = Decimal(equity["total"]) - Decimal(equity["deposits"]) - run.dust(BTC) * mid
    assert abs(signed(text, "together") - made) < cent


def test_an_outage_of_many_loops_is_not_repeated(tmp_path: Path) -> None:
    """While answers are lost for many loops, each matter is told once, and once more when it is over."""
    settings = {"internals": {"process_throttle_secs": 1}}
    with listening() as (url, heard), running(tmp_path, {"webhook": webhook(url), **settings}) as run:
        run.enter()
        told = len(heard)
        run.sandbox.fault("drop_after", TRANSFER, method="POST", params={"type": SWEEP})
        run.sandbox.fault("error", "/sapi/v1/asset/transfer", method="GET", code=-1000, msg="unknown", times=12)
        run.close(BTC, "0.4")
        run.wait("many loops without the history", lambda: failed_reads(run) >= 12)
        run.calm()
        run.sandbox.clear_faults()
        new = kinds(heard[told:])
        assert sorted(new) in (["reduced", "sweep found"], ["reduced", "sweep found", "sweep unknown"])


def failed_reads(run: Run) -> int:
    """How often the history of transfers was asked for."""
    return len(run.requests("GET", TRANSFER))
