"""Freqtrade's database seen from two of its threads, its loop and the one that serves /forceexit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from freqtrade.enums import TradingMode
from freqtrade.persistence import Order, Trade, init_db
from sqlalchemy import event

from freqtrade_fundhedge.trades_seen import TradesSeen


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
    engine = Trade.session.get_bind()
    Trade.session.remove()
    engine.dispose()


def elsewhere(work: Callable[[], None]) -> None:
    """In a thread, and so in a session, of its own."""

    def run() -> None:
        work()
        Trade.commit()
        Trade.session.remove()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def reduce_it() -> None:
    """As /forceexit of a part leaves it."""
    order = Order(
        order_id="1", ft_order_side="buy", ft_pair="BTC/USDT:USDT", ft_is_open=False, ft_amount=0.5, ft_price=300.0,
        status="closed", side="buy", amount=0.5, filled=0.5, average=300.0,
    )  # fmt: skip
    found = Trade.get_open_trades()[0]
    found.orders.append(order)


def close_it() -> None:
    """As /forceexit leaves it."""
    found = Trade.get_open_trades()[0]
    found.is_open, found.amount = False, 0.0


@pytest.fixture
def seen(trade: Trade) -> Iterator[TradesSeen]:
    """What the loop has read, in its second look."""
    found = TradesSeen(Trade)
    assert found.open() == [trade]
    yield found
    found.close()


def test_the_loop_sees_what_another_thread_has_closed(trade: Trade, seen: TradesSeen) -> None:
    """A trade that the loop has read before is not taken for open once /forceexit has closed it."""
    assert trade.is_open
    elsewhere(close_it)
    assert seen.open() == []
    assert not trade.is_open


def test_the_loop_sees_an_order_of_another_thread(trade: Trade, seen: TradesSeen) -> None:
    """Orders of a trade that stays open are read again, too."""
    assert trade.orders == []
    elsewhere(reduce_it)
    (found,) = seen.open()
    assert [order.order_id for order in found.orders] == ["1"]


def test_what_freqtrade_has_not_saved_is_kept(trade: Trade, seen: TradesSeen) -> None:
    """Changes of Freqtrade's own that wait for its commit are never lost to a fresh read, which follows them."""
    trade.max_rate = 301.0
    elsewhere(close_it)
    seen.refresh()
    assert trade.max_rate == 301.0
    Trade.commit()
    assert trade.max_rate == 301.0
    assert seen.open() == []
    assert not trade.is_open


def test_a_look_at_what_nobody_has_changed_is_one_statement(trade: Trade, seen: TradesSeen) -> None:
    """Neither trades nor their orders are read again while only the loop itself saves anything."""
    trade.max_rate = 301.0
    Trade.commit()
    (read,) = Trade.get_open_trades()  # as Freqtrade does at the beginning of each loop
    statements: list[str] = []
    engine = Trade.session.get_bind()
    event.listen(engine, "before_cursor_execute", lambda *said: statements.append(said[2]))
    seen.refresh()
    assert seen.open() == [read]
    assert seen.again() == [read]
    assert len(statements) == 1
    elsewhere(close_it)
    assert seen.again() == []
