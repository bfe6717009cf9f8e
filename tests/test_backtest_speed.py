"""What a backtest is spared changes nothing of its result."""

from __future__ import annotations

import gc
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from freqtrade.enums import TradingMode
from freqtrade.exchange import Exchange
from freqtrade.persistence import LocalTrade
from freqtrade.strategy import IStrategy
from hypothesis import given
from hypothesis import strategies as st

from freqtrade_fundhedge.backtest_speed import FundingUntilSettled, QuickBacktest

START = datetime(2024, 1, 1, tzinfo=UTC)


class Ledger:
    """An exchange as far as funding goes, which counts how often it is asked."""

    calculate_funding_fees = Exchange.calculate_funding_fees
    _add_funding_columns = staticmethod(Exchange._add_funding_columns)


class Counting(Ledger):
    def __init__(self) -> None:
        self.asked = 0

    def calculate_funding_fees(self, *arguments: Any) -> float:
        self.asked += 1
        return Exchange.calculate_funding_fees(self, *arguments)


def settlements(hours: list[int], rates: list[float]) -> pd.DataFrame:
    dates = pd.to_datetime([START + timedelta(hours=hour) for hour in hours], utc=True)
    frame = pd.DataFrame({"date": dates, "open_mark": 100.0 + np.arange(len(hours)), "open_fund": rates})
    return Exchange._add_funding_columns(frame)


RATES = st.sampled_from([*np.linspace(-0.01, 0.02, 29).tolist(), float("nan")])
FRAMES = st.lists(st.tuples(st.integers(0, 60), RATES), max_size=25).map(
    lambda rows: settlements([hour for hour, _ in sorted(rows)], [rate for _, rate in sorted(rows)])
)
CALLS = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1]), st.sampled_from([2.0, 2.0, 7.7]), st.sampled_from([True, True, False]),
        st.sampled_from([0, 0, 3]), st.integers(-2, 124),
    ),
    max_size=60,
)  # fmt: skip


@given(st.tuples(FRAMES, FRAMES), CALLS, st.booleans())
def test_funding_is_freqtrades_to_the_last_bit(
    frames: tuple[pd.DataFrame, pd.DataFrame], calls: list[tuple[int, float, bool, int, int]], in_order: bool
) -> None:
    """Whatever is asked in whatever order: empty frames, missing rates, twice the same moment, longs, borders."""
    quick = FundingUntilSettled(Ledger())
    for which, amount, is_short, opened, closed in sorted(calls) if in_order else calls:
        dates = START + timedelta(hours=opened), START + timedelta(minutes=30 * closed)
        assert quick(frames[which], amount, is_short, *dates) == Ledger().calculate_funding_fees(
            frames[which], amount, is_short, *dates
        )


@pytest.mark.parametrize("rows", ["unsorted", "naive", "undated"])
def test_frames_of_another_kind_are_freqtrades_alone(rows: str) -> None:
    """What is not a sorted list of moments is passed on each time."""
    frame = settlements([0, 8, 16], [0.001, 0.002, 0.003])
    if rows == "unsorted":
        frame = frame.iloc[::-1]
    elif rows == "naive":
        frame["date"] = frame["date"].dt.tz_localize(None)
    else:
        frame = frame.drop(columns="date")
    exchange = Counting()
    quick = FundingUntilSettled(exchange)
    for _ in range(3):
        quick(frame, 1.0, True, START, START + timedelta(hours=9))
    assert exchange.asked == 3


def test_freqtrade_is_asked_once_a_settlement() -> None:
    """Thirty days by the hour, settled every eight: asked 91 times, not 720, and once more for another amount."""
    exchange = Counting()
    quick = FundingUntilSettled(exchange)
    frame = settlements(list(range(0, 721, 8)), [0.001] * 91)
    for hour in range(720 + 1):
        quick(frame, 1.0, True, START, START + timedelta(hours=hour))
    assert exchange.asked == 91
    quick(frame, 0.5, True, START, START + timedelta(hours=720))
    assert exchange.asked == 92


@pytest.mark.parametrize(
    "other",
    [{"amount": 2.0}, {"is_short": False}, {"open_date": START + timedelta(hours=8)}, {"df": settlements([0], [1])}],
)
def test_another_trade_is_another_sum(other: dict[str, Any]) -> None:
    """What is kept for a trade is not taken for one that differs in anything, nor lost by asking for that."""
    frame = settlements([0, 8, 16], [0.001, 0.002, 0.003])
    one = {"df": frame, "amount": 1.0, "is_short": True, "open_date": START, "close_date": START + timedelta(hours=9)}
    quick = FundingUntilSettled(Ledger())
    for asked in (one, one | other, one):
        assert quick(**asked) == Ledger().calculate_funding_fees(**asked)


def test_frames_are_let_go_and_not_sent_to_workers() -> None:
    """A frame that nobody else holds is forgotten; a copy for another process starts empty and answers the same."""
    quick = FundingUntilSettled(Ledger())
    frame = settlements([0, 8], [0.001, 0.002])
    asked = (1.0, True, START, START + timedelta(hours=9))
    fees = quick(frame, *asked)
    copy = cloudpickle.loads(cloudpickle.dumps(quick))
    assert (len(quick._frames), len(copy._frames)) == (1, 0)
    assert copy(frame, *asked) == fees
    del frame
    gc.collect()
    assert len(quick._frames) == 0


