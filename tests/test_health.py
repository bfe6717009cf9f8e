"""The running bot's checks: at its start and daily, what changed is told once, and entries stop while it is not fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from fake_venue import FakeVenue

from freqtrade_fundhedge.config import FundHedgeConfig
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.core.account_checks import AccountFacts, KeyFacts
from freqtrade_fundhedge.errors import Denied, NotSent, StartRefused, VenueError
from freqtrade_fundhedge.health import DAY_S, DENIED_S, NOT_READ, SOON_S, Health
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_rows import EventRow
from freqtrade_fundhedge.status import read_status

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
KEY = KeyFacts(reads=True, spot=True, futures=True, transfers=True, withdraws=False, ip_bound=True, portfolio=False)
MAY_WITHDRAW = "exchange.key: the key may withdraw; switch off 'Enable Withdrawals', no bot needs it"


def market(base: str) -> dict[str, Any]:
    spot = {"spot": True, "base": base, "quote": "USDT", "active": True, "taker": 0.001}
    return {f"{base}/USDT:USDT": {"swap": True, "active": True}, f"{base}/USDT": spot}


@dataclass
class Exchange:
    """What the account is like; `error` is raised instead of an answer. Counts how often it was asked."""

    key: KeyFacts | None = KEY
    reasons: Sequence[str] = ()
    ahead_ms: float = 0.0
    listed: dict[str, Any] = field(default_factory=lambda: {**market("BTC"), **market("ETH")})
    error: VenueError | None = None
    refused: bool = False
    asked: int = 0

    def facts(self) -> AccountFacts | None:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return AccountFacts((self.key,), hedge_mode=False, multi_assets=False) if self.key is not None else None

    def refuse_reasons(self) -> Sequence[str]:
        return self.reasons

    def advice(self) -> Sequence[str]:
        return ()

    def clock(self) -> tuple[float, float]:
        return self.ahead_ms, 0.0

    def markets(self) -> Mapping[str, Any]:
        return self.listed

    def denied(self) -> bool:
        refused, self.refused = self.refused, False
        return refused


class Bench:
    """A bot that can be started again on the same journal; `told` is what the user was sent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 1_700_000_000.0
        self.exchange = Exchange()
        self.whitelist = [BTC, ETH]
        self.told: list[str] = []
        self.journals: list[Journal] = []

    def start(self) -> Health:
        journal = Journal(f"sqlite:///{self.folder}/journal.sqlite", "freqtrade")
        self.journals.append(journal)
        venue = FakeVenue(lambda: self.now)
        ctx = Context(venue, journal, FundHedgeConfig(), "USDT", clock=lambda: self.now, tell=self.told.append)
        health = Health(ctx, self.exchange, lambda: self.whitelist, "isolated")
        health.start()
        return health

    def later(self, health: Health, seconds: float) -> list[str]:
        """What is told at the next look."""
        self.now += seconds
        self.told.clear()
        health.step()
        return list(self.told)

    def permit(self, **change: Any) -> None:
        assert self.exchange.key is not None
        self.exchange.key = replace(self.exchange.key, **change)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    for journal in made.journals:
        journal.close()


def test_a_fit_account_is_asked_once_a_day_and_nothing_is_told(bench: Bench) -> None:
    """A look at the start, none in the loops of a day, one after it."""
    health = bench.start()
    assert health.refusal == ""
    for _ in range(100):
        assert bench.later(health, DAY_S / 101) == []
    assert bench.exchange.asked == 1
    assert bench.later(health, DAY_S / 100) == []
    assert (bench.exchange.asked, bench.told) == (2, [])


def test_a_right_that_is_lost_stops_entries_and_is_told_once(bench: Bench) -> None:
    """Told at the next look, not at each; put right, entries go on within ten minutes, and that is told too."""
    health = bench.start()
    bench.permit(withdraws=True)
    assert bench.later(health, DAY_S) == [MAY_WITHDRAW]
    assert health.refusal == MAY_WITHDRAW
    assert bench.later(health, SOON_S) == []
    status = read_status(bench.journals[0], bench.now)
    assert status.reasons == [MAY_WITHDRAW]
    bench.permit(withdraws=False)
    assert bench.later(health, SOON_S) == ["put right: exchange.key may not withdraw"]
    assert health.refusal == ""
    assert read_status(bench.journals[0], bench.now).reasons == []


def test_a_change_while_the_bot_was_off_is_told_at_its_start(bench: Bench) -> None:
    """The journal knows what was found last; the same answer after a restart is no news."""
    bench.start()
    bench.permit(ip_bound=False)
    bench.start()
    assert bench.told == ["exchange.key works from any address; restrict it to this machine's IP"]
    bench.start()
    assert len(bench.told) == 1
    bench.permit(ip_bound=True)
    bench.start()
    assert bench.told[1:] == ["put right: exchange.key is bound to IP addresses"]


def test_the_end_of_a_key_is_told_in_stages(bench: Bench) -> None:
    """In the last month once for each of 30, 14, 7, 3 and 1 days, then that it has ended."""
    bench.permit(expires_at=bench.now + 40 * DAY_S - 60)
    health = bench.start()
    told = [line for _ in range(39) for line in bench.later(health, DAY_S)]
    assert [line.split("ends in ")[1].split(";")[0] for line in told] == [
        "30 days", "14 days", "7 days", "3 days", "24 hours"
    ]  # fmt: skip
    assert health.refusal == ""
    assert "its right to trade has ended" in bench.later(health, DAY_S)[0]
    assert "has ended" in health.refusal


