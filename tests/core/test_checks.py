"""Findings and what is news in them; key, clock, account, funds and pairs without any exchange."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freqtrade_fundhedge.core.account_checks import (
    AccountFacts,
    Funds,
    Holdings,
    KeyFacts,
    clock_finding,
    fitness,
    funds_finding,
    holding_findings,
    key_findings,
)
from freqtrade_fundhedge.core.checks import Finding, Verdict, changes, fail, ok, remembered, skipped, warn, worst
from freqtrade_fundhedge.core.pair_checks import pair_facts, pair_findings
from freqtrade_fundhedge.core.setup_checks import version_findings
from freqtrade_fundhedge.venue.port import FuturesAccount, Position

NOW = 1_700_000_000.0
DAY = 86_400.0
FIT = KeyFacts(
    reads=True, spot=True, futures=True, transfers=True, withdraws=False, ip_bound=True, portfolio=False
)  # fmt: skip
FINDINGS = st.builds(
    Finding, st.sampled_from("abc"), st.sampled_from(Verdict), st.text(max_size=3), stage=st.sampled_from(["", "7 d"])
)


def unique(findings: list[Finding]) -> list[Finding]:
    return list({finding.topic: finding for finding in findings}.values())


@given(st.lists(FINDINGS), st.lists(FINDINGS))
def test_the_same_answer_is_no_news(before: list[Finding], now: list[Finding]) -> None:
    """What is remembered of an answer makes the same answer silent, whatever was before; skipped is never news."""
    known = remembered(remembered({}, unique(before)), unique(now))
    assert list(changes(known, [replace(f, text="other words") for f in unique(now)])) == []


@given(st.lists(FINDINGS), st.lists(FINDINGS))
def test_every_other_answer_is_news_once(before: list[Finding], now: list[Finding]) -> None:
    """Exactly those topics are told whose verdict or stage is not what it was; not known yet counts as ok."""
    known = remembered({}, unique(before))
    told = {change.finding.topic for change in changes(known, unique(now))}
    for finding in unique(now):
        old = known.get(finding.topic, {"verdict": "ok", "stage": ""})
        same = (old["verdict"], old["stage"]) == (finding.verdict, finding.stage)
        assert (finding.topic in told) is not (same or finding.verdict is Verdict.SKIPPED)


def test_a_skipped_question_keeps_its_last_answer() -> None:
    """A check that could not be made is no sign that all is well again."""
    known = remembered({}, [fail("key", "may withdraw")])
    again = remembered(known, [skipped("key", "no network")])
    assert again == known
    assert [change.worse for change in changes(again, [ok("key", "fine")])] == [False]


@given(st.lists(FINDINGS))
def test_the_worst_counts(findings: list[Finding]) -> None:
    """One failure fails; skipped only if nothing was answered."""
    verdicts = {finding.verdict for finding in findings}
    found = worst(findings)
    assert (found is Verdict.FAIL) is (Verdict.FAIL in verdicts)
    assert (found is Verdict.SKIPPED) is not (verdicts - {Verdict.SKIPPED})


def bad(findings: Any) -> dict[str, str]:
    return {f.topic: str(f.verdict) for f in findings if f.verdict is not Verdict.OK}


def test_a_fit_key_has_nothing_against_it() -> None:
    """Nor has an account in one-way, single-asset mode."""
    assert bad(fitness(AccountFacts((FIT,), hedge_mode=False, multi_assets=False), "isolated", NOW)) == {}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"reads": False}, {"key-reading": "fail"}),
        ({"spot": False}, {"key-spot": "fail"}),
        ({"futures": False}, {"key-futures": "fail"}),
        ({"transfers": False}, {"key-transfers": "fail"}),
        ({"withdraws": True}, {"key-withdrawals": "fail"}),
        ({"ip_bound": False}, {"key-ip": "warn"}),
        ({"portfolio": True}, {"portfolio-margin": "fail"}),
        ({"name": "fundhedge.spot.key", "futures": False}, {}),
        ({"name": "fundhedge.spot.key", "transfers": False}, {"spot-key-transfers": "fail"}),
        ({"trades_spot": False, "spot": False, "transfers": False}, {}),
        ({"trades_spot": False, "futures": False}, {"key-futures": "fail"}),
    ],
)
def test_each_right_counts_for_the_key_that_needs_it(change: dict[str, Any], expected: dict[str, str]) -> None:
    """A key for spot needs no futures, and the other way round; nobody needs withdrawals."""
    assert bad(fitness(AccountFacts((replace(FIT, **change),)), "isolated", NOW)) == expected


def test_what_is_not_known_is_not_claimed() -> None:
    """An exchange that says nothing of a right is neither praised nor blamed for it."""
    assert fitness(AccountFacts((KeyFacts(),)), "isolated", NOW) == []


@pytest.mark.parametrize(
    ("days", "verdict", "stage", "left"),
    [
        (31, "ok", "", "31 days"),
        (29.9, "warn", "30 d", "30 days"),
        (14, "warn", "14 d", "14 days"),
        (6.2, "warn", "7 d", "6 days"),
        (1.5, "warn", "3 d", "36 hours"),
        (0.5, "warn", "1 d", "12 hours"),
        (0, "fail", "", "has ended"),
        (-9, "fail", "", "has ended"),
    ],
)
def test_the_end_of_a_key_comes_in_stages(days: float, verdict: str, stage: str, left: str) -> None:
    """Each stage is news of its own, the days in between are not."""
    key = replace(FIT, expires_at=NOW + days * DAY)
    (found,) = [f for f in key_findings(key, NOW) if f.topic == "key-expiry"]
    assert (found.verdict, found.stage) == (verdict, stage)
    assert left in found.text


@pytest.mark.parametrize(
    ("ahead", "rtt", "signed", "verdict"),
    [
        (0, 50, True, "ok"),
        (499, 0, True, "ok"),
        (501, 0, True, "warn"),
        (-9_000, 0, True, "warn"),
        (-10_000, 0, True, "fail"),
        (1_000, 0, True, "fail"),
        (1_000, 0, False, "warn"),
        (1_000, 1_200, True, "ok"),
        (3_000, 1_200, True, "fail"),
    ],
)
def test_a_clock_is_wrong_only_beyond_doubt(ahead: float, rtt: float, signed: bool, verdict: str) -> None:
    """Half a round trip is not held against it; without signatures the exchange does not mind."""
    assert clock_finding(ahead, rtt, signed).verdict == verdict


ROOMY = Funds(D(100), D(300), 3, True, D(1200), D(0))


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, "ok"),
        ({"spot_free": D(1199)}, "warn"),
        ({"spot_free": D(399)}, "fail"),
        ({"spot_free": D(900), "futures_free": D(300)}, "ok"),
        ({"spot_free": D(200), "futures_free": D(5000)}, "fail"),
        ({"shared": False}, "fail"),
        ({"shared": False, "spot_free": D(900), "futures_free": D(300)}, "ok"),
        ({"shared": False, "spot_free": D(900), "futures_free": D(299)}, "warn"),
        ({"slots": 0, "spot_free": D(0)}, "ok"),
        ({"slots": None}, "ok"),
        ({"margin": D(0), "spot_cost": D(0)}, "fail"),
    ],
)
def test_both_legs_of_every_hedge_have_to_fit(change: dict[str, Any], verdict: str) -> None:
    """USDT on futures does not buy coins; margin comes from spot only if it is fetched."""
    assert funds_finding(replace(ROOMY, **change)).verdict == verdict


def test_own_coins_and_positions_are_told_from_the_users() -> None:
    """Ours are no finding, the user's are named, and what is missing of ours fails."""
    position = Position("BTC/USDT:USDT", D(1), D(1), D(1), D(1), D(0))
    account = FuturesAccount(D(0), D(0), D(0), (position,))
    held = Holdings(
        {"BTC": D("1.5"), "USDT": D(9), "ETH": D(2)}, account, "USDT", {"BTC": D(1)}, frozenset({"BTC/USDT:USDT"})
    )
    assert bad(holding_findings(held)) == {}
    texts = " ".join(finding.text for finding in holding_findings(held))
    assert "1 open, ours" in texts
    assert "never touched: 0.5 BTC, 2 ETH" in texts
    assert bad(holding_findings(replace(held, spot={"BTC": D("0.9")}, short_pairs=frozenset()))) == {
        "coins BTC": "fail",
        "position BTC/USDT:USDT": "warn",
    }


