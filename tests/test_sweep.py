"""`fundhedge sweep`: the bot's rules by hand, sent once, and never beside a running bot."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from fake_venue import PAIR, FakeVenue
from filelock import FileLock

from freqtrade_fundhedge.cli import run
from freqtrade_fundhedge.config import FundHedgeConfig
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.core.treasury import stress_buffer
from freqtrade_fundhedge.guard import Guard
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_rows import EventRow, TransferRow
from freqtrade_fundhedge.journal_trail import STRESS, Wish, newest
from freqtrade_fundhedge.sandbox import SandboxControl, SandboxServer, freqtrade_config
from freqtrade_fundhedge.snapshots import Snapshots
from freqtrade_fundhedge.sweep_by_hand import by_hand, outlook, sweep, told
from freqtrade_fundhedge.treasurer import Treasurer
from freqtrade_fundhedge.venue.live import LiveVenue

TRANSFER = "/sapi/v1/asset/transfer"


@pytest.fixture(scope="module")
def exchange() -> Iterator[str]:
    with SandboxServer(futures_usdt=250) as server:
        yield server.url


class Desk:
    """A configuration of the sandbox's account, and what the exchange has seen."""

    def __init__(self, url: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.control, self.capsys = SandboxControl(url), capsys
        self.control.clear_faults()
        self.control.clear_requests()
        section = freqtrade_config(url, pair_whitelist=["BTC/USDT:USDT"])
        self.config: dict[str, Any] = {
            "trading_mode": "futures", "margin_mode": "isolated", "stake_currency": "USDT", "dry_run": False,
            "exchange": section, "fundhedge": {"db_url": f"sqlite:///{folder}/journal.sqlite"},
        }  # fmt: skip
        Journal(self.config["fundhedge"]["db_url"], "freqtrade").close()

    def fill(self, usdt: int) -> None:
        """What the futures wallet holds."""
        there = D(self.control.books()["futures"]["walletBalance"])  # type: ignore[index,call-overload]
        self.control.post("balance", wallet="futures", asset="USDT", amount=usdt - there)

    def sweep(self, *arguments: str, code: int = 0, **changes: Any) -> str:
        Path("config.json").write_text(json.dumps(self.config | changes))
        assert run(["sweep", "-c", "config.json", *arguments]) == code
        out, err = self.capsys.readouterr()
        assert all(len(line) <= 80 for line in out.splitlines())
        assert bool(out) != bool(err)
        if err:
            assert err.count("\n") == 1
        return str(out or err)

    def sent(self) -> int:
        return self.control.count("POST", TRANSFER)

    def rows(self) -> list[TransferRow]:
        journal = Journal(self.config["fundhedge"]["db_url"], "freqtrade", read_only=True)
        try:
            return list(journal.recent(TransferRow))
        finally:
            journal.close()


@pytest.fixture
def desk(exchange: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    monkeypatch.chdir(tmp_path)
    made = Desk(exchange, tmp_path, capsys)
    made.fill(250)
    return made


def test_a_look_sends_and_writes_nothing_even_beside_a_bot(desk: Desk, tmp_path: Path) -> None:
    """--dry-run shows the arithmetic and what would go; the lock of a running bot does not matter."""
    lock = FileLock(f"{tmp_path}/journal.sqlite.lock")
    with lock:
        text = desk.sweep("--dry-run")
        assert "250.00" in text
        assert "nothing was sent; it would be at most 250.00" in text
        assert desk.rows() == []
        refused = desk.sweep(code=1)
    assert "the bot is running and sweeps by itself" in refused
    assert desk.sent() == 0


def test_one_sweep_is_one_transfer(desk: Desk) -> None:
    """The wallet is emptied with one request, journal and exchange agree, and a second has nothing to do."""
    text = desk.sweep()
    (row,) = desk.rows()
    assert desk.sent() == 1
    assert f"sweep of {row.amount.normalize():f} USDT done, 1 attempt" in text
    books: Any = desk.control.books()
    assert str(books["transfers"][-1]["id"]) == row.exchange_id
    assert D(books["transfers"][-1]["amount"]) == row.amount
    assert "nothing to sweep" in desk.sweep()
    assert desk.sent() == 1


def test_one_account_has_nothing_to_sweep(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where spot and futures are one pool, one line says so, and nothing is asked for or sent."""
    monkeypatch.setattr(LiveVenue, "separate_wallets", False)
    assert "one account at binance, nothing has to be swept" in desk.sweep(code=2)
    assert desk.sent() == 0


def test_what_is_kept_stays(desk: Desk) -> None:
    """keep_usdt stays; when the wallet has less, nothing moves either way."""
    section = desk.config["fundhedge"]
    answer = json.loads(desk.sweep("--json", fundhedge=section | {"transfer": {"keep_usdt": 100}}))
    assert D("149.9") < D(answer["transfer"]["amount"]) <= 150
    assert D(answer["to_sweep"]) == 150
    assert answer["needs_a_person"] == ""
    short = desk.sweep(fundhedge=section | {"transfer": {"keep_usdt": 400}})
    assert "are missing in the futures wallet: a top-up is the bot's" in short
    assert desk.sent() == 1


def test_the_users_float_stays(desk: Desk) -> None:
    """With `fund_entries: false` nothing but what exits freed may go, and here none did."""
    section = desk.config["fundhedge"] | {"margin": {"fund_entries": False}}
    assert "freed by exits, not swept" in desk.sweep(fundhedge=section)
    assert desk.sent() == 0


def test_a_lost_answer_is_looked_up_before_anything_else(desk: Desk) -> None:
    """The sweep that got no answer is unknown, exit code 1; the next finds it and does not send it again."""
    desk.control.fault("drop_after", TRANSFER, method="POST")
    text = desk.sweep(code=1)
    assert "no answer; the next sweep, or the bot, looks it up" in text
    assert desk.rows()[0].state == "unknown"
    assert "looked up first" in desk.sweep("--dry-run")
    text = desk.sweep()
    assert "done (found in the history)" in text
    assert "nothing to sweep" in text
    assert desk.sent() == 1


def test_refused_as_insufficient_is_reduced(desk: Desk) -> None:
    """As in the bot, a smaller amount follows, in one intent."""
    desk.control.fault("error", TRANSFER, method="POST", code=-5013, msg="insufficient")
    assert "2 attempts" in desk.sweep()
    assert len(desk.rows()) == 1
    assert desk.sent() == 2


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"dry_run": True}, 2, "dry_run: paper wallets live in their bot"),
        ({"fundhedge": {"transfer": {"enabled": False}}}, 2, "fundhedge.transfer.enabled: is false"),
        ({"fundhedge": {"db_url": "sqlite://"}}, 2, "fundhedge.db_url: a journal in memory"),
        ({"exchange": {"name": "binance", "key": "", "secret": ""}}, 2, "exchange.key and exchange.secret: needed"),
    ],
)
def test_what_cannot_be_swept_by_hand(desk: Desk, changes: dict[str, Any], code: int, text: str) -> None:
    """One line with the remedy, before anything is asked of the exchange."""
    desk.control.clear_requests()
    assert text in desk.sweep(code=code, **changes)
    assert desk.control.count(".*", ".*") == 0


def test_a_key_without_the_right_is_refused(desk: Desk) -> None:
    """What the bot would not start with does not sweep either, and nothing is sent."""
    desk.control.post("permissions", permitsUniversalTransfer=False)
    try:
        assert "fundhedge: " in desk.sweep(code=1)
    finally:
        desk.control.post("permissions", permitsUniversalTransfer=True)
    assert desk.sent() == 0


def test_open_cross_shorts_keep_what_a_shock_takes(tmp_path: Path) -> None:
    """The stress buffer of what the exchange shows stays, though no bot is there to know the shorts."""
    venue = FakeVenue(time.time, {"USDT": D(1000)}, D(2000))
    venue.open_short(D("0.02"), D(5))
    journal = Journal(f"sqlite:///{tmp_path}/journal.sqlite", "bot")
    ctx = Context(venue, journal, FundHedgeConfig(), "USDT", cross=True)
    plan = outlook(ctx, by_hand(ctx))
    buffer = stress_buffer(venue.futures_account(), by_hand(ctx).treasurer.rules())
    assert buffer > stress_buffer(venue.futures_account(), Treasurer(ctx).rules()) > 0
    assert plan.amount == venue.withdrawable() - buffer
    done = sweep(ctx)
    assert told(done).endswith("done, 1 attempt")
    assert venue.withdrawable() >= buffer
    journal.close()


def test_by_hand_goes_by_what_the_bot_told(tmp_path: Path) -> None:
    """With stress_move: auto the next movement is the bot's own while it tells what it goes by, else a cautious one."""
    now = time.time()
    venue = FakeVenue(lambda: now, {"USDT": D(1000)}, D(2000))
    venue.open_short(D("0.02"), D(5))
    journal = Journal(f"sqlite:///{tmp_path}/journal.sqlite", "bot")
    ctx = Context(venue, journal, FundHedgeConfig(), "USDT", cross=True, clock=lambda: now)
    guard, snapshots = Guard(ctx, moves={PAIR: D("0.41")}), Snapshots(ctx)
    treasurer = Treasurer(ctx)
    treasurer.stress = guard.stress()
    account = venue.futures_account()
    for wait, times in ((0, 1), (10, 1), (3590, 2)):
        now += wait
        snapshots.look(account, {}, guard.moves)
        assert [row.kind for row in journal.recent(EventRow)].count(STRESS) == times
    assert not newest(journal.engine, "bot", Wish(), 9), "a trail is not filled with it"
    plan = outlook(ctx, by_hand(ctx))
    assert plan.amount == venue.withdrawable() - stress_buffer(account, treasurer.rules())
    assert plan.stress_by == "BTC 41%, as the bot told last"
    now += 4000
    later = outlook(ctx, by_hand(ctx))
    assert later.amount < plan.amount
    assert later.stress_by.startswith("100% for every pair")
    journal.close()
