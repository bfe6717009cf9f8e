"""Configurations and accounts that can't work: one clear line, no traceback, nothing sent that moves anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from harness import BTC, Run, running

pytestmark = pytest.mark.e2e

CONFIGS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"fundhedge": {"tranfer": {}}}, "fundhedge.tranfer: unknown key, did you mean transfer?"),
    "bad value": ({"fundhedge": {"hedge": {"unhedged_timeout_s": 0}}}, "fundhedge.hedge.unhedged_timeout_s: "),
    "spot mode": ({"trading_mode": "spot", "margin_mode": None}, 'trading_mode: "futures" is needed, not "spot"'),
    "no spot market": (
        {"exchange": {"pair_whitelist": ["FARTCOIN/USDT:USDT"]}},
        "exchange.pair_whitelist: none of its pairs has a spot market: FARTCOIN/USDT:USDT",
    ),
}
ACCOUNTS: dict[str, tuple[dict[str, Any], str]] = {
    "no transfers": ({"permitsUniversalTransfer": False}, "switch on 'Permits Universal Transfer' for it"),
    "withdrawals": ({"enableWithdrawals": True}, "switch off 'Enable Withdrawals'"),
}


# Freqtrade refuses these itself, before it loads any strategy; in its own words, and one of them with exit code 0.
FREQTRADES_OWN: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "stake currency": ({"stake_currency": "EUR"}, {}, "EUR is not available as stake on Binance"),
    "hedge mode": ({}, {"dual_side": True}, "Hedge Mode is not supported by freqtrade. Please change 'Position Mode'"),
}


def end_of(run: Run) -> tuple[int, list[str]]:
    """Exit code and the lines of complaint of a bot that must not come up."""
    run.start()
    assert run.process is not None
    code = run.process.wait(90)
    assert "Traceback" not in run.log()
    assert set(run.moves().values()) == {0}
    lines = run.log().splitlines()
    return code, [line for line in lines if " - ERROR - " in line or " - CRITICAL - " in line]


@pytest.mark.parametrize("case", CONFIGS)
def test_configurations(tmp_path: Path, case: str) -> None:
    """A configuration that can't work ends the start with the key and what would be right."""
    settings, expected = CONFIGS[case]
    with running(tmp_path, settings) as run:
        code, errors = end_of(run)
    assert code == 2
    assert len(errors) == 1
    assert f" - ERROR - {expected}" in errors[0]


@pytest.mark.parametrize("case", ACCOUNTS)
def test_accounts(tmp_path: Path, case: str) -> None:
    """An account or key that is not fit ends the start with the switch to flip."""
    change, expected = ACCOUNTS[case]
    with running(tmp_path) as run:
        run.sandbox.post("permissions", **change)
        code, errors = end_of(run)
    assert code == 2
    assert len(errors) == 1
    assert expected in errors[0]


@pytest.mark.parametrize("case", FREQTRADES_OWN)
def test_refused_by_freqtrade(tmp_path: Path, case: str) -> None:
    """What Freqtrade refuses before the strategy is loaded also ends in one clear line."""
    settings, account, expected = FREQTRADES_OWN[case]
    with running(tmp_path, settings) as run:
        run.sandbox.post("account", **account)
        _, errors = end_of(run)
    assert len(errors) == 1
    assert expected in run.log()


def test_a_journal_that_is_gone(tmp_path: Path) -> None:
    """Without its journal a hedge's coins are not bought a second time: the start is refused, until it is back."""
    with running(tmp_path) as run:
        run.enter()
        run.stop()
        before, kept = run.moves(), tmp_path / "kept"
        kept.mkdir()
        journal = list(tmp_path.glob("trades-fundhedge.sqlite*"))
        for path in journal:
            path.rename(kept / path.name)
        run.start()
        assert run.process is not None
        assert run.process.wait(90) == 2
        assert "Traceback" not in run.log()
        assert f" - ERROR - {BTC.pair}: Freqtrade has a short that the journal knows nothing of" in run.log()
        for path in journal:
            (kept / path.name).replace(path)
        run.start()
        run.loops(2)
        assert run.moves() == before
        assert run.hedged(BTC)
