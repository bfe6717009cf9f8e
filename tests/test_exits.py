"""Exits that Freqtrade is asked for, and the copies of trades that it is spared while there are none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from freqtrade.enums import TradingMode
from freqtrade.persistence import LocalTrade
from freqtrade.strategy import IStrategy

from freqtrade_fundhedge import FundHedgeMixin
from freqtrade_fundhedge.venue.perpetuals import FundingQuote

PAIR = "BTC/USDT:USDT"
NOW = datetime(2026, 1, 2, tzinfo=UTC)
CONFIG = {
    "dry_run": False, "runmode": "live", "trading_mode": "futures", "margin_mode": "isolated",
    "stake_currency": "USDT", "exchange": {"name": "binance"},
}  # fmt: skip


class Plain(IStrategy):
    """Exits of nobody's."""

    timeframe, stoploss = "1h", -99.0
    minimal_roi: dict[int, float] = {}  # noqa: RUF012
    use_exit_signal, exit_profit_only, exit_profit_offset, ignore_roi_if_entry_signal = True, False, 0.0, False

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict[str, Any]) -> pd.DataFrame:
        return dataframe


class Knowing(Plain):
    """A strategy that was there before the hedge."""

    def custom_exit(self, *_arguments: Any, **_kwargs: Any) -> str | None:
        return "mine"


class Hedged(FundHedgeMixin, Plain):
    """Ours alone."""

    fundhedge_gate = True


class OnKnowing(FundHedgeMixin, Knowing):
    """Ours in front of a strategy's own."""


class Overriding(FundHedgeMixin, Plain):
    """A strategy that asks us."""

    def custom_exit(self, *arguments: Any, **kwargs: Any) -> Any:
        return super().custom_exit(*arguments, **kwargs) or "mine"


class Short(LocalTrade):
    """Counts how often it is copied."""

    copies = 0

    def __deepcopy__(self, _memo: object) -> Short:
        self.copies += 1
        return self


def short() -> Short:
    trade = Short(
        pair=PAIR, exchange="binance", open_rate=100.0, amount=1.0, stake_amount=100.0, fee_open=0.0005,
        fee_close=0.0005, leverage=1.0, is_short=True, open_date=NOW, trading_mode=TradingMode.FUTURES,
        price_precision=0.01, precision_mode=4, precision_mode_price=4,
    )  # fmt: skip
    trade.stop_loss = trade.initial_stop_loss = 9999.0
    return trade


def bot() -> Any:
    """As a running bot's parts stand in a quiet loop."""
    guard = SimpleNamespace(leaves=frozenset(), leave_now=lambda pair: pair == PAIR)
    outside = SimpleNamespace(exit_reason=lambda _pair: "", spot_halted=lambda _pair: False)
    funding = {PAIR: FundingQuote(0.001, 8, 0, 1, 1)}
    controller = SimpleNamespace(
        guard=guard, outside=outside, hedge_failed=lambda _pair: False, funding=funding, trouble=""
    )
    return SimpleNamespace(controller=controller)


def strategy(kind: type[Any]) -> Any:
    made = kind(CONFIG)
    made.order_types = {**made.order_types, "stoploss_on_exchange": False}
    frame = pd.DataFrame({"carry_balance": [-1.0], "basis_gain": [0.0]})
    made.dp = SimpleNamespace(get_analyzed_dataframe=lambda *_: (frame, None))
    made._fundhedge = bot()
    made._spare_copies()
    return made


def reasons(one: Any, trade: Short) -> list[str]:
    """What Freqtrade would exit for now."""
    return [found.exit_reason for found in one.should_exit(trade, 100.0, NOW, enter=False, exit_=False)]


def fails(_pair: str) -> bool:
    raise ValueError("nobody knows")


DUE: dict[str, Callable[[Any], None]] = {
    "margin_low": lambda parts: setattr(parts.guard, "leaves", frozenset({PAIR})),
    "hedge_failed": lambda parts: setattr(parts, "hedge_failed", lambda pair: pair == PAIR),
    "delisted": lambda parts: setattr(parts.outside, "exit_reason", lambda _pair: "delisted"),
    "funding_turned": lambda parts: setattr(parts, "funding", {PAIR: FundingQuote(-0.01, 8, 0, 1, 1)}),
}


@pytest.mark.parametrize("reason", DUE)
def test_an_exit_that_becomes_due_is_asked_for_at_once(reason: str) -> None:
    """A trade is copied only while we have something to say of it; no loop goes by before it is said."""
    one, trade = strategy(Hedged), short()
    assert reasons(one, trade) == []
    assert trade.copies == 0
    DUE[reason](one._fundhedge.controller)
    assert reasons(one, trade) == [reason]
    assert trade.copies == 1
    one._fundhedge = bot()
    assert reasons(one, trade) == []
    assert trade.copies == 1


def test_what_can_not_be_known_is_asked_for_and_said() -> None:
    """A check that fails keeps entries out, and is no reason to exit."""
    one, trade = strategy(Hedged), short()
    one._fundhedge.controller.hedge_failed = fails
    assert reasons(one, trade) == []
    assert trade.copies == 1
    assert one._fundhedge.controller.trouble == "the exit check failed"


@pytest.mark.parametrize("kind", [OnKnowing, Overriding])
def test_a_strategys_own_exits_are_asked_for(kind: type[Any]) -> None:
    """Before and behind ours, which goes first when it is due."""
    one, trade = strategy(kind), short()
    assert reasons(one, trade) == ["mine"]
    DUE["margin_low"](one._fundhedge.controller)
    assert reasons(one, trade) == ["margin_low"]
    one._fundhedge = bot()
    assert reasons(one, trade) == ["mine"]