MARKETS: dict[str, Any] = {
    "BTC/USDT:USDT": {"swap": True, "active": True, "limits": {"cost": {"min": 50}}, "precision": {"amount": 0.001}},
    "BTC/USDT": {
        "spot": True, "base": "BTC", "quote": "USDT", "active": True, "taker": 0.001,
        "precision": {"amount": 0.00001, "price": 0.01}, "limits": {"cost": {"min": 5}},
    },
    "ABC/USDT:USDT": {"swap": True, "active": True},
}  # fmt: skip


@pytest.mark.parametrize(
    ("pair", "notional", "price", "why"),
    [
        ("BTC/USDT:USDT", None, 0.0, ""),
        ("BTC/USDT:USDT", D(100), 50_000.0, ""),
        ("BTC/USDT:USDT", D(49), 0.0, "the perpetual's minimum 50.00"),
        ("BTC/USDT:USDT", D(60), 65_000.0, "smallest lot is 0.001"),
        ("ABC/USDT:USDT", None, 0.0, "no spot market"),
        ("NO/USDT:USDT", None, 0.0, "no such perpetual"),
    ],
)
def test_what_is_never_entered_says_why(pair: str, notional: D | None, price: float, why: str) -> None:
    """Either market missing, or a stake that is no order on one of them."""
    facts = pair_facts(pair, MARKETS, notional, price)
    assert why in facts.never
    assert bool(facts.never) is bool(why)
    assert worst(pair_findings([facts])) is (Verdict.FAIL if why else Verdict.OK)


@pytest.mark.parametrize("closed", ["BTC/USDT:USDT", "BTC/USDT"])
def test_a_closed_market_is_never_entered(closed: str) -> None:
    """On either side."""
    markets = {**MARKETS, closed: {**MARKETS[closed], "active": False}}
    assert "not open for trading" in pair_facts("BTC/USDT:USDT", markets).never


def test_only_packages_that_are_needed_here_count() -> None:
    """Extras and other markers are left out; a version that is no version is not a fit one."""
    lines = ["pandas>=2", "psycopg>=3; extra == 'postgres'", "winonly>=1; sys_platform == 'win32'", "???"]
    assert bad(version_findings("3.11.1", ">=3.11", lines, {"pandas": "2.2"})) == {}
    assert bad(version_findings("3.11.1", ">=3.11", lines, {"pandas": "no version"})) == {"package pandas": "fail"}


def test_a_remedy_is_part_of_the_line() -> None:
    """What a message says is the finding with what to do about it."""
    assert warn("a", "it is hot", "open a window").line == "it is hot; open a window"
    assert ok("a", "fine").line == "fine"