class Plain(IStrategy):
    """Only Freqtrade's own checks; exits by stop, liquidation and signal."""

    stoploss = -0.2
    minimal_roi: dict[int, float] = {}  # noqa: RUF012
    use_exit_signal, exit_profit_only, exit_profit_offset, ignore_roi_if_entry_signal = True, False, 0.0, False

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict[str, Any]) -> pd.DataFrame:
        return dataframe


class Quick(QuickBacktest, Plain):
    """The same with the shorter way."""


class Nosy(QuickBacktest, Plain):
    """Looks at the profit of each candle."""

    def custom_exit(self, *arguments: Any, current_profit: float, **kwargs: Any) -> str | None:
        return "enough" if current_profit > 0.05 else None


def short(is_short: bool, stop_loss: float, liquidation: float | None) -> LocalTrade:
    trade = LocalTrade(
        pair="BTC/USDT:USDT", exchange="binance", open_rate=100.0, amount=1.0, stake_amount=100.0, fee_open=0.0005,
        fee_close=0.0005, leverage=1.0, is_short=is_short, open_date=START, trading_mode=TradingMode.FUTURES,
        price_precision=0.01, precision_mode=4, precision_mode_price=4,
    )  # fmt: skip
    trade.stop_loss, trade.initial_stop_loss, trade.liquidation_price = stop_loss, stop_loss, liquidation
    trade.initial_stop_loss_pct = -0.2 if stop_loss else None
    return trade


def strategy(kind: type[Plain], **rules: Any) -> Any:
    made = kind({"dry_run": True, "stake_currency": "USDT", "runmode": "backtest", "exchange": {"name": "binance"}})
    made.order_types = {**made.order_types, "stoploss_on_exchange": False}
    for name, value in rules.items():
        setattr(made, name, value)
    return made


RULES: list[dict[str, Any]] = [
    {},
    {"minimal_roi": {0: 0.04}},
    {"trailing_stop": True},
    {"use_custom_roi": True},
    {"use_custom_stoploss": True},
    {"use_exit_signal": False},
    {"exit_profit_only": True},
]
CANDLES = [(100.0, 99.0, 101.0), (100.0, 90.0, 105.0), (95.0, 94.0, 110.0), (118.0, 60.0, 120.0)]


@pytest.mark.parametrize("rules", RULES, ids=lambda rules: "".join(rules) or "none")
@pytest.mark.parametrize("kind", [Quick, Nosy])
def test_exit_checks_are_freqtrades(kind: type[Plain], rules: dict[str, Any]) -> None:
    """For every trade and pair of candles the exits, and what the trade remembers, are as without the shorter way."""
    quick, slow = strategy(kind, **rules), strategy(kind, **rules)
    quick.speed_up(object())
    seen = set()
    trades = product([True, False], [0.0, 80.0, 105.0, 110.0, 199.0], [None, 110.0, 150.0])
    for (trade, signals), candles in product(product(trades, product([0, 1], [0, 1])), product(CANDLES, repeat=2)):
        pair = short(*trade), short(*trade)
        for hour, (rate, low, high) in enumerate(candles):
            found = [
                one.should_exit(
                    mine, rate, START + timedelta(hours=hour), enter=signals[0], exit_=signals[1], low=low, high=high
                )
                for one, mine in zip((quick, slow), pair, strict=True)
            ]
            assert found[0] == found[1]
            assert vars(pair[0]) == vars(pair[1])
            seen |= {str(exit_.exit_type) for exit_ in found[0]}
    assert {"stop_loss", "liquidation"} <= seen


def test_profits_are_worked_out_only_if_they_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quiet candle costs no profit; a strategy with checks of its own, or before the start, is asked as ever."""
    asked: list[float] = []
    ratio = LocalTrade.calc_profit_ratio
    monkeypatch.setattr(LocalTrade, "calc_profit_ratio", lambda t, rate, *more: asked.append(rate) or ratio(t, rate))

    def checks(one: Any) -> int:
        asked.clear()
        one.should_exit(short(True, 199.0, None), 100.0, START, enter=False, exit_=False, low=99.0, high=101.0)
        return len(asked)

    quick, nosy = strategy(Quick), strategy(Nosy)
    assert checks(quick) == 2
    for one in (quick, nosy):
        one.speed_up(object())
    assert (checks(quick), checks(nosy)) == (0, 2)


def test_an_exchange_with_its_own_sums_is_left_alone() -> None:
    """Only Freqtrade's own function is replaced, and only once."""
    own, other = Ledger(), Counting()
    for _ in range(2):
        strategy(Quick).speed_up(own)
        strategy(Quick).speed_up(other)
    assert isinstance(own.calculate_funding_fees, FundingUntilSettled)
    assert own.calculate_funding_fees.exchange is own
    assert "calculate_funding_fees" not in vars(other)
