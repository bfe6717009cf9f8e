"""`fundhedge doctor`: each check made to fail in turn, exit codes, output for people and machines, nothing moved."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from doctor_faults import BEGIN, DOCS, END, FAULTS, TRANSFER, Case, Fault, code, examine, new_case, row, table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freqtrade_fundhedge.cli import run
from freqtrade_fundhedge.core.checks import Verdict
from freqtrade_fundhedge.sandbox.client import ccxt_urls
from freqtrade_fundhedge.sandbox.settings import DEFAULT_KEY, DEFAULT_SECRET
from freqtrade_fundhedge.venue.live import LiveVenue

TABLE = DOCS.read_text().partition(BEGIN)[2].partition(END)[0]


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    with new_case(tmp_path) as made:
        yield made


def verdicts(case: Case) -> dict[str, str]:
    return {check.name: str(check.verdict) for check in examine(case)}


def test_a_fit_account_passes_every_check(case: Case) -> None:
    """Nothing to put right, the transfer test included: two transfers and no other request that moves anything."""
    case.transfer_test = True
    checks = examine(case)
    assert {check.verdict for check in checks} == {Verdict.OK}
    assert code(checks) == 0
    assert [r["path"] for r in case.sandbox.requests("POST")] == [TRANSFER] * 2
    assert abs(float(case.sandbox.books()["futures"]["walletBalance"])) < 0.003  # type: ignore[index]


@pytest.mark.parametrize("fault", FAULTS, ids=[f"{fault.check}-{fault.what}" for fault in FAULTS])
def test_each_fault_is_told_with_its_remedy(case: Case, fault: Fault) -> None:
    """The check that is at fault says so, the exit code agrees, and the docs have it word by word."""
    fault.make(case)
    checks = examine(case)
    line = row(fault, checks)
    failed = {check.name for check in checks if check.verdict is Verdict.FAIL}
    assert (fault.check in failed) is (fault.verdict == "fail")
    assert code(checks) == (2 if "config" in failed else int(bool(failed)))
    assert line in TABLE, "run `python tests/doctor_faults.py`"
    if fault.check != "transfer":
        assert not case.sandbox.requests("POST", TRANSFER)


def test_the_docs_have_no_row_more() -> None:
    """What the table says is what the tests make happen."""
    assert len(TABLE.strip().splitlines()) == len(FAULTS) + 2
    assert table([]) in TABLE


def said(capsys: pytest.CaptureFixture[str], *arguments: str, expected: int = 0) -> str:
    assert run(["doctor", "-c", "config.json", *arguments]) == expected
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_people_get_80_columns_and_never_a_secret(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    """Only what is not well is shown where something is; the key and its secret are nowhere."""
    case.permit(enableWithdrawals=True)
    out = said(capsys, expected=1)
    assert all(len(line) <= 80 for line in out.splitlines())
    assert "permissions fail" in out
    assert "-> switch off 'Enable Withdrawals', no bot needs it" in out
    assert "may trade spot" not in out
    assert "1 to put right, 0 to look at; 1 check skipped." in out
    everything = said(capsys, "-v", expected=1) + said(capsys, "--json", expected=1)
    assert "may trade spot" in everything
    assert "1000PEPE/USDT:USDT = 1000 x PEPE/USDT, 8 h, lot 1/1, min 5/5" in everything.replace("\n", " ")
    for hidden in (DEFAULT_KEY, DEFAULT_SECRET):
        assert hidden not in everything


def test_machines_get_every_finding(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    """Checks in their order, with verdict, text and remedy."""
    answer = json.loads(said(capsys, "--json"))
    names = [check["check"] for check in answer["checks"]]
    assert names == ["versions", "config", "keys", "clock", "permissions", "account", "holdings", "pairs", "wallets",
                     "journal", "transfer"]  # fmt: skip
    assert answer["counts"] == {"ok": 10, "skipped": 1, "warn": 0, "fail": 0}
    first = answer["checks"][4]["findings"][0]
    assert first == {"topic": "key-reading", "verdict": "ok", "text": "exchange.key may read the account", "remedy": ""}


def test_a_dry_run_needs_no_key(case: Case) -> None:
    """Without keys, the private questions are skipped with the reason, and no signed request is made."""
    case.config |= {"dry_run": True}
    case.config["exchange"] |= {"key": "", "secret": ""}
    found = verdicts(case)
    skipped = {name for name, verdict in found.items() if verdict == "skipped"}
    assert skipped == {"permissions", "account", "holdings", "transfer"}
    assert {found[name] for name in found.keys() - skipped} == {"ok"}
    assert not [r for r in case.sandbox.requests() if "signature" in r["params"]]  # type: ignore[operator]


def test_without_network_the_rest_is_still_checked(case: Case) -> None:
    """What needs the exchange is skipped with the reason; versions, configuration, keys and journal are not."""
    case.config["exchange"]["ccxt_config"]["urls"] = {"api": {"public": "http://127.0.0.1:9/api/v3"}}
    checks = {check.name: check for check in examine(case)}
    for name in ("permissions", "account", "holdings", "pairs", "wallets"):
        assert [f.text for f in checks[name].findings] == ["the exchange can't be reached"]
    assert {checks[name].verdict for name in ("versions", "config", "keys", "journal")} == {Verdict.OK}


def test_a_key_of_its_own_for_spot_is_checked_for_what_it_does(case: Case) -> None:
    """Each key needs its own rights only, and is named in what is said about it."""
    case.sandbox.post("keys", key="spot-key", secret="spot-secret", enableFutures=False, permitsUniversalTransfer=False)
    case.permit(enableSpotAndMarginTrading=False, permitsUniversalTransfer=False)
    case.config["fundhedge"]["spot"] = {"key": "spot-key", "secret": "spot-secret", "password": ""}
    (check,) = [check for check in examine(case) if check.name == "permissions"]
    bad = [f.text for f in check.findings if f.verdict is Verdict.FAIL]
    assert bad == ["fundhedge.spot.key: the key may not move USDT between wallets"]


def test_the_source_of_the_keys_is_named(
    case: Case, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file, or the environment."""
    assert "exchange.key from config.json" in said(capsys, "-v")
    monkeypatch.setenv("FREQTRADE__EXCHANGE__KEY", DEFAULT_KEY)
    assert "exchange.key from the environment" in said(capsys, "-v")