def test_a_pair_that_loses_a_market_is_told(bench: Bench) -> None:
    """But not one that is new to the list and never had it."""
    health = bench.start()
    del bench.exchange.listed["ETH/USDT"]
    bench.whitelist.append("NEW/USDT:USDT")
    assert bench.later(health, DAY_S) == ["ETH/USDT:USDT is not entered any more: no spot market"]
    bench.exchange.listed |= market("ETH")
    assert bench.later(health, DAY_S) == ["put right: ETH/USDT:USDT can be hedged"]
    assert health.refusal == ""


def test_a_clock_that_drifts_is_told_and_stops_nothing(bench: Bench) -> None:
    """Our own requests are signed by the exchange's clock; Freqtrade's are not."""
    health = bench.start()
    bench.exchange.ahead_ms = 1500
    (line,) = bench.later(health, DAY_S)
    assert line.startswith("this clock is 1,500 ms ahead of the exchange's")
    assert health.refusal == ""


def test_a_check_that_can_not_be_made_changes_nothing(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """It is only logged, the last answer stands, and it is tried again before a day is over."""
    health = bench.start()
    bench.exchange.error = NotSent("no route")
    assert bench.later(health, DAY_S) == []
    assert health.refusal == ""
    assert "can't be read now, the last answer stands: no route" in caplog.text
    asked = bench.exchange.asked
    bench.later(health, 1)
    assert bench.exchange.asked == asked
    bench.exchange.error = None
    bench.permit(transfers=False)
    assert len(bench.later(health, SOON_S)) == 1
    assert "may not move USDT" in health.refusal


def test_without_an_answer_at_the_start_nothing_is_entered_until_there_is_one(bench: Bench) -> None:
    """The bot comes up, and asks in each loop."""
    bench.exchange.error = NotSent("no route")
    health = bench.start()
    assert health.refusal == NOT_READ
    bench.later(health, 5)
    bench.later(health, 5)
    assert bench.exchange.asked == 3
    bench.exchange.error = None
    bench.later(health, 5)
    assert health.refusal == ""


@pytest.mark.parametrize("how", ["denied", "right", "other exchange"])
def test_an_unfit_account_ends_the_start(bench: Bench, how: str) -> None:
    """With the remedy in one line, whatever way the exchange says it."""
    if how == "denied":
        bench.exchange.error = Denied("Invalid API-key", "-2015")
    elif how == "right":
        bench.permit(futures=False)
    else:
        bench.exchange.key, bench.exchange.reasons = None, ["exchange.key: the key may not transfer"]
    with pytest.raises(StartRefused, match=r"exchange\.key"):
        bench.start()


def test_open_hedges_are_looked_after_by_an_unfit_bot_too(bench: Bench) -> None:
    """A start with open hedges is not refused: it enters nothing, says why once, and exits go on."""
    journal = Journal(f"sqlite:///{bench.folder}/journal.sqlite", "freqtrade")
    journal.hedge(1, bench.now, BTC, "BTC/USDT")
    journal.close()
    bench.permit(withdraws=True)
    health = bench.start()
    assert health.refusal == MAY_WITHDRAW
    assert bench.told == [MAY_WITHDRAW, f"no new entries, open hedges are looked after: {MAY_WITHDRAW}"]
    bench.permit(withdraws=False)
    bench.later(health, SOON_S)
    assert health.refusal == ""


def test_a_refusal_of_the_key_elsewhere_makes_it_look_soon(bench: Bench) -> None:
    """Not only once a day; and not in every loop when the look finds nothing."""
    health = bench.start()
    bench.permit(spot=False)
    bench.exchange.refused = True
    bench.later(health, 5)
    assert bench.exchange.asked == 1
    assert len(bench.later(health, DENIED_S)) == 1
    bench.permit(spot=True)
    bench.later(health, SOON_S)
    asked = bench.exchange.asked
    for _ in range(10):
        bench.exchange.refused = True
        bench.later(health, 5)
    assert bench.exchange.asked == asked


@pytest.mark.parametrize("data", ["{}", '{"verdicts": 3}', '{"verdicts": {"key-ip": 7}}', "[]"])
def test_a_journal_that_somebody_tampered_with_is_read_as_nothing_known(bench: Bench, data: str) -> None:
    """No traceback: what makes no sense was never found."""
    bench.start()
    journal = bench.journals[0]
    with journal.engine.begin() as db:
        db.exec_driver_sql("UPDATE events SET data = ? WHERE kind = 'checks'", (data,))
    assert bench.start().refusal == ""


def test_the_journal_has_each_look(bench: Bench) -> None:
    """With every verdict, so that a later start knows."""
    bench.start()
    (row,) = [row for row in bench.journals[0].recent(EventRow) if row.kind == "checks"]
    assert row.data["verdicts"]["key-withdrawals"] == {"verdict": "ok", "stage": ""}
    assert row.data["verdicts"][f"pair {BTC}"]["verdict"] == "ok"
