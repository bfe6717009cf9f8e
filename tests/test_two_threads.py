"""Freqtrade's database seen from two of its threads, its loop and the one that serves /forceexit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from freqtrade.enums import TradingMode
from freqtrade.persistence import Trade, init_db

from freqtrade_fundhedge import FundHedgeMixin


@pytest.fixture
def trade(tmp_path: Path) -> Iterator[Trade]:
    init_db(f"sqlite:///{tmp_path}/trades.sqlite")
    made = Trade(
        pair="BTC/USDT:USDT", base_currency="BTC", stake_currency="USDT", exchange="binance", is_short=True,
        stake_amount=100.0, amount=1.0, amount_requested=1.0, open_rate=300.0, open_rate_requested=300.0,
        fee_open=0.0, fee_close=0.0, leverage=3.0, open_date=datetime.now(UTC), is_open=True,
        trading_mode=TradingMode.FUTURES,
    )  # fmt: skip
    Trade.session.add(made)
    Trade.commit()
    yield made
    Trade.session.remove()


def elsewhere(work: Callable[[], None]) -> None:
    """In a thread, and so in a session, of its own."""

    def run() -> None:
        work()
        Trade.commit()
        Trade.session.remove()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def close_it() -> None:
    """As /forceexit leaves it."""
    found = Trade.get_open_trades()[0]
    found.is_open, found.amount = False, 0.0


def test_the_loop_sees_what_another_thread_has_closed(trade: Trade) -> None:
    """A trade that the loop has read before is not taken for open once /forceexit has closed it."""
    assert trade.is_open
    elsewhere(close_it)
    FundHedgeMixin._read_anew(None)  # type: ignore[arg-type]
    assert not trade.is_open


def test_what_freqtrade_has_not_saved_is_kept(trade: Trade) -> None:
    """Changes of Freqtrade's own that wait for its commit are never lost to a fresh read."""
    assert trade.is_open
    trade.max_rate = 301.0
    FundHedgeMixin._read_anew(None)  # type: ignore[arg-type]
    assert trade.max_rate == 301.0
    Trade.commit()
    assert trade.max_rate == 301.0