def test_regular_expressions_and_the_blacklist_choose_pairs_as_freqtrade_does(case: Case) -> None:
    """`.*/USDT:USDT` is every perpetual; what is on the blacklist is not looked at."""
    case.config["exchange"] |= {"pair_whitelist": [".*/USDT:USDT"], "pair_blacklist": ["FARTCOIN/.*"]}
    (check,) = [check for check in examine(case) if check.name == "pairs"]
    assert check.verdict is Verdict.OK
    assert [f.text for f in check.findings] == ["13 of 13 pairs can be hedged"]


def test_two_transfer_tests_at_once_never_send_more_than_they_tell(case: Case) -> None:
    """Two processes at the same time: what is told as done has left once each way, and nothing else has."""
    examine(case)
    case.sandbox.post("latency", ms=30)
    command = [sys.executable, "-c", "from freqtrade_fundhedge.cli import main; main()", "doctor", "-c", "config.json"]
    processes = [
        subprocess.Popen([*command, "--transfer-test", "--json"], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    answers = [json.loads(process.communicate(timeout=120)[0]) for process in processes]
    done = [answer for answer in answers if answer["checks"][-1]["verdict"] == "ok"]
    assert 1 <= len(done) <= 2
    assert case.sandbox.count("POST", TRANSFER) == 2 * len(done)


def test_an_exchange_that_tells_less_is_still_asked_what_forbids_hedging(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where keys and modes can't be asked one by one, the venue's own refusals count."""
    monkeypatch.setattr(LiveVenue, "facts", lambda _self: None)
    assert verdicts(case) | {"account": "skipped", "transfer": "skipped"} == verdicts(case)
    assert set(verdicts(case).values()) == {"ok", "skipped"}
    case.permit(enableWithdrawals=True)
    (check,) = [check for check in examine(case) if check.name == "permissions"]
    assert [f.text for f in check.findings] == [
        "exchange.key: the key may withdraw; switch off 'Enable Withdrawals', no bot needs it"
    ]


JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 10**12), st.floats(), st.text(max_size=5), st.just([]), st.just({}),
    st.just(["x"]), st.just({"x": 1}), st.just("BTC/USDT:USDT"), st.just("("),
)  # fmt: skip
PLACES = [
    "dry_run", "max_open_trades", "stake_currency", "stake_amount", "tradable_balance_ratio", "margin_mode",
    "trading_mode", "order_types", "order_types.entry", "entry_pricing", "pairlists", "internals",
    "internals.process_throttle_secs", "dry_run_wallet", "strategy", "strategy_path", "user_data_dir", "bot_name",
    "db_url", "exchange.name", "exchange.key", "exchange.secret",
    "exchange.ccxt_sync_config", "exchange.pair_whitelist", "exchange.pair_blacklist", "fundhedge",
    "fundhedge.db_url", "fundhedge.carry", "fundhedge.carry.pairlist_file", "fundhedge.margin.leverage",
    "fundhedge.margin.min_liquidation_distance", "fundhedge.transfer.enabled", "fundhedge.spot.key",
]  # fmt: skip


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(PLACES), JUNK)
def test_no_value_in_the_configuration_ends_in_a_traceback(offline: dict[str, Any], place: str, junk: Any) -> None:
    """Whatever stands there: eleven answers, and an exit code."""
    config = copy.deepcopy(offline)
    *folders, last = place.split(".")
    target = config
    for name in folders:
        target = target[name]
    target[last] = junk
    Path("config.json").write_text(json.dumps(config))
    assert run(["doctor", "-c", "config.json"]) in (0, 1, 2)


@pytest.fixture
def offline(case: Case) -> dict[str, Any]:
    """A configuration whose exchange is a closed port, so that nothing is waited for."""
    urls = dict.fromkeys(ccxt_urls("")["api"], "http://127.0.0.1:9")
    case.config["exchange"]["ccxt_config"]["urls"] = {"api": urls}
    return case.config


@pytest.mark.parametrize("arguments", [["--nope"], ["-c"], ["--transfer-test=3"], ["extra"]])
def test_bad_usage_is_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback, exit code 2."""
    assert run(["doctor", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
