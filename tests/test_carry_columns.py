"""Which candles Freqtrade is asked for, and when."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from freqtrade_fundhedge import carry_columns
from freqtrade_fundhedge.carry_columns import CarryColumns

HOUR = 1_790_000_000 // 3600 * 3600.0
OWN = ("BTC/USDT:USDT", "5m", "futures")


class Base:
    """A strategy with candles of its own."""

    def informative_pairs(self) -> list[tuple[str, str, str]]:
        return [OWN]


class Strategy(CarryColumns, Base):
    """Two pairs with a spot market, one without."""

    def __init__(self, runmode: str) -> None:
        self.config, self.timeframe, self.whitelist = {"runmode": runmode}, "1h", ["BTC/USDT:USDT", "XYZ/USDT:USDT"]
        markets = {symbol: {"spot": True} for symbol in ("BTC/USDT", "ETH/USDT")}
        self.kept: list[set[str]] = []
        candles = SimpleNamespace(retain=lambda symbols: self.kept.append(set(symbols)))
        self._fundhedge: Any = SimpleNamespace(candles=candles)
        self.dp = SimpleNamespace(
            current_whitelist=lambda: list(self.whitelist), _exchange=SimpleNamespace(markets=markets)
        )

    def asked(self, at: float, monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
        """Pairs and kinds of what Freqtrade is asked for besides the strategy's own."""
        monkeypatch.setattr(carry_columns.time, "time", lambda: at)
        found = self.informative_pairs()
        assert OWN in found
        return {(pair, kind) for pair, _, kind in found} - {(OWN[0], OWN[2])}


BTC = {("BTC/USDT:USDT", "funding_rate"), ("BTC/USDT:USDT", "mark")}
ETH = {("ETH/USDT:USDT", "funding_rate"), ("ETH/USDT:USDT", "mark")}


def test_candles_that_are_there_are_not_asked_for_in_each_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for around each hour and after a new list in each loop, between them twice a minute for what failed."""
    one = Strategy("live")
    assert [one.asked(HOUR + at, monkeypatch) for at in (100, 105, 159)] == [BTC] * 3
    assert [bool(one.asked(HOUR + at, monkeypatch)) for at in (165, 170, 188, 190, 196)] == [
        False, False, False, True, False,
    ]  # fmt: skip
    one.whitelist.append("ETH/USDT:USDT")
    assert one.asked(HOUR + 197, monkeypatch) == BTC | ETH
    assert one.kept == [{"BTC/USDT"}, {"BTC/USDT", "ETH/USDT"}]  # spot candles of what is not listed any more go
    for begin in (HOUR + 3591, HOUR + 3600, HOUR + 3605, HOUR + 3660):
        assert one.asked(begin, monkeypatch) == BTC | ETH
    assert one.asked(HOUR + 3665, monkeypatch) == set()


def test_a_clock_that_is_set_back_keeps_nothing_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Better asked for once too often."""
    one = Strategy("dry_run")
    assert one.asked(HOUR + 1000, monkeypatch) == BTC
    assert one.asked(HOUR + 500, monkeypatch) == BTC


def test_a_backtest_is_asked_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """There each call counts, and spot candles come from disk."""
    one = Strategy("backtest")
    assert [one.asked(HOUR + 1000, monkeypatch) for _ in range(2)] == [BTC | {("BTC/USDT", "spot")}] * 2
