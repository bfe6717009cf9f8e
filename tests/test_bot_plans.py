"""What a start refuses, and the leverage that a pair takes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from freqtrade_fundhedge.bot import check_exits, check_markets
from freqtrade_fundhedge.config import FundHedgeConfig, parse
from freqtrade_fundhedge.errors import ConfigError, StartRefused
from freqtrade_fundhedge.sizes import entry_leverage

PAIR = "BTC/USDT:USDT"
MARKETS: dict[str, Any] = {
    "BTC/USDT": {"spot": True, "quote": "USDT"},
    PAIR: {"spot": False, "quote": "USDT"},
    "ODD/USDT:USDT": {"spot": False, "quote": "USDT"},
    "BTC/USDC:USDC": {"spot": False, "quote": "USDC"},
}


def settings(**margin: Any) -> FundHedgeConfig:
    return parse({"fundhedge": {"margin": margin}})


def test_a_stake_currency_without_spot_is_refused() -> None:
    """Where nothing on spot is quoted in the stake currency, one line says so and what to do."""
    with pytest.raises(StartRefused, match=r"^stake_currency: this exchange has no spot market in USDC; choose"):
        check_markets(MARKETS, "USDC", ["BTC/USDC:USDC"])


def test_a_whitelist_without_any_spot_twin_is_refused() -> None:
    """A bot that could never enter does not start."""
    with pytest.raises(StartRefused, match=r"pair_whitelist: none of its pairs has a spot market: ODD/USDT:USDT; list"):
        check_markets(MARKETS, "USDT", ["ODD/USDT:USDT"])


def test_one_pair_without_spot_twin_is_only_told(caplog: pytest.LogCaptureFixture) -> None:
    """The other pairs can still be hedged."""
    check_markets(MARKETS, "USDT", [PAIR, "ODD/USDT:USDT"])
    assert "never entered, because they have no spot market: ODD/USDT:USDT" in caplog.text


@pytest.mark.parametrize(
    ("strategy", "setting"),
    [
        (SimpleNamespace(use_exit_signal=False, exit_profit_only=False), "use_exit_signal"),
        (SimpleNamespace(use_exit_signal=True, exit_profit_only=True), "exit_profit_only"),
    ],
)
def test_settings_that_keep_exits_from_us_are_refused(strategy: SimpleNamespace, setting: str) -> None:
    """Freqtrade would not ask whether a short with a failed spot leg has to close."""
    with pytest.raises(ConfigError, match=f"^{setting}: "):
        check_exits(strategy)


@pytest.mark.parametrize(("wanted", "most", "used"), [(3, 125, 3), (2.7, 125, 2), (10, 5, 5), (1, 0.5, 1)])
def test_leverage_is_whole_and_within_the_pairs_limit(wanted: float, most: float, used: float) -> None:
    """Binance takes whole leverages, and each pair has a highest one."""
    assert entry_leverage(settings(leverage=wanted), most) == used
