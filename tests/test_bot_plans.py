"""What a start refuses, and what an entry needs in both wallets."""

from __future__ import annotations

from decimal import Decimal as D
from types import SimpleNamespace
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from freqtrade_fundhedge.bot import check_exits, check_markets, entry_leverage, plan_entry, unlimited_stake
from freqtrade_fundhedge.config import FundHedgeConfig, parse
from freqtrade_fundhedge.errors import ConfigError, StartRefused

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


@given(
    stake=st.floats(10, 1e5).map(lambda x: round(x, 2)),
    tied=st.floats(0, 1e5).map(lambda x: round(x, 2)),
    ratio=st.floats(0.5, 1).map(lambda x: round(x, 3)),
    leverage=st.integers(1, 20),
)
def test_margin_of_an_entry_satisfies_freqtrade(stake: float, tied: float, ratio: float, leverage: int) -> None:
    """With the planned margin free, Freqtrade's own formula leaves at least the stake available."""
    config = {"stake_amount": stake, "tradable_balance_ratio": ratio}
    plan = plan_entry(PAIR, 50_000.0, 0.0, config, settings(leverage=leverage), 125, tied)
    free = float(plan.margin)
    available = min((tied + free) * ratio - tied, free)
    assert available >= stake - 1e-6
    assert plan.spot_cost == pytest.approx(D(str(stake)) * leverage)


def test_a_stake_that_is_not_a_number_needs_the_wallets() -> None:
    """ "unlimited" can't be planned without knowing both wallets."""
    with pytest.raises(ConfigError, match="stake_amount"):
        plan_entry(PAIR, 50_000.0, 0.0, {"stake_amount": "unlimited"}, settings(), 125, 0.0)


@pytest.mark.parametrize(("wanted", "most", "used"), [(3, 125, 3), (2.7, 125, 2), (10, 5, 5), (1, 0.5, 1)])
def test_leverage_is_whole_and_within_the_pairs_limit(wanted: float, most: float, used: float) -> None:
    """Binance takes whole leverages, and each pair has a highest one."""
    assert entry_leverage(settings(leverage=wanted), most) == used


@given(total=st.integers(100, 10**6), slots=st.integers(1, 20), leverage=st.integers(1, 20))
def test_an_unlimited_stake_fits_on_both_legs(total: int, slots: int, leverage: int) -> None:
    """Margin and spot leg of all slots together, with a percent for fees and slippage, stay within the capital."""
    stake = unlimited_stake(D(total), slots, leverage, 0.99)
    assert slots * (stake + stake * leverage * D("1.01")) <= D(total)
